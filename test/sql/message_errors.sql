-- Wrong input: each gets an SQLSTATE, its place, and a hint where a name is nearly right
CREATE FUNCTION refused(expression text, value text) RETURNS TABLE (report text) LANGUAGE plpgsql AS $$
DECLARE
	detail text;
	hint text;
BEGIN
	BEGIN
		EXECUTE 'SELECT ' || expression USING value;
		RETURN QUERY SELECT 'accepted';
	EXCEPTION WHEN OTHERS THEN
		GET STACKED DIAGNOSTICS detail = PG_EXCEPTION_DETAIL, hint = PG_EXCEPTION_HINT;
		RETURN QUERY SELECT SQLSTATE || ' ' || SQLERRM UNION ALL SELECT '  ' || detail WHERE detail <> '' UNION ALL SELECT '  ' || hint WHERE hint <> '';
	END;
END $$;
\pset format unaligned
\pset tuples_only

-- text format
SELECT report FROM (VALUES
	('feature { nme: "a" }'), (E'feature {\n  name: "é" tipe: INT\n}'), ('features { }'), ('feature { type: INTEGER }'), ('feature { type: int }'), ('feature { type: 17 }'),
	('feature { type: "INT" }'), ('feature { name: 5 }'), ('feature { name: "a }'), (E'feature { name: "a\nb" }'), ('feature { name: "a" name: "b" }'),
	('feature { presence { } presence { } }'), ('feature { int_domain { } float_domain { } }'), ('feature { value_count { min: 9223372036854775808 } }'),
	('feature { value_count { min: 1.5 } }'), ('feature { value_count { min: 089 } }'), ('feature { presence { min_fraction: one } }'), ('feature { deprecated: yes }'),
	('feature { name: "\377" }'), ('feature { name: "a\000b" }'), ('feature { name: "\x" }'), ('feature { name: "\u12" }'), ('feature { name: "\U00110000" }'),
	('feature { name: "\N{DIGIT ONE}" }'), ('feature { name "a" }'), ('feature: "a"'), ('feature { name: ["a", "b"] }'), ('default_environment: ["a", ]'), ('default_environment: ["a"'),
	('feature {'), ('feature { } }'), ('feature < }'), (';'), ('[foo.bar]: 1'), ('annotation { extra_metadata { [type.googleapis.com/foo.Bar] { } } }'),
	('annotation { extra_metadata { [foo/tensorflow.metadata.v0.Path] { } } }'), ('1: 2'), ('feature { name: }'), ('feature { name:'),
	('tensor_representation_group { key: "a" key: "b" }'),
	(repeat('feature { struct_domain { ', 51))) v (value), refused('$1::feature_schema', value);

-- JSON
SELECT report FROM (VALUES
	('{"feature": [{"name": "a"}, {"nme": "a"}]}'), ('{"feature": {"name": "a"}}'), ('{"feature": [{"name": 5}]}'), ('{"feature": [{"type": "INTEGER"}]}'), ('{"feature": [{"type": 17}]}'),
	('{"feature": [{"type": true}]}'), ('{"feature": [{"value_count": {"min": 1.5}}]}'), ('{"feature": [{"value_count": {"min": "1e3"}}]}'), ('{"feature": [{"value_count": {"min": "9223372036854775808"}}]}'),
	('{"feature": [{"value_count": {"min": true}}]}'), ('{"feature": [{"presence": {"min_fraction": "inf"}}]}'), ('{"feature": [{"presence": {"min_fraction": 1e400}}]}'),
	('{"feature": [{"float_domain": {"min": 1e39}}]}'), ('{"feature": [{"deprecated": "true"}]}'), ('{"feature": [{"int_domain": {}, "float_domain": {}}]}'),
	('{"feature": [{"name": "a", "name": "b"}]}'), ('{"feature": [{"int_domain": {}, "intDomain": {}}]}'), ('{"feature": [null]}'), ('{"feature": [7]}'),
	('{"tensor_representation_group": {"a": {}, "b": {}, "a": {}}}'), ('{"tensor_representation_group": []}'), ('{"tensor_representation_group": {"a b": {"x": 1}}}'),
	('{"annotation": {"extra_metadata": [{"step": []}]}}'), ('{"annotation": {"extra_metadata": [{"@type": "foo.Bar"}]}}'),
	('{"annotation": {"extra_metadata": [{"@type": "a/google.protobuf.Struct", "x": 1}]}}'), ('{"feature": [{"name": "a\u0000b"}]}'),
	('{"feature": [{"validation_derived_source": {"config": {"allowlist": {"placeholder_value": "*"}}}}]}'),
	('{"feature": [{"validation_derived_source": {"config": {"allowlist": {"placeholder_value": "A"}}}}]}'),
	('{'), ('{"feature"'), (' {"feature": [}'), ('{} x'), ('{"feature": ' || repeat('[', 300))) v (value), refused('$1::feature_schema', value);
SELECT report FROM refused('$1::jsonb::feature_schema', '[]');
SELECT report FROM refused('$1::jsonb::feature_schema', (SELECT repeat('{"feature": [{"struct_domain": ', 51) || '{}' || repeat('}]}', 51)));
SELECT report FROM refused('$1::lineage_graph', '{"artifacts": [{"properties": {"a": {"struct_value": {"x": [1, 1e999]}}}}]}');

-- wire bytes
SELECT report FROM (VALUES
	('\x0a'), ('\x0a05'), ('\x0affffffff0f'), ('\x0a030a01'), ('\x0a030a01ff'), ('\x0a050a03610062'), ('\x00'), ('\x0c'), ('\x0b'), ('\x0b14'), ('\x0e'), ('\x0f'),
	('\x0a0230ffffffffffffffffffff'), ('\x0a0b30ffffffffffffffffffff'), ('\x8a80808080000'||'0'), ('\x0a067a0409000000')) v (value), refused('$1::bytea::feature_schema', value);
CREATE FUNCTION nested(depth int) RETURNS bytea LANGUAGE plpgsql AS $$
DECLARE
	b bytea := '';
	n int;
BEGIN
	FOR i IN REVERSE depth .. 1 LOOP
		n := length(b);
		b := CASE WHEN i % 2 = 1 THEN '\x0a'::bytea ELSE '\xea01'::bytea END || CASE WHEN n < 128 THEN set_byte('\x00'::bytea, 0, n) ELSE set_byte(set_byte('\x0000'::bytea, 0, n % 128 + 128), 1, n / 128) END || b;
	END LOOP;
	RETURN b;
END $$;
SELECT report FROM refused('$1::bytea::feature_schema', nested(100)::text);
SELECT report FROM refused('$1::bytea::feature_schema', nested(101)::text);
-- nested groups that nobody knows
SELECT report FROM refused('$1::bytea::feature_schema', '\x' || repeat('fb07', 101) || repeat('fc07', 101));
-- a few bytes do not take gigabytes: 3 MB of empty features would take half of one
SELECT report FROM refused('decode(repeat($1, 1500000), ''hex'')::feature_schema', '0a00');

-- no JSON form
SELECT report FROM refused('$1::feature_schema::jsonb', 'annotation { extra_metadata { type_url: "x.org/unknown.Type" } }');
SELECT report FROM refused('$1::feature_schema::jsonb', 'annotation { extra_metadata { type_url: "x.org/tensorflow.metadata.v0.Path" value: "\377" } }');
SELECT report FROM refused('$1::lineage_graph::jsonb', 'artifacts { properties { key: "a" value { struct_value { fields { key: "k" value { number_value: nan } } } } } }');
