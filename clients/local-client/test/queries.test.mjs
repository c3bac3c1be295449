// What is sent, and how often.

import assert from 'node:assert/strict';
import { after, beforeEach, describe, test } from 'node:test';
import { createClient } from '@supabase/supabase-js';
import { createLocalClient } from '../dist/index.js';
import { listen } from './server.mjs';

const OBJECT = 'application/vnd.pgrst.object+json';
let answer;
const server = await listen((asked) => answer(asked));
const { sent } = server;
// Node.js before 22 has no WebSocket, and nothing here needs one.
class Transport {}
const options = { auth: { persistSession: false, autoRefreshToken: false }, realtime: { transport: Transport } };
const client = createLocalClient(server.url, 'key', options);
const plain = createClient(server.url, 'key', options);
after(() => server.stop());
beforeEach(() => {
  sent.length = 0;
  answer = () => ({ status: 200, body: [] });
});

const from = (table = 'things') => client.from(table);

describe('execute ends every chain', () => {
  const chains = {
    select: () => from().select(),
    single: () => from().select().eq('id', 1).single(),
    maybeSingle: () => from().select().eq('id', 1).maybeSingle(),
    insert: () => from().insert({ a: 1 }),
    'insert, select, single': () => from().insert({ a: 1 }).select('*').single(),
    upsert: () => from().upsert({ a: 1 }, { onConflict: 'a,b' }),
    update: () => from().update({ a: 1 }).eq('id', 1),
    'update, select, single': () => from().update({ a: 1 }).eq('id', 1).select().single(),
    delete: () => from().delete().eq('id', 1),
    rpc: () => client.rpc('f', { a: 1 }),
    'rpc, single': () => client.rpc('f').single(),
    schema: () => client.schema('ops').from('things').select(),
    'rpc of a schema': () => client.schema('ops').rpc('f'),
    csv: () => from().select().csv(),
    geojson: () => from().select().geojson(),
    explain: () => from().select().explain(),
    returns: () => from().select().returns(),
    overrideTypes: () => from().select().overrideTypes(),
    throwOnError: () => from().select().throwOnError(),
    abortSignal: () => from().select().abortSignal(new AbortController().signal),
    maxAffected: () => from().delete().eq('id', 1).maxAffected(1),
    range: () => from().select().order('id').range(0, 9).limit(3),
  };
  for (const [name, chain] of Object.entries(chains)) {
    test(name, async () => {
      answer = ({ headers }) => ({ status: 200, body: headers.accept?.includes('object') ? {} : [] });
      const { error } = await chain().execute();
      assert.equal(error, null);
      assert.equal(sent.length, 1);
    });
  }

  test('and every method of supabase-js gives the same chain', () => {
    const query = from().select();
    const methods = new Set();
    for (let kind = Object.getPrototypeOf(query); kind !== Object.prototype; kind = Object.getPrototypeOf(kind)) {
      for (const name of Object.getOwnPropertyNames(kind)) methods.add(name);
    }
    for (const name of ['constructor', 'then', 'processResponse']) methods.delete(name);
    assert.ok(methods.size > 40, [...methods].join());
    const given = { in: ['a', [1]], notIn: ['a', [1]], likeAllOf: ['a', []], likeAnyOf: ['a', []], ilikeAllOf: ['a', []], ilikeAnyOf: ['a', []], match: [{ a: 1 }], select: ['*'], explain: [], setHeader: ['X-Name', 'value'], or: ['a.eq.1'] };
    for (const name of methods) {
      const next = from().select();
      assert.equal(typeof next[name](...(given[name] ?? ['a', 'b', 'c'])).execute, 'function', name);
    }
  });
});

describe('a write is one request with its filters', () => {
  test('update', async () => {
    answer = () => ({ status: 204 });
    const { error, status } = await from('resources').update({ title: 'x' }).eq('id', 'a').execute();
    assert.deepEqual([error, status], [null, 204]);
    assert.deepEqual(sent.map(({ method, path, query, body }) => ({ method, path, query, body })), [{ method: 'PATCH', path: '/rest/v1/resources', query: [['id', 'eq.a']], body: '{"title":"x"}' }]);
  });

  test('delete', async () => {
    answer = () => ({ status: 204 });
    await from('resources').delete().eq('group_id', 'a').eq('user_id', 'b').execute();
    assert.deepEqual(sent.map(({ method, query }) => ({ method, query })), [{ method: 'DELETE', query: [['group_id', 'eq.a'], ['user_id', 'eq.b']] }]);
  });

  test('nothing is sent before the end of the chain', async () => {
    from().update({ a: 1 });
    from().delete();
    from().insert({ a: 1 }).select().single();
    await from('last').select().execute();
    assert.deepEqual(sent.map(({ path }) => path), ['/rest/v1/last']);
  });

  test('without any filter it is refused', async () => {
    for (const [verb, start] of [['update', () => from().update({ a: 1 })], ['delete', () => from().delete()]]) {
      for (const query of [start(), start().select('a').order('a').limit(1), start().select('a,b(c)').eq('b.c', 1).limit(1, { referencedTable: 'b' })]) {
        const { data, error, status } = await query.execute();
        assert.deepEqual([data, error.code, status], [null, 'LOCAL_UNFILTERED', 400]);
        assert.ok(error.message.startsWith(`${verb}() without a filter was not sent`), error.message);
      }
      assert.equal((await start()).error.code, 'LOCAL_UNFILTERED');
      await assert.rejects(start().throwOnError().execute(), { code: 'LOCAL_UNFILTERED' });
      assert.equal((await start().match({}).execute()).error.code, 'LOCAL_UNFILTERED');
    }
    assert.equal(sent.length, 0);
    for (const query of [from().delete().or('a.eq.1'), from().delete().not('id', 'is', null), from().update({ a: 1 }).filter('a', 'eq', 1), from().delete().eq('a->>b.c', 1), from().delete().eq('"a.b"', 1)]) await query.execute();
    assert.equal(sent.length, 5);
  });

  test('a filter on what is undefined finds nothing', async () => {
    for (const query of [from().delete().eq('id', undefined), from().delete().match({ id: undefined }), from().select().eq('id', undefined)]) await query.execute();
    for (const { query } of sent) {
      assert.deepEqual(query.filter(([name]) => name === 'id'), [['id', 'is.null'], ['id', 'not.is.null']]);
    }
    assert.equal(sent.length, 3);
  });
});

describe('a chain is sent once', () => {
  const both = {
    'executed, then awaited': async (query) => [await query.execute(), await query],
    'awaited, then executed': async (query) => [await query, await query.execute()],
    'executed twice': async (query) => [await query.execute(), await query.execute()],
    'both at once': (query) => Promise.all([query.execute(), query, query.execute()]),
  };
  for (const [name, use] of Object.entries(both)) {
    test(`a write, ${name}`, async () => {
      answer = () => ({ status: 201, body: [{ id: sent.length }] });
      const answers = await use(from().insert({ a: 1 }).select());
      assert.equal(sent.length, 1);
      for (const { data } of answers) assert.deepEqual(data, [{ id: 1 }]);
    });
  }

  test('a read, both at once', async () => {
    answer = () => ({ status: 200, body: [{ id: sent.length }] });
    const answers = await Promise.all([1, 2, 3].map(((query) => (turn) => (turn === 2 ? query : query.execute()))(from().select())));
    assert.equal(sent.length, 1);
    for (const { data } of answers) assert.deepEqual(data, [{ id: 1 }]);
  });

  test('the promise of execute does not ask again', async () => {
    const answered = from().select().execute();
    assert.ok(answered instanceof Promise);
    await answered;
    await answered;
    assert.equal(sent.length, 1);
  });

  test('a read that was answered is asked again, as in supabase-js', async () => {
    answer = () => ({ status: 200, body: [{ id: sent.length }] });
    const query = from().select();
    assert.deepEqual([(await query.execute()).data, (await query.execute()).data], [[{ id: 1 }], [{ id: 2 }]]);
  });

  test('a write that failed may be tried again', async () => {
    answer = () => (sent.length === 1 ? { status: 409, body: { code: '23505', message: 'taken', details: null, hint: null } } : { status: 201 });
    const query = from().insert({ a: 1 });
    assert.equal((await query.execute()).error.code, '23505');
    assert.equal((await query.execute()).error, null);
    assert.equal(sent.length, 2);
  });

  test('a chain that was changed is another request', async () => {
    answer = () => ({ status: 204 });
    const query = from().delete().eq('a', 1);
    await query.execute();
    await query.eq('b', 2).execute();
    assert.deepEqual(sent.map(({ query: parameters }) => parameters.length), [1, 2]);
  });

  test('what is made of an answer is part of it', async () => {
    answer = () => ({ status: 200, body: [{ id: 1 }] });
    const query = from().select().limit(1);
    assert.deepEqual((await query.execute()).data, [{ id: 1 }]);
    const [one, same] = await Promise.all([query.maybeSingle().execute(), query]);
    assert.deepEqual([one.data, same.data, sent.length], [{ id: 1 }, { id: 1 }, 2]);
  });

  test('single() and the rest set their headers once', async () => {
    answer = () => ({ status: 201, body: { id: 1 } });
    await from().insert({ a: 1 }).select('id').single().execute();
    assert.deepEqual([sent[0].headers.accept, sent[0].headers.prefer, sent[0].headers['content-profile']], [OBJECT, 'return=representation', 'public']);
  });
});

describe('values', () => {
  const asked = async (query) => {
    await query.execute();
    return sent.at(-1).query.filter(([name]) => name !== 'select').map(([, value]) => value);
  };

  test('members of arrays keep their commas, quotes and braces', async () => {
    for (const [filter, operator] of [['overlaps', 'ov'], ['contains', 'cs'], ['containedBy', 'cd']]) {
      assert.deepEqual(await asked(from().select()[filter]('tags', ['a', 'b'])), [`${operator}.{a,b}`]);
      assert.deepEqual(await asked(from().select()[filter]('tags', ['a,b', 'say "hi"', '{}'])), [`${operator}.{"a,b","say \\"hi\\"","{}"}`]);
      assert.deepEqual(await asked(from().select()[filter]('period', '[2020,2021)')), [`${operator}.[2020,2021)`]);
    }
    assert.deepEqual(await asked(from().select().contains('doc', { a: 1 })), ['cs.{"a":1}']);
  });

  test('members of a list keep their quotes', async () => {
    assert.deepEqual(await asked(from().select().in('a', ['x', 'y,z'])), ['in.(x,"y,z")']);
    assert.deepEqual(await asked(from().select().in('a', undefined)), ['in.()']);
    assert.deepEqual(await asked(from().select().in('a', new Set([1, 2]))), ['in.(1,2)']);
    assert.deepEqual(await asked(from().select().in('a', ['say "hi", x', 1])), ['in.("say \\"hi\\", x","1")']);
  });
});

test('another schema that was asked for is the one', async () => {
  const ops = createLocalClient(server.url, 'key', { ...options, db: { schema: 'ops' } });
  await ops.from('things').select().execute();
  await ops.rpc('f').execute();
  assert.deepEqual([sent[0].headers['accept-profile'], sent[1].headers['content-profile']], ['ops', 'ops']);
});

test('a second supabase-js in the page stays as it was', async () => {
  await from().select().execute();
  const query = plain.from('things').select();
  assert.equal(query.execute, undefined);
  assert.ok(!('execute' in Object.getPrototypeOf(query)));
  const { error } = await plain.from('things').delete();
  assert.equal(error, null);
  await query;
  await query;
  assert.equal(sent.length, 4);
});

test('errors are those of supabase-js, with and without execute', async () => {
  answer = () => ({ status: 406, body: { code: 'PGRST116', message: 'no row', details: 'd', hint: null } });
  const [executed, awaited] = [await from().select().single().execute(), await plain.from('things').select().single()];
  assert.deepEqual({ ...executed }, { ...awaited });
  assert.equal(executed.error.code, 'PGRST116');
  await assert.rejects(from().select().single().throwOnError().execute(), { code: 'PGRST116' });
});
