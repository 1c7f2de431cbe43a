/*
 * A node of a compiled schema as it meets a row: what it is shown, and the verdict. Inner header of row_check.c and the
 * two files that it calls; everyone else goes by row_plan.h.
 */
#ifndef FM_ROW_NODE_H
#define FM_ROW_NODE_H

#include "rows/row_plan.h"

/* row_node.c: a value of one parent value; all is allocated in the current context, and forgotten by the reset */
extern void fm_row_node_reset(FmRowNode *node);
extern void fm_row_node_add(FmRowNode *node, Datum value);
extern void fm_row_node_add_missing(FmRowNode *node);
extern void fm_row_node_add_json(FmRowNode *node, JsonbValue *value);
extern void fm_row_node_add_object(FmRowNode *node, JsonbContainer *container);

/* Length of a character(n) without the blanks at its end */
extern int fm_trimmed_length(const char *text, int length);

/* row_judge.c: does what was added up conform? With reasons NULL stops at the first one. Children follow their parent. */
extern bool fm_row_node_judge(const FmRowPlan *plan, FmRowNode *node, FmRowReasons *reasons);
extern void fm_give_reason(FmRowReasons *reasons, FmRowNode *node, Tfmd__AnomalyInfo__Type type,
						   const char *short_description, char *description);

#endif
