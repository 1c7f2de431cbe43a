/*
 * Join keys: hashing and equality across the integer and the text types
 */
#include "store/store.h"
#include "catalog/pg_type.h"
#include "common/hashfn.h"
#include "utils/builtins.h"
#include "utils/datum.h"
#include "utils/lsyscache.h"
#include "utils/pg_locale.h"

static bool
is_integer(Oid type)
{
	return type == INT2OID || type == INT4OID || type == INT8OID;
}

static bool
is_text(Oid type)
{
	return type == TEXTOID || type == VARCHAROID;
}

void
store_key_init(StoreKey *key, const char *name, Oid left_type, Oid right_type, Oid collation)
{
	TypeCacheEntry *entry;

	key->left_type = getBaseType(left_type);
	key->right_type = getBaseType(right_type);
	key->collation = collation;
	if (is_integer(key->left_type) && is_integer(key->right_type))
	{
		key->class = STORE_KEY_INTEGER;
		key->typlen = sizeof(int64);
		key->typbyval = true;
		return;
	}
	if (is_text(key->left_type) && is_text(key->right_type) &&
		(!OidIsValid(collation) || get_collation_isdeterministic(collation)))
	{
		key->class = STORE_KEY_TEXT;
		key->typlen = -1;
		key->typbyval = false;
		return;
	}
	if (key->left_type != key->right_type && !(is_text(key->left_type) && is_text(key->right_type)))
		ereport(ERROR, (errcode(ERRCODE_DATATYPE_MISMATCH),
						errmsg("join key \"%s\" has type %s in the entity rows and type %s in the source", name,
							   format_type_be(left_type), format_type_be(right_type)),
						errhint("Cast the key in the query of the entity rows.")));
	key->class = STORE_KEY_OTHER;
	entry = lookup_type_cache(key->right_type, TYPECACHE_HASH_PROC_FINFO | TYPECACHE_EQ_OPR_FINFO);
	if (!OidIsValid(entry->hash_proc_finfo.fn_oid) || !OidIsValid(entry->eq_opr_finfo.fn_oid))
		ereport(ERROR, (errcode(ERRCODE_DATATYPE_MISMATCH),
						errmsg("column \"%s\" cannot be a join key: type %s has no hash function", name,
							   format_type_be(right_type))));
	fmgr_info_copy(&key->hash, &entry->hash_proc_finfo, CurrentMemoryContext);
	fmgr_info_copy(&key->equal, &entry->eq_opr_finfo, CurrentMemoryContext);
	key->typlen = entry->typlen;
	key->typbyval = entry->typbyval;
}

Datum
store_key_normalize(const StoreKey *key, Oid type, Datum value)
{
	if (key->class == STORE_KEY_INTEGER)
	{
		if (type == INT4OID)
			return Int64GetDatum(DatumGetInt32(value));
		if (type == INT2OID)
			return Int64GetDatum(DatumGetInt16(value));
		return value;
	}
	if (key->class == STORE_KEY_TEXT)
		return PointerGetDatum(PG_DETOAST_DATUM_PACKED(value));
	return value;
}

bool
store_keys_normalize(const StoreKey *keys, int nkeys, const Datum *values, const bool *nulls, Datum *normal)
{
	for (int i = 0; i < nkeys; i++)
	{
		if (nulls[i])
			return false;
		normal[i] = store_key_normalize(&keys[i], keys[i].left_type, values[i]);
	}
	return true;
}

Datum
store_key_denormalize(const StoreKey *key, Datum value)
{
	if (key->class != STORE_KEY_INTEGER || key->right_type == INT8OID)
		return value;
	return key->right_type == INT4OID ? Int32GetDatum((int32) DatumGetInt64(value))
									  : Int16GetDatum((int16) DatumGetInt64(value));
}

Datum
store_key_copy(const StoreKey *key, Datum value)
{
	return datumCopy(value, key->typbyval, key->typlen);
}

uint32
store_keys_hash(StoreKey *keys, int nkeys, const Datum *values)
{
	uint32 hash = 0;

	for (int i = 0; i < nkeys; i++)
	{
		uint32 h;

		switch (keys[i].class)
		{
			case STORE_KEY_INTEGER:
				h = store_integer_hash(DatumGetInt64(values[i]));
				break;
			case STORE_KEY_TEXT:
				h = hash_bytes((unsigned char *) VARDATA_ANY(DatumGetPointer(values[i])),
							   VARSIZE_ANY_EXHDR(DatumGetPointer(values[i])));
				break;
			default:
				h = DatumGetUInt32(FunctionCall1Coll(&keys[i].hash, keys[i].collation, values[i]));
				break;
		}
		hash = i == 0 ? h : hash_combine(hash, h);
	}
	return hash;
}

bool
store_keys_equal(StoreKey *keys, int nkeys, const Datum *a, const Datum *b)
{
	for (int i = 0; i < nkeys; i++)
	{
		switch (keys[i].class)
		{
			case STORE_KEY_INTEGER:
				if (a[i] != b[i])
					return false;
				break;
			case STORE_KEY_TEXT:
			{
				struct varlena *x = (struct varlena *) DatumGetPointer(a[i]);
				struct varlena *y = (struct varlena *) DatumGetPointer(b[i]);

				if (VARSIZE_ANY_EXHDR(x) != VARSIZE_ANY_EXHDR(y) ||
					memcmp(VARDATA_ANY(x), VARDATA_ANY(y), VARSIZE_ANY_EXHDR(x)) != 0)
					return false;
				break;
			}
			default:
				if (!DatumGetBool(FunctionCall2Coll(&keys[i].equal, keys[i].collation, a[i], b[i])))
					return false;
				break;
		}
	}
	return true;
}

int
store_compare_features(const StoreView *view, const Datum *a, const bool *anull, const Datum *b, const bool *bnull)
{
	for (int i = 0; i < view->nfeatures; i++)
	{
		TypeCacheEntry *entry;
		int order;

		if (anull[i] || bnull[i])
		{
			if (anull[i] != bnull[i])
				return anull[i] ? -1 : 1;
			continue;
		}
		entry = lookup_type_cache(view->features[i].type, TYPECACHE_CMP_PROC_FINFO);
		if (!OidIsValid(entry->cmp_proc_finfo.fn_oid))
			continue;
		order = DatumGetInt32(FunctionCall2Coll(&entry->cmp_proc_finfo, view->features[i].collation, a[i], b[i]));
		if (order != 0)
			return order;
	}
	return 0;
}
