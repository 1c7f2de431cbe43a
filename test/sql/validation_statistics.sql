-- Statistics against a schema: rows of anomalies, environments, configurations, assert_valid, and what is refused
CREATE FUNCTION pg_temp.trips(n int, missing int, payment text DEFAULT 'cash') RETURNS feature_statistics LANGUAGE sql AS $$
	SELECT format('datasets { num_examples: %1$s
		features { path { step: "fare" } type: FLOAT num_stats {
			common_stats { num_non_missing: %2$s num_missing: %3$s min_num_values: 1 max_num_values: 1 tot_num_values: %2$s }
			min: -2.5 max: 80 histograms { num_nan: 1 buckets { low_value: -2.5 high_value: 80 sample_count: 9 } } } }
		features { path { step: "payment" } type: STRING string_stats {
			common_stats { num_non_missing: %1$s min_num_values: 1 max_num_values: 1 tot_num_values: %1$s } unique: 2
			rank_histogram { buckets { label: "card" sample_count: 6 } buckets { label: %4$s sample_count: 4 } } } } }',
		n, n - missing, missing, to_json(payment))::feature_statistics
$$;
CREATE FUNCTION pg_temp.expected(extra text DEFAULT '') RETURNS feature_schema LANGUAGE sql AS $$
	SELECT (extra || 'feature { name: "fare" type: FLOAT presence { min_count: 1 min_fraction: 1 } shape { dim { size: 1 } }
			float_domain { min: 0 max: 100 disallow_nan: true } }
		feature { name: "payment" type: BYTES domain: "payment" presence { min_count: 1 min_fraction: 1 } not_in_environment: "SERVING"
			drift_comparator { infinity_norm { threshold: 0.1 } jensen_shannon_divergence { threshold: 0.9 } } }
		feature { name: "tip" type: FLOAT presence { min_count: 1 } }
		string_domain { name: "payment" value: "card" value: "cash" }
		default_environment: "TRAINING" default_environment: "SERVING"')::feature_schema
$$;

SELECT path, severity, type, short_description, reason FROM anomalies(validate_statistics(pg_temp.trips(10, 2), pg_temp.expected()));
SELECT path, description FROM anomalies(validate_statistics(pg_temp.trips(10, 2, E'it''s\n'), pg_temp.expected()));

-- environments
SELECT path, type FROM anomalies(validate_statistics(pg_temp.trips(10, 0), pg_temp.expected(), 'SERVING'));
SELECT validate_statistics(pg_temp.trips(10, 0), pg_temp.expected(), 'TESTING');

-- drift, skew and sizes
SELECT path, type, description FROM anomalies(validate_statistics(pg_temp.trips(10, 0), pg_temp.expected(),
	previous_statistics => pg_temp.trips(10, 0, 'coins'))) WHERE type LIKE 'COMPARATOR%';
SELECT * FROM drift_measurements(validate_statistics(pg_temp.trips(10, 0), pg_temp.expected(),
	previous_statistics => pg_temp.trips(10, 0, 'coins')));
SELECT path, type, description FROM anomalies(validate_statistics(pg_temp.trips(10, 0),
	pg_temp.expected('dataset_constraints { min_examples_count: 11 num_examples_drift_comparator { min_fraction_threshold: 0.9 } num_examples_version_comparator { max_fraction_threshold: 1.5 } } '),
	previous_statistics => pg_temp.trips(20, 0), previous_version_statistics => pg_temp.trips(4, 0))) WHERE path IS NULL;

-- severities
SELECT path, severity, type FROM anomalies(validate_statistics(pg_temp.trips(10, 2), pg_temp.expected(),
	config => 'severity_overrides { type: FLOAT_TYPE_SMALL_FLOAT severity: UNKNOWN } severity_overrides { type: SCHEMA_MISSING_COLUMN severity: WARNING }'));
SELECT validate_statistics(pg_temp.trips(10, 2), pg_temp.expected(), config => 'severity_overrides { type: NO_SUCH_TYPE }');

-- slices
SELECT path, type FROM anomalies(validate_corresponding_slices(
	(replace(pg_temp.trips(10, 0)::text, 'datasets {', 'datasets { name: "All Examples"') || replace(pg_temp.trips(4, 0)::text, 'datasets {', 'datasets { name: "vendor_1"'))::feature_statistics,
	pg_temp.expected()));

-- a job stops
SELECT assert_valid(validate_statistics(pg_temp.trips(10, 2), pg_temp.expected()));
SELECT assert_valid(validate_statistics(pg_temp.trips(10, 2), pg_temp.expected(), config => 'severity_overrides { type: SCHEMA_NEW_COLUMN severity: WARNING }')) IS NULL;
SELECT assert_valid('anomaly_info { key: "a" value { severity: WARNING reason { type: SCHEMA_NEW_COLUMN short_description: "New column" description: "x" } } }') IS NOT NULL;
SELECT assert_valid('anomaly_info { key: "a" value { severity: WARNING reason { type: SCHEMA_NEW_COLUMN short_description: "New column" description: "x" } } }', 'warning');
SELECT assert_valid('data_missing: true');
SELECT * FROM anomalies('data_missing: true');
SELECT assert_valid('', 'none');
SELECT assert_valid(NULL) IS NULL, validate_statistics(NULL, pg_temp.expected()) IS NULL;

-- no examples: nothing else is looked at; the schema is kept as the baseline
SELECT a::jsonb - 'baseline', (a::jsonb -> 'baseline')::feature_schema = pg_temp.expected()
FROM validate_statistics('datasets { features { path { step: "new" } type: INT num_stats { } } }', pg_temp.expected()) AS a;

-- what TFDV refuses or dies of
SELECT validate_statistics('datasets { name: "a" num_examples: 1 } datasets { name: "b" num_examples: 1 }', '');
SELECT validate_statistics('', '');
SELECT validate_statistics('datasets { num_examples: 1 features { name: "a" num_stats { } } features { path { step: "b" } num_stats { } } }', '');
SELECT validate_statistics('datasets { num_examples: 1 features { path { step: "a" } custom_stats { name: "x" num: 1 } } }', '');
SELECT validate_statistics('datasets { num_examples: 1 features { path { step: "a" } type: STRUCT struct_stats { common_stats { num_non_missing: 1 } } } }',
	'feature { name: "a" type: FLOAT float_domain { } }');
SELECT validate_statistics('datasets { num_examples: 1 features { path { step: "a" step: "b" } num_stats { common_stats { num_non_missing: 1 } } } }', '');
