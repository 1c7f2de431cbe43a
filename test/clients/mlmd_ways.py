"""What the suite does not show: ways to connect, roles, clients at once, and SQL and client on the same nodes.

Usage: mlmd_ways.py   on the server of psql's environment, as a superuser; makes and drops the database mlmd_ways and roles.
"""
import json
import math
import multiprocessing
import os
import subprocess
import sys
import time

from absl import logging
from google.protobuf import json_format
from ml_metadata import errors
from ml_metadata.metadata_store import metadata_store
from ml_metadata.proto import metadata_store_pb2 as pb
from ml_metadata.proto import metadata_store_service_pb2 as service

logging.set_verbosity(logging.FATAL)
DB = 'mlmd_ways'
ROLES = ('mlmd_ways_writer', 'mlmd_ways_reader', 'mlmd_ways_pathless')
WRITER, READER, PATHLESS = ROLES
done = failed = 0


def sql(text, db=DB):
    run = subprocess.run(['psql', '-XqAt', '-v', 'ON_ERROR_STOP=1', '-d', db], input=text, capture_output=True, text=True)
    if run.returncode:
        raise RuntimeError(run.stderr)
    return run.stdout.strip()


def connect(user=WRITER, host_options='', **environment):
    config = pb.ConnectionConfig()
    p = config.postgresql
    p.host, p.port, p.user, p.dbname = os.environ['PGHOST'] + host_options, os.environ.get('PGPORT', '5432'), user, DB
    p.skip_db_creation = True
    os.environ.update(environment)
    try:
        return metadata_store.MetadataStore(config)
    finally:
        for name in environment:
            del os.environ[name]


def check(name, fine, detail=''):
    global done, failed
    done += 1
    if not fine:
        failed += 1
        print(f'not ok {name} {detail}')


def refused(name, text, **how):
    try:
        connect(**how)
    except Exception as e:  # a plain RuntimeError or one of the client's own
        check(name, text in str(e), repr(e))
    else:
        check(name, False, 'it connects')


def problems(user, severity='error'):
    return sql(f"SET SESSION AUTHORIZATION {user}; SET search_path = mlmd; SELECT problem FROM public.mlmd_check() WHERE severity = '{severity}'")


def connecting():
    for name, before, after, how in (
            ('role in database', f'ALTER ROLE {PATHLESS} IN DATABASE {DB} SET search_path = mlmd', f'ALTER ROLE {PATHLESS} IN DATABASE {DB} RESET ALL', {}),
            ('database', f'ALTER DATABASE {DB} SET search_path = mlmd', f'ALTER DATABASE {DB} RESET search_path', {}),
            ('PGOPTIONS', '', '', {'PGOPTIONS': '-c search_path=mlmd'}),
            ('options after the host', '', '', {'host_options': ' options=-csearch_path=mlmd'})):
        sql(before)
        store = connect(PATHLESS, **how)
        check(f'search_path by {name}', store.get_artifacts() == [] and store.get_artifact_types() == [])
        del store
        sql(after)
    refused('no search_path', 'mlmdenv', user=PATHLESS)

    store = connect(READER)
    check('read-only role reads', store.get_artifacts() == [] and store.get_execution_types() == [])
    try:
        store.put_artifact_type(pb.ArtifactType(name='refused'))
        check('read-only role does not write', False)
    except errors.StatusError:
        check('read-only role does not write', True)

    check('mlmd_check finds nothing wrong', problems(WRITER) == '' and problems(READER) == '', problems(WRITER))
    sql(f'CREATE TABLE public.event (id int, name text, type text); GRANT SELECT ON public.event TO {WRITER}')
    refused('a visible table of the same name', 'subset of tables')
    check('mlmd_check says so', problems(WRITER) == 'table of the same name')
    sql(f'REVOKE ALL ON public.event FROM {WRITER}')
    check('not visible, it does not matter', connect().get_artifacts() == [] and problems(WRITER) == '')
    sql('DROP TABLE public.event; CREATE TABLE public.event (event_id int, payload text); GRANT SELECT ON public.event TO PUBLIC')
    check('without counted columns, it does not matter', connect().get_artifacts() == [] and problems(WRITER) == '')
    sql('DROP TABLE public.event')
    for number, word in ((9, 'older'), (11, 'greater')):
        sql(f'UPDATE mlmd.mlmdenv SET schema_version = {number}')
        refused(f'schema version {number}', word)
        check(f'mlmd_check says so of version {number}', problems(WRITER) == 'schema version')
    sql('UPDATE mlmd.mlmdenv SET schema_version = 10')


# ---------------------------------------------------------------------------------------------------------------------
# At once

def put_types(barrier, queue, n):
    store = connect()
    barrier.wait()
    out = []
    for i in range(20):
        try:
            out.append((i, store.put_artifact_type(pb.ArtifactType(name=f'raced{i}', properties={'x': pb.INT, f'y{i}': pb.STRING}, base_type=1))))
        except Exception as e:
            out.append((i, repr(e)))
    queue.put(out)


def count_up(barrier, queue, artifact, times):
    store = connect(PGOPTIONS='-c default_transaction_isolation=repeatable\\ read')
    barrier.wait()
    fine = 0
    for _ in range(times):
        node = store.get_artifacts_by_id([artifact])[0]
        node.custom_properties['n'].int_value += 1
        request = service.PutArtifactsRequest(artifacts=[node])
        request.options.abort_if_latest_updated_time_changed = True
        try:
            store._call('PutArtifacts', request, service.PutArtifactsResponse())
            fine += 1
        except errors.StatusError:
            pass
        time.sleep(0.002)
    queue.put(fine)


def put_executions(barrier, queue, n):
    store = connect()
    types = store.get_execution_type('Job').id, store.get_context_type('Run').id
    barrier.wait()
    failures = 0
    for i in range(20):
        try:
            store.put_execution(pb.Execution(type_id=types[0], name=f'{n}.{i}'), [], [pb.Context(type_id=types[1], name=f'run {i}')],
                                reuse_context_if_already_exist=True)
        except errors.StatusError:
            failures += 1
    queue.put(failures)


def at_once(function, *args, callers=4):
    context = multiprocessing.get_context('spawn')
    barrier, queue = context.Barrier(callers), context.Queue()
    processes = [context.Process(target=function, args=(barrier, queue, *(args or (n,)))) for n in range(callers)]
    for process in processes:
        process.start()
    results = [queue.get(timeout=120) for _ in processes]
    for process in processes:
        process.join()
    return results


def concurrent():
    results = at_once(put_types)
    wrong = [r for out in results for r in out if not isinstance(r[1], int)]
    check('4 clients make the same 20 types: nobody fails', not wrong, wrong[:3])
    check('all have the same ids', len({r for out in results for r in out}) == 20)
    check('each is stored once', sql("SELECT count(*), count(DISTINCT name) FROM mlmd.type WHERE name LIKE 'raced%'") == '20|20')
    check('with its properties', sql("SELECT count(*) FROM mlmd.typeproperty p JOIN mlmd.type t ON t.id = p.type_id WHERE t.name LIKE 'raced%'") == '40')

    store = connect()
    t = store.put_artifact_type(pb.ArtifactType(name='Counter'))
    node = pb.Artifact(type_id=t, name='counter')
    node.custom_properties['n'].int_value = 0
    counter = store.put_artifacts([node])[0]
    fine = sum(at_once(count_up, counter, 40))
    stored = store.get_artifacts_by_id([counter])[0].custom_properties['n'].int_value
    check('at repeatable read no update that said ok is lost', stored == fine and fine > 0, f'{fine} said ok, counter {stored}')

    store.put_execution_type(pb.ExecutionType(name='Job'))
    store.put_context_type(pb.ContextType(name='Run'))
    at_once(put_executions)
    check('contexts that 4 clients make or reuse are there once', sql("SELECT count(*) = count(DISTINCT name) FROM mlmd.context WHERE name LIKE 'run %'") == 't')


# ---------------------------------------------------------------------------------------------------------------------
# SQL and client on the same nodes

NASTY = ['\\', 'a\\\\b', "it's \\' \\\"", '"', "'); DROP TABLE artifact; --", 'Grüße 漢字 🎉', 'tab\tline\n', '', '$1 %s {}']


def literal(value):
    return "E'" + str(value).replace('\\', '\\\\').replace("'", "''") + "'"


def as_json(value):
    return json_format.MessageToDict(value, preserving_proto_field_name=True)


def together():
    store = connect()
    sql("""SELECT put_artifact_type('Both', '{"i": "INT", "d": "DOUBLE", "s": "STRING", "st": "STRUCT", "p": "PROTO", "b": "BOOLEAN"}', base_type => 'Dataset',
        description => 'by SQL', external_id => 'both'), put_artifact_type('Both', version => '2'),
        put_execution_type('BothJob', '{"d": "DOUBLE"}', base_type => 'Train', input_type => '{"dict": {"properties": {"examples": {"simple": {"name": "Both"}}}}}'),
        put_context_type('BothRun')""")
    t = store.get_artifact_type('Both')
    check('type by SQL', t.base_type == pb.ArtifactType.DATASET and t.description == 'by SQL' and t.external_id == 'both' and dict(t.properties)
          == {'i': pb.INT, 'd': pb.DOUBLE, 's': pb.STRING, 'st': pb.STRUCT, 'p': pb.PROTO, 'b': pb.BOOLEAN}, t)
    check('version of a type by SQL', store.get_artifact_type('Both', '2').id != t.id)
    signature = store.get_execution_type('BothJob').input_type
    check('signature by SQL', signature.dict.properties['examples'].simple.name == 'Both', signature)
    # what the client knows already it does not make again, and SQL neither
    check('the client finds the type', store.put_artifact_type(t) == t.id)

    inside = pb.Artifact(id=3, uri='inside')
    any_value = pb.Value()
    any_value.proto_value.Pack(inside)
    json_any = json.dumps({'@type': any_value.proto_value.type_url, 'value': __import__('base64').b64encode(any_value.proto_value.value).decode()})
    deep = {}
    for _ in range(30):
        deep = {'d': deep}
    struct = {'list': [1, 'two', None, True, {'x': 0.1}], 'empty': {}, 'none': [], 'deep': deep}
    for number, text in enumerate(NASTY):
        properties = {'i': 2 ** 62 + 1, 'd': 1.5e-9, 's': text, 'st': {**struct, text: text}, 'b': True, 'p': json.loads(json_any)}
        custom = {'c' + text: text, 'int': -5, 'double': 0.1, 'whole': {'double_value': 2.0}, 'nan': {'double_value': 'NaN'}, 'struct': struct}
        id = int(sql(f"SELECT put_artifact('Both', {literal(text)}, {literal(str(number) + text)}, {literal(json.dumps(properties))}, {literal(json.dumps(custom))}, 'LIVE', "
                     f"external_id => {literal('x' + str(number) + text)})"))
        a = store.get_artifacts_by_id([id])[0]
        check(f'artifact by SQL, read by the client, {text!r}',
              (a.uri, a.name, a.external_id, a.state, a.type, a.type_id) == (text, str(number) + text, 'x' + str(number) + text, pb.Artifact.LIVE, 'Both', t.id)
              and a.properties['i'].int_value == 2 ** 62 + 1 and a.properties['d'].double_value == 1.5e-9 and a.properties['s'].string_value == text
              and a.properties['b'].bool_value and as_json(a.properties['st'].struct_value) == {**struct, text: text}
              and a.properties['p'] == any_value and a.custom_properties['c' + text].string_value == text and a.custom_properties['int'].int_value == -5
              and a.custom_properties['double'].double_value == 0.1 and a.custom_properties['whole'].double_value == 2.0
              and math.isnan(a.custom_properties['nan'].double_value) and as_json(a.custom_properties['struct'].struct_value) == struct, a)

    # nothing but a type
    id = int(sql("SELECT put_artifact('Both')"))
    a = store.get_artifacts_by_id([id])[0]
    check('bare artifact by SQL', a.uri == '' and not a.name and a.create_time_since_epoch > 0, a)

    # an execution by SQL
    e = int(sql("""SELECT put_execution('BothJob', name => 'job', state => 'COMPLETE', properties => '{"d": 0.3333333333333333}',
        new_inputs => '[{"type": "Both", "name": "job in"}]',
        new_outputs => '[{"type": "Both", "name": "job out", "event": {"path": ["model", 3], "milliseconds_since_epoch": 77}}]',
        new_contexts => '[{"type": "BothRun", "name": "job run", "custom_properties": {"n": 1}}]')"""))
    x = store.get_executions_by_id([e])[0]
    events = sorted(store.get_events_by_execution_ids([e]), key=lambda v: v.type)
    contexts = store.get_contexts_by_execution(e)
    check('execution by SQL', x.name == 'job' and x.last_known_state == pb.Execution.COMPLETE and x.properties['d'].double_value == 0.3333333333333333, x)
    check('events by SQL', [v.type for v in events] == [pb.Event.INPUT, pb.Event.OUTPUT] and [(s.key, s.index) for s in events[1].path.steps] == [('model', 0), ('', 3)]
          and events[1].milliseconds_since_epoch == 77, events)
    check('contexts by SQL', [c.name for c in contexts] == ['job run'] and len(store.get_artifacts_by_context(contexts[0].id)) == 2, contexts)
    options = pb.LineageSubgraphQueryOptions(direction=pb.LineageSubgraphQueryOptions.UPSTREAM)
    options.starting_artifacts.filter_query = "name = 'job out'"
    graph = store.get_lineage_subgraph(options)
    check('lineage of what SQL put', len(graph.artifacts) == 2 and len(graph.executions) == 1 and len(graph.events) == 2, graph)

    # the client updates what SQL put, SQL updates what the client put
    out = store.get_artifact_by_type_and_name('Both', 'job out')
    out.properties['i'].int_value = 5
    store.put_artifacts([out])
    check('updated by the client, read by SQL', sql(f"SELECT properties FROM get_artifacts(ARRAY[{out.id}])") == '{"i": 5}')
    check('its version before is in the history', sql(f"SELECT properties FROM get_artifact_history({out.id}) ORDER BY valid_from LIMIT 1") == '{}')
    sql(f"SELECT put_artifact(id => {out.id}, uri => 'by SQL', properties => '{{\"i\": null, \"s\": \"text\"}}')")
    again = store.get_artifacts_by_id([out.id])[0]
    check('updated by SQL, read by the client', again.uri == 'by SQL' and 'i' not in again.properties and again.properties['s'].string_value == 'text'
          and again.last_update_time_since_epoch > out.last_update_time_since_epoch, again)
    node = pb.Artifact(type_id=t.id, name='client', uri='u')
    node.properties['st'].struct_value.update(struct)
    node.properties['p'].CopyFrom(any_value)
    node.custom_properties['d'].double_value = 0.5
    id = store.put_artifacts([node])[0]
    row = json.loads(sql(f'SELECT to_jsonb(a) FROM get_artifacts(ARRAY[{id}]) a'))
    check('put by the client, read by SQL', row['properties'] == {'st': struct, 'p': json.loads(json_any)} and row['custom_properties'] == {'d': 0.5} and row['type'] == 'Both', row)
    before = store.get_artifacts()
    sql("SELECT put_lineage_subgraph(jsonb_build_object('artifacts', jsonb_agg(to_jsonb(a)))) FROM get_artifacts() a")
    after = store.get_artifacts()
    for node in before + after:
        # the client writes the keys of a STRUCT in any order, SQL in the canonical one: that counts as a change
        node.ClearField('last_update_time_since_epoch')
    key = lambda n: n.id
    check('what SQL gets it can put back: the client sees no difference', repr(sorted(before, key=key)) == repr(sorted(after, key=key)))
    sql("SELECT purge('infinity')")
    check('purged by SQL', store.get_artifacts() == [] and store.get_executions() == [] and store.get_contexts() == [])


def main():
    grants = '; '.join(f'GRANT USAGE ON SCHEMA mlmd TO {r}' for r in ROLES)
    try:
        sql(f'DROP DATABASE IF EXISTS {DB}', 'postgres')
        sql('; '.join(f'DROP ROLE IF EXISTS {r}; CREATE ROLE {r} LOGIN' for r in ROLES), 'postgres')
        sql(f'CREATE DATABASE {DB}', 'postgres')
        sql(f"""CREATE EXTENSION feature_meta; {grants};
            GRANT SELECT ON ALL TABLES IN SCHEMA mlmd TO {READER};
            GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA mlmd TO {WRITER}, {PATHLESS};
            GRANT USAGE, SELECT ON ALL SEQUENCES IN SCHEMA mlmd TO {WRITER}, {PATHLESS};
            ALTER ROLE {WRITER} IN DATABASE {DB} SET search_path = mlmd; ALTER ROLE {READER} IN DATABASE {DB} SET search_path = mlmd""")
        connecting()
        concurrent()
        together()
    finally:
        sql(f'DROP DATABASE IF EXISTS {DB} WITH (FORCE)', 'postgres')
        sql('; '.join(f'DROP ROLE IF EXISTS {r}' for r in ROLES), 'postgres')
    print(f'{done - failed} of {done} checks of connecting, clients at once and SQL beside the client pass')
    sys.exit(1 if failed else 0)


if __name__ == '__main__':
    main()
