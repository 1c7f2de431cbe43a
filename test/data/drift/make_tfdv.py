"""Makes tfdv.jsonl: what TFDV 1.16.1's drift comparators measure, through validate_statistics.

Usage: make_tfdv.py OUT. Deterministic; everything is drawn here, nothing is taken from elsewhere.
A line is one of
  {"current", "baseline": statistics (wire bytes in base64) of histograms with points, infinities and NaN that were made up,
   "jensen_shannon": what is measured, null for nothing}
  {"type", "current", "baseline": values of a column (null is NULL), "STANDARD", "QUANTILES": [[comparator, value], ...] that is measured
   of TFDV's own statistics of them with histograms of this type}
"""
import base64
import json
import os
import sys

os.environ['TF_CPP_MIN_LOG_LEVEL'] = '3'
import numpy as np
import pyarrow as pa
import tensorflow_data_validation as tfdv
from tensorflow_data_validation.statistics import stats_impl, stats_options
from tensorflow_metadata.proto.v0 import schema_pb2, statistics_pb2

rng = np.random.default_rng(2026)


def schema(name, kind, histogram):
    result = schema_pb2.Schema()
    feature = result.feature.add(name=name, type=kind)
    comparator = feature.drift_comparator
    comparator.infinity_norm.threshold = comparator.normalized_abs_difference.threshold = 0.01
    comparator.jensen_shannon_divergence.threshold = 0.01
    comparator.jensen_shannon_divergence.source.type = histogram
    return result


def measured(current, baseline, expected):
    result = tfdv.validate_statistics(current, expected, previous_statistics=baseline)
    return [[schema_pb2.FeatureComparator.DESCRIPTOR.fields_by_number[m.type].name, m.value]
            for info in result.drift_skew_info for m in info.drift_measurements]


def made_up(edges, points):
    buckets = [(low, high, float(rng.integers(0, 6))) for low, high in zip(edges, edges[1:])]
    buckets = sorted(buckets + [(x, x, float(rng.integers(1, 6))) for x in points])
    if rng.random() < .25:
        buckets.insert(0, (-np.inf, edges[0] if edges and rng.random() < .3 else -np.inf, float(rng.integers(1, 4))))
    if rng.random() < .25:
        buckets.append((np.inf, np.inf, float(rng.integers(1, 4))))
    result = statistics_pb2.DatasetFeatureStatisticsList()
    feature = result.datasets.add(num_examples=20).features.add(type=1)
    feature.path.step.append('n')
    common = feature.num_stats.common_stats
    common.num_non_missing = common.tot_num_values = 20
    common.min_num_values = common.max_num_values = 1
    nan = int(rng.integers(1, 5)) if rng.random() < .5 else 0
    for kind in (0, 1):
        histogram = feature.num_stats.histograms.add(type=kind, num_nan=nan)
        for low, high, count in buckets:
            histogram.buckets.add(low_value=low, high_value=high, sample_count=count)
    return result


def some(most, share):
    return sorted(float(x) for x in rng.choice(8, int(rng.integers(0, most)), replace=False)) if rng.random() < share else []


def column(kind, n, shift):
    if kind == 'bigint':
        return [int(x) for x in rng.integers(0, 12, n) + shift]
    if kind == 'text':
        return ['w%d' % x for x in rng.zipf(1.5, n) % 40 + shift]
    values = np.round(rng.normal(shift, 1, n), int(rng.integers(0, 4)))
    values[rng.random(n) < .2 * (rng.random() < .5)] = np.nan
    values[rng.random(n) < .1 * (rng.random() < .5)] = np.inf
    values[rng.random(n) < .1 * (rng.random() < .3)] = -np.inf
    return [float(x) for x in values]


def statistics(kind, values):
    types = {'bigint': pa.int64(), 'text': pa.string(), 'float8': pa.float64()}
    array = pa.array([None if x is None else [x] for x in values], type=pa.list_(types[kind]))
    return stats_impl.generate_statistics_in_memory(pa.record_batch([array], names=['n']), stats_options.StatsOptions())


with open(sys.argv[1], 'w', encoding='utf-8') as out:
    for _ in range(120):
        first = some(5, .9)
        second = first if rng.random() < .5 else some(5, .9)
        sides = made_up(first, some(3, .5)), made_up(second, some(3, .5))
        value = dict(measured(*sides, schema('n', 3, 2))).get('jensen_shannon_divergence')
        wire = [base64.b64encode(side.SerializeToString()).decode() for side in sides]
        out.write(json.dumps({'current': wire[0], 'baseline': wire[1], 'jensen_shannon': value}) + '\n')
    for i in range(60):
        kind = ('bigint', 'text', 'float8')[i % 3]
        sides = [[None if rng.random() < .1 else x for x in column(kind, int(rng.integers(1, 120)), int(rng.integers(0, 3)))] for _ in range(2)]
        case = {'type': kind}
        for side, values in zip(('current', 'baseline'), sides):
            case[side] = [repr(x).replace('inf', 'Infinity') if isinstance(x, float) else x for x in values]
        for histogram, number in (('STANDARD', 2), ('QUANTILES', 1)):
            expected = schema('n', {'bigint': 2, 'text': 1, 'float8': 3}[kind], number)
            case[histogram] = measured(*[statistics(kind, values) for values in sides], expected)
        out.write(json.dumps(case) + '\n')
