// Several requests in one transaction, sent by fetch and looked at by supabase-js.

import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { database, need, open, token } from './actors.mjs';
import { cast, count, done, resourceOf } from './cast.mjs';

after(() => database.end());
const url = need('PASSERELLE_EXTENDED_URL');
const anonKey = need('PASSERELLE_ANON_KEY');
const representation = { Prefer: 'return=representation' };

/** A person at the gateway that has batches: a supabase-js client, and a way to send batches. */
function at(person) {
  const access = token({ role: 'authenticated', aud: 'authenticated', sub: person.id, exp: Math.floor(Date.now() / 1000) + 3600 });
  const send = async (items, headers = {}) => {
    const response = await fetch(`${url}/rest/v1/batch`, {
      method: 'POST',
      headers: { apikey: anonKey, Authorization: `Bearer ${access}`, 'Content-Type': 'application/json', Origin: 'http://app.example', ...headers },
      body: JSON.stringify(items),
    });
    return { status: response.status, headers: response.headers, body: await response.json() };
  };
  return { client: open({ accessToken: async () => access }, url), send };
}

const collection = (owner, name) => ({ method: 'POST', path: '/collections?select=id', headers: representation, body: { user_id: owner.id, name }, let: { collection: '/body/0/id' } });

test('a collection and what is in it are made together', async () => {
  const { owner } = await cast();
  const resources = [await resourceOf(owner), await resourceOf(owner)];
  const { client, send } = at(owner);
  const { status, body } = await send([
    collection(owner, 'Both'),
    { method: 'POST', path: '/collection_resources', body: resources.map(({ id }, order_index) => ({ collection_id: { $ref: 'collection' }, resource_id: id, order_index })) },
    { method: 'GET', path: '/collection_resources?select=resource_id&collection_id=eq.$collection&order=order_index' },
  ]);
  assert.equal(status, 200, JSON.stringify(body));
  assert.deepEqual(body.map((result) => result.status), [201, 201, 200]);
  assert.deepEqual(body[2].body.map((row) => row.resource_id), resources.map(({ id }) => id));
  const stored = await done(client.from('collections').select('name, collection_resources(resource_id)').eq('id', body[0].body[0].id).single(), 200);
  assert.equal(stored.name, 'Both');
  assert.equal(stored.collection_resources.length, 2);
});

test('what one item is refused undoes the others, and browsers are told which one it was', async () => {
  const { owner, stranger } = await cast();
  const foreign = await resourceOf(stranger);
  const { client, send } = at(owner);
  const { status, headers, body } = await send([
    collection(owner, 'Neither'),
    { method: 'PATCH', path: `/resources?id=eq.${foreign.id}&select=id`, headers: { Prefer: 'return=representation', Accept: 'application/vnd.pgrst.object+json' }, body: { title: 'Taken' } },
  ]);
  assert.equal(status, 406);
  assert.equal(body.code, 'PGRST116');
  assert.equal(headers.get('batch-item'), '1');
  assert.match(headers.get('access-control-expose-headers'), /Batch-Item/);
  assert.deepEqual(await done(client.from('collections').select('id').eq('name', 'Neither').eq('user_id', owner.id), 200), []);
  assert.equal(await count('resources', 'id = $1 and title = $2', [foreign.id, 'Taken']), 0);
});

test('nobody writes in the name of another by saying so in an item', async () => {
  const { owner, stranger } = await cast();
  const access = token({ role: 'service_role', exp: Math.floor(Date.now() / 1000) + 3600 });
  const { send } = at(stranger);
  const item = collection(owner, 'Not mine');
  const refused = await send([{ ...item, headers: { ...representation, Authorization: `Bearer ${access}` } }]);
  assert.deepEqual([refused.status, refused.body.code], [400, 'PSR622']);
  const denied = await send([item]);
  assert.deepEqual([denied.status, denied.body.code, denied.headers.get('batch-item')], [403, '42501', '0']);
  assert.equal(await count('collections', 'user_id = $1', [owner.id]), 0);
});

test('where there are no batches, it is a relation that does not exist', async () => {
  const response = await fetch(`${need('PASSERELLE_URL')}/rest/v1/batch`, { method: 'POST', headers: { apikey: anonKey, 'Content-Type': 'application/json' }, body: '[]' });
  assert.equal(response.status, 404);
  assert.equal((await response.json()).code, 'PGRST205');
});
