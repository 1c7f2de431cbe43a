-- The walk of `make demo`: from a table to the rows that went wrong. Read it beside its output, or paste it into
-- `make demo-psql`. The tables: demo/flights.sql.
\pset footer off
\pset null ''
\set ECHO queries

\echo
\echo '== 1. What is in the data? flights: departures from New York City, January to September 2013 =='
\echo

SELECT path, type, num_missing AS missing, coalesce(earliest, round(min::numeric, 1)::text) AS min,
	CASE WHEN earliest IS NULL THEN round(median::numeric, 1) END AS median, coalesce(latest, round(max::numeric, 1)::text) AS max,
	CASE WHEN earliest IS NULL THEN round(mean::numeric, 1) END AS mean, num_zeros AS zeros, "unique", top_value
FROM features(generate_statistics('flights'));

\echo
\echo '== 2. What is expected of it? A schema, inferred, and then told what a person knows =='
\echo

-- arr_delay is the label: known in training, not when the model is asked. Carriers and distances should stay as they are.
WITH inferred AS (
	SELECT infer_schema(generate_statistics('flights')) AS schema
), environments AS (
	SELECT set_environment(set_environment(set_environment(schema, 'TRAINING'), 'SERVING'), 'arr_delay', 'SERVING', false) AS schema FROM inferred
)
SELECT register_schema('flights', set_drift_threshold(set_drift_threshold(schema, 'carrier', 0.1), 'distance', 0.05),
	comment => 'inferred from January to September 2013') AS registered_version
FROM environments;

SELECT * FROM display_schema('flights');

SELECT domain, left("values", 90) AS values FROM display_domains(registered_schema('flights'));

\echo
\echo '== 3. Serving data of October and November: no label, and that is right in its environment =='
\echo

\t on
\a
SELECT format(E'%s: %s\n    %s', path, short_description, description)
FROM anomalies(validate_table('flights_serving', registered_schema('flights'), environment => 'SERVING'));

\echo
\echo '== 4. The batch of December, as another exporter wrote it =='
\echo

SELECT format(E'%s: %s\n    %s', path, short_description, description)
FROM anomalies(validate_table('flights_december', registered_schema('flights'), environment => 'TRAINING',
	previous_statistics => generate_statistics('flights')));
\t off
\a

\echo
\echo '== 5. Which rows are to blame? =='
\echo

SELECT "column", short_description, count(*) AS rows, min(value) AS for_example
FROM anomalous_rows('flights_december', registered_schema('flights'), environment => 'TRAINING')
GROUP BY 1, 2 ORDER BY 3 DESC, 1;

SELECT key, "column", value, description
FROM anomalous_rows('flights_december', registered_schema('flights'), environment => 'TRAINING')
WHERE "column" IN ('carrier', 'dest') LIMIT 8;

\echo
\echo '== 6. What has drifted since the training data? =='
\echo

SELECT path, type, round(value::numeric, 4) AS value, threshold, value > threshold AS too_far
FROM display_drift_skew(validate_table('flights_december', registered_schema('flights'), environment => 'TRAINING',
	previous_statistics => generate_statistics('flights')));

SELECT l_infinity_distance(carrier, is_december) AS carrier_l_infinity,
	jensen_shannon_divergence(distance, is_december) AS distance_jensen_shannon,
	population_stability_index(origin, is_december) AS origin_stability
FROM (SELECT carrier, distance, origin, false AS is_december FROM flights
	UNION ALL SELECT carrier, distance, origin, true FROM flights_december) both_batches;

\echo
\echo '== 7. In a job: an error, so that the job stops =='
\echo

\set ON_ERROR_STOP off
SELECT assert_valid(validate_table('flights_december', registered_schema('flights'), environment => 'TRAINING'));
\set ON_ERROR_STOP on
