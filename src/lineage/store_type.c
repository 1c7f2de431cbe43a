/*
 * Types: looking them up, putting them
 */
#include "lineage/store.h"

#include "catalog/pg_type.h"
#include "metadata_store.pb-c.h"
#include "utils/builtins.h"
#include "utils/fmgrprotos.h"

PG_FUNCTION_INFO_V1(put_artifact_type);
PG_FUNCTION_INFO_V1(put_execution_type);
PG_FUNCTION_INFO_V1(put_context_type);

const char *
fm_kind_name(FmNodeKind kind)
{
	static const char *const names[] = {"execution", "artifact", "context"};

	return names[kind];
}

/*
 * The type of the last result: id, name, version and a row for each declared property
 */
static FmType *
type_of_result(FmTypes *types, FmNodeKind kind)
{
	FmType *type = palloc0(sizeof(FmType));
	bool isnull;

	type->kind = kind;
	type->id = fm_result_int64(0, 1, &isnull);
	type->name = fm_result_text(0, 2);
	type->version = fm_result_text(0, 3);
	type->property_names = palloc(sizeof(char *) * SPI_processed);
	type->property_kinds = palloc(sizeof(FmPropertyKind) * SPI_processed);
	for (uint64 row = 0; row < SPI_processed; row++)
	{
		char *name = fm_result_text(row, 4);

		if (name == NULL)
			continue;
		type->property_names[type->n_properties] = name;
		type->property_kinds[type->n_properties++] = fm_result_int64(row, 5, &isnull);
	}
	type->next = types->first;
	types->first = type;
	return type;
}

#define SELECT_TYPE \
	"SELECT t.id, t.name, coalesce(t.version, ''), p.name, p.data_type::bigint FROM mlmd.type t " \
	"LEFT JOIN mlmd.typeproperty p ON p.type_id = t.id WHERE t.type_kind = $1 AND "

/* The stored type, or NULL */
static FmType *
find_type(FmTypes *types, FmNodeKind kind, const char *name, const char *version)
{
	static SPIPlanPtr plan = NULL;
	static const Oid arg_types[] = {INT4OID, TEXTOID, TEXTOID};
	Datum values[] = {Int32GetDatum(kind), CStringGetTextDatum(name), CStringGetTextDatum(version)};

	fm_store_execute(&plan, SELECT_TYPE "t.name = $2 AND coalesce(t.version, '') = $3", 3, arg_types, values, NULL, 0);
	return SPI_processed == 0 ? NULL : type_of_result(types, kind);
}

FmType *
fm_type_by_name(FmTypes *types, FmNodeKind kind, const char *name, const char *version)
{
	FmType *type;

	if (version == NULL)
		version = "";
	for (type = types->first; type != NULL; type = type->next)
	{
		if (type->kind == kind && strcmp(type->name, name) == 0 && strcmp(type->version, version) == 0)
			return type;
	}
	type = find_type(types, kind, name, version);
	if (type == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_OBJECT),
				 *version ? errmsg("%s type \"%s\", version \"%s\", does not exist", fm_kind_name(kind), name, version)
						  : errmsg("%s type \"%s\" does not exist", fm_kind_name(kind), name),
				 errhint("Put it with put_%s_type().", fm_kind_name(kind))));
	return type;
}

FmType *
fm_type_by_id(FmTypes *types, FmNodeKind kind, int64 id)
{
	static SPIPlanPtr plan = NULL;
	static const Oid arg_types[] = {INT4OID, INT8OID};
	Datum values[] = {Int32GetDatum(kind), Int64GetDatum(id)};

	for (FmType *type = types->first; type != NULL; type = type->next)
	{
		if (type->kind == kind && type->id == id)
			return type;
	}
	fm_store_execute(&plan, SELECT_TYPE "t.id = $2", 2, arg_types, values, NULL, 0);
	if (SPI_processed == 0)
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_OBJECT),
				 errmsg("%s type " INT64_FORMAT " does not exist", fm_kind_name(kind), id)));
	return type_of_result(types, kind);
}

FmPropertyKind
fm_type_property(const FmType *type, const char *name)
{
	for (int i = 0; i < type->n_properties; i++)
	{
		if (strcmp(type->property_names[i], name) == 0)
			return type->property_kinds[i];
	}
	return FM_PROPERTY_ANY;
}

/* ---------------------------------------------------------------------------------------------------------------- */

/*
 * {"name": kind, ..}, the kind as name or number of ml_metadata.PropertyType -> *names, *kinds
 */
static int
read_properties(Jsonb *json, char ***names, FmPropertyKind **kinds)
{
	int n = 0;
	JsonbIterator *it;
	JsonbIteratorToken token;
	JsonbValue item;

	if (!JB_ROOT_IS_OBJECT(json))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE), errmsg("properties of a type have to be a JSON object"),
				 errhint("Write them as {\"name\": \"INT\"}, the kinds being INT, DOUBLE, STRING, STRUCT, PROTO and BOOLEAN.")));
	*names = palloc(sizeof(char *) * JB_ROOT_COUNT(json));
	*kinds = palloc(sizeof(FmPropertyKind) * JB_ROOT_COUNT(json));
	it = JsonbIteratorInit(&json->root);
	while ((token = JsonbIteratorNext(&it, &item, true)) != WJB_DONE)
	{
		const ProtobufCEnumValue *kind = NULL;

		if (token != WJB_KEY)
			continue;
		(*names)[n] = pnstrdup(item.val.string.val, item.val.string.len);
		JsonbIteratorNext(&it, &item, true);
		if (item.type == jbvString)
			kind = protobuf_c_enum_descriptor_get_value_by_name(&mlmd__property_type__descriptor,
																pnstrdup(item.val.string.val, item.val.string.len));
		else if (item.type == jbvNumeric)
			kind = protobuf_c_enum_descriptor_get_value(
				&mlmd__property_type__descriptor,
				DatumGetInt32(DirectFunctionCall1(numeric_int4, NumericGetDatum(item.val.numeric))));
		if (kind == NULL || kind->value < FM_PROPERTY_INT || kind->value > FM_PROPERTY_BOOLEAN)
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_PARAMETER_VALUE), errmsg("unknown kind of property \"%s\"", (*names)[n]),
					 errhint("The kinds are INT, DOUBLE, STRING, STRUCT, PROTO and BOOLEAN.")));
		(*kinds)[n++] = kind->value;
	}
	return n;
}

/*
 * Can the stored type be put with these properties? A property of another kind never is; new ones and missing ones are
 * when allowed to be. Inserts what is new.
 */
static void
merge_properties(FmType *type, int n, char **names, FmPropertyKind *kinds, bool is_new, bool can_add, bool can_omit)
{
	static SPIPlanPtr insert = NULL;
	static const Oid types[] = {INT8OID, TEXTOID, INT4OID};
	int n_stored = 0;

	for (int i = 0; i < n; i++)
	{
		FmPropertyKind stored = fm_type_property(type, names[i]);

		if (stored == kinds[i])
			n_stored++;
		else if (stored != FM_PROPERTY_ANY)
			ereport(ERROR,
					(errcode(ERRCODE_DUPLICATE_OBJECT),
					 errmsg("%s type \"%s\" exists with other properties", fm_kind_name(type->kind), type->name),
					 errdetail("Property \"%s\" is of another kind there.", names[i]),
					 errhint("Put the type with another version.")));
		else if (!is_new && !can_add)
			ereport(ERROR,
					(errcode(ERRCODE_DUPLICATE_OBJECT),
					 errmsg("%s type \"%s\" exists with other properties", fm_kind_name(type->kind), type->name),
					 errdetail("It does not have the property \"%s\".", names[i]),
					 errhint("Add properties with can_add_fields => true.")));
		else
		{
			Datum values[] = {Int64GetDatum(type->id), CStringGetTextDatum(names[i]), Int32GetDatum(kinds[i])};

			fm_store_execute(&insert, "INSERT INTO mlmd.typeproperty (type_id, name, data_type) VALUES ($1, $2, $3)", 3, types,
							 values, NULL, 0);
		}
	}
	if (n_stored < type->n_properties && !can_omit)
		ereport(ERROR,
				(errcode(ERRCODE_DUPLICATE_OBJECT),
				 errmsg("%s type \"%s\" exists with other properties", fm_kind_name(type->kind), type->name),
				 errdetail("It has properties that are not given."),
				 errhint("Leave properties out with can_omit_fields => true.")));
}

/*
 * Gives a type a base type: one of the simple types of its kind, by name or by the name of its enum ("Model", "MODEL",
 * "mlmd.Model"). A base type is not changed later.
 */
static void
put_base_type(FmTypes *types, FmType *type, const char *base)
{
	static SPIPlanPtr find = NULL;
	static SPIPlanPtr parents = NULL;
	static SPIPlanPtr insert = NULL;
	static const Oid find_types[] = {INT4OID, TEXTOID};
	static const Oid id_types[] = {INT8OID, INT8OID};
	Datum values[2] = {Int32GetDatum(type->kind), CStringGetTextDatum(base)};
	bool isnull;
	int64 id;

	fm_store_execute(&find,
					 "SELECT id FROM mlmd.type WHERE type_kind = $1 AND id <= 9 "
					 "AND (name = $2 OR lower(name) = 'mlmd.' || lower($2))",
					 2, find_types, values, NULL, 1);
	if (SPI_processed == 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("\"%s\" is no base type of an %s type", base, fm_kind_name(type->kind)),
				 errhint("Base types are Dataset, Model, Metrics and Statistics of artifact types; Train, Transform, Process, "
						 "Evaluate and Deploy of execution types.")));
	id = fm_result_int64(0, 1, &isnull);
	values[0] = Int64GetDatum(type->id);
	values[1] = Int64GetDatum(id);
	fm_store_execute(&parents, "SELECT parent_type_id FROM mlmd.parenttype WHERE type_id = $1", 1, id_types, values, NULL, 1);
	if (SPI_processed == 0)
		fm_store_execute(&insert, "INSERT INTO mlmd.parenttype (type_id, parent_type_id) VALUES ($1, $2)", 2, id_types, values,
						 NULL, 0);
	else if (fm_result_int64(0, 1, &isnull) != id)
		ereport(ERROR,
				(errcode(ERRCODE_DUPLICATE_OBJECT),
				 errmsg("%s type \"%s\" exists with another base type", fm_kind_name(type->kind), type->name)));
}

static char *
text_argument(FunctionCallInfo fcinfo, int n)
{
	return PG_ARGISNULL(n) ? NULL : text_to_cstring(PG_GETARG_TEXT_PP(n));
}

/* Where a function has its arguments; -1: it has no such argument */
typedef struct TypeArguments
{
	int name;
	int properties;
	int version;
	int description;
	int external_id;
	int can_add_fields;
	int can_omit_fields;
	int base_type;
	int input_type;
	int output_type;
} TypeArguments;

/* A signature, jsonb, as the text in which the client keeps it */
static bool
signature_argument(FunctionCallInfo fcinfo, int n, Datum *value)
{
	Jsonb *json;

	if (n < 0 || PG_ARGISNULL(n))
		return false;
	json = PG_GETARG_JSONB_P(n);
	*value = CStringGetTextDatum(JsonbToCString(NULL, &json->root, VARSIZE(json)));
	return true;
}

/*
 * Finds or makes the type, under a lock that only makers of types take, so that two callers never make it twice.
 */
static int64
put_type(FunctionCallInfo fcinfo, FmNodeKind kind, const TypeArguments *args)
{
	static SPIPlanPtr insert = NULL;
	static SPIPlanPtr update = NULL;
	static const Oid insert_types[] = {INT4OID, TEXTOID, TEXTOID, TEXTOID, TEXTOID, TEXTOID, TEXTOID};
	static const Oid update_types[] = {INT8OID, TEXTOID, TEXTOID, TEXTOID, TEXTOID};
	FmTypes types = {NULL};
	char *name = text_argument(fcinfo, args->name);
	char *version = text_argument(fcinfo, args->version);
	char *base = args->base_type < 0 ? NULL : text_argument(fcinfo, args->base_type);
	FmType *type;
	char **names = NULL;
	FmPropertyKind *kinds = NULL;
	int n = 0;
	bool can_add = !PG_ARGISNULL(args->can_add_fields) && PG_GETARG_BOOL(args->can_add_fields);
	bool can_omit = !PG_ARGISNULL(args->can_omit_fields) && PG_GETARG_BOOL(args->can_omit_fields);
	bool is_new = false;
	bool isnull;
	int64 id;
	/* kind, name, version; description, external_id, input_type, output_type */
	Datum values[7] = {Int32GetDatum(kind)};
	char nulls[] = "       ";

	if (name == NULL || *name == '\0')
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE), errmsg("a type needs a name")));
	if (version == NULL)
		version = "";
	values[1] = CStringGetTextDatum(name);
	values[2] = CStringGetTextDatum(version);
	nulls[2] = *version ? ' ' : 'n';
	nulls[3] = PG_ARGISNULL(args->description) ? 'n' : ' ';
	values[3] = PG_GETARG_DATUM(args->description);
	nulls[4] = PG_ARGISNULL(args->external_id) ? 'n' : ' ';
	values[4] = PG_GETARG_DATUM(args->external_id);
	nulls[5] = signature_argument(fcinfo, args->input_type, &values[5]) ? ' ' : 'n';
	nulls[6] = signature_argument(fcinfo, args->output_type, &values[6]) ? ' ' : 'n';
	if (!PG_ARGISNULL(args->properties))
		n = read_properties(PG_GETARG_JSONB_P(args->properties), &names, &kinds);

	SPI_connect();
	type = find_type(&types, kind, name, version);
	if (type == NULL)
	{
		fm_store_lock(FM_LOCK_TYPES);
		type = find_type(&types, kind, name, version);
	}
	if (type == NULL)
	{
		fm_store_execute(&insert,
						 "INSERT INTO mlmd.type (type_kind, name, version, description, external_id, input_type, output_type) "
						 "VALUES ($1, $2, $3, $4, $5, $6, $7) RETURNING id",
						 7, insert_types, values, nulls, 0);
		if (SPI_processed == 0)
			ereport(ERROR,
					(errcode(ERRCODE_T_R_SERIALIZATION_FAILURE),
					 errmsg("%s type \"%s\" was put by another transaction", fm_kind_name(kind), name)));
		type = palloc0(sizeof(FmType));
		type->id = fm_result_int64(0, 1, &isnull);
		type->kind = kind;
		type->name = name;
		is_new = true;
	}
	merge_properties(type, n, names, kinds, is_new, can_add, can_omit);
	if (base != NULL && *base != '\0')
		put_base_type(&types, type, base);
	if (!is_new && strspn(nulls + 3, "n") < 4)
	{
		values[2] = Int64GetDatum(type->id);
		nulls[2] = ' ';
		fm_store_execute(&update,
						 "UPDATE mlmd.type SET description = coalesce($2, description), external_id = coalesce($3, external_id), "
						 "input_type = coalesce($4, input_type), output_type = coalesce($5, output_type) WHERE id = $1 "
						 "AND (coalesce($2, description), coalesce($3, external_id), coalesce($4, input_type), "
						 "coalesce($5, output_type)) IS DISTINCT FROM (description, external_id, input_type, output_type)",
						 5, update_types, values + 2, nulls + 2, 0);
	}
	id = type->id;
	SPI_finish();
	return id;
}

/*
 * put_artifact_type(name, properties, version, description, base_type, external_id, can_add_fields, can_omit_fields) -> id
 */
Datum
put_artifact_type(PG_FUNCTION_ARGS)
{
	static const TypeArguments args = {.name = 0, .properties = 1, .version = 2, .description = 3, .base_type = 4, .external_id = 5,
									   .can_add_fields = 6, .can_omit_fields = 7, .input_type = -1, .output_type = -1};

	PG_RETURN_INT64(put_type(fcinfo, FM_ARTIFACT, &args));
}

/*
 * put_execution_type(name, properties, version, description, base_type, external_id, can_add_fields, can_omit_fields,
 * input_type, output_type) -> id
 */
Datum
put_execution_type(PG_FUNCTION_ARGS)
{
	static const TypeArguments args = {.name = 0, .properties = 1, .version = 2, .description = 3, .base_type = 4, .external_id = 5,
									   .can_add_fields = 6, .can_omit_fields = 7, .input_type = 8, .output_type = 9};

	PG_RETURN_INT64(put_type(fcinfo, FM_EXECUTION, &args));
}

/*
 * put_context_type(name, properties, version, description, external_id, can_add_fields, can_omit_fields) -> id
 */
Datum
put_context_type(PG_FUNCTION_ARGS)
{
	static const TypeArguments args = {.name = 0, .properties = 1, .version = 2, .description = 3, .external_id = 4,
									   .can_add_fields = 5, .can_omit_fields = 6, .base_type = -1, .input_type = -1, .output_type = -1};

	PG_RETURN_INT64(put_type(fcinfo, FM_CONTEXT, &args));
}
