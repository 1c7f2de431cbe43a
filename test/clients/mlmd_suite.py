"""The whole public API of the real ml-metadata client on the extension's tables, with MLMD's own sqlite store as oracle.

Usage: mlmd_suite.py HOST PORT USER DBNAME   (the database is empty but for the extension; search_path of USER is mlmd)

Each case runs the same calls on both stores. What comes back (messages, or the class of the error) has to be the same
once the ids are replaced by their rank and the times are dropped. Prints a line for each case that differs and a total.
"""
import os
import struct
import sys
import tempfile
import time

from absl import logging
from google.protobuf import any_pb2, json_format, message, struct_pb2
from ml_metadata import errors
from ml_metadata.metadata_store import ListOptions, OrderByField, metadata_store
from ml_metadata.proto import metadata_store_pb2 as pb
from ml_metadata.proto import metadata_store_service_pb2 as service

logging.set_verbosity(logging.FATAL)

CASES = []


def case(function):
    CASES.append((function.__name__, function, ()))
    return function


def cases(*parameters):
    """The function once for each tuple of parameters"""
    def add(function):
        for number, args in enumerate(parameters):
            CASES.append((f'{function.__name__}[{number}]', function, args if isinstance(args, tuple) else (args,)))
        return function
    return add


def postgres_store(host, port, user, dbname):
    config = pb.ConnectionConfig()
    p = config.postgresql
    p.host, p.port, p.user, p.dbname, p.skip_db_creation = host, port, user, dbname, True
    if os.environ.get('PGPASSWORD'):
        p.password = os.environ['PGPASSWORD']
    return metadata_store.MetadataStore(config)


def sqlite_store():
    config = pb.ConnectionConfig()
    config.sqlite.filename_uri = os.path.join(tempfile.mkdtemp(), 'oracle.db')
    config.sqlite.connection_mode = pb.SqliteMetadataSourceConfig.READWRITE_OPENCREATE
    return metadata_store.MetadataStore(config)


# ---------------------------------------------------------------------------------------------------------------------
# Comparison

KIND_OF_FIELD = {'artifact_id': 'a', 'execution_id': 'e', 'context_id': 'c', 'parent_id': 'c', 'child_id': 'c', 'type_id': 't'}
KIND_OF_MESSAGE = {'Artifact': 'a', 'Execution': 'e', 'Context': 'c', 'ArtifactType': 't', 'ExecutionType': 't', 'ContextType': 't'}
TIMES = {'create_time_since_epoch', 'last_update_time_since_epoch', 'milliseconds_since_epoch'}


class Ranks:
    """Ids of a store -> their rank among all ids of the kind: ids have gaps where an insert failed"""

    def __init__(self, store):
        self.of = {
            'a': self.rank(store.get_artifacts()), 'e': self.rank(store.get_executions()), 'c': self.rank(store.get_contexts()),
            't': self.rank(store.get_artifact_types() + store.get_execution_types() + store.get_context_types())}

    @staticmethod
    def rank(nodes):
        return {id: rank for rank, id in enumerate(sorted(node.id for node in nodes))}

    def id(self, kind, value):
        return f'{kind}{self.of[kind].get(value, f"?{value}")}'


def plain(value, ranks):
    """A result as plain data that can be compared"""
    if isinstance(value, message.Message):
        out = {}
        for field, content in value.ListFields():
            if field.name in TIMES:
                out[field.name] = content > 0
            elif field.name in KIND_OF_FIELD:
                out[field.name] = ranks.id(KIND_OF_FIELD[field.name], content)
            elif field.name == 'id' and value.DESCRIPTOR.name in KIND_OF_MESSAGE:
                out['id'] = ranks.id(KIND_OF_MESSAGE[value.DESCRIPTOR.name], content)
            elif field.message_type is not None and field.message_type.GetOptions().map_entry:
                out[field.name] = {k: plain(content[k], ranks) for k in sorted(content)}
            elif field.label == field.LABEL_REPEATED:
                out[field.name] = plain(list(content), ranks)
                if value.DESCRIPTOR.name == 'LineageGraph':
                    out[field.name].sort(key=repr)
            else:
                out[field.name] = plain(content, ranks)
        return out
    if isinstance(value, (list, tuple)):
        return [plain(v, ranks) for v in value]
    if isinstance(value, Ids):
        return [ranks.id(value.kind, v) for v in value.ids]
    return value


class Ids:
    """Ids that a put returned"""

    def __init__(self, kind, ids):
        self.kind, self.ids = kind, [ids] if isinstance(ids, int) else list(ids)


def ordered(nodes):
    """Results whose order the API leaves open"""
    return sorted(nodes, key=lambda n: n.SerializeToString(deterministic=True) if not hasattr(n, 'id') else struct.pack('>q', n.id))


def events_ordered(events):
    return sorted(events, key=lambda e: (e.artifact_id, e.execution_id, e.type))


# ---------------------------------------------------------------------------------------------------------------------
# Building blocks; every case has a name of its own in front of what it puts

class World:
    """Types and nodes of one case"""

    def __init__(self, store, prefix):
        self.store, self.prefix = store, prefix

    def name(self, suffix):
        return f'{self.prefix}.{suffix}'

    def type(self, kind, suffix, properties=None, **fields):
        cls = {'a': pb.ArtifactType, 'e': pb.ExecutionType, 'c': pb.ContextType}[kind]
        return cls(name=self.name(suffix), properties=properties or {}, **fields)

    def put_type(self, kind, suffix='T', properties=None, add=False, omit=False, **fields):
        put = {'a': self.store.put_artifact_type, 'e': self.store.put_execution_type, 'c': self.store.put_context_type}[kind]
        return put(self.type(kind, suffix, properties, **fields), can_add_fields=add, can_omit_fields=omit)

    ALL = {'i': pb.INT, 'd': pb.DOUBLE, 's': pb.STRING, 'st': pb.STRUCT, 'p': pb.PROTO, 'b': pb.BOOLEAN}

    def node(self, kind, type_id, name=None, **fields):
        cls = {'a': pb.Artifact, 'e': pb.Execution, 'c': pb.Context}[kind]
        if name is not None:
            fields['name'] = self.name(name)
        return cls(type_id=type_id, **fields)

    def put(self, kind, nodes, **options):
        put = {'a': self.store.put_artifacts, 'e': self.store.put_executions, 'c': self.store.put_contexts}[kind]
        return put(nodes, **options)

    def get(self, kind, ids):
        get = {'a': self.store.get_artifacts_by_id, 'e': self.store.get_executions_by_id, 'c': self.store.get_contexts_by_id}[kind]
        return ordered(get(ids))

    def chain(self, length=3, context=True):
        """artifact 0 -> execution 0 -> artifact 1 -> ... ; returns artifact, execution, context ids"""
        ta, te, tc = self.put_type('a', 'CA'), self.put_type('e', 'CE'), self.put_type('c', 'CC')
        a = self.put('a', [self.node('a', ta, f'a{i}', uri=self.name(f'uri{i}')) for i in range(length + 1)])
        e = self.put('e', [self.node('e', te, f'e{i}') for i in range(length)])
        c = self.put('c', [self.node('c', tc, 'c')]) if context else []
        self.store.put_events(
            [pb.Event(artifact_id=a[i], execution_id=e[i], type=pb.Event.INPUT) for i in range(length)]
            + [pb.Event(artifact_id=a[i + 1], execution_id=e[i], type=pb.Event.OUTPUT) for i in range(length)])
        if context:
            self.store.put_attributions_and_associations(
                [pb.Attribution(context_id=c[0], artifact_id=x) for x in a[1:]],
                [pb.Association(context_id=c[0], execution_id=x) for x in e])
        return a, e, c


def value(content):
    if isinstance(content, bool):
        return pb.Value(bool_value=content)
    if isinstance(content, int):
        return pb.Value(int_value=content)
    if isinstance(content, float):
        return pb.Value(double_value=content)
    if isinstance(content, str):
        return pb.Value(string_value=content)
    if isinstance(content, dict):
        v = pb.Value()
        json_format.ParseDict(content, v.struct_value)
        return v
    v = pb.Value()
    v.proto_value.Pack(content)
    return v


def values(**content):
    return {k: value(v) for k, v in content.items()}


SOME = dict(i=7, d=1.5, s='text', b=True, st={'k': [1, 'two', None, {'x': True}]}, p=pb.Artifact(id=3, uri='inside'))


# ---------------------------------------------------------------------------------------------------------------------
# Types

@cases('a', 'e', 'c')
def put_type_new(w, kind):
    return [Ids('t', w.put_type(kind, properties=w.ALL))]


@cases('a', 'e', 'c')
def put_type_again(w, kind):
    one, two = w.put_type(kind, properties={'i': pb.INT}), w.put_type(kind, properties={'i': pb.INT})
    return [one == two]


@cases(*[(k, add, omit, p) for k in 'aec' for add in (False, True) for omit in (False, True)
         for p in ({'x': pb.INT}, {'i': pb.INT, 'x': pb.STRING}, {'i': pb.DOUBLE}, {})])
def put_type_changed(w, kind, add, omit, properties):
    w.put_type(kind, properties={'i': pb.INT})
    out = []
    try:
        out.append(Ids('t', w.put_type(kind, properties=properties, add=add, omit=omit)))
    except errors.StatusError as e:
        out.append(type(e).__name__)
    return out + [getter(w, kind)(w.name('T'))]


def getter(w, kind):
    return {'a': w.store.get_artifact_type, 'e': w.store.get_execution_type, 'c': w.store.get_context_type}[kind]


@cases('a', 'e', 'c')
def put_type_versions(w, kind):
    ids = [w.put_type(kind), w.put_type(kind, version='1'), w.put_type(kind, version='2', properties={'i': pb.INT})]
    return [Ids('t', ids), [getter(w, kind)(w.name('T'), version) for version in (None, '1', '2')]]


@cases('a', 'e', 'c')
def get_type_missing(w, kind):
    return getter(w, kind)(w.name('none'))


@cases('a', 'e', 'c')
def type_description_and_external_id(w, kind):
    w.put_type(kind, description='what it is', external_id=w.name('x'))
    by = {'a': w.store.get_artifact_types_by_external_ids, 'e': w.store.get_execution_types_by_external_ids,
          'c': w.store.get_context_types_by_external_ids}[kind]
    return [getter(w, kind)(w.name('T')), by([w.name('x'), w.name('none')])]


@cases('a', 'e', 'c')
def type_external_id_twice(w, kind):
    w.put_type(kind, 'T1', external_id=w.name('x'))
    return Ids('t', w.put_type(kind, 'T2', external_id=w.name('x')))


@cases('a', 'e', 'c')
def type_external_id_added(w, kind):
    w.put_type(kind)
    w.put_type(kind, external_id=w.name('x'))
    return getter(w, kind)(w.name('T'))


@cases('a', 'e', 'c')
def get_types_by_id(w, kind):
    ids = [w.put_type(kind, 'T1', {'i': pb.INT}), w.put_type(kind, 'T2')]
    get = {'a': w.store.get_artifact_types_by_id, 'e': w.store.get_execution_types_by_id, 'c': w.store.get_context_types_by_id}[kind]
    return [ordered(get(ids)), ordered(get(ids + [10 ** 6])) if kind == 'a' else None]


@cases('a', 'e', 'c')
def get_types(w, kind):
    w.put_type(kind, 'T', w.ALL)
    return ordered({'a': w.store.get_artifact_types, 'e': w.store.get_execution_types, 'c': w.store.get_context_types}[kind]())


@cases(('a', pb.ArtifactType.DATASET), ('a', pb.ArtifactType.MODEL), ('a', pb.ArtifactType.METRICS), ('a', pb.ArtifactType.STATISTICS),
       ('e', pb.ExecutionType.TRAIN), ('e', pb.ExecutionType.TRANSFORM), ('e', pb.ExecutionType.PROCESS),
       ('e', pb.ExecutionType.EVALUATE), ('e', pb.ExecutionType.DEPLOY))
def base_type(w, kind, base):
    w.put_type(kind, base_type=base)
    w.put_type(kind, base_type=base)
    w.put_type(kind)
    return getter(w, kind)(w.name('T'))


@case
def base_type_changed(w):
    w.put_type('a', base_type=pb.ArtifactType.DATASET)
    return Ids('t', w.put_type('a', base_type=pb.ArtifactType.MODEL))


@case
def base_type_added(w):
    w.put_type('a')
    w.put_type('a', base_type=pb.ArtifactType.MODEL)
    return w.store.get_artifact_type(w.name('T'))


@case
def execution_signature(w):
    signature = pb.ArtifactStructType(simple=pb.ArtifactType(name=w.name('in')))
    w.put_type('e', input_type=signature)
    return w.store.get_execution_type(w.name('T'))


@cases('a', 'e', 'c')
def type_without_name(w, kind):
    put = {'a': w.store.put_artifact_type, 'e': w.store.put_execution_type, 'c': w.store.put_context_type}[kind]
    return put({'a': pb.ArtifactType, 'e': pb.ExecutionType, 'c': pb.ContextType}[kind]())


@case
def type_property_unknown_kind(w):
    return w.put_type('a', properties={'x': pb.UNKNOWN})


@cases(True, False)
def put_types_at_once(w, add):
    """PutTypes, an RPC without a Python method"""
    w.put_type('a', 'old', {'i': pb.INT})
    request = service.PutTypesRequest(
        artifact_types=[w.type('a', 'old', {'i': pb.INT, 'x': pb.STRING}), w.type('a', 'new', {'s': pb.STRING})],
        execution_types=[w.type('e', 'new')], context_types=[w.type('c', 'new')], can_add_fields=add)
    response = service.PutTypesResponse()
    out = []
    try:
        w.store._call('PutTypes', request, response)
        out = [Ids('t', [*response.artifact_type_ids, *response.execution_type_ids, *response.context_type_ids])]
    except errors.StatusError as e:
        out = [type(e).__name__]
    return out + [ordered(w.store.get_artifact_types()), ordered(w.store.get_context_types())]


# ---------------------------------------------------------------------------------------------------------------------
# Nodes

@cases('a', 'e', 'c')
def put_nodes(w, kind):
    t = w.put_type(kind, properties=w.ALL)
    ids = w.put(kind, [w.node(kind, t, f'n{i}', properties=values(**SOME), custom_properties=values(**SOME)) for i in range(3)])
    return [Ids(kind, ids), w.get(kind, ids)]


@cases(*[(k, p) for k in 'aec' for p in ({'i': 'text'}, {'i': 1.5}, {'d': 1}, {'s': 1}, {'b': 1}, {'undeclared': 1}, {'st': 's'})])
def put_node_wrong_property(w, kind, properties):
    t = w.put_type(kind, properties=w.ALL)
    return Ids(kind, w.put(kind, [w.node(kind, t, 'n', properties=values(**properties))]))


@cases('a', 'e', 'c')
def put_node_without_type(w, kind):
    return Ids(kind, w.put(kind, [{'a': pb.Artifact, 'e': pb.Execution, 'c': pb.Context}[kind](name=w.name('n'))]))


@cases('a', 'e', 'c')
def put_node_unknown_type(w, kind):
    return Ids(kind, w.put(kind, [w.node(kind, 10 ** 6, 'n')]))


@cases('a', 'e', 'c')
def put_node_type_of_other_kind(w, kind):
    return Ids(kind, w.put(kind, [w.node(kind, w.put_type({'a': 'e', 'e': 'c', 'c': 'a'}[kind]), 'n')]))


@cases('a', 'e', 'c')
def put_node_unknown_id(w, kind):
    return Ids(kind, w.put(kind, [w.node(kind, w.put_type(kind), 'n', id=10 ** 6)]))


@cases('a', 'e', 'c')
def put_node_name_twice(w, kind):
    t = w.put_type(kind)
    w.put(kind, [w.node(kind, t, 'n')])
    return Ids(kind, w.put(kind, [w.node(kind, t, 'n')]))


@cases('a', 'e', 'c')
def put_node_external_id_twice(w, kind):
    t = w.put_type(kind)
    w.put(kind, [w.node(kind, t, 'n1', external_id=w.name('x'))])
    return Ids(kind, w.put(kind, [w.node(kind, t, 'n2', external_id=w.name('x'))]))


@cases('a', 'e', 'c')
def put_node_all_or_nothing(w, kind):
    t = w.put_type(kind)
    out = []
    try:
        w.put(kind, [w.node(kind, t, 'n1'), w.node(kind, t, 'n1')])
    except errors.StatusError as e:
        out.append(type(e).__name__)
    return out + [ordered({'a': w.store.get_artifacts_by_type, 'e': w.store.get_executions_by_type,
                           'c': w.store.get_contexts_by_type}[kind](w.name('T')))]


@cases('a', 'e')
def put_nodes_without_names(w, kind):
    t = w.put_type(kind)
    ids = w.put(kind, [w.node(kind, t), w.node(kind, t)])
    return [Ids(kind, ids), w.get(kind, ids)]


@cases('', None)
def put_context_without_name(w, name):
    return Ids('c', w.put('c', [pb.Context(type_id=w.put_type('c'), name=name)]))


@cases(*[(k, state) for k, states in (('a', pb.Artifact.State.values()), ('e', pb.Execution.State.values())) for state in states])
def put_node_states(w, kind, state):
    fields = {'state': state} if kind == 'a' else {'last_known_state': state}
    return w.get(kind, w.put(kind, [w.node(kind, w.put_type(kind), 'n', **fields)]))


@cases('a', 'e', 'c')
def update_node(w, kind):
    t = w.put_type(kind, properties=w.ALL)
    ids = w.put(kind, [w.node(kind, t, 'n', properties=values(i=1, s='gone'), custom_properties=values(x=1, y=2.5))])
    node = w.get(kind, ids)[0]
    node.properties['i'].int_value = 2
    del node.properties['s']
    node.properties['d'].double_value = 0.25
    node.custom_properties['x'].string_value = 'another kind'
    if kind == 'a':
        node.uri, node.state = 'new', pb.Artifact.LIVE
    w.put(kind, [node])
    return w.get(kind, ids)


@cases('a', 'e', 'c')
def update_node_without_change(w, kind):
    ids = w.put(kind, [w.node(kind, w.put_type(kind), 'n')])
    before = w.get(kind, ids)[0]
    time.sleep(0.003)
    w.put(kind, [before])
    return [before.last_update_time_since_epoch == w.get(kind, ids)[0].last_update_time_since_epoch]


@cases('a', 'e', 'c')
def update_node_changes_time(w, kind):
    ids = w.put(kind, [w.node(kind, w.put_type(kind), 'n')])
    before = w.get(kind, ids)[0]
    time.sleep(0.003)
    before.custom_properties['x'].int_value = 1
    w.put(kind, [before])
    after = w.get(kind, ids)[0]
    return [before.last_update_time_since_epoch < after.last_update_time_since_epoch,
            before.create_time_since_epoch == after.create_time_since_epoch]


@cases('a', 'e', 'c')
def update_node_other_type(w, kind):
    ids = w.put(kind, [w.node(kind, w.put_type(kind, 'T1'), 'n')])
    return Ids(kind, w.put(kind, [w.node(kind, w.put_type(kind, 'T2'), 'n', id=ids[0])]))


@cases('a', 'e', 'c')
def update_node_name(w, kind):
    t = w.put_type(kind)
    ids = w.put(kind, [w.node(kind, t, 'n')])
    w.put(kind, [w.node(kind, t, 'other', id=ids[0])])
    return w.get(kind, ids)


@cases(*[(k, mask) for k in 'aec' for mask in (['properties.i'], ['custom_properties.y'], ['external_id'], ['properties.i', 'external_id'])])
def update_node_field_mask(w, kind, mask):
    t = w.put_type(kind, properties=w.ALL)
    ids = w.put(kind, [w.node(kind, t, 'n', properties=values(i=1, s='kept'), custom_properties=values(x=1))])
    w.put(kind, [w.node(kind, t, 'n', id=ids[0], external_id=w.name('x'), properties=values(i=2), custom_properties=values(y=2))],
          field_mask_paths=mask)
    return w.get(kind, ids)


@cases('artifacts', 'executions', 'contexts')
def abort_if_changed(w, what):
    kind = what[0]
    request = {'a': service.PutArtifactsRequest, 'e': service.PutExecutionsRequest, 'c': service.PutContextsRequest}[kind]()
    response = {'a': service.PutArtifactsResponse, 'e': service.PutExecutionsResponse, 'c': service.PutContextsResponse}[kind]()
    if not hasattr(request, 'options'):
        return None
    t = w.put_type(kind)
    ids = w.put(kind, [w.node(kind, t, 'n')])
    stale = w.get(kind, ids)[0]
    time.sleep(0.003)
    w.put(kind, [w.node(kind, t, 'n', id=ids[0], custom_properties=values(x=1))])
    stale.custom_properties['x'].int_value = 2
    getattr(request, what).append(stale)
    request.options.abort_if_latest_updated_time_changed = True
    try:
        w.store._call('Put' + what.capitalize(), request, response)
    except errors.StatusError as e:
        return [type(e).__name__, w.get(kind, ids)]
    return [w.get(kind, ids)]


TEXTS = ['', 'plain', "it's", '"quoted"', '%', '_', ';--', 'Grüße 漢字 🎉', 'a\tb\nc', "'); DROP TABLE artifact; --", 'x' * 5000, '$1', '?', '{}', '/* c */']


@cases(*TEXTS)
def text_values(w, text):
    t = w.put_type('a', properties=w.ALL)
    ids = w.put('a', [w.node('a', t, 'n', uri=text, properties=values(s=text), custom_properties=values(c=text, st={text: text}))])
    return [w.get('a', ids)]


@cases(*[t for t in TEXTS if t and len(t) < 200])
def text_names(w, text):
    t = w.put_type('a', text, {text: pb.INT})
    a = w.put('a', [w.node('a', t, text, external_id=w.name(text), properties={text: value(1)}, uri=w.name(text))])
    return [Ids('a', a), w.store.get_artifact_by_type_and_name(w.name(text), w.name(text)), w.store.get_artifacts_by_uri(w.name(text)),
            w.store.get_artifacts_by_external_ids([w.name(text)]), w.store.get_artifact_type(w.name(text))]


@cases(0, 1, -1, 2 ** 31 - 1, -2 ** 31)
def int_values(w, number):
    t = w.put_type('a', properties=w.ALL)
    return w.get('a', w.put('a', [w.node('a', t, 'n', properties=values(i=number), custom_properties=values(c=number))]))


@cases(0.0, 1.0, -1.5, 0.1, 123456.789012, 1e15, -0.000001)
def double_values(w, number):
    t = w.put_type('a', properties=w.ALL)
    return w.get('a', w.put('a', [w.node('a', t, 'n', properties=values(d=number), custom_properties=values(c=number))]))


@cases('a', 'e', 'c')
def get_by_id(w, kind):
    t = w.put_type(kind)
    ids = w.put(kind, [w.node(kind, t, f'n{i}') for i in range(3)])
    return [w.get(kind, ids), w.get(kind, ids[1:2]), w.get(kind, [10 ** 6])]


@cases('a', 'e', 'c')
def get_by_type(w, kind):
    w.put(kind, [w.node(kind, w.put_type(kind, 'T1'), f'n{i}') for i in range(3)])
    w.put(kind, [w.node(kind, w.put_type(kind, 'T1', version='2'), 'v')])
    get = {'a': w.store.get_artifacts_by_type, 'e': w.store.get_executions_by_type, 'c': w.store.get_contexts_by_type}[kind]
    return [ordered(get(w.name('T1'))), ordered(get(w.name('T1'), '2')), ordered(get(w.name('none')))]


@cases('a', 'e', 'c')
def get_by_type_and_name(w, kind):
    w.put(kind, [w.node(kind, w.put_type(kind, 'T1'), 'n')])
    get = {'a': w.store.get_artifact_by_type_and_name, 'e': w.store.get_execution_by_type_and_name, 'c': w.store.get_context_by_type_and_name}[kind]
    return [get(w.name('T1'), w.name('n')), get(w.name('T1'), w.name('none')), get(w.name('none'), w.name('n')), get(w.name('T1'), w.name('n'), '9')]


@cases('a', 'e', 'c')
def get_by_external_ids(w, kind):
    w.put(kind, [w.node(kind, w.put_type(kind), f'n{i}', external_id=w.name(f'x{i}')) for i in range(3)])
    get = {'a': w.store.get_artifacts_by_external_ids, 'e': w.store.get_executions_by_external_ids, 'c': w.store.get_contexts_by_external_ids}[kind]
    return [ordered(get([w.name('x0'), w.name('x2')])), get([w.name('none')]) if kind != 'c' else None]


@case
def get_artifacts_by_uri(w):
    w.put('a', [w.node('a', w.put_type('a'), f'n{i}', uri=w.name('u')) for i in range(3)])
    return [ordered(w.store.get_artifacts_by_uri(w.name('u'))), w.store.get_artifacts_by_uri(w.name('none'))]


@case
def get_artifacts_and_types(w):
    ids = w.put('a', [w.node('a', w.put_type('a', 'T1', {'i': pb.INT}), 'n1'), w.node('a', w.put_type('a', 'T2'), 'n2')])
    artifacts, types = w.store.get_artifacts_and_types_by_artifact_ids(ids)
    return [ordered(artifacts), ordered(types)]


@cases('a', 'e', 'c')
def list_all(w, kind):
    return ordered({'a': w.store.get_artifacts, 'e': w.store.get_executions, 'c': w.store.get_contexts}[kind]())


@cases(*[(k, order, asc) for k in 'aec' for order in (OrderByField.ID, OrderByField.CREATE_TIME, OrderByField.UPDATE_TIME) for asc in (True, False)])
def list_ordered(w, kind, order, asc):
    t = w.put_type(kind)
    for i in range(4):
        w.put(kind, [w.node(kind, t, f'n{i}')])
        time.sleep(0.002)
    get = {'a': w.store.get_artifacts, 'e': w.store.get_executions, 'c': w.store.get_contexts}[kind]
    out = get(ListOptions(limit=3, order_by=order, is_asc=asc))
    # ascending starts with what other cases put in the same milliseconds
    return out if not asc or order == OrderByField.ID else len(out)


FILTERS = [
    "name = '{0}.n1'", "name LIKE '{0}.n%'", "name LIKE '{0}.%' AND properties.i.int_value > 1", "type = '{0}.T'",
    "name LIKE '{0}.%' AND custom_properties.c.string_value = 'c2'", "name LIKE '{0}.%' AND properties.d.double_value <= 1.5",
    "type = '{0}.T' AND custom_properties.b.bool_value = true", "external_id = '{0}.x1'", "name IN ('{0}.n0', '{0}.n3')",
    "type = '{0}.T' AND NOT (properties.i.int_value = 2)", "type = '{0}.T' AND (name = '{0}.n0' OR properties.i.int_value = 3)",
    "type = '{0}.T' AND create_time_since_epoch > 0", "name = '{0}.n1' AND last_update_time_since_epoch > 0", "id > 0 AND type = '{0}.T'",
    "contexts_0.name = '{0}.c'", "nonsense = 1", "name = ", "properties.i = 1"]


@cases(*[(k, f) for k in 'aec' for f in FILTERS if k != 'c' or 'contexts_' not in f])
def list_filtered(w, kind, query):
    t = w.put_type(kind, properties=w.ALL)
    ids = w.put(kind, [w.node(kind, t, f'n{i}', external_id=w.name(f'x{i}'), properties=values(i=i, d=i + 0.5),
                              custom_properties=values(c=f'c{i}', b=i % 2 == 0)) for i in range(4)])
    if kind != 'c':
        c = w.put('c', [w.node('c', w.put_type('c', 'C'), 'c')])
        w.store.put_attributions_and_associations([pb.Attribution(context_id=c[0], artifact_id=ids[1])] if kind == 'a' else [],
                                                  [pb.Association(context_id=c[0], execution_id=ids[1])] if kind == 'e' else [])
    get = {'a': w.store.get_artifacts, 'e': w.store.get_executions, 'c': w.store.get_contexts}[kind]
    return ordered(get(ListOptions(filter_query=query.format(w.prefix))))


@cases("events_0.type = 3 AND name LIKE '{0}.%'", "uri = '{0}.uri1'", "events_0.execution_id > 0 AND uri LIKE '{0}.%'", "state = LIVE AND name LIKE '{0}.%'")
def list_filtered_artifacts(w, query):
    w.chain()
    return ordered(w.store.get_artifacts(ListOptions(filter_query=query.format(w.prefix))))


@cases("parent_contexts_0.name = '{0}.p'", "child_contexts_0.name = '{0}.c0'", "artifacts_0.name = '{0}.a1'", "executions_0.name = '{0}.e0'")
def list_filtered_contexts(w, query):
    t = w.put_type('c')
    ids = w.put('c', [w.node('c', t, n) for n in ('p', 'c0', 'c1')])
    w.store.put_parent_contexts([pb.ParentContext(child_id=i, parent_id=ids[0]) for i in ids[1:]])
    w.chain()
    return ordered(w.store.get_contexts(ListOptions(filter_query=query.format(w.prefix))))


# ---------------------------------------------------------------------------------------------------------------------
# Edges

@cases(*pb.Event.Type.values())
def put_event_types(w, event_type):
    a = w.put('a', [w.node('a', w.put_type('a'), 'a')])
    e = w.put('e', [w.node('e', w.put_type('e'), 'e')])
    w.store.put_events([pb.Event(artifact_id=a[0], execution_id=e[0], type=event_type)])
    return [w.store.get_events_by_artifact_ids(a), w.store.get_events_by_execution_ids(e)]


@case
def put_event_path(w):
    a = w.put('a', [w.node('a', w.put_type('a'), 'a')])
    e = w.put('e', [w.node('e', w.put_type('e'), 'e')])
    event = pb.Event(artifact_id=a[0], execution_id=e[0], type=pb.Event.INPUT, milliseconds_since_epoch=12345)
    for step in ({'key': 'examples'}, {'index': 3}, {'key': "it's"}, {'index': 0}):
        event.path.steps.add(**step)
    w.store.put_events([event])
    return w.store.get_events_by_execution_ids(e)


@case
def put_event_twice(w):
    a = w.put('a', [w.node('a', w.put_type('a'), 'a')])
    e = w.put('e', [w.node('e', w.put_type('e'), 'e')])
    event = pb.Event(artifact_id=a[0], execution_id=e[0], type=pb.Event.INPUT)
    w.store.put_events([event])
    return w.store.put_events([event])


@cases((True, False), (False, True), (False, False))
def put_event_missing(w, has_artifact, has_execution):
    a = w.put('a', [w.node('a', w.put_type('a'), 'a')])
    e = w.put('e', [w.node('e', w.put_type('e'), 'e')])
    return w.store.put_events([pb.Event(artifact_id=a[0] if has_artifact else 10 ** 6, execution_id=e[0] if has_execution else 10 ** 6, type=3)])


@case
def get_events(w):
    a, e, _ = w.chain()
    return [events_ordered(w.store.get_events_by_artifact_ids(a)), events_ordered(w.store.get_events_by_execution_ids(e[:2])),
            w.store.get_events_by_artifact_ids([10 ** 6])]


@case
def attributions_and_associations(w):
    a, e, c = w.chain()
    w.store.put_attributions_and_associations([pb.Attribution(context_id=c[0], artifact_id=a[1])], [pb.Association(context_id=c[0], execution_id=e[0])])
    return [ordered(w.store.get_artifacts_by_context(c[0])), ordered(w.store.get_executions_by_context(c[0])),
            w.store.get_contexts_by_artifact(a[1]), w.store.get_contexts_by_artifact(a[0]), w.store.get_contexts_by_execution(e[0]),
            ordered(w.store.get_artifacts_by_context(c[0], ListOptions(limit=2, order_by=OrderByField.ID, is_asc=False)))]


@cases('attribution', 'association', 'context')
def attribution_missing(w, what):
    a, e, c = w.chain()
    return w.store.put_attributions_and_associations(
        [pb.Attribution(context_id=c[0] if what != 'context' else 10 ** 6, artifact_id=10 ** 6 if what == 'attribution' else a[0])],
        [pb.Association(context_id=c[0], execution_id=10 ** 6 if what == 'association' else e[0])])


@case
def get_by_context_missing(w):
    return [w.store.get_artifacts_by_context(10 ** 6), w.store.get_executions_by_context(10 ** 6)]


@case
def parent_contexts(w):
    ids = w.put('c', [w.node('c', w.put_type('c'), n) for n in 'pqxy'])
    w.store.put_parent_contexts([pb.ParentContext(child_id=c, parent_id=p) for c, p in ((2, 0), (3, 0), (3, 1)) for c, p in ((ids[c], ids[p]),)])
    return [[ordered(w.store.get_parent_contexts_by_context(i)) for i in ids], [ordered(w.store.get_children_contexts_by_context(i)) for i in ids]]


@cases('twice', 'missing', 'empty')
def parent_context_errors(w, what):
    ids = w.put('c', [w.node('c', w.put_type('c'), n) for n in 'pc'])
    edge = {'missing': pb.ParentContext(child_id=ids[0], parent_id=10 ** 6), 'empty': pb.ParentContext(child_id=ids[0])}.get(
        what, pb.ParentContext(child_id=ids[1], parent_id=ids[0]))
    w.store.put_parent_contexts([edge])
    return w.store.put_parent_contexts([edge])


# ---------------------------------------------------------------------------------------------------------------------
# At once

def execution_parts(w):
    ta, te, tc = w.put_type('a', 'A', w.ALL), w.put_type('e', 'E', w.ALL), w.put_type('c', 'C')
    stored = w.put('a', [w.node('a', ta, 'in')])[0]
    return ta, te, tc, stored


def everything(w, e, a, c):
    return [Ids('e', e), Ids('a', a), Ids('c', c), w.get('e', [e]), w.get('a', a), w.get('c', c), events_ordered(w.store.get_events_by_execution_ids([e])),
            [ordered(w.store.get_contexts_by_artifact(x)) for x in a], ordered(w.store.get_contexts_by_execution(e))]


@case
def put_execution_new(w):
    ta, te, tc, stored = execution_parts(w)
    event = pb.Event(type=pb.Event.OUTPUT)
    event.path.steps.add(key='model')
    return everything(w, *w.store.put_execution(
        w.node('e', te, 'e', properties=values(**SOME), last_known_state=pb.Execution.COMPLETE),
        [(w.store.get_artifacts_by_id([stored])[0], pb.Event(type=pb.Event.INPUT)), (w.node('a', ta, 'out', uri='u', properties=values(**SOME)), event)],
        [w.node('c', tc, 'c', custom_properties=values(x=1))]))


@case
def put_execution_alone(w):
    te = w.put_type('e')
    return everything(w, *w.store.put_execution(w.node('e', te, 'e'), [], []))


@case
def put_execution_without_event(w):
    ta, te, tc, stored = execution_parts(w)
    return everything(w, *w.store.put_execution(w.node('e', te, 'e'), [(w.node('a', ta, 'out'), None)], [w.node('c', tc, 'c')]))


@case
def put_execution_update(w):
    ta, te, tc, stored = execution_parts(w)
    e, a, c = w.store.put_execution(w.node('e', te, 'e', last_known_state=pb.Execution.RUNNING), [], [w.node('c', tc, 'c')])
    return everything(w, *w.store.put_execution(
        w.node('e', te, 'e', id=e, last_known_state=pb.Execution.COMPLETE), [(w.node('a', ta, 'out'), pb.Event(type=pb.Event.OUTPUT))],
        [w.store.get_contexts_by_id(c)[0]]))


@cases(*[(context, artifact) for context in (False, True) for artifact in (False, True)])
def put_execution_reuse(w, context, artifact):
    ta, te, tc, stored = execution_parts(w)
    w.put('c', [w.node('c', tc, 'c')])
    w.put('a', [w.node('a', ta, 'out', external_id=w.name('x'))])
    return everything(w, *w.store.put_execution(
        w.node('e', te, 'e'), [(w.node('a', ta, 'out', external_id=w.name('x'), uri='new uri'), pb.Event(type=pb.Event.OUTPUT))],
        [w.node('c', tc, 'c')], reuse_context_if_already_exist=context, reuse_artifact_if_already_exist_by_external_id=artifact))


@case
def put_execution_force_reuse_context(w):
    ta, te, tc, stored = execution_parts(w)
    c = w.put('c', [w.node('c', tc, 'c', custom_properties=values(x=1))])
    return everything(w, *w.store.put_execution(w.node('e', te, 'e'), [], [w.node('c', tc, 'c', id=c[0])], force_reuse_context=True))


@cases(True, False)
def put_execution_force_update_time(w, force):
    te = w.put_type('e')
    e, _, _ = w.store.put_execution(w.node('e', te, 'e'), [], [])
    before = w.store.get_executions_by_id([e])[0]
    time.sleep(0.003)
    w.store.put_execution(before, [], [], force_update_time=force)
    return [before.last_update_time_since_epoch == w.store.get_executions_by_id([e])[0].last_update_time_since_epoch]


@case
def put_execution_ids_disagree(w):
    ta, te, tc, stored = execution_parts(w)
    return Ids('e', w.store.put_execution(w.node('e', te, 'e'), [(w.store.get_artifacts_by_id([stored])[0], pb.Event(type=3, artifact_id=10 ** 6))], [])[0])


@cases(True, False)
def put_lineage_subgraph(w, reuse):
    ta, te, tc, stored = execution_parts(w)
    if reuse:
        w.put('c', [w.node('c', tc, 'c')])
    e, a, c = w.store.put_lineage_subgraph(
        [w.node('e', te, 'e0'), w.node('e', te, 'e1')], [w.node('a', ta, f'a{i}', properties=values(**SOME)) for i in range(3)], [w.node('c', tc, 'c')],
        [(0, 0, pb.Event(type=pb.Event.INPUT)), (0, 1, pb.Event(type=pb.Event.OUTPUT)), (1, 1, pb.Event(type=pb.Event.INPUT)),
         (1, 2, pb.Event(type=pb.Event.OUTPUT)), (1, None, pb.Event(type=pb.Event.INPUT, artifact_id=stored))],
        reuse_context_if_already_exist=reuse)
    return [Ids('e', e), Ids('a', a), Ids('c', c), w.get('e', e), w.get('a', a), events_ordered(w.store.get_events_by_execution_ids(e)),
            ordered(w.store.get_artifacts_by_context(c[0])), ordered(w.store.get_executions_by_context(c[0]))]


@cases((9, 0), (0, 9), (None, 0))
def put_lineage_subgraph_wrong_index(w, execution, artifact):
    ta, te, tc, stored = execution_parts(w)
    return w.store.put_lineage_subgraph([w.node('e', te, 'e')], [w.node('a', ta, 'a')], [], [(execution, artifact, pb.Event(type=3))])


@case
def pipeline_asset(w):
    return w.store.pipeline_asset


# ---------------------------------------------------------------------------------------------------------------------
# Lineage

@cases(*[(start, hops, direction) for start in ('a0', 'a2', 'e1') for hops in (0, 1, 2, 20, None)
         for direction in pb.LineageSubgraphQueryOptions.Direction.values()])
def lineage(w, start, hops, direction):
    w.chain()
    options = pb.LineageSubgraphQueryOptions(direction=direction)
    getattr(options, 'starting_artifacts' if start[0] == 'a' else 'starting_executions').filter_query = f"name = '{w.name(start)}'"
    if hops is not None:
        options.max_num_hops = hops
    return w.store.get_lineage_subgraph(options)


@cases(True, False)
def lineage_ending(w, include):
    w.chain()
    options = pb.LineageSubgraphQueryOptions(direction=pb.LineageSubgraphQueryOptions.UPSTREAM)
    options.starting_artifacts.filter_query = f"name = '{w.name('a3')}'"
    options.ending_artifacts.filter_query = f"name = '{w.name('a1')}'"
    options.ending_artifacts.include_ending_nodes = include
    return w.store.get_lineage_subgraph(options)


@cases(['events'], ['artifacts', 'executions'], ['artifacts.uri'])
def lineage_mask(w, mask):
    w.chain()
    options = pb.LineageSubgraphQueryOptions(direction=pb.LineageSubgraphQueryOptions.BIDIRECTIONAL)
    options.starting_artifacts.filter_query = f"name = '{w.name('a1')}'"
    return w.store.get_lineage_subgraph(options, mask)


@cases('missing', 'hops', 'empty')
def lineage_errors(w, what):
    options = pb.LineageSubgraphQueryOptions()
    options.starting_artifacts.filter_query = '' if what == 'empty' else f"name = '{w.name('none')}'"
    if what == 'hops':
        options.max_num_hops = -1
    return w.store.get_lineage_subgraph(options)


# ---------------------------------------------------------------------------------------------------------------------
# What Postgres with wider columns can and the oracle's column types or the client on them cannot: expectations by hand

def beyond(store):
    w = World(store, 'beyond')
    t = w.put_type('a', properties=w.ALL)
    a = w.get('a', w.put('a', [w.node('a', t, 'n', properties=values(i=2 ** 53), custom_properties=values(c=-2 ** 63))]))[0]
    yield 'int beyond 32 bits', a.properties['i'].int_value == 2 ** 53 and a.custom_properties['c'].int_value == -2 ** 63
    long = ''.join(chr(33 + (i * i * 31 + i * 7919) % 90) for i in range(60000)).replace('\\', '/').replace("'", '"')
    a = w.get('a', w.put('a', [w.node('a', t, 'long', uri=long, properties=values(s=long))]))[0]
    yield 'long incompressible uri and string', a.uri == long and a.properties['s'].string_value == long
    yield 'found by a long uri', [x.id for x in store.get_artifacts_by_uri(long)] == [a.id]
    name = 'n' * 1000
    yield 'name beyond 255 characters', w.get('a', w.put('a', [w.node('a', t, name)]))[0].name == w.name(name)
    yield 'id = 1.0 in a filter', len(store.get_artifacts(ListOptions(filter_query=f'id = {a.id}.0'))) == 1


def public_methods():
    return {n for n in dir(metadata_store.MetadataStore) if not n.startswith('_')}


class Recorder:
    """The store, noting which methods a suite calls"""

    def __init__(self, store, used):
        self._store, self._used = store, used

    def __getattr__(self, name):
        self._used.add(name)
        return getattr(self._store, name)


def run(function, store, prefix, args):
    try:
        return function(World(store, prefix), *args)
    except errors.StatusError as e:
        return type(e).__name__
    except (ValueError, TypeError) as e:
        return f'{type(e).__name__}: {e}'


def main():
    host, port, user, dbname = sys.argv[1:5]
    used = set()
    oracle, subject = Recorder(sqlite_store(), used), Recorder(postgres_store(host, port, user, dbname), used)
    failed = 0
    for number, (name, function, args) in enumerate(CASES):
        prefix = f'k{number}'
        expected, actual = run(function, oracle, prefix, args), run(function, subject, prefix, args)
        expected, actual = plain(expected, Ranks(oracle._store)), plain(actual, Ranks(subject._store))
        if expected != actual:
            failed += 1
            print(f'not ok {name}{args}\n  expected {expected}\n  actual   {actual}')
    extra = list(beyond(subject))
    for name, fine in extra:
        if not fine:
            failed += 1
            print(f'not ok {name}')
    for name in sorted(public_methods() - used):
        failed += 1
        print(f'not ok: no case calls {name}')
    print(f'{len(CASES) + len(extra) - failed} of {len(CASES) + len(extra)} cases agree, {len(public_methods() & used)} public methods')
    sys.exit(1 if failed else 0)


if __name__ == '__main__':
    main()
