/*
 * Sparse and weighted features of a schema: how well their components fit together
 */
#include "components.h"

#include "catalog/pg_type.h"
#include "custom_statistic.h"
#include "funcapi.h"
#include "message/message.h"
#include "schema/schema.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/typcache.h"

/*
 * A place in the rows: an expression for what is there, and its type. A missing one has the expression NULL.
 */
typedef struct Place
{
	char *expression;
	Oid type; /* base type; InvalidOid: nothing is there */
} Place;

/* The rows whose components are compared: the values of the struct that holds them */
typedef struct Universe
{
	StringInfoData from; /* with the laterals that open structs */
	Place place;		 /* of a value; at the top the row itself, with no expression */
	int num_laterals;
} Universe;

/* A component: how long its list is in each value of the universe, NULL where it is missing */
typedef struct Component
{
	const char *name;
	char *length;
} Component;

static const Place nowhere = {"NULL", InvalidOid};

static bool
IsJson(Oid type)
{
	return type == JSONBOID;
}

/*
 * A child of a value of the universe
 */
static Place
Child(const FmRowSource *source, const Universe *universe, const char *name)
{
	Place child = nowhere;

	if (universe->place.expression == NULL)
	{
		FmSourceColumn *column = fm_source_column(source, name);

		if (column != NULL)
			child = (Place){column->reference, getBaseType(column->type)};
		/* one kind of JSON is enough to deal with */
		if (child.type == JSONOID)
			child = (Place){psprintf("(%s)::pg_catalog.jsonb", column->reference), JSONBOID};
	}
	else if (IsJson(universe->place.type))
		child =
			(Place){psprintf("(%s OPERATOR(pg_catalog.->) %s)", universe->place.expression, quote_literal_cstr(name)),
					universe->place.type};
	else if (type_is_rowtype(universe->place.type))
	{
		TupleDesc row = lookup_rowtype_tupdesc_domain(universe->place.type, -1, true);

		for (int i = 0; row != NULL && i < row->natts; i++)
		{
			Form_pg_attribute attribute = TupleDescAttr(row, i);

			if (!attribute->attisdropped && strcmp(NameStr(attribute->attname), name) == 0)
				child = (Place){psprintf("(%s).%s", universe->place.expression, quote_identifier(name)),
								getBaseType(attribute->atttypid)};
		}
		if (row != NULL)
			ReleaseTupleDesc(row);
	}
	return child;
}

/*
 * The values of a struct become the universe: its elements if it is a list, itself if it is there
 */
static void
OpenStruct(const FmRowSource *source, Universe *universe, const char *name)
{
	Place child = Child(source, universe, name);
	Oid element = OidIsValid(child.type) ? get_element_type(child.type) : InvalidOid;
	char *alias = psprintf("fm_l%d", universe->num_laterals++);
	const char *x = child.expression;

	if (IsJson(child.type))
		appendStringInfo(&universe->from,
						 " CROSS JOIN LATERAL (SELECT fm_a.e AS v FROM pg_catalog.jsonb_array_elements(CASE WHEN "
						 "pg_catalog.jsonb_typeof(%s) OPERATOR(pg_catalog.=) 'array' THEN %s ELSE "
						 "'[]'::pg_catalog.jsonb END) AS fm_a(e) "
						 "UNION ALL SELECT %s WHERE pg_catalog.jsonb_typeof(%s) OPERATOR(pg_catalog.<>) ALL "
						 "('{array,null}'::pg_catalog.text[])) AS %s",
						 x, x, x, x, alias);
	else if (OidIsValid(element))
		/* in the SELECT list, because in FROM an element that is a row falls apart into its columns */
		appendStringInfo(&universe->from, " CROSS JOIN LATERAL (SELECT pg_catalog.unnest(%s) AS v) AS %s", x, alias);
	else if (OidIsValid(child.type))
		appendStringInfo(&universe->from, " CROSS JOIN LATERAL (SELECT %s AS v WHERE (%s) IS DISTINCT FROM NULL) AS %s",
						 x, x, alias);
	else
		appendStringInfo(&universe->from, " CROSS JOIN LATERAL (SELECT NULL AS v WHERE false) AS %s", alias);

	universe->place.expression = psprintf("%s.v", alias);
	universe->place.type = OidIsValid(element) ? getBaseType(element) : child.type;
}

/*
 * The universe of the children of a path, and the source's rows at the top
 */
static void
OpenUniverse(const FmRowSource *source, const FmPath *parent, Universe *universe)
{
	memset(universe, 0, sizeof(*universe));
	initStringInfo(&universe->from);
	appendStringInfoString(&universe->from, source->from);
	for (int i = 0; i < parent->n_step; i++)
		OpenStruct(source, universe, parent->step[i]);
}

/*
 * How many values a child has: the length of the outermost list, 1 for a single value, NULL where it is missing
 */
static char *
LengthExpression(const FmRowSource *source, const Universe *universe, const char *name)
{
	Place child = Child(source, universe, name);
	const char *x = child.expression;

	if (!OidIsValid(child.type))
		return pstrdup("NULL::pg_catalog.int4");
	if (IsJson(child.type))
		return psprintf("CASE WHEN pg_catalog.jsonb_typeof(%s) OPERATOR(pg_catalog.=) 'array' "
						"THEN pg_catalog.jsonb_array_length(%s) "
						"WHEN pg_catalog.jsonb_typeof(%s) OPERATOR(pg_catalog.<>) 'null' THEN 1 END",
						x, x, x);
	if (OidIsValid(get_element_type(child.type)))
		return psprintf("CASE WHEN (%s) IS NOT NULL THEN COALESCE(pg_catalog.array_length(%s, 1), 0) END", x, x);
	return psprintf("CASE WHEN (%s) IS DISTINCT FROM NULL THEN 1 END", x);
}

/* What the query says of a component beside the first one */
typedef struct ComponentCounts
{
	double missing;
	double min_difference; /* of the lengths: component 0 subtracted */
	double max_difference;
} ComponentCounts;

/*
 * Counts over the values in which some component is not missing
 */
static ComponentCounts *
CountComponents(const FmRowSource *source, const Universe *universe, const Component *components, int n)
{
	ComponentCounts *counts = palloc0(sizeof(ComponentCounts) * n);
	StringInfoData query;
	StringInfoData lengths;

	initStringInfo(&query);
	initStringInfo(&lengths);
	for (int i = 0; i < n; i++)
	{
		appendStringInfo(&query,
						 "%spg_catalog.count(*) OPERATOR(pg_catalog.-) pg_catalog.count(fm_c.l%d), "
						 "pg_catalog.min(COALESCE(fm_c.l%d, 0) OPERATOR(pg_catalog.-) COALESCE(fm_c.l0, 0))"
						 "::pg_catalog.int8, "
						 "pg_catalog.max(COALESCE(fm_c.l%d, 0) OPERATOR(pg_catalog.-) COALESCE(fm_c.l0, 0))"
						 "::pg_catalog.int8",
						 i > 0 ? ", " : "SELECT ", i, i, i);
		appendStringInfo(&lengths, "%s%s AS l%d", i > 0 ? ", " : "", components[i].length, i);
	}
	appendStringInfo(&query, " FROM (SELECT %s FROM %s%s) AS fm_c WHERE COALESCE(", lengths.data, universe->from.data,
					 source->where);
	for (int i = 0; i < n; i++)
		appendStringInfo(&query, "%sfm_c.l%d", i > 0 ? ", " : "", i);
	appendStringInfoString(&query, ") IS NOT NULL");

	fm_query(query.data);
	for (int i = 0; i < n; i++)
	{
		counts[i].missing = fm_query_int64(0, 3 * i);
		counts[i].min_difference = fm_query_int64(0, 3 * i + 1);
		counts[i].max_difference = fm_query_int64(0, 3 * i + 2);
	}
	return counts;
}

/*
 * The feature of the path; a column of that name gets the custom statistics beside its own
 */
static Tfmd__FeatureNameStatistics *
NeedFeature(Tfmd__DatasetFeatureStatistics *dataset, const FmPath *path)
{
	Tfmd__FeatureNameStatistics *feature;

	for (size_t i = 0; i < dataset->n_features; i++)
	{
		FmPath other = fm_path_from_message(dataset->features[i]->path);

		if (fm_path_equal(&other, path))
			return dataset->features[i];
	}
	feature = FM_NEW(Tfmd__FeatureNameStatistics, tfmd__feature_name_statistics);
	feature->field_id_case = TFMD__FEATURE_NAME_STATISTICS__FIELD_ID_PATH;
	feature->path = fm_make_path(path->step, path->n_step);
	FM_APPEND(dataset->n_features, dataset->features, feature);
	return feature;
}

static int
CompareComponents(const void *a, const void *b)
{
	return strcmp(((const Component *) a)->name, ((const Component *) b)->name);
}

/*
 * A sparse feature: its value, then its indexes by name, each once
 */
static void
AddSparseFeature(const FmRowSource *source, const FmPath *parent, const Tfmd__SparseFeature *sparse,
				 Tfmd__DatasetFeatureStatistics *dataset, MemoryContext context)
{
	Component *components = palloc0(sizeof(Component) * (sparse->n_index_feature + 1));
	Universe universe;
	FmPath path = fm_path_child(parent, sparse->name);
	ComponentCounts *counts;
	Tfmd__FeatureNameStatistics *feature;
	Tfmd__RankHistogram *missing;
	Tfmd__RankHistogram *max;
	Tfmd__RankHistogram *min;
	MemoryContext old;
	int n = 1;

	OpenUniverse(source, parent, &universe);
	components[0].name = sparse->value_feature != NULL ? sparse->value_feature->name : "";
	for (size_t i = 0; i < sparse->n_index_feature; i++)
		components[i + 1].name = sparse->index_feature[i]->name;
	qsort(components + 1, sparse->n_index_feature, sizeof(Component), CompareComponents);
	for (size_t i = 1; i <= sparse->n_index_feature; i++)
	{
		if (n == 1 || strcmp(components[n - 1].name, components[i].name) != 0)
			components[n++] = components[i];
	}
	for (int i = 0; i < n; i++)
		components[i].length = LengthExpression(source, &universe, components[i].name);

	counts = CountComponents(source, &universe, components, n);

	old = MemoryContextSwitchTo(context);
	feature = NeedFeature(dataset, &path);
	missing = FM_NEW(Tfmd__RankHistogram, tfmd__rank_histogram);
	max = FM_NEW(Tfmd__RankHistogram, tfmd__rank_histogram);
	min = FM_NEW(Tfmd__RankHistogram, tfmd__rank_histogram);
	for (int i = 1; i < n; i++)
	{
		fm_add_rank_bucket(missing, components[i].name, counts[i].missing);
		fm_add_rank_bucket(max, components[i].name, counts[i].max_difference);
		fm_add_rank_bucket(min, components[i].name, counts[i].min_difference);
	}
	fm_add_custom_num(feature, "missing_value", counts[0].missing);
	fm_add_custom_rank_histogram(feature, "missing_index", missing);
	fm_add_custom_rank_histogram(feature, "max_length_diff", max);
	fm_add_custom_rank_histogram(feature, "min_length_diff", min);
	MemoryContextSwitchTo(old);
}

/*
 * A weighted feature: its value and its weight, which stand in one struct
 */
static void
AddWeightedFeature(const FmRowSource *source, const Tfmd__WeightedFeature *weighted,
				   Tfmd__DatasetFeatureStatistics *dataset, MemoryContext context)
{
	FmPath none = {0};
	FmPath path = fm_path_child(NULL, weighted->name);
	FmPath value = weighted->feature != NULL ? fm_path_from_message(weighted->feature) : none;
	FmPath weight = weighted->weight_feature != NULL ? fm_path_from_message(weighted->weight_feature) : none;
	FmPath value_parent = {Max(value.n_step - 1, 0), value.step};
	FmPath weight_parent = {Max(weight.n_step - 1, 0), weight.step};
	Component components[2];
	ComponentCounts *counts;
	Universe universe;
	Tfmd__FeatureNameStatistics *feature;
	MemoryContext old;

	if (value.n_step == 0 || weight.n_step == 0 || !fm_path_equal(&value_parent, &weight_parent))
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
						errmsg("weighted feature \"%s\" needs a value and a weight in one struct", weighted->name)));

	OpenUniverse(source, &value_parent, &universe);
	components[0].name = value.step[value.n_step - 1];
	components[1].name = weight.step[weight.n_step - 1];
	for (int i = 0; i < 2; i++)
		components[i].length = LengthExpression(source, &universe, components[i].name);
	counts = CountComponents(source, &universe, components, 2);

	old = MemoryContextSwitchTo(context);
	feature = NeedFeature(dataset, &path);
	fm_add_custom_num(feature, "missing_weight", counts[1].missing);
	fm_add_custom_num(feature, "missing_value", counts[0].missing);
	fm_add_custom_num(feature, "min_weight_length_diff", counts[1].min_difference);
	fm_add_custom_num(feature, "max_weight_length_diff", counts[1].max_difference);
	MemoryContextSwitchTo(old);
}

/*
 * The sparse features of a struct, then those of the structs inside it
 */
static void
AddSparseFeatures(const FmRowSource *source, const FmPath *parent, Tfmd__SparseFeature **sparse, size_t num_sparse,
				  Tfmd__Feature **features, size_t num_features, Tfmd__DatasetFeatureStatistics *dataset,
				  MemoryContext context)
{
	check_stack_depth();
	for (size_t i = 0; i < num_sparse; i++)
		AddSparseFeature(source, parent, sparse[i], dataset, context);
	for (size_t i = 0; i < num_features; i++)
	{
		FmPath path = fm_path_child(parent, features[i]->name);

		if (features[i]->type != TFMD__FEATURE_TYPE__STRUCT ||
			features[i]->domain_info_case != TFMD__FEATURE__DOMAIN_INFO_STRUCT_DOMAIN)
			continue;
		AddSparseFeatures(source, &path, features[i]->struct_domain->sparse_feature,
						  features[i]->struct_domain->n_sparse_feature, features[i]->struct_domain->feature,
						  features[i]->struct_domain->n_feature, dataset, context);
	}
}

void
fm_add_component_stats(const FmRowSource *source, const Tfmd__Schema *schema, Tfmd__DatasetFeatureStatistics *dataset,
					   MemoryContext context)
{
	FmPath top = {0};

	AddSparseFeatures(source, &top, schema->sparse_feature, schema->n_sparse_feature, schema->feature,
					  schema->n_feature, dataset, context);
	for (size_t i = 0; i < schema->n_weighted_feature; i++)
		AddWeightedFeature(source, schema->weighted_feature[i], dataset, context);
}
