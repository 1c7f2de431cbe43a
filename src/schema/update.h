/*
 * The parts of the update engine, for the files infer.c, update.c and update_domain.c only
 */
#ifndef FM_UPDATE_H
#define FM_UPDATE_H

#include "schema/schema.h"
#include "schema/statistics_view.h"

typedef struct FmUpdater
{
	Tfmd__Schema *schema;
	bool infer_feature_shape;
	int max_string_domain_size; /* below 0: no limit */
	FmError *error;
} FmUpdater;

/* update.c: the engine itself */
extern bool fm_run_update(FmUpdater *updater, const Tfmd__DatasetFeatureStatisticsList *statistics, const FmPath *paths,
						  int n_paths);

/* infer.c: a feature that the schema does not have yet */
extern bool fm_create_feature(FmUpdater *updater, const FmFeatureView *view);
extern void fm_init_value_count(const FmFeatureView *view, Tfmd__Feature *feature);

/* The custom statistic "domain_info" becomes the domain, if it holds one and the feature has none yet */
extern bool fm_apply_domain_info(const FmFeatureView *view, Tfmd__Feature *feature);

/* update_domain.c: loosens the domain of a feature that is in the schema; false: error */
extern bool fm_update_domain(FmUpdater *updater, const FmFeatureView *view, Tfmd__Feature *feature);

/* Appends the values of the statistics that the domain does not have, in byte order */
extern void fm_string_domain_add_missing(const FmFeatureView *view, double max_off_domain, Tfmd__StringDomain *domain);

/*
 * A member of the oneof, made if another one is set: FM_MUTABLE_DOMAIN(feature, INT_DOMAIN, int_domain,
 * Tfmd__IntDomain, tfmd__int_domain)
 */
#define FM_MUTABLE_DOMAIN(feature, CASE, member, Type, prefix)                                                         \
	((feature)->domain_info_case == TFMD__FEATURE__DOMAIN_INFO_##CASE                                                  \
		 ? (feature)->member                                                                                           \
		 : ((feature)->domain_info_case = TFMD__FEATURE__DOMAIN_INFO_##CASE,                                           \
			(feature)->member = FM_NEW(Type, prefix)))

#endif
