-- Text format: what is read, and how it is printed
SET extra_float_digits = 1;
\pset format unaligned
\pset tuples_only

-- spellings: colon before a message, both kinds of brackets, lists, separators, comments
SELECT 'feature: { name: "a", type: INT; } feature < name: ''b'' type: 3 > # the rest of the line is a comment " {
feature [ { name: "c" }, < name: "d" > ] default_environment: [ "A", "B" ] default_environment: "C" string_domain { value: [] }'::feature_schema;

-- strings: adjacent, escapes; what is not ASCII is printed in octal
SELECT 'feature { name: "adj" ''ac'' "ent" } feature { name: "\a\b\f\n\r\t\v\\\''\"" } feature { name: "\101\x41\xe\303\251é" } feature { name: "\q \u4e2d \777" }'::feature_schema;

-- numbers: hexadecimal, octal, with a suffix, not finite; a float has the digits of a float
SELECT 'feature { value_count { min: 0x1F max: 017 } } feature { int_domain { min: -9223372036854775808 max: 9223372036854775807 } }
feature { presence { min_fraction: 1.5f min_count: -0 } } feature { presence { min_fraction: -inf } } feature { presence { min_fraction: NaN } }
feature { float_domain { min: 0.1 max: 16777217 } } feature { float_domain { min: 1e-50 max: 1e50 } } feature { presence { min_fraction: .1e-4 } }
feature { presence { min_fraction: 1e22 } } feature { presence { min_fraction: 123456789012345680 } } feature { presence { min_fraction: 1e23 } }'::feature_schema;

-- bools
SELECT 'feature { deprecated: t } feature { deprecated: True } feature { deprecated: 1 } feature { deprecated: f } feature { deprecated: False } feature { deprecated: 0 }'::feature_schema;

-- maps: sorted by key, of equal keys the last, a missing part is empty
SELECT 'tensor_representation_group { key: "b" value { } } tensor_representation_group { key: "a" } tensor_representation_group { key: "b" value { tensor_representation { value { } } } } tensor_representation_group { }'::feature_schema;
SELECT 'artifact_types { properties { key: "x" value: INT } properties { value: 3 key: "w" } }'::lineage_graph;

-- Any: expanded when its type is known
SELECT 'annotation { extra_metadata { [type.googleapis.com/tensorflow.metadata.v0.Path] { step: "a" } } extra_metadata { type_url: "x.org/tensorflow.metadata.v0.Path" value: "\n\001b" }
extra_metadata { type_url: "x.org/unknown.Type" value: "\377\000" } }'::feature_schema;

-- statistics (proto3): a value of zero is none, except -0.0
SELECT 'datasets { num_examples: 0 features { path { step: "x" } type: INT num_stats { mean: 0 std_dev: -0.0 histograms { buckets { low_value: 0 high_value: 1 } type: STANDARD } } } }'::feature_statistics;
SELECT 'artifacts { id: 1 properties { key: "p" value { struct_value { fields { key: "k" value { list_value { values { null_value: NULL_VALUE } values { bool_value: true } } } } } } } }'::lineage_graph;

-- nothing at all
SELECT ''::feature_schema = ' # nothing
'::feature_schema;
