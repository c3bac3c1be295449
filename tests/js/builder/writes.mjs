// Every write with every option.

import assert from 'node:assert/strict';
import { beforeEach, test } from 'node:test';
import { client, database, sent } from './recorder.mjs';

const ok = ({ data, error }) => {
  assert.equal(error, null);
  return data;
};
const stored = async () => (await database.query('select id, name, weight, serial, owner from gear order by id')).rows;
const prefer = () => sent.at(-1).headers.get('prefer');

beforeEach(async () => {
  await database.query("truncate gear; insert into gear values (1, 'rope', 3500, 'R1', 'ada'), (2, 'axe', 500, 'A1', 'bo')");
});

test('insert', async () => {
  const silent = await client.from('gear').insert({ id: 3, name: 'tent' });
  assert.deepEqual([silent.data, silent.error, silent.status, silent.count], [null, null, 201, null]);
  const shown = await client.from('gear').insert({ id: 4, name: 'stove' }).select();
  assert.deepEqual([ok(shown), shown.status], [[{ id: 4, name: 'stove', weight: 100, serial: null, owner: 'nobody' }], 201]);
  assert.deepEqual(ok(await client.from('gear').insert({ id: 5, name: 'cup' }).select('key:id').single()), { key: 5 });
  assert.equal((await stored()).length, 5);
});

test('insert of several, counted', async () => {
  const several = await client.from('gear').insert([{ id: 3, name: 'a' }, { id: 4, name: 'b' }], { count: 'exact' });
  assert.deepEqual([several.error, several.count, several.status], [null, 2, 201]);
  assert.equal(ok(await client.from('gear').insert([])), null);
  assert.equal((await stored()).length, 4);
});

test('insert of rows that differ: nulls, or defaults', async () => {
  const rows = [{ id: 3, name: 'a', weight: 5 }, { id: 4, name: 'b', owner: 'cy' }];
  const nulls = ok(await client.from('gear').insert(rows).select('id,weight,owner').order('id').rollback());
  assert.deepEqual(nulls, [{ id: 3, weight: 5, owner: null }, { id: 4, weight: null, owner: 'cy' }]);
  const defaults = ok(await client.from('gear').insert(rows, { defaultToNull: false }).select('id,weight,owner').order('id'));
  assert.deepEqual(defaults, [{ id: 3, weight: 5, owner: 'nobody' }, { id: 4, weight: 100, owner: 'cy' }]);
  assert.match(prefer(), /missing=default/);
});

test('insert that is refused', async () => {
  const twice = await client.from('gear').insert([{ id: 3, name: 'a' }, { id: 1, name: 'b' }]);
  assert.deepEqual([twice.status, twice.error.code], [409, '23505']);
  const unknown = await client.from('gear').insert({ id: 3, name: 'a', colour: 'red' });
  assert.deepEqual([unknown.status, unknown.error.code], [400, 'PGRST204']);
  const forbidden = await client.from('massifs').insert({ id: 9, name: 'x' });
  assert.deepEqual([forbidden.status, forbidden.error.code], [401, '42501']);
  assert.equal((await stored()).length, 2);
});

test('upsert', async () => {
  const merged = await client.from('gear').upsert([{ id: 1, name: 'cord' }, { id: 3, name: 'tent' }]).select('id,name,weight').order('id');
  assert.deepEqual([ok(merged), merged.status], [[{ id: 1, name: 'cord', weight: 3500 }, { id: 3, name: 'tent', weight: 100 }], 201]);
  const again = await client.from('gear').upsert({ id: 1, name: 'string' }, { count: 'exact' });
  assert.deepEqual([again.error, again.status, again.count], [null, 200, 1]);
});

test('upsert with onConflict', async () => {
  const merged = ok(await client.from('gear').upsert({ name: 'cord', serial: 'R1' }, { onConflict: 'serial' }).select('id,name'));
  assert.deepEqual(merged, [{ id: 1, name: 'cord' }]);
  const wrong = await client.from('gear').upsert({ name: 'cord' }, { onConflict: 'weight' });
  assert.equal(wrong.error.code, '42P10');
});

test('upsert with ignoreDuplicates', async () => {
  const ignored = ok(await client.from('gear').upsert([{ id: 1, name: 'cord' }, { id: 3, name: 'tent' }], { ignoreDuplicates: true }).select('id'));
  assert.deepEqual(ignored, [{ id: 3 }]);
  assert.match(prefer(), /resolution=ignore-duplicates/);
  assert.equal((await stored())[0].name, 'rope');
});

test('upsert with defaultToNull', async () => {
  const rows = [{ id: 3, name: 'a', weight: 5 }, { id: 4, name: 'b' }];
  const defaults = ok(await client.from('gear').upsert(rows, { defaultToNull: false }).select('weight').order('id'));
  assert.deepEqual(defaults, [{ weight: 5 }, { weight: 100 }]);
});

test('update', async () => {
  const silent = await client.from('gear').update({ weight: 1 }).eq('id', 1);
  assert.deepEqual([silent.data, silent.error, silent.status], [null, null, 204]);
  const shown = ok(await client.from('gear').update({ weight: 2 }).gt('id', 0).select('id,weight').order('id', { ascending: false }));
  assert.deepEqual(shown, [{ id: 2, weight: 2 }, { id: 1, weight: 2 }]);
  const counted = await client.from('gear').update({ weight: 3 }, { count: 'exact' }).gt('id', 0);
  assert.deepEqual([counted.error, counted.count], [null, 2]);
  assert.deepEqual(ok(await client.from('gear').update({ weight: 4 }).eq('id', 99).select()), []);
  const one = await client.from('gear').update({ weight: 5 }).gt('id', 0).select().single();
  assert.deepEqual([one.status, one.error.code], [406, 'PGRST116']);
  assert.deepEqual((await stored()).map((row) => row.weight), [3, 3]);
});

test('delete', async () => {
  const shown = ok(await client.from('gear').delete().eq('id', 1).select('id,name'));
  assert.deepEqual(shown, [{ id: 1, name: 'rope' }]);
  const counted = await client.from('gear').delete({ count: 'exact' }).gt('id', 0);
  assert.deepEqual([counted.data, counted.count, counted.status], [null, 1, 204]);
  assert.deepEqual(await stored(), []);
});
