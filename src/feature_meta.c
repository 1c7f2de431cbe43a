/*
 * Start of the module: magic block and settings
 */
#include "fm_core.h"
#include "fm_compat.h"
#include "utils/guc.h"

#include "sketch/sketch_type.h"
#include "store/store.h"

#if PG_VERSION_NUM >= 180000
PG_MODULE_MAGIC_EXT(.name = "feature_meta", .version = FM_VERSION);
#else
PG_MODULE_MAGIC;
#endif

PGDLLEXPORT void _PG_init(void);

/*
 * Each room defines its own settings; here they are gathered
 */
void
_PG_init(void)
{
	fm_sketch_define_settings();
	store_define_settings();
	MarkGUCPrefixReserved("feature_meta");
}
