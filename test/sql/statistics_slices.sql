-- Slices: by feature values, crossed, by SQL
CREATE TABLE passenger (id integer, sex text, class text, survived boolean, age double precision, tags text[]);
INSERT INTO passenger VALUES
	(1, 'f', '1st', true, 29, '{a,b,a}'), (2, 'm', '1st', false, 0.92, '{}'), (3, 'f', '2nd', true, NULL, '{b,NULL}'),
	(4, 'm', '2nd', false, 29, NULL), (5, NULL, '2nd', true, 1e16, '{c}'), (6, 'm', '1st', NULL, 1e15, '{a}');
CREATE FUNCTION sizes(statistics feature_statistics) RETURNS TABLE (dataset text, n bigint) LANGUAGE sql AS
	$$SELECT dataset, num_non_missing FROM features(statistics) WHERE path = 'id'$$;

SELECT * FROM sizes(generate_statistics('passenger', slice_functions => '[{"sex": null}]'));
SELECT * FROM sizes(generate_statistics('passenger', slice_functions => '[{"survived": null, "sex": ["m", "x"]}, {"tags": null}]'));
-- floats as Python prints them
SELECT * FROM sizes(generate_statistics('passenger', slice_functions => '[{"age": null}]'));
SELECT * FROM sizes(generate_statistics('passenger', slice_functions => '[{"age": [29]}]'));
-- strings that parse are taken for integers, features that are unknown left out
SELECT * FROM sizes(generate_statistics('passenger', slice_functions => '[{"survived": ["1"]}, {"nosuch": null}, {"nosuch": null, "id": [2]}]'));
-- two slicers of one name: rows count twice, as in TFDV
SELECT * FROM sizes(generate_statistics('passenger', slice_functions => '[{"sex": ["f"]}, {"sex": null}]'));
SELECT generate_statistics('passenger', slice_functions => '[{"survived": ["x"]}]');
SELECT generate_statistics('passenger', slice_functions => '{"sex": null}');
SELECT generate_statistics('passenger', slice_functions => '[{"sex": "m"}]');
SELECT generate_statistics('passenger', slice_functions => '[{"sex": [true]}]');
SELECT generate_statistics('passenger', slice_functions => '[{"sex": [["m"]]}]');
SELECT generate_statistics('passenger', slice_functions => '[1]');
SELECT generate_statistics('passenger', slice_functions => '7');
SELECT generate_statistics('passenger', slice_functions => '[{"sex": null}]', slice_sqls => '{SELECT 1 AS a}');

-- SQL over one row: the columns name the slice
SELECT * FROM sizes(generate_statistics('passenger', slice_sqls => '{"SELECT sex, survived WHERE class = ''1st''"}'));
SELECT * FROM sizes(generate_statistics('passenger', slice_sqls => '{"SELECT t AS tag FROM unnest(tags) t", "SELECT CASE WHEN age < 18 THEN ''child'' ELSE ''adult'' END AS who WHERE age IS NOT NULL;"}'));
-- TFDV's spelling
SELECT * FROM sizes(generate_statistics('passenger', slice_sqls => '{"SELECT STRUCT(sex, class AS klass) FROM example.sex, example.class WHERE sex = \"m\" -- men"}'));
SELECT * FROM sizes(generate_statistics('passenger', slice_sqls => '{"select struct(tags) from example.tags"}'));
-- what does not compile is a slice of all rows, with a warning
SELECT * FROM sizes(generate_statistics('passenger', slice_sqls => '{SELECT STRUCT(nosuch) FROM example.nosuch,SELECT sex}'));
SELECT * FROM sizes(generate_statistics('passenger', slice_sqls => '{SELECT sex) FROM (SELECT 1}'));
SELECT * FROM sizes(generate_statistics('passenger', slice_sqls => '{DELETE FROM passenger}'));
SELECT * FROM sizes(generate_statistics('passenger', slice_sqls => '{"SELECT sex; SELECT 1 AS a"}'));
SELECT * FROM sizes(generate_statistics('passenger', slice_sqls => '{SELECT 1}'));
-- no rows
SELECT * FROM sizes(generate_statistics('passenger', filter => 'false', slice_functions => '[{"sex": null}]'));
-- filter, weight and cross features go with slices
SELECT d ->> 'name' AS dataset, d ->> 'weighted_num_examples' AS weight, jsonb_array_length(d -> 'cross_features') AS crosses
FROM jsonb_array_elements(generate_statistics('passenger', filter => 'id < 6', weight_feature => 'id', cross_features => true,
	slice_functions => '[{"class": null}]')::jsonb -> 'datasets') d;
DROP FUNCTION sizes;
