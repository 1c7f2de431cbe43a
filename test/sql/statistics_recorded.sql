-- Recorded statistics: spans, ranges, replacing, partitions
SET datestyle = ISO;
CREATE TABLE sale (day date NOT NULL, amount integer) PARTITION BY RANGE (day);
CREATE TABLE sale_1 PARTITION OF sale FOR VALUES FROM ('2026-11-01') TO ('2026-11-02');
CREATE TABLE sale_2 PARTITION OF sale FOR VALUES FROM ('2026-11-02') TO ('2026-11-03');
INSERT INTO sale SELECT '2026-11-01'::date + i % 2, i FROM generate_series(1, 20) i;

SELECT record_statistics('sale', span => date '2026-11-01', filter => 'day = ''2026-11-01''');
SELECT record_statistics('sale', '2026-11-02', filter => 'day = ''2026-11-02''');
SELECT relation, slice, span, num_examples, filter, recorded_by = CURRENT_USER AS mine FROM feature_meta.recorded_statistics ORDER BY span;

-- a span, the newest, a range; as date, timestamp, range or literal
SELECT recorded_statistics('sale', date '2026-11-01') = generate_statistics('sale', filter => 'day = ''2026-11-01''') AS first,
	recorded_statistics('sale') = generate_statistics('sale', filter => 'day = ''2026-11-02''') AS newest,
	recorded_statistics('sale', daterange('2026-11-01', '2026-11-03')) = generate_statistics('sale') AS both,
	recorded_statistics('sale', tsrange('2026-11-01', '2026-11-02', '[]')) = generate_statistics('sale') AS both_again,
	recorded_statistics('sale', '2026-11-01') = recorded_statistics('sale', timestamp '2026-11-01') AS literal,
	recorded_statistics('sale', '[2026-11-01, 2026-11-03)') = generate_statistics('sale') AS range_literal,
	recorded_statistics('sale', '2030-01-01') IS NULL AS none;

-- the same span again: replaced, in the same transaction
BEGIN;
INSERT INTO sale VALUES ('2026-11-01', 1000);
SELECT record_statistics('sale', '2026-11-01', filter => 'day = ''2026-11-01''');
SELECT max FROM features(recorded_statistics('sale', '2026-11-01')) WHERE path = 'amount';
ROLLBACK;
SELECT max FROM features(recorded_statistics('sale', '2026-11-01')) WHERE path = 'amount';

-- slices are apart
SELECT record_statistics('sale', '2026-11-01', slice => 'large', filter => 'amount > 10');
SELECT num_non_missing FROM features(recorded_statistics('sale', '2026-11-01', slice => 'large')) WHERE path = 'amount';

-- incremental: partitions that did not change are not read
SELECT record_statistics('sale', '2026-11-03', slice => 'all', incremental => true);
CREATE TEMPORARY TABLE before AS SELECT partition, xmin::text AS version FROM feature_meta.recorded_partition;
CREATE FUNCTION read_again() RETURNS SETOF regclass LANGUAGE sql AS
	$$SELECT p.partition FROM feature_meta.recorded_partition p LEFT JOIN before b ON b.partition = p.partition AND b.version = p.xmin::text
	WHERE b.partition IS NULL ORDER BY p.partition::text$$;
SELECT record_statistics('sale', '2026-11-04', slice => 'all', incremental => true);
SELECT read_again();
UPDATE sale SET amount = amount WHERE amount = 1;
SELECT record_statistics('sale', '2026-11-05', slice => 'all', incremental => true);
SELECT read_again();
SELECT recorded_statistics('sale', '2026-11-05', slice => 'all') = generate_statistics('sale') AS equal;
-- a delete, a rollback, a new column, another filter, a dropped partition
DELETE FROM sale WHERE amount = 2;
SELECT record_statistics('sale', '2026-11-06', slice => 'all', incremental => true);
SELECT read_again();
ALTER TABLE sale ADD COLUMN more text;
SELECT record_statistics('sale', '2026-11-07', slice => 'all', incremental => true);
SELECT recorded_statistics('sale', '2026-11-07', slice => 'all') = generate_statistics('sale') AS equal;
-- a column dropped and added again under its name, which rewrites no row
ALTER TABLE sale DROP COLUMN more, ADD COLUMN more text DEFAULT 'again';
SELECT record_statistics('sale', '2026-11-07', slice => 'all', incremental => true);
SELECT recorded_statistics('sale', '2026-11-07', slice => 'all') = generate_statistics('sale') AS equal;
SELECT record_statistics('sale', '2026-11-08', slice => 'all', incremental => true, filter => 'amount > 5');
SELECT recorded_statistics('sale', '2026-11-08', slice => 'all') = generate_statistics('sale', filter => 'amount > 5') AS equal;
DROP TABLE sale_2;
SELECT record_statistics('sale', '2026-11-09', slice => 'all', incremental => true);
SELECT recorded_statistics('sale', '2026-11-09', slice => 'all') = generate_statistics('sale') AS equal;
-- a table without partitions is one; a partitioned table may have none yet
CREATE TABLE plain AS SELECT i AS amount FROM generate_series(1, 7) AS i;
SELECT record_statistics('plain', '2026-11-01', incremental => true);
SELECT record_statistics('plain', '2026-11-01', incremental => true);
INSERT INTO plain VALUES (8);
SELECT record_statistics('plain', '2026-11-02', incremental => true);
SELECT recorded_statistics('plain') = generate_statistics('plain') AS equal;
CREATE TABLE bare (amount int) PARTITION BY LIST (amount);
SELECT record_statistics('bare', '2026-11-01', incremental => true);
SELECT recorded_statistics('bare') = generate_statistics('bare') AS equal;
DELETE FROM feature_meta.recorded_statistics WHERE relation IN ('plain'::regclass, 'bare'::regclass);
DELETE FROM feature_meta.recorded_partition WHERE relation = 'plain'::regclass;
DROP TABLE plain, bare;
SELECT record_statistics('sale', '2026-11-10', incremental => true, filter => 'day < now()');
SELECT record_statistics('sale', '2026-11-10', incremental => true, filter => 'amount IN (SELECT 1)');
SELECT record_statistics('nosuch', '2026-11-10');
SELECT record_statistics('sale', NULL);
SELECT record_statistics(NULL, '2026-11-10');
-- before a row is read: no row passes this filter without an error
SELECT record_statistics('sale', NULL, filter => '1 / (amount - amount) > 0');

-- who may: the owner writes, who reads all rows reads
CREATE ROLE regress_fm_reader;
CREATE ROLE regress_fm_stranger;
GRANT SELECT ON sale TO regress_fm_reader;
SET ROLE regress_fm_reader;
SELECT recorded_statistics('sale') IS NOT NULL AS reads;
SELECT record_statistics('sale', '2026-11-11');
SELECT count(*) FROM feature_meta.recorded_partition;
SET ROLE regress_fm_stranger;
SELECT recorded_statistics('sale') IS NOT NULL AS reads;
SELECT generate_statistics('sale');
RESET ROLE;
ALTER TABLE sale ENABLE ROW LEVEL SECURITY;
CREATE POLICY small ON sale TO regress_fm_reader USING (amount < 5);
SET ROLE regress_fm_reader;
SELECT recorded_statistics('sale') IS NOT NULL AS reads;
SELECT max FROM features(generate_statistics('sale')) WHERE path = 'amount';
RESET ROLE;
DROP TABLE sale;
DELETE FROM feature_meta.recorded_statistics;
DELETE FROM feature_meta.recorded_partition;
DROP FUNCTION read_again;
DROP ROLE regress_fm_reader, regress_fm_stranger;
