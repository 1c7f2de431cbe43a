/*
 * Types: looking them up, putting them
 */
#include "lineage/store.h"

#include "catalog/pg_type.h"
#include "message/message.h"
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

#define SELECT_TYPE                                                                                                    \
	"SELECT t.id, t.name, coalesce(t.version, ''), p.name, p.data_type::bigint FROM mlmd.type t "                      \
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
		ereport(ERROR, (errcode(ERRCODE_UNDEFINED_OBJECT),
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
 * {"name": kind, ..}, the kind as name or number of ml_metadata.PropertyType -> the specification's properties
 */
static void
read_properties(Jsonb *json, FmTypeSpec *spec)
{
	char *name;
	JsonbIterator *it;
	JsonbIteratorToken token;
	JsonbValue item;

	if (!JB_ROOT_IS_OBJECT(json))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE), errmsg("properties of a type have to be a JSON object"),
				 errhint("Write them as {\"name\": \"INT\"}, the kinds being INT, DOUBLE, STRING, STRUCT, PROTO and "
						 "BOOLEAN.")));
	spec->property_names = palloc(sizeof(char *) * (JB_ROOT_COUNT(json) + 1));
	spec->property_kinds = palloc(sizeof(FmPropertyKind) * (JB_ROOT_COUNT(json) + 1));
	it = JsonbIteratorInit(&json->root);
	while ((token = JsonbIteratorNext(&it, &item, true)) != WJB_DONE)
	{
		const ProtobufCEnumValue *kind = NULL;

		if (token != WJB_KEY)
			continue;
		name = pnstrdup(item.val.string.val, item.val.string.len);
		JsonbIteratorNext(&it, &item, true);
		if (item.type == jbvString)
			kind = protobuf_c_enum_descriptor_get_value_by_name(&mlmd__property_type__descriptor,
																pnstrdup(item.val.string.val, item.val.string.len));
		else if (item.type == jbvNumeric)
			kind = protobuf_c_enum_descriptor_get_value(
				&mlmd__property_type__descriptor, (int) Min(fm_json_int64(&item, "properties", name), PG_INT32_MAX));
		if (kind == NULL || kind->value < FM_PROPERTY_INT || kind->value > FM_PROPERTY_BOOLEAN)
			ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE), errmsg("unknown kind of property \"%s\"", name),
							errhint("The kinds are INT, DOUBLE, STRING, STRUCT, PROTO and BOOLEAN.")));
		spec->property_names[spec->n_properties] = name;
		spec->property_kinds[spec->n_properties++] = kind->value;
	}
}

/*
 * Can the stored type be put with these properties? A property of another kind never is; new ones and missing ones are
 * when allowed to be. Inserts what is new.
 */
static void
merge_properties(FmType *type, const FmTypeSpec *spec, bool is_new)
{
	static SPIPlanPtr insert = NULL;
	static const Oid types[] = {INT8OID, TEXTOID, INT4OID};
	int n_stored = 0;

	for (int i = 0; i < spec->n_properties; i++)
	{
		FmPropertyKind stored = fm_type_property(type, spec->property_names[i]);

		if (stored == spec->property_kinds[i])
			n_stored++;
		else if (stored != FM_PROPERTY_ANY)
			ereport(ERROR, (errcode(ERRCODE_DUPLICATE_OBJECT),
							errmsg("%s type \"%s\" exists with other properties", fm_kind_name(type->kind), type->name),
							errdetail("Property \"%s\" is of another kind there.", spec->property_names[i]),
							errhint("Put the type with another version.")));
		else if (!is_new && !spec->can_add_fields)
			ereport(ERROR, (errcode(ERRCODE_DUPLICATE_OBJECT),
							errmsg("%s type \"%s\" exists with other properties", fm_kind_name(type->kind), type->name),
							errdetail("It does not have the property \"%s\".", spec->property_names[i]),
							errhint("Add properties with can_add_fields => true.")));
		else
		{
			Datum values[] = {Int64GetDatum(type->id), CStringGetTextDatum(spec->property_names[i]),
							  Int32GetDatum(spec->property_kinds[i])};

			fm_store_execute(&insert, "INSERT INTO mlmd.typeproperty (type_id, name, data_type) VALUES ($1, $2, $3)", 3,
							 types, values, NULL, 0);
		}
	}
	if (n_stored < type->n_properties && !spec->can_omit_fields)
		ereport(ERROR, (errcode(ERRCODE_DUPLICATE_OBJECT),
						errmsg("%s type \"%s\" exists with other properties", fm_kind_name(type->kind), type->name),
						errdetail("It has properties that are not given."),
						errhint("Leave properties out with can_omit_fields => true.")));
}

/*
 * Gives a type a base type: one of the simple types of its kind, by name or by the name of its enum ("Model", "MODEL",
 * "mlmd.Model"). A base type is not changed later.
 */
static void
put_base_type(FmType *type, const char *base)
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
		ereport(
			ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("\"%s\" is no base type of an %s type", base, fm_kind_name(type->kind)),
			 errhint(
				 "Base types are Dataset, Model, Metrics and Statistics of artifact types; Train, Transform, Process, "
				 "Evaluate and Deploy of execution types.")));
	id = fm_result_int64(0, 1, &isnull);
	values[0] = Int64GetDatum(type->id);
	values[1] = Int64GetDatum(id);
	fm_store_execute(&parents, "SELECT parent_type_id FROM mlmd.parenttype WHERE type_id = $1", 1, id_types, values,
					 NULL, 1);
	if (SPI_processed == 0)
		fm_store_execute(&insert, "INSERT INTO mlmd.parenttype (type_id, parent_type_id) VALUES ($1, $2)", 2, id_types,
						 values, NULL, 0);
	else if (fm_result_int64(0, 1, &isnull) != id)
		ereport(ERROR, (errcode(ERRCODE_DUPLICATE_OBJECT),
						errmsg("%s type \"%s\" exists with another base type", fm_kind_name(type->kind), type->name)));
}

static Datum
text_or_null(const char *text, char *null)
{
	*null = text == NULL ? 'n' : ' ';
	return text == NULL ? (Datum) 0 : CStringGetTextDatum(text);
}

FmType *
fm_put_type(FmTypes *types, const FmTypeSpec *spec)
{
	static SPIPlanPtr insert = NULL;
	static SPIPlanPtr update = NULL;
	static const Oid insert_types[] = {INT4OID, TEXTOID, TEXTOID, TEXTOID, TEXTOID, TEXTOID, TEXTOID};
	static const Oid update_types[] = {INT8OID, TEXTOID, TEXTOID, TEXTOID, TEXTOID};
	const char *version = spec->version ? spec->version : "";
	FmType *type;
	bool is_new = false;
	bool isnull;
	/* kind, name, version; description, external_id, input_type, output_type */
	Datum values[7] = {Int32GetDatum(spec->kind)};
	char nulls[] = "       ";

	if (spec->name == NULL || *spec->name == '\0')
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE), errmsg("a type needs a name")));
	values[1] = CStringGetTextDatum(spec->name);
	values[2] = text_or_null(*version ? version : NULL, &nulls[2]);
	values[3] = text_or_null(spec->description, &nulls[3]);
	values[4] = text_or_null(spec->external_id, &nulls[4]);
	values[5] = text_or_null(spec->input_type, &nulls[5]);
	values[6] = text_or_null(spec->output_type, &nulls[6]);

	type = find_type(types, spec->kind, spec->name, version);
	if (type == NULL)
	{
		fm_store_lock(FM_LOCK_TYPES);
		type = find_type(types, spec->kind, spec->name, version);
	}
	if (type == NULL)
	{
		fm_store_execute(
			&insert,
			"INSERT INTO mlmd.type (type_kind, name, version, description, external_id, input_type, output_type) "
			"VALUES ($1, $2, $3, $4, $5, $6, $7) RETURNING id",
			7, insert_types, values, nulls, 0);
		if (SPI_processed == 0)
			ereport(ERROR,
					(errcode(ERRCODE_T_R_SERIALIZATION_FAILURE),
					 errmsg("%s type \"%s\" was put by another transaction", fm_kind_name(spec->kind), spec->name)));
		type = palloc0(sizeof(FmType));
		type->id = fm_result_int64(0, 1, &isnull);
		type->kind = spec->kind;
		type->name = pstrdup(spec->name);
		is_new = true;
	}
	merge_properties(type, spec, is_new);
	if (spec->base_type != NULL && *spec->base_type != '\0')
		put_base_type(type, spec->base_type);
	if (!is_new && strspn(nulls + 3, "n") < 4)
	{
		values[2] = Int64GetDatum(type->id);
		nulls[2] = ' ';
		fm_store_execute(
			&update,
			"UPDATE mlmd.type SET description = coalesce($2, description), external_id = coalesce($3, external_id), "
			"input_type = coalesce($4, input_type), output_type = coalesce($5, output_type) WHERE id = $1 "
			"AND (coalesce($2, description), coalesce($3, external_id), coalesce($4, input_type), "
			"coalesce($5, output_type)) IS DISTINCT FROM (description, external_id, input_type, output_type)",
			5, update_types, values + 2, nulls + 2, 0);
	}
	return type;
}

/* ---------------------------------------------------------------------------------------------------------------- */
/* SQL functions */

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

static char *
text_argument(FunctionCallInfo fcinfo, int n)
{
	return n < 0 || PG_ARGISNULL(n) ? NULL : text_to_cstring(PG_GETARG_TEXT_PP(n));
}

static bool
bool_argument(FunctionCallInfo fcinfo, int n)
{
	return !PG_ARGISNULL(n) && PG_GETARG_BOOL(n);
}

/* A signature, an ml_metadata.ArtifactStructType as jsonb: checked, since clients stop at a type whose signature they can't read */
static char *
signature_argument(FunctionCallInfo fcinfo, int n)
{
	FmError error = {0};
	Jsonb *json;
	char *text;

	if (n < 0 || PG_ARGISNULL(n))
		return NULL;
	json = PG_GETARG_JSONB_P(n);
	text = JsonbToCString(NULL, &json->root, VARSIZE(json));
	if (fm_message_parse_json(&mlmd__artifact_struct_type__descriptor, text, strlen(text), &error) == NULL)
		fm_throw(&error, NULL);
	return text;
}

static int64
put_type(FunctionCallInfo fcinfo, FmNodeKind kind, const TypeArguments *args)
{
	FmTypes types = {NULL};
	FmTypeSpec spec = {.kind = kind};
	int64 id;

	spec.name = text_argument(fcinfo, args->name);
	spec.version = text_argument(fcinfo, args->version);
	spec.description = text_argument(fcinfo, args->description);
	spec.external_id = text_argument(fcinfo, args->external_id);
	spec.base_type = text_argument(fcinfo, args->base_type);
	spec.input_type = signature_argument(fcinfo, args->input_type);
	spec.output_type = signature_argument(fcinfo, args->output_type);
	spec.can_add_fields = bool_argument(fcinfo, args->can_add_fields);
	spec.can_omit_fields = bool_argument(fcinfo, args->can_omit_fields);
	if (!PG_ARGISNULL(args->properties))
		read_properties(PG_GETARG_JSONB_P(args->properties), &spec);
	SPI_connect();
	id = fm_put_type(&types, &spec)->id;
	SPI_finish();
	return id;
}

/*
 * put_artifact_type(name, properties, version, description, base_type, external_id, can_add_fields, can_omit_fields) -> id
 */
Datum
put_artifact_type(PG_FUNCTION_ARGS)
{
	static const TypeArguments args = {.name = 0,
									   .properties = 1,
									   .version = 2,
									   .description = 3,
									   .base_type = 4,
									   .external_id = 5,
									   .can_add_fields = 6,
									   .can_omit_fields = 7,
									   .input_type = -1,
									   .output_type = -1};

	PG_RETURN_INT64(put_type(fcinfo, FM_ARTIFACT, &args));
}

/*
 * put_execution_type(name, properties, version, description, base_type, external_id, can_add_fields, can_omit_fields,
 * input_type, output_type) -> id
 */
Datum
put_execution_type(PG_FUNCTION_ARGS)
{
	static const TypeArguments args = {.name = 0,
									   .properties = 1,
									   .version = 2,
									   .description = 3,
									   .base_type = 4,
									   .external_id = 5,
									   .can_add_fields = 6,
									   .can_omit_fields = 7,
									   .input_type = 8,
									   .output_type = 9};

	PG_RETURN_INT64(put_type(fcinfo, FM_EXECUTION, &args));
}

/*
 * put_context_type(name, properties, version, description, external_id, can_add_fields, can_omit_fields) -> id
 */
Datum
put_context_type(PG_FUNCTION_ARGS)
{
	static const TypeArguments args = {.name = 0,
									   .properties = 1,
									   .version = 2,
									   .description = 3,
									   .external_id = 4,
									   .can_add_fields = 5,
									   .can_omit_fields = 6,
									   .base_type = -1,
									   .input_type = -1,
									   .output_type = -1};

	PG_RETURN_INT64(put_type(fcinfo, FM_CONTEXT, &args));
}
