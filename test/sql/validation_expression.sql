-- Expressions of custom validations: what they may say, and the errors that say where
CREATE TEMP TABLE facts AS SELECT 'datasets { num_examples: 10
	features { path { step: "fare" } type: FLOAT num_stats { common_stats { num_non_missing: 8 num_missing: 2 tot_num_values: 8 } mean: 2.5 min: -1 max: 7.5
		histograms { buckets { low_value: -1 high_value: 3 sample_count: 6 } buckets { low_value: 3 high_value: 7.5 sample_count: 2 } } } }
	features { path { step: "vendor" } type: STRING string_stats { common_stats { num_non_missing: 9 num_missing: 1 } unique: 3
		rank_histogram { buckets { label: "a" sample_count: 5 } buckets { label: "bé" sample_count: 3 } buckets { sample_count: 1 } } } } }'::feature_statistics AS s;
CREATE FUNCTION pg_temp.test(expression text, feature text DEFAULT 'fare') RETURNS text LANGUAGE plpgsql AS $$
DECLARE place text;
BEGIN
	RETURN CASE WHEN custom_validate_statistics(s, format('feature_validations { feature_path { step: %s } validations { sql_expression: %s severity: ERROR description: "no" } }',
		to_json(feature), to_json(expression)))::text = '' THEN 'true' ELSE 'false' END FROM facts;
EXCEPTION WHEN OTHERS THEN
	GET STACKED DIAGNOSTICS place = PG_EXCEPTION_DETAIL;
	RETURN SQLSTATE || ' ' || SQLERRM || coalesce(' (' || (regexp_match(place, '^Line \d+, column \d+'))[1] || ')', '');
END $$;

SELECT e AS expression, pg_temp.test(e) FROM unnest(ARRAY[
	'feature.num_stats.mean > 2', 'feature.num_stats.mean BETWEEN 0 AND 2', '7 / 2 = 3.5', 'DIV(7, 2) = 3', '2 + 3 * 4 = 14', '-2 < 1 AND NOT FALSE',
	'feature.type = ''FLOAT''', 'feature.type IN (1, ''INT'')', 'FEATURE.Num_Stats.MEAN = 2.5', 'feature.num_stats.has_mean',
	'feature.string_stats IS NULL', 'IFNULL(feature.string_stats.unique, 0) = 0', 'CASE WHEN feature.num_stats.max > 7 THEN TRUE ELSE 1 / 0 > 0 END',
	'feature.num_stats.common_stats.num_missing - feature.num_stats.common_stats.num_non_missing = -6',
	'(SELECT SUM(b.sample_count) FROM UNNEST(feature.num_stats.histograms) AS h, UNNEST(h.buckets) AS b WHERE h.type = ''STANDARD'') = 8',
	'(SELECT COUNT(*) FROM UNNEST(feature.num_stats.histograms) h JOIN h.buckets b WITH OFFSET o ON o = 1) = 1',
	'ARRAY_LENGTH(ARRAY(SELECT DISTINCT x FROM UNNEST([1, 1, 2]) x)) = 2', '(SELECT x FROM UNNEST([3, 1, 2]) x ORDER BY x DESC LIMIT 1 OFFSET 1) = 2',
	'(SELECT x FROM UNNEST([1, 1, 2]) x GROUP BY x HAVING COUNT(*) > 1) = 1', '(SELECT 1 UNION ALL SELECT 2 LIMIT 1) = 1',
	'feature.path.step[ORDINAL(1)] = "fare" -- a comment', '''a%c'' LIKE r''a\%_''', 'REGEXP_CONTAINS(''trip 42'', r''\b\d+$'')', 'UPPER(''bé'') = ''BÉ''',
	'REGEXP_REPLACE(''ab'', ''(a)(b)'', r''\2\1'') = ''ba''']) AS e;
SELECT e AS expression, pg_temp.test(e, 'vendor') FROM unnest(ARRAY[
	'NOT EXISTS(SELECT 1 FROM UNNEST(feature.string_stats.rank_histogram.buckets) b WHERE b.sample_count > 5)',
	'(SELECT LOGICAL_AND(label IN ('''', ''a'', ''bé'')) FROM UNNEST(feature.string_stats.rank_histogram.buckets))',
	'(SELECT STRING_AGG(b.label, "|") FROM UNNEST(feature.string_stats.rank_histogram.buckets) b) = "a|bé|"',
	'LENGTH(feature.string_stats.rank_histogram.buckets[OFFSET(1)].label) = 2']) AS e;

-- errors
SELECT e AS expression, pg_temp.test(e) FROM unnest(ARRAY[
	'', 'feature.num_stats.mean >', 'true; false', 'SELECT TRUE', '1 == 1', '1 < 2 < 3', 'feature.mean > 1', 'nosuch', 'FOO(1) = 1', 'feature.num_stats.mean',
	'NULL', 'feature.string_stats.unique > 1', 'NULL = NULL', '1 = ''1''', '1 / 0 = 1', 'FALSE AND 1 / 0 = 1', '9223372036854775807 + 1 > 0',
	'feature.num_stats.histograms[OFFSET(9)].num_nan = 0', 'feature.type = ''FOO''', '(SELECT x FROM UNNEST([1, 2]) x) = 1', 'COUNT(*) = 1', 'SUM(1) = 1',
	'(SELECT 1 FROM pg_class) = 1', 'pg_sleep(1) = 1', 'CAST(''x'' AS INT64) = 1', 'REGEXP_CONTAINS(''a'', ''('')', 'REGEXP_CONTAINS(''a'', r''(a)\1'')', '''unclosed',
	'/* unclosed', E'TRUE AND\n  @ TRUE', '''a'' LIKE ''\\''', 'LN(0) < 1', 'ABS(''a'') = 1', '(WITH x AS (SELECT 1) SELECT 1 FROM x) = 1',
	'LENGTH(REPEAT(''x'', 1000000000)) > 1', '(SELECT COUNT(*) FROM UNNEST(GENERATE_ARRAY(1, 9000)) a, UNNEST(GENERATE_ARRAY(1, 9000)) b) > 1']) AS e;
SELECT pg_temp.test(repeat('(', 200) || 'TRUE' || repeat(')', 200)), pg_temp.test('1' || repeat(' + 1', 2000) || ' > 0'), pg_temp.test(repeat('NOT ', 101) || 'TRUE'),
	pg_temp.test('TRUE' || repeat(' ', 70000));

-- pairs, environments, the error of the whole call
SELECT path, severity, type, short_description, description FROM facts, anomalies(custom_validate_statistics(s,
	'feature_pair_validations { feature_test_path { step: "fare" } feature_base_path { step: "vendor" } validations { sql_expression: "feature_test.num_stats.mean > feature_base.string_stats.unique" description: "too cheap" severity: WARNING } }', s));
SELECT custom_validate_statistics(s, 'feature_pair_validations { feature_test_path { step: "fare" } feature_base_path { step: "vendor" } validations { sql_expression: "TRUE" } }') FROM facts;
SELECT custom_validate_statistics(s, 'feature_validations { feature_path { step: "nosuch" } }') FROM facts;
SELECT custom_validate_statistics(s, 'feature_validations { dataset_name: "nosuch" feature_path { step: "fare" } }') FROM facts;
SELECT environment, custom_validate_statistics(s, 'feature_validations { feature_path { step: "fare" } validations { sql_expression: "FALSE" in_environment: "TRAINING" } }', environment => environment)::text <> '' AS anomaly
FROM facts, unnest(ARRAY['TRAINING', 'SERVING', NULL]) AS environment;
SELECT custom_validate_statistics(s, 'feature_validations { feature_path { step: "fare" } validations { sql_expression: "FALSE" } validations { sql_expression: "1 + TRUE" } }') FROM facts;
SELECT custom_validate_statistics(s, 'feature_validation { }') FROM facts;

-- together with a schema: reasons are appended
SELECT a -> 'anomaly_info' -> 'fare' ->> 'short_description' AS sum, r ->> 'type' AS type
FROM facts, jsonb(validate_statistics(s, 'feature { name: "fare" type: INT } feature { name: "vendor" type: BYTES }', custom_validation_config =>
	'feature_validations { feature_path { step: "fare" } validations { sql_expression: "feature.num_stats.mean > 9" description: "too cheap" } }')) AS a,
	jsonb_array_elements(a -> 'anomaly_info' -> 'fare' -> 'reason') AS r;
