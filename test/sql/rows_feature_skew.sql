-- What differs between the same rows in two tables.
\set VERBOSITY terse
\pset null '(null)'
CREATE SCHEMA skew;
CREATE TABLE skew.training (id integer, "a b" float8, tags text[], note text, only_here boolean, day date);
CREATE TABLE skew.serving (id bigint, "a b" float4, tags text[], note varchar, added integer, day date);
INSERT INTO skew.training VALUES (1, 0.1, '{x,y}', 'same', true, '2026-01-01'), (2, 1.25, '{x}', NULL, NULL, '2026-01-01'), (3, 'NaN', '{}', 'a', NULL, NULL),
	(4, 1, NULL, 'twice', NULL, NULL), (4, 1, NULL, 'twice', NULL, NULL), (NULL, 9, NULL, NULL, NULL, NULL), (7, 7, NULL, NULL, NULL, NULL);
INSERT INTO skew.serving VALUES (1, 0.1, '{y,x}', 'same', 5, '2026-01-01'), (2, 1.26, '{x}', 'now', NULL, '2026-01-02'), (3, 'NaN', '{}', 'b', NULL, NULL),
	(4, 2, '{z}', NULL, NULL, NULL), (8, 8, NULL, NULL, NULL, NULL);
SELECT * FROM feature_skew('skew.training', 'skew.serving', '{id}');
SELECT * FROM feature_skew('skew.training', 'skew.serving', '{id}', '{tags,day,note}', 1, true);
SELECT * FROM feature_skew_match_stats('skew.training', 'skew.serving', '{id}');
SELECT * FROM feature_skew_confusion('skew.training', 'skew.serving', '{id}', '{note}', allow_duplicate_identifiers => true);
SELECT skew_value(2.5::float8, 0) = skew_value(2::float8, 0) AS ties_to_even, skew_value(15::float4, -1) = skew_value(20::float4, -1) AS tens,
	skew_value(1, NULL) = skew_value(1::bigint, NULL) AS integers, skew_value(1, NULL) = skew_value(1::float8, NULL) AS kinds,
	skew_value('{}'::text[], NULL) = '' AS empty, skew_value(NULL::text, NULL) IS NULL AS missing;
SELECT feature_skew('skew.training', 'skew.serving', '{}');
SELECT feature_skew('skew.training', 'skew.serving', '{only_here}');
SELECT feature_skew('skew.training', 'skew.serving', ARRAY['id', NULL]);
SELECT feature_skew('skew.training', NULL, '{id}');
SELECT feature_skew_confusion('skew.training', 'skew.serving', '{id}', '{day}');
SELECT feature_skew_confusion('skew.training', 'skew.serving', '{id}', '{tags}');
CREATE ROLE skew_stranger;
GRANT USAGE ON SCHEMA skew TO skew_stranger;
GRANT SELECT ON skew.training TO skew_stranger;
SET ROLE skew_stranger;
SELECT feature_skew('skew.training', 'skew.serving', '{id}');
RESET ROLE;
SET client_min_messages = warning;
DROP SCHEMA skew CASCADE;
DROP ROLE skew_stranger;
