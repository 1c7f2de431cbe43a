# fuzz_expression.sh DIR: expressions of every kind, one a file
set -e
out=${1:?}
n=0
while IFS= read -r line; do
	n=$((n + 1))
	printf '%s' "$line" >"$out/$n"
done <<'LIST'
feature.string_stats.unique > 2 AND NOT (feature.string_stats.common_stats.num_missing / 2 >= 1e3)
feature.type IN ('STRING', 'BYTES') OR feature.type = 2
(SELECT MAX(b.sample_count) FROM UNNEST(feature.string_stats.rank_histogram.buckets) AS b WITH OFFSET o WHERE o < 2) < 10
NOT EXISTS(SELECT 1 FROM UNNEST(feature.custom_stats) c JOIN c.histogram.buckets h ON h.low_value < 0 WHERE c.name LIKE 'h%')
(SELECT t.value FROM UNNEST(feature.string_stats.top_values) t ORDER BY t.frequency DESC LIMIT 1 OFFSET 0) = "a"
ARRAY_LENGTH(ARRAY(SELECT DISTINCT x FROM UNNEST([1, 2, NULL, 2]) x)) = 3
CASE WHEN feature.has_path THEN IF(TRUE, 1, 2.5) = 1 ELSE COALESCE(NULL, FALSE) END
feature.path.step[SAFE_ORDINAL(2)] IS NULL -- comment
CAST(CAST(feature.string_stats.unique AS STRING) AS INT64) BETWEEN 1 AND 0x10
(SELECT x FROM UNNEST([1, 1, 2]) x GROUP BY x HAVING COUNT(*) > 1) = 1
(SELECT SUM(DISTINCT x) - AVG(x) FROM UNNEST(GENERATE_ARRAY(1, 9, 2)) x) > STDDEV_POP(1)
SUBSTR(CONCAT('a', r'\d', '\u00e9'), -2, 1) = UPPER(REPLACE(LPAD('b', 5, 'xy'), 'x', '')) || REPEAT('z', 3)
SPLIT('a,b')[OFFSET(1)] IN UNNEST(['b']) AND 'x' NOT IN (SELECT label FROM UNNEST(feature_base.string_stats.rank_histogram.buckets))
(SELECT 1 UNION ALL SELECT 2 UNION DISTINCT SELECT 3 LIMIT 1) <> 2
POW(2, 3) + MOD(7, 2) * SAFE_DIVIDE(1, 0) - ROUND(2.345, 2) > LN(2) / SQRT(4)
(SELECT STRING_AGG(b.label, '|') FROM UNNEST(feature.string_stats.rank_histogram.buckets) b LEFT JOIN UNNEST([1]) y USING (y)) = ''
1 << 3 | 5 & ~2 ^ 1 = 13
LIST
