"""Makes cases.jsonl: samples of two sides and what SciPy and NumPy say of them (run with SciPy 1.17 and NumPy 2).

One case a line: current and baseline (null is NULL; "NaN", "Infinity" as PostgreSQL spells them), type, and the expected distances,
null where the definition gives none. Deterministic. The samples are drawn here; nothing is taken from elsewhere.
"""
import json
import math
import sys

import numpy as np
from scipy import stats
from scipy.spatial.distance import jensenshannon
from scipy.special import rel_entr

rng = np.random.default_rng(2026)


def shares(values, categories):
    return np.array([sum(1 for v in values if v == c) for c in categories], dtype=float)


def categorical(current, baseline):
    cats = sorted(set(current) | set(baseline))
    a, b = shares(current, cats), shares(baseline, cats)
    p, q = a / a.sum(), b / b.sum()
    chi2 = stats.chi2_contingency(np.array([a, b]), correction=False) if len(cats) > 1 else None
    out = {
        'l_infinity_distance': np.max(np.abs(p - q)),
        'normalized_absolute_difference': np.max(np.abs(a - b)) / (a.sum() + b.sum()),
        'hellinger_distance': math.sqrt(np.sum((np.sqrt(p) - np.sqrt(q)) ** 2) / 2),
        'total_variation_distance': 0.5 * np.sum(np.abs(p - q)),
        'kullback_leibler_divergence': np.sum(rel_entr(p, q)),
        'chi_squared': [chi2.statistic, chi2.dof, chi2.pvalue] if chi2 else [0.0, 0, 1.0],
        'jensen_shannon_values': jensenshannon(p, q, base=2) ** 2,
    }
    return {k: (v if isinstance(v, list) else 'Infinity' if math.isinf(v) else float(v)) for k, v in out.items()}


def psi(current, baseline):
    order = np.sort(np.array(baseline, dtype=float))
    n = len(order)
    edges = sorted(set(order[max(0, math.ceil(n * k / 10) - 1)] for k in range(1, 10)))
    def by_bin(values):
        h = np.zeros(len(edges) + 1)
        for v in values:
            h[np.searchsorted(edges, v, side='left')] += 1
        return h
    a, b = by_bin(current), by_bin(baseline)
    keep = (a > 0) | (b > 0)
    p, q = a[keep] / a.sum(), b[keep] / b.sum()
    p[p == 0] = 0.0001
    q[q == 0] = 0.0001
    return float(np.sum((p - q) * np.log(p / q)))


def numeric(current, baseline):
    ks = stats.ks_2samp(current, baseline)
    return {'kolmogorov_smirnov': [float(ks.statistic), float(ks.pvalue)],
            'wasserstein_distance': float(stats.wasserstein_distance(current, baseline)),
            'population_stability_index': psi(current, baseline)}


cases = []
for i in range(60):
    n1, n2 = int(rng.integers(1, 400)), int(rng.integers(1, 400))
    kind = i % 6
    if kind == 0:
        c, b = rng.normal(0, 1, n1), rng.normal(rng.random(), 1 + rng.random(), n2)
    elif kind == 1:
        c, b = rng.exponential(1, n1), rng.exponential(1 + rng.random(), n2)
    elif kind == 2:
        c, b = rng.integers(0, 8, n1).astype(float), rng.integers(0, 10, n2).astype(float)
    elif kind == 3:
        c, b = np.round(rng.normal(0, 3, n1)), np.round(rng.normal(1, 3, n2))
    elif kind == 4:
        c, b = rng.random(n1), rng.random(n1)
    else:
        c, b = rng.normal(0, 1, n1) + 100, rng.normal(0, 1, n2)
    c, b = [float(x) for x in c], [float(x) for x in b]
    cases.append({'type': 'float8', 'current': c, 'baseline': b, 'expected': {**categorical(c, b), **numeric(c, b)}})
for i in range(30):
    words = ['w%d' % k for k in range(int(rng.integers(1, 12)))] + ['é', '', "it's"]
    c = [str(x) for x in rng.choice(words, int(rng.integers(1, 300)))]
    b = [str(x) for x in rng.choice(words[: max(1, len(words) - int(rng.integers(0, 4)))], int(rng.integers(1, 300)))]
    cases.append({'type': 'text', 'current': c, 'baseline': b, 'expected': categorical(c, b)})
with open(sys.argv[1], 'w', encoding='utf-8') as out:
    for case in cases:
        out.write(json.dumps(case, ensure_ascii=False) + '\n')
