/*
 * Compiling a schema for the rows of one row type (see row_plan.h)
 */
#include "fm_core.h"
#include "rows/row_plan.h"
#include "schema/edit.h"
#include "validation/validation.h"

#include "catalog/pg_type.h"
#include "common/hashfn.h"
#include "mb/pg_wchar.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/syscache.h"
#include "utils/typcache.h"

PG_FUNCTION_INFO_V1(store_feature_type);

/* -- sets of strings -- */

typedef struct StringEntry
{
	const char *value;
	int length;
	uint32 hash;
} StringEntry;

/* Open addressing over a fixed array: the set never changes once it is made */
struct FmStringSet
{
	uint32 mask;
	StringEntry *entries;
};

static uint32
hash_string(const char *value, int length)
{
	return hash_bytes((const unsigned char *) value, length);
}

FmStringSet *
fm_string_set_create(char **values, size_t n)
{
	FmStringSet *set = palloc(sizeof(FmStringSet));
	uint32 size = 8;
	size_t i;

	while (size < 2 * n)
		size *= 2;
	set->mask = size - 1;
	set->entries = palloc_extended(sizeof(StringEntry) * size, MCXT_ALLOC_ZERO | MCXT_ALLOC_HUGE);
	for (i = 0; i < n; i++)
	{
		int length = (int) strlen(values[i]);
		uint32 hash = hash_string(values[i], length);
		uint32 at;

		for (at = hash & set->mask; set->entries[at].value != NULL; at = (at + 1) & set->mask)
			;
		set->entries[at].value = values[i];
		set->entries[at].length = length;
		set->entries[at].hash = hash;
	}
	return set;
}

bool
fm_string_set_has(const FmStringSet *set, const char *value, int length)
{
	uint32 hash = hash_string(value, length);
	uint32 at;

	for (at = hash & set->mask; set->entries[at].value != NULL; at = (at + 1) & set->mask)
		if (set->entries[at].hash == hash && set->entries[at].length == length &&
			memcmp(set->entries[at].value, value, length) == 0)
			return true;
	return false;
}

/* -- the schema's side -- */

static void
plan_counts(FmRowNode *node, const Tfmd__Feature *feature)
{
	size_t i;
	int product = 1;

	switch (feature->shape_type_case)
	{
		case TFMD__FEATURE__SHAPE_TYPE_VALUE_COUNT:
			node->n_counts = 1;
			node->counts = feature->value_count;
			break;
		case TFMD__FEATURE__SHAPE_TYPE_VALUE_COUNTS:
			node->nested_counts = true;
			node->n_counts = (int) feature->value_counts->n_value_count;
			node->counts = palloc(sizeof(Tfmd__ValueCount) * (node->n_counts + 1));
			for (i = 0; i < feature->value_counts->n_value_count; i++)
				node->counts[i] = *feature->value_counts->value_count[i];
			break;
		case TFMD__FEATURE__SHAPE_TYPE_SHAPE:
			for (i = 0; i < feature->shape->n_dim; i++)
				product = (int) ((uint32) product * (uint32) feature->shape->dim[i]->size);
			node->shape = product;
			break;
		default:
			break;
	}
}

static void
plan_domain(FmRowNode *node, const Tfmd__Schema *schema, const Tfmd__Feature *feature)
{
	Tfmd__StringDomain *strings;
	Tfmd__NaturalLanguageDomain *language;

	switch (feature->domain_info_case)
	{
		case TFMD__FEATURE__DOMAIN_INFO_DOMAIN:
		case TFMD__FEATURE__DOMAIN_INFO_STRING_DOMAIN:
			strings = fm_feature_string_domain(schema, feature);
			node->domain = FM_DOMAIN_STRINGS;
			node->strings = fm_string_set_create(strings->value, strings->n_value);
			if (feature->distribution_constraints != NULL && feature->distribution_constraints->has_min_domain_mass)
				node->max_off_domain = 1.0 - feature->distribution_constraints->min_domain_mass;
			break;
		case TFMD__FEATURE__DOMAIN_INFO_BOOL_DOMAIN:
			node->domain = FM_DOMAIN_BOOL;
			node->categorical_int = true;
			node->true_value = feature->bool_domain->true_value;
			node->false_value = feature->bool_domain->false_value;
			break;
		case TFMD__FEATURE__DOMAIN_INFO_INT_DOMAIN:
			node->domain = FM_DOMAIN_INT;
			node->categorical_int = feature->int_domain->has_is_categorical && feature->int_domain->is_categorical;
			node->has_min = feature->int_domain->has_min;
			node->has_max = feature->int_domain->has_max;
			node->int_min = feature->int_domain->min;
			node->int_max = feature->int_domain->max;
			break;
		case TFMD__FEATURE__DOMAIN_INFO_FLOAT_DOMAIN:
			node->domain = FM_DOMAIN_FLOAT;
			node->has_min = feature->float_domain->has_min;
			node->has_max = feature->float_domain->has_max;
			node->float_min = feature->float_domain->min;
			node->float_max = feature->float_domain->max;
			node->disallow_nan = feature->float_domain->has_disallow_nan && feature->float_domain->disallow_nan;
			node->disallow_inf = feature->float_domain->has_disallow_inf && feature->float_domain->disallow_inf;
			break;
		case TFMD__FEATURE__DOMAIN_INFO_NATURAL_LANGUAGE_DOMAIN:
			language = feature->natural_language_domain;
			if (language->n_token_constraints > 0 ||
				(language->coverage != NULL &&
				 (language->coverage->has_min_coverage || language->coverage->has_min_avg_token_length)))
				node->domain = FM_DOMAIN_LANGUAGE;
			break;
		case TFMD__FEATURE__DOMAIN_INFO_IMAGE_DOMAIN:
			node->domain = FM_DOMAIN_IMAGE;
			if (feature->image_domain->has_max_image_byte_size)
				node->max_image_bytes = feature->image_domain->max_image_byte_size;
			break;
		case TFMD__FEATURE__DOMAIN_INFO_URL_DOMAIN:
		case TFMD__FEATURE__DOMAIN_INFO__NOT_SET:
			break;
		default:
			node->domain = FM_DOMAIN_OTHER;
			break;
	}
}

static bool
is_about_presence(Tfmd__AnomalyInfo__Type type)
{
	switch (type)
	{
		case TFMD__ANOMALY_INFO__TYPE__FEATURE_TYPE_NOT_PRESENT:
		case TFMD__ANOMALY_INFO__TYPE__FEATURE_TYPE_LOW_FRACTION_PRESENT:
		case TFMD__ANOMALY_INFO__TYPE__FEATURE_TYPE_LOW_NUMBER_PRESENT:
			return true;
		default:
			return false;
	}
}

/*
 * Validation of statistics in which the feature has no value: what it says then is about the schema
 */
static void
find_mistakes(FmRowNode *node, const Tfmd__Schema *schema, Tfmd__Feature *feature)
{
	Tfmd__Schema alone = TFMD__SCHEMA__INIT;
	Tfmd__DatasetFeatureStatisticsList list = TFMD__DATASET_FEATURE_STATISTICS_LIST__INIT;
	Tfmd__DatasetFeatureStatistics dataset = TFMD__DATASET_FEATURE_STATISTICS__INIT;
	Tfmd__DatasetFeatureStatistics *datasets[1] = {&dataset};
	Tfmd__FeatureNameStatistics *statistics = FM_NEW(Tfmd__FeatureNameStatistics, tfmd__feature_name_statistics);
	FmValidation validation = {0};
	FmError error = {0};
	FmPath path;
	Tfmd__Anomalies *anomalies;
	size_t i;
	size_t j;

	if (feature->name == NULL)
		return;
	alone.n_feature = 1;
	alone.feature = &feature;
	alone.n_string_domain = schema->n_string_domain;
	alone.string_domain = schema->string_domain;
	path = fm_path_child(NULL, feature->name);
	statistics->field_id_case = TFMD__FEATURE_NAME_STATISTICS__FIELD_ID_PATH;
	statistics->path = fm_path_to_message(&path);
	statistics->stats_case = TFMD__FEATURE_NAME_STATISTICS__STATS_NUM_STATS;
	statistics->num_stats = FM_NEW(Tfmd__NumericStatistics, tfmd__numeric_statistics);
	statistics->num_stats->common_stats = FM_NEW(Tfmd__CommonStatistics, tfmd__common_statistics);
	statistics->num_stats->common_stats->num_missing = 1;
	dataset.num_examples = 1;
	dataset.n_features = 1;
	dataset.features = &statistics;
	list.n_datasets = 1;
	list.datasets = datasets;
	validation.statistics = &list;
	validation.schema = &alone;
	anomalies = fm_validate_statistics(&validation, &error);
	if (anomalies == NULL)
		fm_throw(&error, NULL);
	for (i = 0; i < anomalies->n_anomaly_info; i++)
		for (j = 0; j < anomalies->anomaly_info[i]->value->n_reason; j++)
		{
			const Tfmd__AnomalyInfo__Reason *reason = anomalies->anomaly_info[i]->value->reason[j];
			FmSchemaMistake mistake;

			if (strcmp(anomalies->anomaly_info[i]->key, fm_path_serialize(&path)) != 0 ||
				is_about_presence(reason->type))
				continue;
			mistake.type = reason->type;
			mistake.short_description = pstrdup(reason->short_description ? reason->short_description : "");
			mistake.description =
				pstrdup(reason->description && *reason->description ? reason->description : mistake.short_description);
			FM_APPEND(node->n_mistakes, node->mistakes, mistake);
		}
}

/*
 * What the schema says of a feature, or that it does not have it
 */
static void
plan_feature(FmRowNode *node, const Tfmd__Schema *schema, Tfmd__Feature *feature, const char *environment)
{
	const Tfmd__FeaturePresence *presence;

	node->feature = feature;
	node->shape = -1;
	node->max_image_bytes = -1;
	node->in_environment = true;
	if (feature == NULL)
		return;
	if (!fm_feature_is_deprecated(feature))
	{
		find_mistakes(node, schema, feature);
		fm_schema_mend_feature(schema, feature);
	}
	if (fm_feature_is_deprecated(feature))
	{
		node->unchecked = true;
		return;
	}
	node->in_environment = fm_feature_in_environment(schema, feature, environment);
	presence =
		feature->presence_constraints_case == TFMD__FEATURE__PRESENCE_CONSTRAINTS_PRESENCE ? feature->presence : NULL;
	node->required =
		presence != NULL && presence->has_min_fraction && presence->min_fraction >= 1 && node->in_environment;
	node->expected_type = feature->type;
	plan_counts(node, feature);
	plan_domain(node, schema, feature);
	if (feature->unique_constraints != NULL)
	{
		node->has_unique = true;
		node->unique_min = feature->unique_constraints->has_min ? feature->unique_constraints->min : 0;
		node->unique_max = feature->unique_constraints->has_max ? feature->unique_constraints->max : 0;
	}
}

static Tfmd__Feature *
find_feature(Tfmd__Feature **features, size_t n, const char *name)
{
	size_t i;

	for (i = 0; i < n; i++)
		if (strcmp(features[i]->name ? features[i]->name : "", name) == 0)
			return features[i];
	return NULL;
}

/* -- the row's side -- */

typedef struct PlanState
{
	const Tfmd__Schema *schema;
	const char *environment;
	bool always_invalid;
} PlanState;

static void plan_row_type(PlanState *state, FmRowNode *parent, TupleDesc row_type, Tfmd__Feature **features,
						  size_t n_features, bool skip_generated);
static void plan_keys(PlanState *state, FmRowNode *parent, Tfmd__Feature **features, size_t n_features);

FmRowReader
fm_row_reader(Oid type)
{
	switch (type)
	{
		case BOOLOID:
			return FM_READ_BOOL;
		case INT2OID:
			return FM_READ_INT2;
		case INT4OID:
			return FM_READ_INT4;
		case INT8OID:
			return FM_READ_INT8;
		case DATEOID:
			return FM_READ_DATE;
		case TIMEOID:
			return FM_READ_TIME;
		case TIMESTAMPOID:
		case TIMESTAMPTZOID:
			return FM_READ_TIMESTAMP;
		case FLOAT4OID:
			return FM_READ_FLOAT4;
		case FLOAT8OID:
			return FM_READ_FLOAT8;
		case NUMERICOID:
			return FM_READ_NUMERIC;
		case TEXTOID:
		case VARCHAROID:
			return FM_READ_TEXT;
		case BPCHAROID:
			return FM_READ_BPCHAR;
		case BYTEAOID:
			return FM_READ_BYTEA;
		case JSONBOID:
			return FM_READ_JSON;
		default:
			return type_is_rowtype(type) ? FM_READ_COMPOSITE : FM_READ_OUTPUT;
	}
}

static FmRowKind
kind_of_reader(FmRowReader reader)
{
	switch (reader)
	{
		case FM_READ_BOOL:
		case FM_READ_INT2:
		case FM_READ_INT4:
		case FM_READ_INT8:
		case FM_READ_DATE:
		case FM_READ_TIME:
		case FM_READ_TIMESTAMP:
			return FM_KIND_INT;
		case FM_READ_FLOAT4:
		case FM_READ_FLOAT8:
		case FM_READ_NUMERIC:
			return FM_KIND_FLOAT;
		case FM_READ_COMPOSITE:
			return FM_KIND_STRUCT;
		case FM_READ_JSON:
			return FM_KIND_NONE;
		default:
			return FM_KIND_STRING;
	}
}

Tfmd__FeatureType
fm_row_kind_type(FmRowKind kind)
{
	switch (kind)
	{
		case FM_KIND_INT:
			return TFMD__FEATURE_TYPE__INT;
		case FM_KIND_FLOAT:
			return TFMD__FEATURE_TYPE__FLOAT;
		case FM_KIND_STRUCT:
			return TFMD__FEATURE_TYPE__STRUCT;
		default:
			return TFMD__FEATURE_TYPE__BYTES;
	}
}

/*
 * store_feature_type(type regtype) returns text
 */
Datum
store_feature_type(PG_FUNCTION_ARGS)
{
	Oid base;
	Oid element;
	FmRowKind kind;

	if (!SearchSysCacheExists1(TYPEOID, PG_GETARG_DATUM(0)))
		PG_RETURN_NULL();
	base = getBaseType(PG_GETARG_OID(0));
	element = get_element_type(base);
	if (OidIsValid(element) && get_typlen(base) == -1)
		base = getBaseType(element);
	kind = kind_of_reader(fm_row_reader(base));
	if (kind == FM_KIND_NONE)
		PG_RETURN_NULL();
	PG_RETURN_TEXT_P(cstring_to_text(fm_enum_name(&tfmd__feature_type__descriptor, fm_row_kind_type(kind))));
}

/*
 * Can all there is to check be seen from one number or text?
 */
static bool
is_simple(const FmRowNode *node)
{
	FmRowKind kind = node->kind;

	if (node->feature == NULL || node->unchecked || node->is_array || node->has_unique || !node->in_environment ||
		node->reader == FM_READ_OUTPUT || node->reader == FM_READ_BYTEA || node->reader == FM_READ_NUMERIC ||
		kind == FM_KIND_NONE || kind == FM_KIND_STRUCT)
		return false;
	if (fm_row_kind_type(kind) != node->expected_type || node->nested_counts)
		return false;
	/* a scalar is one value */
	if (node->shape != -1 && node->shape != 1)
		return false;
	if (node->n_counts == 1 &&
		((node->counts->has_min && node->counts->min > 1) || (node->counts->has_max && node->counts->max < 1)))
		return false;
	switch (node->domain)
	{
		case FM_DOMAIN_NONE:
			return true;
		case FM_DOMAIN_OTHER:
			return true;
		case FM_DOMAIN_STRINGS:
			return kind == FM_KIND_STRING && node->max_off_domain == 0;
		case FM_DOMAIN_INT:
			return kind == FM_KIND_INT;
		case FM_DOMAIN_FLOAT:
			return kind == FM_KIND_FLOAT;
		default:
			return false;
	}
}

static void
plan_value(PlanState *state, FmRowNode *node, Oid type)
{
	Oid base = getBaseType(type);
	Oid element = get_element_type(base);

	node->type = type;
	if (OidIsValid(element) && get_typlen(base) == -1)
	{
		node->is_array = true;
		node->element_type = element;
		get_typlenbyvalalign(element, &node->typlen, &node->typbyval, &node->typalign);
		base = getBaseType(element);
	}
	node->reader = fm_row_reader(base);
	node->kind = kind_of_reader(node->reader);
	if (node->reader == FM_READ_BYTEA && node->domain == FM_DOMAIN_IMAGE)
		node->kind = FM_KIND_BYTES;
	if (node->reader == FM_READ_OUTPUT)
	{
		Oid output;
		bool is_varlena;

		getTypeOutputInfo(base, &output, &is_varlena);
		fmgr_info_cxt(output, &node->output, CurrentMemoryContext);
	}
	if (!node->unchecked && node->feature != NULL &&
		(node->reader == FM_READ_COMPOSITE || node->reader == FM_READ_JSON))
	{
		const Tfmd__StructDomain *domain = node->feature->domain_info_case == TFMD__FEATURE__DOMAIN_INFO_STRUCT_DOMAIN
											   ? node->feature->struct_domain
											   : NULL;

		if (node->reader == FM_READ_JSON)
			plan_keys(state, node, domain ? domain->feature : NULL, domain ? domain->n_feature : 0);
		else if (base != RECORDOID)
		{
			TupleDesc row_type = lookup_rowtype_tupdesc_domain(base, -1, false);

			node->row_type = CreateTupleDescCopy(row_type);
			ReleaseTupleDesc(row_type);
			plan_row_type(state, node, node->row_type, domain ? domain->feature : NULL, domain ? domain->n_feature : 0,
						  false);
		}
	}
	node->is_simple = is_simple(node);
}

static char *
utf8_name(const char *name)
{
	if (GetDatabaseEncoding() == PG_UTF8 || GetDatabaseEncoding() == PG_SQL_ASCII)
		return pstrdup(name);
	return pstrdup(pg_server_to_any(name, (int) strlen(name), PG_UTF8));
}

static void
name_node(FmRowNode *node, const FmRowNode *parent, char *name)
{
	node->name = name;
	node->path = fm_path_child(&parent->path, name);
	node->serialized_path = fm_path_serialize(&node->path);
}

/*
 * Children of a composite: its attributes in their order, then the features that it should have and has not
 */
static void
plan_row_type(PlanState *state, FmRowNode *parent, TupleDesc row_type, Tfmd__Feature **features, size_t n_features,
			  bool skip_generated)
{
	size_t i;

	check_stack_depth();
	parent->n_attributes = row_type->natts;
	parent->children = palloc0(sizeof(FmRowNode) * (row_type->natts + n_features + 1));
	for (i = 0; i < (size_t) row_type->natts; i++)
	{
		Form_pg_attribute attribute = TupleDescAttr(row_type, i);
		FmRowNode *node = &parent->children[parent->n_children++];

		name_node(node, parent, utf8_name(NameStr(attribute->attname)));
		plan_feature(node, state->schema, find_feature(features, n_features, node->name), state->environment);
		if (attribute->attisdropped || (skip_generated && attribute->attgenerated))
		{
			node->unchecked = true;
			node->n_mistakes = 0;
			continue;
		}
		plan_value(state, node, attribute->atttypid);
		if (parent->row_type == NULL && (node->feature == NULL || node->n_mistakes > 0))
			state->always_invalid = true;
	}
	for (i = 0; i < n_features; i++)
	{
		const char *name = features[i]->name ? features[i]->name : "";
		size_t a;

		for (a = 0; a < (size_t) row_type->natts; a++)
			if (!TupleDescAttr(row_type, a)->attisdropped && strcmp(parent->children[a].name, name) == 0)
				break;
		if (a == (size_t) row_type->natts && fm_feature_is_required(state->schema, features[i], state->environment))
		{
			FmRowNode *node = &parent->children[parent->n_children++];

			name_node(node, parent, pstrdup(name));
			node->feature = features[i];
			node->missing = true;
			if (parent->row_type == NULL)
				state->always_invalid = true;
		}
	}
}

/*
 * Children of a document: the features that are expected. A key that is not there is a value that is missing.
 */
static void
plan_keys(PlanState *state, FmRowNode *parent, Tfmd__Feature **features, size_t n_features)
{
	size_t i;

	check_stack_depth();
	parent->children = palloc0(sizeof(FmRowNode) * (n_features + 1));
	for (i = 0; i < n_features; i++)
	{
		FmRowNode *node = &parent->children[parent->n_children++];
		const Tfmd__StructDomain *domain;

		name_node(node, parent, pstrdup(features[i]->name ? features[i]->name : ""));
		plan_feature(node, state->schema, features[i], state->environment);
		node->reader = FM_READ_JSON;
		if (node->unchecked || features[i]->domain_info_case != TFMD__FEATURE__DOMAIN_INFO_STRUCT_DOMAIN)
			continue;
		domain = features[i]->struct_domain;
		plan_keys(state, node, domain->feature, domain->n_feature);
	}
}

static FmRowPlan *
begin_plan(const Tfmd__Schema **schema, const char *environment)
{
	MemoryContext context = AllocSetContextCreate(CurrentMemoryContext, "row checks", ALLOCSET_DEFAULT_SIZES);
	MemoryContext old = MemoryContextSwitchTo(context);
	FmRowPlan *plan = palloc0(sizeof(FmRowPlan));

	plan->context = context;
	plan->scratch = AllocSetContextCreate(context, "row checks, one row", ALLOCSET_DEFAULT_SIZES);
	plan->environment = environment ? pstrdup(environment) : NULL;
	if (environment != NULL && !fm_schema_has_environment(*schema, environment))
		ereport(ERROR, (errcode(ERRCODE_UNDEFINED_OBJECT),
						errmsg("environment \"%s\" does not exist in the schema", environment),
						errhint("The environments are those in default_environment.")));
	/* the plan points into the schema */
	*schema = (const Tfmd__Schema *) fm_message_copy(&(*schema)->base);
	MemoryContextSwitchTo(old);
	return plan;
}

FmRowPlan *
fm_row_plan_create(const Tfmd__Schema *schema, TupleDesc row_type, const char *environment, bool skip_generated)
{
	FmRowPlan *plan = begin_plan(&schema, environment);
	MemoryContext old = MemoryContextSwitchTo(plan->context);
	PlanState state = {schema, plan->environment, false};

	plan_row_type(&state, &plan->root, row_type, schema->feature, schema->n_feature, skip_generated);
	plan->always_invalid = state.always_invalid;
	MemoryContextSwitchTo(old);
	return plan;
}

FmRowPlan *
fm_json_plan_create(const Tfmd__Schema *schema, const char *environment)
{
	FmRowPlan *plan = begin_plan(&schema, environment);
	MemoryContext old = MemoryContextSwitchTo(plan->context);
	PlanState state = {schema, plan->environment, false};

	plan->root.serialized_path = pstrdup("");
	plan->strict_bool = true; /* there is no answer of TFDV to be equal to */
	plan_keys(&state, &plan->root, schema->feature, schema->n_feature);
	MemoryContextSwitchTo(old);
	return plan;
}
