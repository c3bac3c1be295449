// What PostgREST does not do, asked by supabase-js where it can express it, else by fetch.

import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { after, test } from 'node:test';
import { database, need, open, token } from './actors.mjs';
import { all, cast, done, put, refused, resourceOf, stored } from './cast.mjs';

after(() => database.end());
const url = need('PASSERELLE_EXTENDED_URL');
const anonKey = need('PASSERELLE_ANON_KEY');

/** The same caller at the gateway with extensions. */
const as = (person) => {
  const exp = Math.floor(Date.now() / 1000) + 3600;
  const access = token({ role: 'authenticated', aud: 'authenticated', sub: person.id, exp });
  return open({ accessToken: async () => access }, url);
};
const service = () => {
  const access = token({ role: 'service_role', exp: Math.floor(Date.now() / 1000) + 3600 });
  return open({ accessToken: async () => access }, url);
};

/** A collection of an owner with so many resources, in the order they were added. */
async function collectionOf(owner, count) {
  const collection = await put('collections', { user_id: owner.id, name: 'Stored' });
  const rows = [];
  for (let index = 0; index < count; index += 1) {
    const resource = await resourceOf(owner);
    rows.push(await put('collection_resources', { collection_id: collection.id, resource_id: resource.id, order_index: index }));
  }
  return { collection, rows };
}
const order = async (collection) => (await all('select id from collection_resources where collection_id = $1 order by order_index', [collection.id])).map((row) => row.id);

test('rows are changed each in its own way, by primary key', async () => {
  const { owner, stranger } = await cast();
  const { collection, rows } = await collectionOf(owner, 3);
  const reversed = rows.map((row, index) => ({ id: row.id, order_index: 2 - index }));
  const changed = await done(as(owner).from('collection_resources').update(reversed).setHeader('Prefer', 'update=by-key').select('id,order_index').order('order_index'), 200);
  assert.deepEqual(changed.map((row) => row.id), rows.map((row) => row.id).reverse());
  const before = await order(collection);
  assert.deepEqual(before, changed.map((row) => row.id));
  const foreign = as(stranger).from('collection_resources').update(rows.map(({ id }) => ({ id, order_index: 0 })));
  const error = await refused(foreign.setHeader('Prefer', 'update=by-key, handling=strict'), 400, 'PSR604');
  assert.deepEqual(error.details, rows.map(({ id }) => ({ id })));
  assert.deepEqual(await order(collection), before);
});

test('rows are changed by another unique key, and the filters count', async () => {
  const { owner } = await cast();
  const { collection, rows } = await collectionOf(owner, 2);
  const body = rows.map(({ collection_id, resource_id }) => ({ collection_id, resource_id, order_index: 7 }));
  const query = as(owner).from('collection_resources').update(body).setHeader('Prefer', 'update=by-key,count=exact').eq('id', rows[0].id);
  query.url.searchParams.set('on_conflict', 'collection_id,resource_id');
  const { error, count, status } = await query;
  assert.deepEqual([error, count, status], [null, 1, 204]);
  assert.equal((await stored('collection_resources', rows[1].id)).order_index, 1);
  const twice = as(owner).from('collection_resources').update([...rows, rows[0]].map(({ id }) => ({ id, order_index: 0 })));
  const refusal = await refused(twice.setHeader('Prefer', 'update=by-key'), 400, 'PSR603');
  assert.deepEqual(refusal.details, [{ id: rows[0].id }]);
  assert.equal((await order(collection))[0], rows[1].id);
});

test('fifty increments at the same time add up', async () => {
  const { owner } = await cast();
  const resource = await resourceOf(owner, { views_count: 5, tags: ['a'] });
  const client = service();
  const answers = await Promise.all(Array.from({ length: 50 }, () => client.from('resources').update({ views_count: { $inc: 1 } }).setHeader('Prefer', 'values=operations').eq('id', resource.id)));
  assert.deepEqual(answers.map(({ error }) => error).filter(Boolean), []);
  assert.equal((await stored('resources', resource.id)).views_count, 55);
  const tagged = client.from('resources').update({ tags: { $append: ['b', 'c'] }, title: 'Set' }).setHeader('Prefer', 'values=operations').eq('id', resource.id).select('tags,title').single();
  assert.deepEqual(await done(tagged, 200), { tags: ['a', 'b', 'c'], title: 'Set' });
  const unsuitable = client.from('resources').update({ title: { $inc: 1 } }).setHeader('Prefer', 'values=operations').eq('id', resource.id);
  await refused(unsuitable, 400, 'PSR611');
});

test('a unique index is named where its columns were', async () => {
  const { owner } = await cast();
  const { rows: [row] } = await collectionOf(owner, 1);
  const { collection_id, resource_id } = row;
  const onConflict = 'collection_resources_collection_id_resource_id_key';
  const merged = service().from('collection_resources').upsert({ collection_id, resource_id, order_index: 4 }, { onConflict }).select('id,order_index');
  assert.deepEqual(await done(merged, 200), [{ id: row.id, order_index: 4 }]);
  await refused(service().from('collection_resources').upsert({ collection_id, resource_id }, { onConflict: 'no_index' }), 400, '42703');
});

const query = (body, headers = {}) => fetch(`${url}/rest/v1/resources?select=id`, {
  method: 'QUERY',
  headers: { apikey: anonKey, 'Content-Type': 'application/json', ...headers },
  body: JSON.stringify(body),
});

test('a filter of ten thousand values is sent in the body', async () => {
  const { owner } = await cast();
  const resource = await resourceOf(owner, { visibility: 'public' });
  const ids = [...Array.from({ length: 10_000 }, () => randomUUID()), resource.id];
  const answer = await query({ id: `in.(${ids})` }, { Prefer: 'count=exact' });
  assert.equal(answer.status, 200);
  assert.equal(answer.headers.get('content-range'), '0-0/1');
  assert.equal(answer.headers.get('content-location'), null);
  assert.deepEqual(await answer.json(), [{ id: resource.id }]);
  const repeated = await query({ created_at: ['gte.2020-01-01', 'lt.2019-01-01'] });
  assert.deepEqual(await repeated.json(), []);
  const wrong = await query({ id: 'eq.1' }, { 'Content-Type': 'text/plain' });
  assert.equal(wrong.status, 415);
});

test('browsers may use it, where it is switched on only', async () => {
  const preflight = (address) => fetch(`${address}/rest/v1/resources`, {
    method: 'OPTIONS',
    headers: { Origin: 'http://app.example', 'Access-Control-Request-Method': 'QUERY' },
  });
  const allowed = await preflight(url);
  assert.equal(allowed.status, 200);
  assert.match(allowed.headers.get('access-control-allow-methods'), /QUERY/);
  const plain = await preflight(need('PASSERELLE_URL'));
  assert.doesNotMatch(plain.headers.get('access-control-allow-methods') ?? '', /QUERY/);
  const refusal = await fetch(`${need('PASSERELLE_URL')}/rest/v1/resources`, {
    method: 'QUERY',
    headers: { apikey: anonKey, 'Content-Type': 'application/json' },
    body: '{}',
  });
  assert.equal(refusal.status, 405);
  assert.equal((await refusal.json()).code, 'PGRST117');
});
