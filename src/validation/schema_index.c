/*
 * The features of a schema by path, found without walking the lists (which would take quadratic time)
 */
#include "fm_core.h"
#include "validation/checks.h"
#include "validation/name_table.h"

/*
 * Names belong to the schema or to the struct feature that holds them; those of shared domains to the address of
 * the schema's list of domains.
 */
struct FmSchemaIndex
{
	const Tfmd__Schema *schema;
	FmNameTable *names;
};

static FmSchemaNode *
node_at(FmNameTable *names, const void *owner, const char *name)
{
	void **slot = fm_name_table_add(names, owner, name == NULL ? "" : name);

	if (*slot == NULL)
		*slot = palloc0(sizeof(FmSchemaNode));
	return *slot;
}

/* Of several features with one name the first stands, as in TFDV */
static void
add_features(FmNameTable *names, const void *owner, Tfmd__Feature **features, size_t n_features,
			 Tfmd__SparseFeature **sparse, size_t n_sparse)
{
	size_t i;

	check_stack_depth();
	for (i = 0; i < n_features; i++)
	{
		const Tfmd__Feature *feature = features[i];
		FmSchemaNode *node = node_at(names, owner, feature->name);

		CHECK_FOR_INTERRUPTS();
		if (node->feature != NULL)
			continue;
		node->feature = feature;
		if (feature->domain_info_case == TFMD__FEATURE__DOMAIN_INFO_STRUCT_DOMAIN)
			add_features(names, feature, feature->struct_domain->feature, feature->struct_domain->n_feature,
						 feature->struct_domain->sparse_feature, feature->struct_domain->n_sparse_feature);
	}
	for (i = 0; i < n_sparse; i++)
	{
		FmSchemaNode *node = node_at(names, owner, sparse[i]->name);

		if (node->sparse == NULL)
			node->sparse = sparse[i];
	}
}

struct FmSchemaIndex *
fm_schema_index(const Tfmd__Schema *schema)
{
	struct FmSchemaIndex *index = palloc(sizeof(struct FmSchemaIndex));
	size_t i;

	index->schema = schema;
	index->names = fm_name_table(schema->n_feature + schema->n_string_domain);
	add_features(index->names, schema, schema->feature, schema->n_feature, schema->sparse_feature,
				 schema->n_sparse_feature);
	for (i = 0; i < schema->n_weighted_feature; i++)
	{
		FmSchemaNode *node = node_at(index->names, schema, schema->weighted_feature[i]->name);

		if (node->weighted == NULL)
			node->weighted = schema->weighted_feature[i];
	}
	for (i = 0; i < schema->n_string_domain; i++)
	{
		const char *name = schema->string_domain[i]->name;
		void **slot = fm_name_table_add(index->names, &schema->string_domain, name == NULL ? "" : name);

		if (*slot == NULL)
			*slot = schema->string_domain[i];
	}
	return index;
}

const Tfmd__StringDomain *
fm_schema_index_domain(const struct FmSchemaIndex *index, const char *name)
{
	return fm_name_table_find(index->names, &index->schema->string_domain, name);
}

FmSchemaNode
fm_schema_index_find(const struct FmSchemaIndex *index, const FmPath *path)
{
	FmSchemaNode nothing = {NULL, NULL, NULL};
	const void *owner = index->schema;
	int i;

	for (i = 0; i < path->n_step; i++)
	{
		const FmSchemaNode *node = fm_name_table_find(index->names, owner, path->step[i]);

		if (node == NULL)
			break;
		if (i == path->n_step - 1)
			return *node;
		owner = node->feature;
		if (owner == NULL)
			break;
	}
	return nothing;
}
