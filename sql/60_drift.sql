-- Distances between current data and its baseline. Each is an aggregate over rows, (value, is_current) or (value, weight, is_current), with
-- options as JSON behind; a function of two sketches; and a function of two statistics. What they have in common:
--   NULL is no value (option null_is_category makes it one); a row whose is_current is NULL belongs to neither side
--   NaN is a category, and left out of what is over numbers; a value that one side lacks has share 0 there
--   a side without values: NULL, but for the first two, which take its shares as 0
--   exact up to 100000 distinct values a side (text: see sketches), approximate beyond

CREATE TYPE kolmogorov_smirnov_test AS (statistic double precision, p_value double precision);
COMMENT ON TYPE kolmogorov_smirnov_test IS 'result of kolmogorov_smirnov';
COMMENT ON COLUMN kolmogorov_smirnov_test.statistic IS 'largest gap between the two distribution functions, 0 to 1';
COMMENT ON COLUMN kolmogorov_smirnov_test.p_value IS 'probability of a gap at least as large when both sides are of one distribution';

CREATE TYPE chi_squared_test AS (statistic double precision, degrees_of_freedom double precision, p_value double precision);
COMMENT ON TYPE chi_squared_test IS 'result of chi_squared';
COMMENT ON COLUMN chi_squared_test.statistic IS 'sum of the squared differences from the expected counts, divided by these';
COMMENT ON COLUMN chi_squared_test.degrees_of_freedom IS 'number of categories less one';
COMMENT ON COLUMN chi_squared_test.p_value IS 'probability of a statistic at least as large when both sides are of one distribution';

CREATE FUNCTION drift_add(internal, anyelement, boolean) RETURNS internal
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE CALLED ON NULL INPUT PARALLEL SAFE;
COMMENT ON FUNCTION drift_add(internal, anyelement, boolean) IS 'internal: transition function of the drift aggregates';
CREATE FUNCTION drift_add(internal, anyelement, boolean, jsonb) RETURNS internal
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE CALLED ON NULL INPUT PARALLEL SAFE;
COMMENT ON FUNCTION drift_add(internal, anyelement, boolean, jsonb) IS 'internal: transition function of the drift aggregates';
CREATE FUNCTION drift_add(internal, anyelement, double precision, boolean) RETURNS internal
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE CALLED ON NULL INPUT PARALLEL SAFE;
COMMENT ON FUNCTION drift_add(internal, anyelement, double precision, boolean) IS 'internal: transition function of the drift aggregates';
CREATE FUNCTION drift_add(internal, anyelement, double precision, boolean, jsonb) RETURNS internal
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE CALLED ON NULL INPUT PARALLEL SAFE;
COMMENT ON FUNCTION drift_add(internal, anyelement, double precision, boolean, jsonb) IS 'internal: transition function of the drift aggregates';
CREATE FUNCTION drift_combine(internal, internal) RETURNS internal
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE CALLED ON NULL INPUT PARALLEL SAFE;
COMMENT ON FUNCTION drift_combine(internal, internal) IS 'internal: combine function of the drift aggregates';
CREATE FUNCTION drift_serialize(internal) RETURNS bytea
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION drift_serialize(internal) IS 'internal: serialization function of the drift aggregates';
CREATE FUNCTION drift_deserialize(bytea, internal) RETURNS internal
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION drift_deserialize(bytea, internal) IS 'internal: deserialization function of the drift aggregates';

CREATE FUNCTION drift_l_infinity_distance_final(internal) RETURNS double precision
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE CALLED ON NULL INPUT PARALLEL SAFE;
COMMENT ON FUNCTION drift_l_infinity_distance_final(internal) IS 'internal: final function of l_infinity_distance';
CREATE AGGREGATE l_infinity_distance(value anyelement, is_current boolean) (
	SFUNC = drift_add, STYPE = internal, SSPACE = 4096, FINALFUNC = drift_l_infinity_distance_final, COMBINEFUNC = drift_combine,
	SERIALFUNC = drift_serialize, DESERIALFUNC = drift_deserialize, PARALLEL = SAFE);
COMMENT ON AGGREGATE l_infinity_distance(anyelement, boolean) IS
	'largest difference between the shares of a value on the two sides, 0 to 1 (TFDV''s L-infinity norm); over categories; an empty side counts as all 0';
CREATE AGGREGATE l_infinity_distance(value anyelement, is_current boolean, options jsonb) (
	SFUNC = drift_add, STYPE = internal, SSPACE = 4096, FINALFUNC = drift_l_infinity_distance_final, COMBINEFUNC = drift_combine,
	SERIALFUNC = drift_serialize, DESERIALFUNC = drift_deserialize, PARALLEL = SAFE);
COMMENT ON AGGREGATE l_infinity_distance(anyelement, boolean, jsonb) IS
	'largest difference between the shares of a value on the two sides, 0 to 1 (TFDV''s L-infinity norm); over categories; an empty side counts as all 0';
CREATE AGGREGATE l_infinity_distance(value anyelement, weight double precision, is_current boolean) (
	SFUNC = drift_add, STYPE = internal, SSPACE = 4096, FINALFUNC = drift_l_infinity_distance_final, COMBINEFUNC = drift_combine,
	SERIALFUNC = drift_serialize, DESERIALFUNC = drift_deserialize, PARALLEL = SAFE);
COMMENT ON AGGREGATE l_infinity_distance(anyelement, double precision, boolean) IS
	'largest difference between the shares of a value on the two sides, 0 to 1 (TFDV''s L-infinity norm); over categories; an empty side counts as all 0';
CREATE AGGREGATE l_infinity_distance(value anyelement, weight double precision, is_current boolean, options jsonb) (
	SFUNC = drift_add, STYPE = internal, SSPACE = 4096, FINALFUNC = drift_l_infinity_distance_final, COMBINEFUNC = drift_combine,
	SERIALFUNC = drift_serialize, DESERIALFUNC = drift_deserialize, PARALLEL = SAFE);
COMMENT ON AGGREGATE l_infinity_distance(anyelement, double precision, boolean, jsonb) IS
	'largest difference between the shares of a value on the two sides, 0 to 1 (TFDV''s L-infinity norm); over categories; an empty side counts as all 0';
CREATE FUNCTION l_infinity_distance(current feature_sketch, baseline feature_sketch, path text DEFAULT NULL, options jsonb DEFAULT NULL) RETURNS double precision
	AS 'MODULE_PATHNAME', 'drift_l_infinity_distance_of_sketches' LANGUAGE C IMMUTABLE CALLED ON NULL INPUT PARALLEL SAFE;
COMMENT ON FUNCTION l_infinity_distance(feature_sketch, feature_sketch, text, jsonb) IS
	'the same between two sketches: of a column each, or of the feature with this path in two tables';
CREATE FUNCTION l_infinity_distance(current feature_statistics, baseline feature_statistics, path text DEFAULT NULL, options jsonb DEFAULT NULL) RETURNS double precision
	AS 'MODULE_PATHNAME', 'drift_l_infinity_distance_of_statistics' LANGUAGE C IMMUTABLE CALLED ON NULL INPUT PARALLEL SAFE;
COMMENT ON FUNCTION l_infinity_distance(feature_statistics, feature_statistics, text, jsonb) IS
	'the same between the statistics of a feature: text over the listed values, numbers over the histograms (approximate where it wants single values)';

CREATE FUNCTION drift_normalized_absolute_difference_final(internal) RETURNS double precision
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE CALLED ON NULL INPUT PARALLEL SAFE;
COMMENT ON FUNCTION drift_normalized_absolute_difference_final(internal) IS 'internal: final function of normalized_absolute_difference';
CREATE AGGREGATE normalized_absolute_difference(value anyelement, is_current boolean) (
	SFUNC = drift_add, STYPE = internal, SSPACE = 4096, FINALFUNC = drift_normalized_absolute_difference_final, COMBINEFUNC = drift_combine,
	SERIALFUNC = drift_serialize, DESERIALFUNC = drift_deserialize, PARALLEL = SAFE);
COMMENT ON AGGREGATE normalized_absolute_difference(anyelement, boolean) IS
	'largest difference between the counts of a value on the two sides, divided by the number of values of both (TFDV); over categories';
CREATE AGGREGATE normalized_absolute_difference(value anyelement, is_current boolean, options jsonb) (
	SFUNC = drift_add, STYPE = internal, SSPACE = 4096, FINALFUNC = drift_normalized_absolute_difference_final, COMBINEFUNC = drift_combine,
	SERIALFUNC = drift_serialize, DESERIALFUNC = drift_deserialize, PARALLEL = SAFE);
COMMENT ON AGGREGATE normalized_absolute_difference(anyelement, boolean, jsonb) IS
	'largest difference between the counts of a value on the two sides, divided by the number of values of both (TFDV); over categories';
CREATE AGGREGATE normalized_absolute_difference(value anyelement, weight double precision, is_current boolean) (
	SFUNC = drift_add, STYPE = internal, SSPACE = 4096, FINALFUNC = drift_normalized_absolute_difference_final, COMBINEFUNC = drift_combine,
	SERIALFUNC = drift_serialize, DESERIALFUNC = drift_deserialize, PARALLEL = SAFE);
COMMENT ON AGGREGATE normalized_absolute_difference(anyelement, double precision, boolean) IS
	'largest difference between the counts of a value on the two sides, divided by the number of values of both (TFDV); over categories';
CREATE AGGREGATE normalized_absolute_difference(value anyelement, weight double precision, is_current boolean, options jsonb) (
	SFUNC = drift_add, STYPE = internal, SSPACE = 4096, FINALFUNC = drift_normalized_absolute_difference_final, COMBINEFUNC = drift_combine,
	SERIALFUNC = drift_serialize, DESERIALFUNC = drift_deserialize, PARALLEL = SAFE);
COMMENT ON AGGREGATE normalized_absolute_difference(anyelement, double precision, boolean, jsonb) IS
	'largest difference between the counts of a value on the two sides, divided by the number of values of both (TFDV); over categories';
CREATE FUNCTION normalized_absolute_difference(current feature_sketch, baseline feature_sketch, path text DEFAULT NULL, options jsonb DEFAULT NULL) RETURNS double precision
	AS 'MODULE_PATHNAME', 'drift_normalized_absolute_difference_of_sketches' LANGUAGE C IMMUTABLE CALLED ON NULL INPUT PARALLEL SAFE;
COMMENT ON FUNCTION normalized_absolute_difference(feature_sketch, feature_sketch, text, jsonb) IS
	'the same between two sketches: of a column each, or of the feature with this path in two tables';
CREATE FUNCTION normalized_absolute_difference(current feature_statistics, baseline feature_statistics, path text DEFAULT NULL, options jsonb DEFAULT NULL) RETURNS double precision
	AS 'MODULE_PATHNAME', 'drift_normalized_absolute_difference_of_statistics' LANGUAGE C IMMUTABLE CALLED ON NULL INPUT PARALLEL SAFE;
COMMENT ON FUNCTION normalized_absolute_difference(feature_statistics, feature_statistics, text, jsonb) IS
	'the same between the statistics of a feature: text over the listed values, numbers over the histograms (approximate where it wants single values)';

CREATE FUNCTION drift_jensen_shannon_divergence_final(internal) RETURNS double precision
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE CALLED ON NULL INPUT PARALLEL SAFE;
COMMENT ON FUNCTION drift_jensen_shannon_divergence_final(internal) IS 'internal: final function of jensen_shannon_divergence';
CREATE AGGREGATE jensen_shannon_divergence(value anyelement, is_current boolean) (
	SFUNC = drift_add, STYPE = internal, SSPACE = 4096, FINALFUNC = drift_jensen_shannon_divergence_final, COMBINEFUNC = drift_combine,
	SERIALFUNC = drift_serialize, DESERIALFUNC = drift_deserialize, PARALLEL = SAFE);
COMMENT ON AGGREGATE jensen_shannon_divergence(anyelement, boolean) IS
	'Jensen-Shannon divergence in bits, 0 to 1, as TFDV measures it: text over its values, numbers over TFDV''s histograms (10 buckets), where infinities of the two sides never meet and NaN counts only between histograms of the same edges. Options: distance (the square root), base "e" (nats), histogram QUANTILES, binning or bins (over bins or values instead)';
CREATE AGGREGATE jensen_shannon_divergence(value anyelement, is_current boolean, options jsonb) (
	SFUNC = drift_add, STYPE = internal, SSPACE = 4096, FINALFUNC = drift_jensen_shannon_divergence_final, COMBINEFUNC = drift_combine,
	SERIALFUNC = drift_serialize, DESERIALFUNC = drift_deserialize, PARALLEL = SAFE);
COMMENT ON AGGREGATE jensen_shannon_divergence(anyelement, boolean, jsonb) IS
	'Jensen-Shannon divergence in bits, 0 to 1, as TFDV measures it: text over its values, numbers over TFDV''s histograms (10 buckets), where infinities of the two sides never meet and NaN counts only between histograms of the same edges. Options: distance (the square root), base "e" (nats), histogram QUANTILES, binning or bins (over bins or values instead)';
CREATE AGGREGATE jensen_shannon_divergence(value anyelement, weight double precision, is_current boolean) (
	SFUNC = drift_add, STYPE = internal, SSPACE = 4096, FINALFUNC = drift_jensen_shannon_divergence_final, COMBINEFUNC = drift_combine,
	SERIALFUNC = drift_serialize, DESERIALFUNC = drift_deserialize, PARALLEL = SAFE);
COMMENT ON AGGREGATE jensen_shannon_divergence(anyelement, double precision, boolean) IS
	'Jensen-Shannon divergence in bits, 0 to 1, as TFDV measures it: text over its values, numbers over TFDV''s histograms (10 buckets), where infinities of the two sides never meet and NaN counts only between histograms of the same edges. Options: distance (the square root), base "e" (nats), histogram QUANTILES, binning or bins (over bins or values instead)';
CREATE AGGREGATE jensen_shannon_divergence(value anyelement, weight double precision, is_current boolean, options jsonb) (
	SFUNC = drift_add, STYPE = internal, SSPACE = 4096, FINALFUNC = drift_jensen_shannon_divergence_final, COMBINEFUNC = drift_combine,
	SERIALFUNC = drift_serialize, DESERIALFUNC = drift_deserialize, PARALLEL = SAFE);
COMMENT ON AGGREGATE jensen_shannon_divergence(anyelement, double precision, boolean, jsonb) IS
	'Jensen-Shannon divergence in bits, 0 to 1, as TFDV measures it: text over its values, numbers over TFDV''s histograms (10 buckets), where infinities of the two sides never meet and NaN counts only between histograms of the same edges. Options: distance (the square root), base "e" (nats), histogram QUANTILES, binning or bins (over bins or values instead)';
CREATE FUNCTION jensen_shannon_divergence(current feature_sketch, baseline feature_sketch, path text DEFAULT NULL, options jsonb DEFAULT NULL) RETURNS double precision
	AS 'MODULE_PATHNAME', 'drift_jensen_shannon_divergence_of_sketches' LANGUAGE C IMMUTABLE CALLED ON NULL INPUT PARALLEL SAFE;
COMMENT ON FUNCTION jensen_shannon_divergence(feature_sketch, feature_sketch, text, jsonb) IS
	'the same between two sketches: of a column each, or of the feature with this path in two tables';
CREATE FUNCTION jensen_shannon_divergence(current feature_statistics, baseline feature_statistics, path text DEFAULT NULL, options jsonb DEFAULT NULL) RETURNS double precision
	AS 'MODULE_PATHNAME', 'drift_jensen_shannon_divergence_of_statistics' LANGUAGE C IMMUTABLE CALLED ON NULL INPUT PARALLEL SAFE;
COMMENT ON FUNCTION jensen_shannon_divergence(feature_statistics, feature_statistics, text, jsonb) IS
	'the same between the statistics of a feature: text over the listed values, numbers over the histograms (approximate where it wants single values)';

CREATE FUNCTION drift_population_stability_index_final(internal) RETURNS double precision
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE CALLED ON NULL INPUT PARALLEL SAFE;
COMMENT ON FUNCTION drift_population_stability_index_final(internal) IS 'internal: final function of population_stability_index';
CREATE AGGREGATE population_stability_index(value anyelement, is_current boolean) (
	SFUNC = drift_add, STYPE = internal, SSPACE = 4096, FINALFUNC = drift_population_stability_index_final, COMBINEFUNC = drift_combine,
	SERIALFUNC = drift_serialize, DESERIALFUNC = drift_deserialize, PARALLEL = SAFE);
COMMENT ON AGGREGATE population_stability_index(anyelement, boolean) IS
	'population stability index, the sum of (p - q) ln(p / q): text over its values, numbers over 10 bins of equal shares of the baseline, a share of 0 as 0.0001. Options: bins, binning (quantile, equal_width, values), zero_share. Usual reading: below 0.1 none, to 0.25 moderate, above large';
CREATE AGGREGATE population_stability_index(value anyelement, is_current boolean, options jsonb) (
	SFUNC = drift_add, STYPE = internal, SSPACE = 4096, FINALFUNC = drift_population_stability_index_final, COMBINEFUNC = drift_combine,
	SERIALFUNC = drift_serialize, DESERIALFUNC = drift_deserialize, PARALLEL = SAFE);
COMMENT ON AGGREGATE population_stability_index(anyelement, boolean, jsonb) IS
	'population stability index, the sum of (p - q) ln(p / q): text over its values, numbers over 10 bins of equal shares of the baseline, a share of 0 as 0.0001. Options: bins, binning (quantile, equal_width, values), zero_share. Usual reading: below 0.1 none, to 0.25 moderate, above large';
CREATE AGGREGATE population_stability_index(value anyelement, weight double precision, is_current boolean) (
	SFUNC = drift_add, STYPE = internal, SSPACE = 4096, FINALFUNC = drift_population_stability_index_final, COMBINEFUNC = drift_combine,
	SERIALFUNC = drift_serialize, DESERIALFUNC = drift_deserialize, PARALLEL = SAFE);
COMMENT ON AGGREGATE population_stability_index(anyelement, double precision, boolean) IS
	'population stability index, the sum of (p - q) ln(p / q): text over its values, numbers over 10 bins of equal shares of the baseline, a share of 0 as 0.0001. Options: bins, binning (quantile, equal_width, values), zero_share. Usual reading: below 0.1 none, to 0.25 moderate, above large';
CREATE AGGREGATE population_stability_index(value anyelement, weight double precision, is_current boolean, options jsonb) (
	SFUNC = drift_add, STYPE = internal, SSPACE = 4096, FINALFUNC = drift_population_stability_index_final, COMBINEFUNC = drift_combine,
	SERIALFUNC = drift_serialize, DESERIALFUNC = drift_deserialize, PARALLEL = SAFE);
COMMENT ON AGGREGATE population_stability_index(anyelement, double precision, boolean, jsonb) IS
	'population stability index, the sum of (p - q) ln(p / q): text over its values, numbers over 10 bins of equal shares of the baseline, a share of 0 as 0.0001. Options: bins, binning (quantile, equal_width, values), zero_share. Usual reading: below 0.1 none, to 0.25 moderate, above large';
CREATE FUNCTION population_stability_index(current feature_sketch, baseline feature_sketch, path text DEFAULT NULL, options jsonb DEFAULT NULL) RETURNS double precision
	AS 'MODULE_PATHNAME', 'drift_population_stability_index_of_sketches' LANGUAGE C IMMUTABLE CALLED ON NULL INPUT PARALLEL SAFE;
COMMENT ON FUNCTION population_stability_index(feature_sketch, feature_sketch, text, jsonb) IS
	'the same between two sketches: of a column each, or of the feature with this path in two tables';
CREATE FUNCTION population_stability_index(current feature_statistics, baseline feature_statistics, path text DEFAULT NULL, options jsonb DEFAULT NULL) RETURNS double precision
	AS 'MODULE_PATHNAME', 'drift_population_stability_index_of_statistics' LANGUAGE C IMMUTABLE CALLED ON NULL INPUT PARALLEL SAFE;
COMMENT ON FUNCTION population_stability_index(feature_statistics, feature_statistics, text, jsonb) IS
	'the same between the statistics of a feature: text over the listed values, numbers over the histograms (approximate where it wants single values)';

CREATE FUNCTION drift_kolmogorov_smirnov_final(internal) RETURNS kolmogorov_smirnov_test
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE CALLED ON NULL INPUT PARALLEL SAFE;
COMMENT ON FUNCTION drift_kolmogorov_smirnov_final(internal) IS 'internal: final function of kolmogorov_smirnov';
CREATE AGGREGATE kolmogorov_smirnov(value anyelement, is_current boolean) (
	SFUNC = drift_add, STYPE = internal, SSPACE = 4096, FINALFUNC = drift_kolmogorov_smirnov_final, COMBINEFUNC = drift_combine,
	SERIALFUNC = drift_serialize, DESERIALFUNC = drift_deserialize, PARALLEL = SAFE);
COMMENT ON AGGREGATE kolmogorov_smirnov(anyelement, boolean) IS
	'two-sample Kolmogorov-Smirnov test of numbers: the largest gap between the distribution functions, and the two-sided p-value, exact up to 10000 values a side';
CREATE AGGREGATE kolmogorov_smirnov(value anyelement, is_current boolean, options jsonb) (
	SFUNC = drift_add, STYPE = internal, SSPACE = 4096, FINALFUNC = drift_kolmogorov_smirnov_final, COMBINEFUNC = drift_combine,
	SERIALFUNC = drift_serialize, DESERIALFUNC = drift_deserialize, PARALLEL = SAFE);
COMMENT ON AGGREGATE kolmogorov_smirnov(anyelement, boolean, jsonb) IS
	'two-sample Kolmogorov-Smirnov test of numbers: the largest gap between the distribution functions, and the two-sided p-value, exact up to 10000 values a side';
CREATE AGGREGATE kolmogorov_smirnov(value anyelement, weight double precision, is_current boolean) (
	SFUNC = drift_add, STYPE = internal, SSPACE = 4096, FINALFUNC = drift_kolmogorov_smirnov_final, COMBINEFUNC = drift_combine,
	SERIALFUNC = drift_serialize, DESERIALFUNC = drift_deserialize, PARALLEL = SAFE);
COMMENT ON AGGREGATE kolmogorov_smirnov(anyelement, double precision, boolean) IS
	'two-sample Kolmogorov-Smirnov test of numbers: the largest gap between the distribution functions, and the two-sided p-value, exact up to 10000 values a side';
CREATE AGGREGATE kolmogorov_smirnov(value anyelement, weight double precision, is_current boolean, options jsonb) (
	SFUNC = drift_add, STYPE = internal, SSPACE = 4096, FINALFUNC = drift_kolmogorov_smirnov_final, COMBINEFUNC = drift_combine,
	SERIALFUNC = drift_serialize, DESERIALFUNC = drift_deserialize, PARALLEL = SAFE);
COMMENT ON AGGREGATE kolmogorov_smirnov(anyelement, double precision, boolean, jsonb) IS
	'two-sample Kolmogorov-Smirnov test of numbers: the largest gap between the distribution functions, and the two-sided p-value, exact up to 10000 values a side';
CREATE FUNCTION kolmogorov_smirnov(current feature_sketch, baseline feature_sketch, path text DEFAULT NULL, options jsonb DEFAULT NULL) RETURNS kolmogorov_smirnov_test
	AS 'MODULE_PATHNAME', 'drift_kolmogorov_smirnov_of_sketches' LANGUAGE C IMMUTABLE CALLED ON NULL INPUT PARALLEL SAFE;
COMMENT ON FUNCTION kolmogorov_smirnov(feature_sketch, feature_sketch, text, jsonb) IS
	'the same between two sketches: of a column each, or of the feature with this path in two tables';
CREATE FUNCTION kolmogorov_smirnov(current feature_statistics, baseline feature_statistics, path text DEFAULT NULL, options jsonb DEFAULT NULL) RETURNS kolmogorov_smirnov_test
	AS 'MODULE_PATHNAME', 'drift_kolmogorov_smirnov_of_statistics' LANGUAGE C IMMUTABLE CALLED ON NULL INPUT PARALLEL SAFE;
COMMENT ON FUNCTION kolmogorov_smirnov(feature_statistics, feature_statistics, text, jsonb) IS
	'the same between the statistics of a feature: text over the listed values, numbers over the histograms (approximate where it wants single values)';

CREATE FUNCTION drift_wasserstein_distance_final(internal) RETURNS double precision
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE CALLED ON NULL INPUT PARALLEL SAFE;
COMMENT ON FUNCTION drift_wasserstein_distance_final(internal) IS 'internal: final function of wasserstein_distance';
CREATE AGGREGATE wasserstein_distance(value anyelement, is_current boolean) (
	SFUNC = drift_add, STYPE = internal, SSPACE = 4096, FINALFUNC = drift_wasserstein_distance_final, COMBINEFUNC = drift_combine,
	SERIALFUNC = drift_serialize, DESERIALFUNC = drift_deserialize, PARALLEL = SAFE);
COMMENT ON AGGREGATE wasserstein_distance(anyelement, boolean) IS
	'Wasserstein-1 distance of numbers, the area between the distribution functions, in the column''s unit. Option scale reference_std: divided by the baseline''s standard deviation (at least 0.001)';
CREATE AGGREGATE wasserstein_distance(value anyelement, is_current boolean, options jsonb) (
	SFUNC = drift_add, STYPE = internal, SSPACE = 4096, FINALFUNC = drift_wasserstein_distance_final, COMBINEFUNC = drift_combine,
	SERIALFUNC = drift_serialize, DESERIALFUNC = drift_deserialize, PARALLEL = SAFE);
COMMENT ON AGGREGATE wasserstein_distance(anyelement, boolean, jsonb) IS
	'Wasserstein-1 distance of numbers, the area between the distribution functions, in the column''s unit. Option scale reference_std: divided by the baseline''s standard deviation (at least 0.001)';
CREATE AGGREGATE wasserstein_distance(value anyelement, weight double precision, is_current boolean) (
	SFUNC = drift_add, STYPE = internal, SSPACE = 4096, FINALFUNC = drift_wasserstein_distance_final, COMBINEFUNC = drift_combine,
	SERIALFUNC = drift_serialize, DESERIALFUNC = drift_deserialize, PARALLEL = SAFE);
COMMENT ON AGGREGATE wasserstein_distance(anyelement, double precision, boolean) IS
	'Wasserstein-1 distance of numbers, the area between the distribution functions, in the column''s unit. Option scale reference_std: divided by the baseline''s standard deviation (at least 0.001)';
CREATE AGGREGATE wasserstein_distance(value anyelement, weight double precision, is_current boolean, options jsonb) (
	SFUNC = drift_add, STYPE = internal, SSPACE = 4096, FINALFUNC = drift_wasserstein_distance_final, COMBINEFUNC = drift_combine,
	SERIALFUNC = drift_serialize, DESERIALFUNC = drift_deserialize, PARALLEL = SAFE);
COMMENT ON AGGREGATE wasserstein_distance(anyelement, double precision, boolean, jsonb) IS
	'Wasserstein-1 distance of numbers, the area between the distribution functions, in the column''s unit. Option scale reference_std: divided by the baseline''s standard deviation (at least 0.001)';
CREATE FUNCTION wasserstein_distance(current feature_sketch, baseline feature_sketch, path text DEFAULT NULL, options jsonb DEFAULT NULL) RETURNS double precision
	AS 'MODULE_PATHNAME', 'drift_wasserstein_distance_of_sketches' LANGUAGE C IMMUTABLE CALLED ON NULL INPUT PARALLEL SAFE;
COMMENT ON FUNCTION wasserstein_distance(feature_sketch, feature_sketch, text, jsonb) IS
	'the same between two sketches: of a column each, or of the feature with this path in two tables';
CREATE FUNCTION wasserstein_distance(current feature_statistics, baseline feature_statistics, path text DEFAULT NULL, options jsonb DEFAULT NULL) RETURNS double precision
	AS 'MODULE_PATHNAME', 'drift_wasserstein_distance_of_statistics' LANGUAGE C IMMUTABLE CALLED ON NULL INPUT PARALLEL SAFE;
COMMENT ON FUNCTION wasserstein_distance(feature_statistics, feature_statistics, text, jsonb) IS
	'the same between the statistics of a feature: text over the listed values, numbers over the histograms (approximate where it wants single values)';

CREATE FUNCTION drift_chi_squared_final(internal) RETURNS chi_squared_test
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE CALLED ON NULL INPUT PARALLEL SAFE;
COMMENT ON FUNCTION drift_chi_squared_final(internal) IS 'internal: final function of chi_squared';
CREATE AGGREGATE chi_squared(value anyelement, is_current boolean) (
	SFUNC = drift_add, STYPE = internal, SSPACE = 4096, FINALFUNC = drift_chi_squared_final, COMBINEFUNC = drift_combine,
	SERIALFUNC = drift_serialize, DESERIALFUNC = drift_deserialize, PARALLEL = SAFE);
COMMENT ON AGGREGATE chi_squared(anyelement, boolean) IS
	'chi-squared test of homogeneity over the table of counts by category and side, without correction';
CREATE AGGREGATE chi_squared(value anyelement, is_current boolean, options jsonb) (
	SFUNC = drift_add, STYPE = internal, SSPACE = 4096, FINALFUNC = drift_chi_squared_final, COMBINEFUNC = drift_combine,
	SERIALFUNC = drift_serialize, DESERIALFUNC = drift_deserialize, PARALLEL = SAFE);
COMMENT ON AGGREGATE chi_squared(anyelement, boolean, jsonb) IS
	'chi-squared test of homogeneity over the table of counts by category and side, without correction';
CREATE AGGREGATE chi_squared(value anyelement, weight double precision, is_current boolean) (
	SFUNC = drift_add, STYPE = internal, SSPACE = 4096, FINALFUNC = drift_chi_squared_final, COMBINEFUNC = drift_combine,
	SERIALFUNC = drift_serialize, DESERIALFUNC = drift_deserialize, PARALLEL = SAFE);
COMMENT ON AGGREGATE chi_squared(anyelement, double precision, boolean) IS
	'chi-squared test of homogeneity over the table of counts by category and side, without correction';
CREATE AGGREGATE chi_squared(value anyelement, weight double precision, is_current boolean, options jsonb) (
	SFUNC = drift_add, STYPE = internal, SSPACE = 4096, FINALFUNC = drift_chi_squared_final, COMBINEFUNC = drift_combine,
	SERIALFUNC = drift_serialize, DESERIALFUNC = drift_deserialize, PARALLEL = SAFE);
COMMENT ON AGGREGATE chi_squared(anyelement, double precision, boolean, jsonb) IS
	'chi-squared test of homogeneity over the table of counts by category and side, without correction';
CREATE FUNCTION chi_squared(current feature_sketch, baseline feature_sketch, path text DEFAULT NULL, options jsonb DEFAULT NULL) RETURNS chi_squared_test
	AS 'MODULE_PATHNAME', 'drift_chi_squared_of_sketches' LANGUAGE C IMMUTABLE CALLED ON NULL INPUT PARALLEL SAFE;
COMMENT ON FUNCTION chi_squared(feature_sketch, feature_sketch, text, jsonb) IS
	'the same between two sketches: of a column each, or of the feature with this path in two tables';
CREATE FUNCTION chi_squared(current feature_statistics, baseline feature_statistics, path text DEFAULT NULL, options jsonb DEFAULT NULL) RETURNS chi_squared_test
	AS 'MODULE_PATHNAME', 'drift_chi_squared_of_statistics' LANGUAGE C IMMUTABLE CALLED ON NULL INPUT PARALLEL SAFE;
COMMENT ON FUNCTION chi_squared(feature_statistics, feature_statistics, text, jsonb) IS
	'the same between the statistics of a feature: text over the listed values, numbers over the histograms (approximate where it wants single values)';

CREATE FUNCTION drift_hellinger_distance_final(internal) RETURNS double precision
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE CALLED ON NULL INPUT PARALLEL SAFE;
COMMENT ON FUNCTION drift_hellinger_distance_final(internal) IS 'internal: final function of hellinger_distance';
CREATE AGGREGATE hellinger_distance(value anyelement, is_current boolean) (
	SFUNC = drift_add, STYPE = internal, SSPACE = 4096, FINALFUNC = drift_hellinger_distance_final, COMBINEFUNC = drift_combine,
	SERIALFUNC = drift_serialize, DESERIALFUNC = drift_deserialize, PARALLEL = SAFE);
COMMENT ON AGGREGATE hellinger_distance(anyelement, boolean) IS
	'Hellinger distance, 0 to 1, over categories (options bins, binning: over bins)';
CREATE AGGREGATE hellinger_distance(value anyelement, is_current boolean, options jsonb) (
	SFUNC = drift_add, STYPE = internal, SSPACE = 4096, FINALFUNC = drift_hellinger_distance_final, COMBINEFUNC = drift_combine,
	SERIALFUNC = drift_serialize, DESERIALFUNC = drift_deserialize, PARALLEL = SAFE);
COMMENT ON AGGREGATE hellinger_distance(anyelement, boolean, jsonb) IS
	'Hellinger distance, 0 to 1, over categories (options bins, binning: over bins)';
CREATE AGGREGATE hellinger_distance(value anyelement, weight double precision, is_current boolean) (
	SFUNC = drift_add, STYPE = internal, SSPACE = 4096, FINALFUNC = drift_hellinger_distance_final, COMBINEFUNC = drift_combine,
	SERIALFUNC = drift_serialize, DESERIALFUNC = drift_deserialize, PARALLEL = SAFE);
COMMENT ON AGGREGATE hellinger_distance(anyelement, double precision, boolean) IS
	'Hellinger distance, 0 to 1, over categories (options bins, binning: over bins)';
CREATE AGGREGATE hellinger_distance(value anyelement, weight double precision, is_current boolean, options jsonb) (
	SFUNC = drift_add, STYPE = internal, SSPACE = 4096, FINALFUNC = drift_hellinger_distance_final, COMBINEFUNC = drift_combine,
	SERIALFUNC = drift_serialize, DESERIALFUNC = drift_deserialize, PARALLEL = SAFE);
COMMENT ON AGGREGATE hellinger_distance(anyelement, double precision, boolean, jsonb) IS
	'Hellinger distance, 0 to 1, over categories (options bins, binning: over bins)';
CREATE FUNCTION hellinger_distance(current feature_sketch, baseline feature_sketch, path text DEFAULT NULL, options jsonb DEFAULT NULL) RETURNS double precision
	AS 'MODULE_PATHNAME', 'drift_hellinger_distance_of_sketches' LANGUAGE C IMMUTABLE CALLED ON NULL INPUT PARALLEL SAFE;
COMMENT ON FUNCTION hellinger_distance(feature_sketch, feature_sketch, text, jsonb) IS
	'the same between two sketches: of a column each, or of the feature with this path in two tables';
CREATE FUNCTION hellinger_distance(current feature_statistics, baseline feature_statistics, path text DEFAULT NULL, options jsonb DEFAULT NULL) RETURNS double precision
	AS 'MODULE_PATHNAME', 'drift_hellinger_distance_of_statistics' LANGUAGE C IMMUTABLE CALLED ON NULL INPUT PARALLEL SAFE;
COMMENT ON FUNCTION hellinger_distance(feature_statistics, feature_statistics, text, jsonb) IS
	'the same between the statistics of a feature: text over the listed values, numbers over the histograms (approximate where it wants single values)';

CREATE FUNCTION drift_total_variation_distance_final(internal) RETURNS double precision
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE CALLED ON NULL INPUT PARALLEL SAFE;
COMMENT ON FUNCTION drift_total_variation_distance_final(internal) IS 'internal: final function of total_variation_distance';
CREATE AGGREGATE total_variation_distance(value anyelement, is_current boolean) (
	SFUNC = drift_add, STYPE = internal, SSPACE = 4096, FINALFUNC = drift_total_variation_distance_final, COMBINEFUNC = drift_combine,
	SERIALFUNC = drift_serialize, DESERIALFUNC = drift_deserialize, PARALLEL = SAFE);
COMMENT ON AGGREGATE total_variation_distance(anyelement, boolean) IS
	'total variation distance, half the sum of the differences between the shares, 0 to 1, over categories (options bins, binning: over bins)';
CREATE AGGREGATE total_variation_distance(value anyelement, is_current boolean, options jsonb) (
	SFUNC = drift_add, STYPE = internal, SSPACE = 4096, FINALFUNC = drift_total_variation_distance_final, COMBINEFUNC = drift_combine,
	SERIALFUNC = drift_serialize, DESERIALFUNC = drift_deserialize, PARALLEL = SAFE);
COMMENT ON AGGREGATE total_variation_distance(anyelement, boolean, jsonb) IS
	'total variation distance, half the sum of the differences between the shares, 0 to 1, over categories (options bins, binning: over bins)';
CREATE AGGREGATE total_variation_distance(value anyelement, weight double precision, is_current boolean) (
	SFUNC = drift_add, STYPE = internal, SSPACE = 4096, FINALFUNC = drift_total_variation_distance_final, COMBINEFUNC = drift_combine,
	SERIALFUNC = drift_serialize, DESERIALFUNC = drift_deserialize, PARALLEL = SAFE);
COMMENT ON AGGREGATE total_variation_distance(anyelement, double precision, boolean) IS
	'total variation distance, half the sum of the differences between the shares, 0 to 1, over categories (options bins, binning: over bins)';
CREATE AGGREGATE total_variation_distance(value anyelement, weight double precision, is_current boolean, options jsonb) (
	SFUNC = drift_add, STYPE = internal, SSPACE = 4096, FINALFUNC = drift_total_variation_distance_final, COMBINEFUNC = drift_combine,
	SERIALFUNC = drift_serialize, DESERIALFUNC = drift_deserialize, PARALLEL = SAFE);
COMMENT ON AGGREGATE total_variation_distance(anyelement, double precision, boolean, jsonb) IS
	'total variation distance, half the sum of the differences between the shares, 0 to 1, over categories (options bins, binning: over bins)';
CREATE FUNCTION total_variation_distance(current feature_sketch, baseline feature_sketch, path text DEFAULT NULL, options jsonb DEFAULT NULL) RETURNS double precision
	AS 'MODULE_PATHNAME', 'drift_total_variation_distance_of_sketches' LANGUAGE C IMMUTABLE CALLED ON NULL INPUT PARALLEL SAFE;
COMMENT ON FUNCTION total_variation_distance(feature_sketch, feature_sketch, text, jsonb) IS
	'the same between two sketches: of a column each, or of the feature with this path in two tables';
CREATE FUNCTION total_variation_distance(current feature_statistics, baseline feature_statistics, path text DEFAULT NULL, options jsonb DEFAULT NULL) RETURNS double precision
	AS 'MODULE_PATHNAME', 'drift_total_variation_distance_of_statistics' LANGUAGE C IMMUTABLE CALLED ON NULL INPUT PARALLEL SAFE;
COMMENT ON FUNCTION total_variation_distance(feature_statistics, feature_statistics, text, jsonb) IS
	'the same between the statistics of a feature: text over the listed values, numbers over the histograms (approximate where it wants single values)';

CREATE FUNCTION drift_kullback_leibler_divergence_final(internal) RETURNS double precision
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE CALLED ON NULL INPUT PARALLEL SAFE;
COMMENT ON FUNCTION drift_kullback_leibler_divergence_final(internal) IS 'internal: final function of kullback_leibler_divergence';
CREATE AGGREGATE kullback_leibler_divergence(value anyelement, is_current boolean) (
	SFUNC = drift_add, STYPE = internal, SSPACE = 4096, FINALFUNC = drift_kullback_leibler_divergence_final, COMBINEFUNC = drift_combine,
	SERIALFUNC = drift_serialize, DESERIALFUNC = drift_deserialize, PARALLEL = SAFE);
COMMENT ON AGGREGATE kullback_leibler_divergence(anyelement, boolean) IS
	'Kullback-Leibler divergence of the current side from the baseline in nats, the sum of p ln(p / q), over categories; infinite where the baseline lacks a value, unless option zero_share says what a share of 0 counts as. Options: bins, binning, base 2';
CREATE AGGREGATE kullback_leibler_divergence(value anyelement, is_current boolean, options jsonb) (
	SFUNC = drift_add, STYPE = internal, SSPACE = 4096, FINALFUNC = drift_kullback_leibler_divergence_final, COMBINEFUNC = drift_combine,
	SERIALFUNC = drift_serialize, DESERIALFUNC = drift_deserialize, PARALLEL = SAFE);
COMMENT ON AGGREGATE kullback_leibler_divergence(anyelement, boolean, jsonb) IS
	'Kullback-Leibler divergence of the current side from the baseline in nats, the sum of p ln(p / q), over categories; infinite where the baseline lacks a value, unless option zero_share says what a share of 0 counts as. Options: bins, binning, base 2';
CREATE AGGREGATE kullback_leibler_divergence(value anyelement, weight double precision, is_current boolean) (
	SFUNC = drift_add, STYPE = internal, SSPACE = 4096, FINALFUNC = drift_kullback_leibler_divergence_final, COMBINEFUNC = drift_combine,
	SERIALFUNC = drift_serialize, DESERIALFUNC = drift_deserialize, PARALLEL = SAFE);
COMMENT ON AGGREGATE kullback_leibler_divergence(anyelement, double precision, boolean) IS
	'Kullback-Leibler divergence of the current side from the baseline in nats, the sum of p ln(p / q), over categories; infinite where the baseline lacks a value, unless option zero_share says what a share of 0 counts as. Options: bins, binning, base 2';
CREATE AGGREGATE kullback_leibler_divergence(value anyelement, weight double precision, is_current boolean, options jsonb) (
	SFUNC = drift_add, STYPE = internal, SSPACE = 4096, FINALFUNC = drift_kullback_leibler_divergence_final, COMBINEFUNC = drift_combine,
	SERIALFUNC = drift_serialize, DESERIALFUNC = drift_deserialize, PARALLEL = SAFE);
COMMENT ON AGGREGATE kullback_leibler_divergence(anyelement, double precision, boolean, jsonb) IS
	'Kullback-Leibler divergence of the current side from the baseline in nats, the sum of p ln(p / q), over categories; infinite where the baseline lacks a value, unless option zero_share says what a share of 0 counts as. Options: bins, binning, base 2';
CREATE FUNCTION kullback_leibler_divergence(current feature_sketch, baseline feature_sketch, path text DEFAULT NULL, options jsonb DEFAULT NULL) RETURNS double precision
	AS 'MODULE_PATHNAME', 'drift_kullback_leibler_divergence_of_sketches' LANGUAGE C IMMUTABLE CALLED ON NULL INPUT PARALLEL SAFE;
COMMENT ON FUNCTION kullback_leibler_divergence(feature_sketch, feature_sketch, text, jsonb) IS
	'the same between two sketches: of a column each, or of the feature with this path in two tables';
CREATE FUNCTION kullback_leibler_divergence(current feature_statistics, baseline feature_statistics, path text DEFAULT NULL, options jsonb DEFAULT NULL) RETURNS double precision
	AS 'MODULE_PATHNAME', 'drift_kullback_leibler_divergence_of_statistics' LANGUAGE C IMMUTABLE CALLED ON NULL INPUT PARALLEL SAFE;
COMMENT ON FUNCTION kullback_leibler_divergence(feature_statistics, feature_statistics, text, jsonb) IS
	'the same between the statistics of a feature: text over the listed values, numbers over the histograms (approximate where it wants single values)';

CREATE FUNCTION drift_report(current feature_sketch, baseline feature_sketch, schema feature_schema DEFAULT NULL, options jsonb DEFAULT NULL)
	RETURNS TABLE (path text, type text, current_count double precision, baseline_count double precision, current_null_share double precision,
		baseline_null_share double precision, l_infinity_distance double precision, normalized_absolute_difference double precision,
		jensen_shannon_divergence double precision, population_stability_index double precision, kolmogorov_smirnov double precision,
		kolmogorov_smirnov_p_value double precision, wasserstein_distance double precision, chi_squared double precision,
		chi_squared_p_value double precision, hellinger_distance double precision, total_variation_distance double precision,
		kullback_leibler_divergence double precision, thresholds jsonb, drifted boolean, exact boolean)
	AS 'MODULE_PATHNAME', 'drift_report_of_sketches' LANGUAGE C IMMUTABLE CALLED ON NULL INPUT PARALLEL SAFE;
COMMENT ON FUNCTION drift_report(feature_sketch, feature_sketch, feature_schema, jsonb) IS
	'a row a column with every distance that fits its type, between the sketches of two tables; thresholds and drifted say what the schema''s drift comparators make of it, NULL where it has none; a NULL sketch gives no rows. The p-value of kolmogorov_smirnov is exact for up to 200 values a side. Options as those of the distances';

CREATE FUNCTION registered_schema_if_any(relation regclass) RETURNS feature_schema
	LANGUAGE sql STABLE CALLED ON NULL INPUT PARALLEL SAFE
	RETURN CASE WHEN EXISTS (SELECT FROM feature_meta.registered_schema r
							 WHERE r.relation IN (SELECT registered_schema_if_any.relation UNION ALL SELECT a.relid FROM pg_partition_ancestors(registered_schema_if_any.relation) a))
		   THEN registered_schema(relation) END;
COMMENT ON FUNCTION registered_schema_if_any(regclass) IS 'internal: the schema registered for a relation, or for a table it is a partition of; NULL if there is none';

CREATE FUNCTION drift_report(relation regclass, baseline text, current text, schema feature_schema DEFAULT NULL, options jsonb DEFAULT NULL,
	weight_feature text DEFAULT NULL, feature_allowlist text[] DEFAULT NULL)
	RETURNS TABLE (path text, type text, current_count double precision, baseline_count double precision, current_null_share double precision,
		baseline_null_share double precision, l_infinity_distance double precision, normalized_absolute_difference double precision,
		jensen_shannon_divergence double precision, population_stability_index double precision, kolmogorov_smirnov double precision,
		kolmogorov_smirnov_p_value double precision, wasserstein_distance double precision, chi_squared double precision,
		chi_squared_p_value double precision, hellinger_distance double precision, total_variation_distance double precision,
		kullback_leibler_divergence double precision, thresholds jsonb, drifted boolean, exact boolean)
	LANGUAGE sql VOLATILE CALLED ON NULL INPUT PARALLEL UNSAFE
BEGIN ATOMIC
	SELECT r.* FROM drift_report(relation_sketch(relation, current, weight_feature, feature_allowlist),
		relation_sketch(relation, baseline, weight_feature, feature_allowlist), coalesce(schema, registered_schema_if_any(relation)), options) r;
END;
COMMENT ON FUNCTION drift_report(regclass, text, text, feature_schema, jsonb, text, text[]) IS
	'a row a column with every distance that fits its type, between the rows of a relation that two filters (one boolean expression each) choose; the thresholds are those of the schema given, else of the registered one. Errors: 42601 filter';
