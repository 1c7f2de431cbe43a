/*
 * Start of the module: magic block and settings
 */
#include "fm_core.h"
#include "fm_compat.h"
#include "utils/guc.h"

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
	MarkGUCPrefixReserved("feature_meta");
}
