// Functions, other schemas, and what becomes of a builder that is used twice.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { client, sent } from './recorder.mjs';

const ok = ({ data, error }) => {
  assert.equal(error, null);
  return data;
};

test('rpc by POST', async () => {
  assert.equal(ok(await client.rpc('add', { a: 1 })), 11);
  assert.equal(sent.at(-1).method, 'POST');
  assert.deepEqual(ok(await client.rpc('peaks_above', { low: 4000 }).select('id').order('id')), [{ id: 1 }, { id: 2 }]);
  const nothing = await client.rpc('nothing');
  assert.deepEqual([nothing.data, nothing.error, nothing.status], [null, null, 204]);
});

test('rpc by GET', async () => {
  assert.equal(ok(await client.rpc('add', { a: 1, b: 2 }, { get: true })), 3);
  assert.equal(sent.at(-1).method, 'GET');
  assert.deepEqual(ok(await client.rpc('list_of', { v: ['x', 'y'] }, { get: true })), ['x', 'y']);
  assert.equal(ok(await client.rpc('add', { a: 1, b: undefined }, { get: true })), 11);
  const wrote = await client.rpc('rename_journal', { new_line: 'x' }, { get: true });
  assert.deepEqual([wrote.status, wrote.error.code], [405, '25006']);
});

test('rpc by HEAD', async () => {
  const head = await client.rpc('peaks_above', { low: 3000 }, { head: true, count: 'exact' });
  assert.deepEqual([head.data, head.error, head.count, sent.at(-1).method], [null, null, 4, 'HEAD']);
});

test('rpc by HEAD of an object is a POST', async () => {
  const posted = await client.rpc('kind_of', { doc: { a: 1 } }, { head: true, count: 'exact' });
  assert.deepEqual([posted.error, posted.count, sent.at(-1).method], [null, 1, 'POST']);
});

test('rpc, counted and filtered', async () => {
  const page = await client.rpc('peaks_above', { low: 0 }, { count: 'exact' }).select('id').gt('id', 1).order('id').range(0, 1);
  assert.deepEqual([ok(page), page.count], [[{ id: 2 }, { id: 3 }], 3]);
  assert.deepEqual(ok(await client.rpc('peaks_above', { low: 4500 }).select('id, massifs(name)').single()), { id: 1, massifs: { name: 'Alps' } });
});

test('rpc that is not there', async () => {
  const { error, status } = await client.rpc('ad', { a: 1 });
  assert.deepEqual([status, error.code], [404, 'PGRST202']);
});

test('schema', async () => {
  const ops = client.schema('ops');
  assert.deepEqual(ok(await ops.from('tasks').select('title').eq('id', 1)), [{ title: 'mend the roof' }]);
  assert.equal(sent.at(-1).headers.get('accept-profile'), 'ops');
  assert.equal(ok(await ops.rpc('ping')), 'pong');
  assert.equal(sent.at(-1).headers.get('content-profile'), 'ops');
  const hidden = await client.schema('hidden').from('tasks').select();
  assert.deepEqual([hidden.status, hidden.error.code], [406, 'PGRST106']);
});

test('one relation, two queries', async () => {
  const massifs = client.from('massifs');
  const [one, two] = [massifs.select('id').eq('id', 1), massifs.select('name').eq('id', 2)];
  assert.deepEqual([ok(await one), ok(await two)], [[{ id: 1 }], [{ name: 'Pyrenees' }]]);
});
