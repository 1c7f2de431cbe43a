-- Three tables of real flights: departures from New York City in 2013 (US Bureau of Transportation Statistics, public
-- domain; a sample of the data set nycflights13, CC0). Run by psql from the project's top folder. Makes:
--   flights           January to September: what a model of the delay at arrival is trained on; arr_delay is its label
--   flights_serving   October and November, as the model meets them: the label is not known yet
--   flights_december  the next batch, which went wrong on its way here (below)
BEGIN;

CREATE TEMPORARY TABLE sample (
	year integer, month integer, day integer, dep_time integer, sched_dep_time integer, dep_delay double precision,
	arr_time integer, sched_arr_time integer, arr_delay double precision, carrier text, flight integer, tailnum text,
	origin text, dest text, air_time double precision, distance double precision, hour integer, minute integer,
	time_hour timestamp with time zone
);
\copy sample from 'test/data/golden/data/flights.csv' with (format csv, header true, encoding 'UTF8')

CREATE TABLE flights (
	id integer PRIMARY KEY,
	departure timestamp with time zone,
	carrier text,
	tailnum text,
	origin text,
	dest text,
	distance double precision,
	dep_delay double precision,
	diverted boolean,
	arr_delay double precision
);
COMMENT ON TABLE flights IS 'departures from New York City, January to September 2013; delays in minutes, distance in miles, departure is the scheduled hour';

-- what is known of a flight that has departed; a cancelled one has no delay, a diverted one none at arrival
INSERT INTO flights
SELECT row_number() OVER (ORDER BY time_hour, carrier, flight, tailnum, dest), time_hour, carrier, tailnum, origin, dest, distance,
	dep_delay, dep_delay IS NOT NULL AND arr_delay IS NULL, arr_delay
FROM sample;

CREATE TABLE flights_serving AS
SELECT id, departure, carrier, tailnum, origin, dest, distance, dep_delay, diverted
FROM flights WHERE departure >= '2013-10-01 00:00-04' AND departure < '2013-12-01 00:00-05';
ALTER TABLE flights_serving ADD PRIMARY KEY (id);

-- December by another exporter: one airline's code is spelled out, distances from Newark are in kilometres, the
-- destination is lost from some rows, the delay became text with a word for cancelled flights, a column is new.
CREATE TABLE flights_december AS
SELECT id, departure,
	CASE WHEN carrier = 'UA' THEN 'United' ELSE carrier END AS carrier,
	tailnum, origin,
	CASE WHEN id % 9 <> 0 THEN dest END AS dest,
	CASE WHEN origin = 'EWR' THEN round((distance * 1.609344)::numeric)::double precision ELSE distance END AS distance,
	coalesce(dep_delay::integer::text, 'cancelled') AS dep_delay,
	diverted, arr_delay,
	CASE origin WHEN 'EWR' THEN 'C' ELSE 'A' END AS terminal
FROM flights WHERE departure >= '2013-12-01 00:00-05';
ALTER TABLE flights_december ADD PRIMARY KEY (id);

DELETE FROM flights WHERE departure >= '2013-10-01 00:00-04';
DROP TABLE sample;
COMMIT;
ANALYZE flights, flights_serving, flights_december;
