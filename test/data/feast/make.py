"""Makes cases.json: rows, calls, and what Feast 0.67 answers, with PostgreSQL as offline and SQLite as online store.

Usage: make.py SOCKET_DIRECTORY > cases.json (a Python with feast[postgres]; the server is used as user and database postgres, the
tables made there are dropped again). The rows are drawn here, with a fixed seed; nothing is taken from elsewhere. Feast is Apache-2.0;
the answers are facts about these rows.

A view's rows are lists in the order of its columns. "online" is a list of steps: rows that arrive, then a materialisation (from and to, or to
alone for materialize_incremental), then for every key what get_online_features says of each feature: [status, value, event time].
"offline" has entity rows and, with and without filter_by_created_timestamp, the rows of get_historical_features.
"""
import contextlib
import json
import math
import random
import sys
import tempfile
import warnings
from datetime import datetime, timedelta, timezone

import pandas
import psycopg
from feast import Entity, FeatureStore, FeatureView, Field, ValueType
from feast.infra.offline_stores.contrib.postgres_offline_store.postgres_source import PostgreSQLSource
from feast.protos.feast.serving.ServingService_pb2 import FieldStatus
from feast.repo_config import RepoConfig
from feast.types import Array, Bool, Float32, Float64, Int32, Int64, String, UnixTimestamp

warnings.simplefilter('ignore')
rng = random.Random(20261124)
start = datetime(2026, 3, 1, tzinfo=timezone.utc)
hour = timedelta(hours=1)


def maybe(value, share=0.85):
    return value if rng.random() < share else None


def driver_row(event, created, key=None):
    return [key or rng.randint(1, 12), event, created, maybe(rng.choice([rng.randint(-5, 5), 2**53 + 1, -2**63])), maybe(rng.randint(-9, 9)),
            maybe(rng.random()), maybe(rng.randint(-40, 40) / 8), maybe(rng.choice(['', 'a', 'ü"\\', 'two words'])), maybe(rng.random() < 0.5),
            maybe(start + rng.randint(0, 999) * hour), [rng.randint(0, 9) for _ in range(rng.randint(1, 3))]]


def pair_row(event, created, key=None):
    a, b = key or (rng.randint(1, 4), rng.choice('pqrs'))
    return [a, b, event, maybe(rng.randint(0, 99)), maybe(rng.choice(['x', 'y']))]


views = {
    'driver': dict(keys=['driver_id'], created='created', ttl_hours=30, row=driver_row, columns=[
        ('driver_id', 'bigint', None), ('event_timestamp', 'timestamptz', None), ('created', 'timestamptz', None), ('i8', 'bigint', Int64), ('i4', 'integer', Int32),
        ('f8', 'double precision', Float64), ('f4', 'real', Float32), ('t', 'text', String), ('b', 'boolean', Bool), ('at', 'timestamptz', UnixTimestamp),
        ('list', 'bigint[]', Array(Int64))]),
    'pair': dict(keys=['a', 'b'], created=None, ttl_hours=None, row=pair_row, columns=[
        ('a', 'integer', None), ('b', 'text', None), ('event_timestamp', 'timestamptz', None), ('n', 'bigint', Int64), ('s', 'text', String)]),
}


def draw(view, n, first, last):
    """n rows with event times between two hours; some share event time, some also the created time; some are told late"""
    out = []
    for _ in range(n):
        event = start + rng.randint(first * 2, last * 2) * hour / 2
        created = event + rng.choice([0, 0, 1, 2, 5, 30]) * hour
        out.append(views[view]['row'](event, created))
        if rng.random() < 0.1:  # a correction of it
            key = out[-1][:len(views[view]['keys'])]
            out.append(views[view]['row'](event, created + rng.choice([0, 3]) * hour, key[0] if len(key) == 1 else tuple(key)))
    return out


def plain(value):
    if isinstance(value, (list, tuple)) or type(value).__name__ == 'ndarray':
        return [plain(v) for v in value]
    if value is None or value is pandas.NaT:
        return None
    if isinstance(value, (datetime, pandas.Timestamp)):
        return value.astimezone(timezone.utc).strftime('%Y-%m-%dT%H:%M:%S+00:00')
    if hasattr(value, 'item'):
        value = value.item()
    if isinstance(value, float) and math.isnan(value):
        return None
    return value


def insert(connection, view, rows):
    for row in rows:
        connection.execute(f"INSERT INTO feast_{view} VALUES ({', '.join(['%s'] * len(row))})", row)


def online_value(proto):
    kind = proto.WhichOneof('val')
    if kind is None:
        return None
    value = getattr(proto, kind)
    if kind == 'unix_timestamp_val':
        if value < -2**40:  # how Feast serves a NULL of this type, as PRESENT
            return None
        return plain(datetime.fromtimestamp(value, timezone.utc))
    return [v for v in value.val] if kind.endswith('_list_val') else value


def online(store, view, keys):
    features = [c for c, _, kind in views[view]['columns'] if kind]
    response = store.get_online_features([f'{view}:{f}' for f in features],
                                         [dict(zip(views[view]['keys'], k)) for k in keys]).proto
    names = list(response.metadata.feature_names.val)
    answers = []
    for i in range(len(keys)):
        answer = {}
        for f in features:
            vector = response.results[names.index(f)]
            seconds = vector.event_timestamps[i].seconds
            answer[f] = [FieldStatus.Name(vector.statuses[i]), online_value(vector.values[i]),
                         plain(datetime.fromtimestamp(seconds, timezone.utc)) if seconds > 0 else None]
        answers.append(answer)
    return answers


def offline(store, view, entities, known_at):
    features = [c for c, _, kind in views[view]['columns'] if kind]
    frame = pandas.DataFrame(entities, columns=['row'] + views[view]['keys'] + ['event_timestamp'])
    frame['event_timestamp'] = pandas.to_datetime(frame['event_timestamp'], utc=True)
    job = store.get_historical_features(frame, [f'{view}:{f}' for f in features], filter_by_created_timestamp=known_at) if known_at else \
        store.get_historical_features(frame, [f'{view}:{f}' for f in features])
    table = job.to_arrow()
    rows = [[plain(v) for v in r] for r in zip(*[table.column(c).to_pylist() for c in ['row'] + features])]
    return sorted(rows, key=lambda r: (r[0], json.dumps(r)))


def main(host):
    out = {'feast': '0.67.0', 'views': {}}
    connection = psycopg.connect(host=host, dbname='postgres', user='postgres', autocommit=True)
    with tempfile.TemporaryDirectory() as folder:
        store = FeatureStore(config=RepoConfig(project='cases', provider='local', registry=folder + '/registry.db', entity_key_serialization_version=3,
                                               offline_store={'type': 'postgres', 'host': host, 'port': 5432, 'database': 'postgres', 'db_schema': 'public', 'user': 'postgres',
                                                              'password': '', 'sslmode': 'disable'},
                                               online_store={'type': 'sqlite', 'path': folder + '/online.db'}))
        for name, view in views.items():
            connection.execute(f'DROP TABLE IF EXISTS feast_{name}')
            connection.execute(f"CREATE TABLE feast_{name} ({', '.join(c + ' ' + t for c, t, _ in view['columns'])})")
            entities = [Entity(name=k, join_keys=[k], value_type=ValueType.STRING if k == 'b' else ValueType.INT32 if k == 'a' else ValueType.INT64) for k in view['keys']]
            key_fields = [Field(name=k, dtype=String if k == 'b' else Int32 if k == 'a' else Int64) for k in view['keys']]
            store.apply(entities + [FeatureView(
                name=name, entities=entities, ttl=timedelta(hours=view['ttl_hours'] or 0), online=True,
                schema=key_fields + [Field(name=c, dtype=kind) for c, _, kind in view['columns'] if kind],
                source=PostgreSQLSource(name=name, table='feast_' + name, timestamp_field='event_timestamp',
                                        created_timestamp_column=view['created'] or ''))])
            case = out['views'][name] = {'keys': view['keys'], 'created': view['created'], 'ttl_hours': view['ttl_hours'],
                                         'columns': [[c, t] for c, t, _ in view['columns']], 'online': []}
            keys = [[k] for k in range(1, 15)] if name == 'driver' else [[a, b] for a in range(1, 6) for b in 'pqrst']
            steps = [(40, 0, 48, 0, 24), (0, 0, 0, None, 48), (10, 40, 60, None, 60), (15, 0, 60, None, 72), (0, 0, 0, 0, 30), (25, 60, 96, 70, 80), (5, 20, 40, 20, 40),
                     (10, 96, 96, None, 96), (0, 0, 0, None, 120), (20, 0, 120, 0, 120)]
            for n, first, last, begin, end in steps:
                rows = draw(name, n, first, last)
                insert(connection, name, rows)
                if begin is None:
                    store.materialize_incremental(start + end * hour, [name])
                else:
                    store.materialize(start + begin * hour, start + end * hour, [name])
                case['online'].append({'rows': plain(rows), 'from': None if begin is None else plain(start + begin * hour), 'to': plain(start + end * hour),
                                       'keys': keys, 'answers': online(store, name, keys)})
            asked = [[i] + rng.choice(keys) + [start + rng.randint(-4, 260) * hour / 2] for i in range(300)]
            # on the edges: the time of a row, and the ttl after it
            for row in rng.sample([r for s in case['online'] for r in s['rows']], 40):
                k = len(view['keys'])
                event = datetime.fromisoformat(row[k])
                for shift in (timedelta(0), -timedelta(seconds=1), hour * (view['ttl_hours'] or 1), hour * (view['ttl_hours'] or 1) + timedelta(seconds=1)):
                    asked.append([len(asked)] + row[:k] + [event + shift])
            case['offline'] = {'entities': plain(asked), 'any_time': offline(store, name, asked, False)}
            if view['created']:
                case['offline']['known_at'] = offline(store, name, asked, True)
            connection.execute(f'DROP TABLE feast_{name}')
    return out


with contextlib.redirect_stdout(sys.stderr):  # Feast tells its progress
    cases = main(sys.argv[1])
print(json.dumps(cases, separators=(',', ':'), sort_keys=True))
