-- Inferring, loosening, editing and comparing schemas.
\set VERBOSITY terse
\pset null '(null)'
CREATE TEMPORARY TABLE given AS SELECT
	'datasets { num_examples: 10
		features { path { step: "age" } type: INT num_stats { common_stats { num_non_missing: 10 min_num_values: 1 max_num_values: 1 tot_num_values: 10 } min: 18 max: 90 } }
		features { path { step: "sex" } type: STRING string_stats { common_stats { num_non_missing: 8 num_missing: 2 min_num_values: 1 max_num_values: 1 tot_num_values: 8 } unique: 2
			rank_histogram { buckets { label: "Male" sample_count: 5 } buckets { low_rank: 1 high_rank: 1 label: "Female" sample_count: 3 } } } }
		features { path { step: "who" } type: STRUCT struct_stats { common_stats { num_non_missing: 10 min_num_values: 1 max_num_values: 1 tot_num_values: 10 } } }
		features { path { step: "who" step: "it''s" } type: FLOAT num_stats { common_stats { num_non_missing: 10 min_num_values: 1 max_num_values: 1 tot_num_values: 10 } min: 0.5 max: 2 } } }'::feature_statistics AS statistics;
CREATE TEMPORARY TABLE inferred AS SELECT infer_schema(statistics) AS s FROM given;
SELECT s FROM inferred;
SELECT f.* FROM inferred, features(s) f;
SELECT infer_schema(statistics, infer_feature_shape => false, max_string_domain_size => 1) FROM given;
SELECT infer_schema(NULL), infer_schema('datasets {}');
SELECT infer_schema('');
SELECT infer_schema('datasets {} datasets {}');
SELECT infer_schema('datasets { features { name: "a" num_stats {} } features { path { step: "b" } num_stats {} } }');
SELECT infer_schema('datasets { features { path { step: "a" step: "b" } num_stats {} } }');

-- update: nothing to do, a new column, a column gone, only some paths
SELECT update_schema(s, statistics) = s AS same FROM inferred, given;
SELECT d.* FROM inferred, schema_diff(s, update_schema(s,
	'datasets { num_examples: 4
		features { path { step: "age" } type: INT num_stats { common_stats { num_non_missing: 3 num_missing: 1 min_num_values: 1 max_num_values: 2 } } }
		features { path { step: "sex" } type: STRING string_stats { common_stats { num_non_missing: 4 min_num_values: 0 max_num_values: 1 tot_num_values: 3 }
			rank_histogram { buckets { label: "X" sample_count: 3 } } } }
		features { path { step: "new" } type: STRING string_stats { common_stats { num_non_missing: 4 min_num_values: 1 max_num_values: 1 } rank_histogram { buckets { label: "true" } } } } }'::feature_statistics)) d;
SELECT d.* FROM inferred, schema_diff(s, update_schema(s, 'datasets { num_examples: 4 }'::feature_statistics, paths => '{sex,who}')) d;
SELECT update_schema(s, 'datasets {}'::feature_statistics, paths => ARRAY['a b', NULL]) FROM inferred;
SELECT update_schema(s, 'datasets {}'::feature_statistics, paths => '{''a}') FROM inferred;
SELECT update_schema(NULL, 'datasets {}'::feature_statistics), update_schema(s, NULL::feature_statistics) FROM inferred;

-- update by anomalies
SELECT d.* FROM inferred, schema_diff(s, update_schema(s,
	'anomaly_info { key: "age" value { path { step: "age" } reason { type: SCHEMA_MISSING_COLUMN } } }
	anomaly_info { key: "sex" value { path { step: "sex" } reason { type: ENUM_TYPE_UNEXPECTED_STRING_VALUES } reason { type: FEATURE_TYPE_LOW_NUMBER_VALUES } } }
	anomaly_info { key: "new" value { path { step: "new" } reason { type: SCHEMA_NEW_COLUMN } } }'::feature_anomalies)) d;
SELECT d.* FROM inferred, schema_diff(set_drift_threshold(s, 'sex', 0.01), update_schema(set_drift_threshold(s, 'sex', 0.01),
	'drift_skew_info { path { step: "sex" } drift_measurements { type: L_INFTY value: 0.25 threshold: 0.01 } }'::feature_anomalies)) d;

-- domains
SELECT get_domain(s, 'sex'), get_domain(s, 'age'), get_domain(s, 'who.''it''''s''') FROM inferred;
SELECT get_domain(set_domain(s, 'age', 'int_domain { min: 0 max: 120 }'), 'age') FROM inferred;
SELECT get_domain(set_domain(s, 'sex', '{a,b}'::text[]), 'sex') FROM inferred;
SELECT d.* FROM inferred, schema_diff(s, set_domain(s, 'sex', NULL::text)) d;
SELECT set_domain(s, 'sex', get_domain(s, 'sex')) = set_domain(s, 'sex', 'string_domain { name: "sex" value: "Female" value: "Male" }') AS round_trip FROM inferred;
SELECT set_domain(s, 'age', 'sex') FROM inferred;
SELECT set_domain(s, 'sex', 'sexx') FROM inferred;
SELECT set_domain(s, 'age', 'int_domian { }') FROM inferred;
SELECT set_domain(s, 'age', 'type: INT') FROM inferred;
SELECT set_domain(s, 'who', NULL::text) FROM inferred;
SELECT set_domain(s, 'sex', ARRAY['a', NULL]) FROM inferred;

-- presence, counts, uniqueness, environments, thresholds
SELECT f.path, f.required, f.min_fraction, f.min_count, f.min_values, f.max_values, f.shape, f.not_in_environment
FROM inferred, features(set_environment(set_environment(set_value_count(set_presence(s, 'sex', 0.5), 'age', 1, 3), 'Serving'), 'sex', 'Serving', false)) f;
SELECT d.* FROM inferred, schema_diff(s, set_presence(set_value_count(s, 'age'), 'age')) d;
SELECT d.* FROM inferred, schema_diff(s, set_unique(set_skew_threshold(set_drift_threshold(s, 'age', 0.1), 'sex', 0.2), 'sex', max => 3)) d;
SELECT s = set_unique(set_unique(s, 'sex', 1, 2), 'sex') AS same FROM inferred;
SELECT d.* FROM inferred, schema_diff(set_environment(s, 'Training'), set_environment(set_environment(s, 'Training'), 'Training', false)) d;
SELECT set_presence(s, 'sex', 1.5) FROM inferred;
SELECT set_presence(s, 'sex', 'NaN') FROM inferred;
SELECT set_presence(s, 'sex', min_count => -1) FROM inferred;
SELECT set_value_count(s, 'sex', 3, 1) FROM inferred;
SELECT set_environment(s, 'sex', 'Serving', false) FROM inferred;
SELECT set_drift_threshold(s, 'sex', -1) FROM inferred;
SELECT set_drift_threshold(s, 'sex', 1, 'euclidean') FROM inferred;
\set VERBOSITY default
SELECT set_presence(s, 'sez', 1) FROM inferred;
SELECT set_presence(s, 'who.its', 1) FROM inferred;
SELECT set_presence(s, 'who.it''s', 1) FROM inferred;
\set VERBOSITY terse

-- drop and rename, also where other parts of the schema name the feature
SELECT f.path FROM inferred, features(drop_feature(drop_feature(s, 'sex'), 'who.''it''''s''')) f;
SELECT drop_feature(s, 'sex')::text LIKE '%string_domain%' AS domain_left FROM inferred;
SELECT drop_feature(s, 'none') FROM inferred;
CREATE TEMPORARY TABLE woven AS SELECT 'feature { name: "v" } feature { name: "i" } feature { name: "w" }
	sparse_feature { name: "s" value_feature { name: "v" } index_feature { name: "i" } }
	weighted_feature { name: "ww" feature { step: "v" } weight_feature { step: "w" } }
	tensor_representation_group { key: "" value { tensor_representation { key: "t" value { dense_tensor { column_name: "v" } } } } }'::feature_schema AS s;
SELECT rename_feature(rename_feature(s, 'v', 'value'), 'i', 'index') FROM woven;
SELECT rename_feature(s, 'v', 'w') FROM woven;
SELECT drop_feature(s, 'v') FROM woven;
SELECT drop_feature(drop_feature(drop_feature(s, 's'), 'ww'), 'v') FROM woven;

-- merge: what conforms to either conforms to the result
SELECT merge_schema(s, s) = s AS idempotent FROM inferred;
SELECT merge_schema(
	'feature { name: "a" type: INT presence { min_fraction: 1 min_count: 1 } shape { dim { size: 1 } } bool_domain {} }
	feature { name: "b" type: BYTES domain: "d" } feature { name: "only" type: FLOAT presence { min_fraction: 1 } } string_domain { name: "d" value: "x" }',
	'feature { name: "a" type: INT presence { min_fraction: 0.5 min_count: 1 } value_count { min: 1 max: 3 } int_domain { min: -2 } }
	feature { name: "b" type: BYTES domain: "d" } feature { name: "c" type: BYTES domain: "d" presence { min_count: 1 } } string_domain { name: "d" value: "x" value: "y" }');
SELECT merge_schema('feature { name: "a" type: INT }', 'feature { name: "a" type: FLOAT }');

-- schemas that make no sense
SELECT length(schema_diff::text) > 0 FROM schema_diff('feature {} feature {}', 'feature { type: STRUCT struct_domain { feature {} } }');
SELECT count(*) FROM features((repeat('feature { type: STRUCT struct_domain { ', 40) || repeat('} }', 40))::feature_schema);
DROP TABLE given, inferred, woven;
