// What is made of the rows: order, pages, single objects, other formats; and how the request itself behaves.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { client, open, sent, database } from './recorder.mjs';

const ids = (data) => data.map((row) => row.id);
const ok = ({ data, error }) => {
  assert.equal(error, null);
  return data;
};

test('select: all columns, some, renamed, cast, embedded', async () => {
  assert.deepEqual(ok(await client.from('massifs').select().eq('id', 1)), [{ id: 1, name: 'Alps' }]);
  assert.deepEqual(ok(await client.from('massifs').select('key:id::text, name').eq('id', 1)), [{ key: '1', name: 'Alps' }]);
  assert.deepEqual(ok(await client.from('peaks').select('id, massifs(name)').eq('id', 3)), [{ id: 3, massifs: { name: 'Pyrenees' } }]);
  assert.deepEqual(ok(await client.from('peaks').select('id, ...massifs(massif:name)').eq('id', 3)), [{ id: 3, massif: 'Pyrenees' }]);
});

test('select: counts and head', async () => {
  for (const count of ['exact', 'planned', 'estimated']) {
    const counted = await client.from('peaks').select('id', { count });
    assert.equal(ok(counted).length, 5);
    assert.ok(Number.isInteger(counted.count), count);
    if (count !== 'planned') assert.equal(counted.count, 5);
  }
  const head = await client.from('peaks').select('*', { count: 'exact', head: true });
  assert.deepEqual([head.data, head.count, head.status], [null, 5, 200]);
  assert.equal(sent.at(-1).method, 'HEAD');
});

test('order', async () => {
  assert.deepEqual(ids(ok(await client.from('peaks').select('id').order('height', { ascending: false, nullsFirst: false }))), [1, 2, 3, 4, 5]);
  assert.deepEqual(ids(ok(await client.from('peaks').select('id').order('height', { nullsFirst: true }))), [5, 4, 3, 2, 1]);
  assert.deepEqual(ids(ok(await client.from('peaks').select('id').order('massif_id').order('id', { ascending: false }))), [2, 1, 4, 3, 5]);
  const embedded = ok(await client.from('massifs').select('peaks(id)').eq('id', 1).order('id', { referencedTable: 'peaks', ascending: false }));
  assert.deepEqual(embedded, [{ peaks: [{ id: 2 }, { id: 1 }] }]);
  assert.deepEqual(ids(ok(await client.from('peaks').select('id,massifs(name)').lt('id', 5).order('massifs(name)', { ascending: false }).order('id'))), [3, 4, 1, 2]);
});

test('limit and range', async () => {
  assert.deepEqual(ids(ok(await client.from('peaks').select('id').order('id').limit(2))), [1, 2]);
  assert.deepEqual(ok(await client.from('massifs').select('peaks(id)').eq('id', 1).order('id', { referencedTable: 'peaks' }).limit(1, { referencedTable: 'peaks' })), [{ peaks: [{ id: 1 }] }]);
  const page = await client.from('peaks').select('id', { count: 'exact' }).order('id').range(1, 2);
  assert.deepEqual([ids(ok(page)), page.count, page.status], [[2, 3], 5, 206]);
  assert.deepEqual(ok(await client.from('massifs').select('peaks(id)').eq('id', 1).order('id', { referencedTable: 'peaks' }).range(1, 1, { referencedTable: 'peaks' })), [{ peaks: [{ id: 2 }] }]);
  const behind = await client.from('peaks').select('id', { count: 'exact' }).range(100, 110);
  assert.deepEqual([behind.status, behind.error.code], [416, 'PGRST103']);
});

test('single and maybeSingle', async () => {
  assert.deepEqual(ok(await client.from('massifs').select().eq('id', 2).single()), { id: 2, name: 'Pyrenees' });
  for (const query of [client.from('massifs').select().eq('id', 99), client.from('massifs').select()]) {
    const { data, error, status } = await query.single();
    assert.deepEqual([data, error.code, status], [null, 'PGRST116', 406]);
  }
  assert.deepEqual(ok(await client.from('massifs').select().eq('id', 2).maybeSingle()), { id: 2, name: 'Pyrenees' });
  assert.equal(ok(await client.from('massifs').select().eq('id', 99).maybeSingle()), null);
  const several = await client.from('massifs').select().maybeSingle();
  assert.deepEqual([several.data, several.error.code, several.status], [null, 'PGRST116', 406]);
});

test('csv', async () => {
  assert.equal(ok(await client.from('massifs').select().order('id').limit(2).csv()), 'id,name\n1,Alps\n2,Pyrenees');
});

test('stripNulls', async () => {
  assert.deepEqual(ok(await client.from('peaks').select('id,height,name').eq('id', 5).stripNulls()), [{ id: 5, name: 'a, (b) "c"' }]);
  assert.deepEqual(ok(await client.from('peaks').select('id,height').eq('id', 5).single().stripNulls()), { id: 5 });
});

test('geojson', async () => {
  const { rows } = await database.query("select exists (select from pg_extension where extname = 'postgis') as there");
  if (rows[0].there) {
    const collection = ok(await client.from('places').select().order('id').geojson());
    assert.equal(collection.type, 'FeatureCollection');
    assert.deepEqual(collection.features[0].geometry.coordinates, [6.86, 45.83]);
    assert.deepEqual(collection.features[0].properties, { id: 1, name: 'Mont Blanc' });
    return;
  }
  // Without PostGIS PostgreSQL has no function for it, and says so, as it does to PostgREST.
  const { error, status } = await client.from('massifs').select().geojson();
  assert.deepEqual([status, error.code, error.message], [404, '42883', 'function st_asgeojson(record) does not exist']);
});

test('explain', async () => {
  const text = ok(await client.from('massifs').select().explain());
  assert.match(text, /cost=/);
  const json = ok(await client.from('massifs').select().explain({ format: 'json', analyze: true, verbose: true, settings: true, buffers: true, wal: true }));
  assert.ok(json[0].Plan['Actual Rows'] >= 0);
  assert.ok('Output' in json[0].Plan);
  const one = ok(await client.from('massifs').select().eq('id', 1).single().explain({ format: 'json' }));
  assert.ok(one[0].Plan['Total Cost'] > 0);
});

test('rollback', async () => {
  const written = await client.from('gear').insert({ id: 900, name: 'gone' }).select().rollback();
  assert.equal(ok(written)[0].id, 900);
  assert.deepEqual(ok(await client.from('gear').select().eq('id', 900)), []);
});

test('maxAffected', async () => {
  const refused = await client.from('journal').update({ line: 'x' }).gt('at', 0).maxAffected(2);
  assert.deepEqual([refused.status, refused.error.code, refused.error.details], [400, 'PGRST124', 'The query affects 3 rows']);
  assert.deepEqual(ok(await client.from('journal').select('line').eq('line', 'x')), []);
  const deleted = await client.from('journal').delete().gt('at', 0).maxAffected(3).select('at').rollback();
  assert.equal(ok(deleted).length, 3);
  const called = await client.rpc('rename_journal', { new_line: 'x' }).maxAffected(2);
  assert.equal(called.error.code, 'PGRST124');
});

test('throwOnError', async () => {
  await assert.rejects(async () => client.from('nowhere_at_all').select().throwOnError(), (error) => error.code === 'PGRST205' && error.toJSON().code === 'PGRST205');
  await assert.rejects(async () => client.from('massifs').select().limit(2).single().throwOnError(), { code: 'PGRST116' });
  assert.deepEqual(ok(await client.from('massifs').select('id').eq('id', 1).throwOnError()), [{ id: 1 }]);
});

test('setHeader', async () => {
  const { data, error } = await client.from('peaks').select('id').setHeader('Range', '1-2').setHeader('Range-Unit', 'items').order('id');
  assert.equal(error, null);
  assert.deepEqual(ids(data), [2, 3]);
  assert.equal(sent.at(-1).headers.get('range'), '1-2');
});

test('returns and overrideTypes change nothing', async () => {
  assert.deepEqual(ok(await client.from('massifs').select('id').eq('id', 1).returns()), [{ id: 1 }]);
  assert.deepEqual(ok(await client.from('massifs').select('id').eq('id', 1).overrideTypes()), [{ id: 1 }]);
  assert.deepEqual(ok(await client.from('massifs').select('id').eq('id', 1).single().returns()), { id: 1 });
});

test('abortSignal', async () => {
  const stopped = await client.from('massifs').select().abortSignal(AbortSignal.abort());
  assert.equal(stopped.data, null);
  assert.match(stopped.error.message, /AbortError/);
  assert.deepEqual(ok(await client.from('massifs').select('id').eq('id', 1).abortSignal(new AbortController().signal)), [{ id: 1 }]);
});

test('retry: a refusal is asked once, a missing answer again', async () => {
  let asked = 0;
  const failing = open({
    global: {
      fetch: (input, init) => {
        asked += 1;
        if (asked === 1) throw new TypeError('fetch failed');
        return fetch(input, init);
      },
    },
  });
  const given_up = await failing.from('massifs').select('id').eq('id', 1).retry(false);
  assert.deepEqual([given_up.data, asked], [null, 1]);
  asked = 0;
  const again = await failing.from('massifs').select('id').eq('id', 1).retry(true);
  assert.deepEqual([again.data, asked], [[{ id: 1 }], 2]);
  asked = 1;
  const refused = await failing.from('nowhere_at_all').select();
  assert.deepEqual([refused.status, asked], [404, 2]);
});
