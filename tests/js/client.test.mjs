// What a supabase-js client depends on beside rows: counts, ranges, errors, CORS, cancellation.

import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { anon, database, open } from './actors.mjs';

after(() => database.end());
const url = process.env.PASSERELLE_URL;

test('count and range', async () => {
  const total = (await anon.rows('select count(*) as n from resources'))[0].n;
  const page = await anon.client.from('resources').select('id', { count: 'exact' }).order('id').range(5, 9);
  assert.equal(page.error, null);
  assert.equal(page.status, 206);
  assert.equal(page.count, total);
  assert.equal(page.data.length, 5);
  const head = await anon.client.from('resources').select('*', { count: 'exact', head: true });
  assert.equal(head.count, total);
  assert.equal(head.data, null);
  for (const count of ['planned', 'estimated']) {
    const counted = await anon.client.from('resources').select('id', { count }).limit(1);
    assert.equal(counted.error, null);
    assert.ok(Number.isInteger(counted.count), `${count}: ${counted.count}`);
  }
});

test('a range behind the last row is 416', async () => {
  const { error, status } = await anon.client.from('resources').select('id', { count: 'exact' }).range(100000, 100005);
  assert.equal(status, 416);
  assert.equal(error.code, 'PGRST103');
});

test('errors carry code, message, details and hint', async () => {
  const wrong = await anon.client.from('resourcs').select('*');
  assert.equal(wrong.status, 404);
  assert.equal(wrong.error.code, 'PGRST205');
  assert.match(wrong.error.hint, /resources/);
  const undefinedId = await anon.client.from('resources').select('*').eq('id', undefined);
  assert.equal(undefinedId.status, 400);
  assert.equal(undefinedId.error.code, '22P02');
  const ambiguous = await anon.client.from('category_tag_suggestions').select('*, profiles(username)');
  assert.equal(ambiguous.status, 300);
  assert.equal(ambiguous.error.code, 'PGRST201');
  const broken = await anon.client.from('resources').select('id').or('title.ilike.%a,b(c%');
  assert.equal(broken.status, 400);
  assert.equal(broken.error.code, 'PGRST100');
});

test('two foreign keys to one table are told apart by a hint', async () => {
  const { data, error } = await anon.client.from('category_tag_suggestions').select('id, author:profiles!suggested_by(username), reviewer:profiles!reviewed_by(username)').limit(5);
  assert.equal(error, null);
  assert.ok(data.every((row) => 'author' in row && 'reviewer' in row));
});

test('csv, stripped nulls and an aborted request', async () => {
  const csv = await anon.client.from('groups').select('id,name').csv();
  assert.equal(csv.error, null);
  const stripped = await anon.client.from('resources').select('id,github_url').is('github_url', null).limit(1).stripNulls();
  assert.deepEqual(Object.keys(stripped.data[0]), ['id']);
  const controller = new AbortController();
  controller.abort();
  const aborted = await anon.client.from('resources').select('id').abortSignal(controller.signal);
  assert.notEqual(aborted.error, null);
  const after = await anon.client.from('resources').select('id').limit(1);
  assert.equal(after.error, null);
});

test('a broken or expired token is refused with 401', async () => {
  const broken = open({ accessToken: async () => 'not.a.token' });
  const { error, status } = await broken.from('resources').select('id');
  assert.equal(status, 401);
  assert.equal(error.code, 'PGRST301');
});

test('browsers may call from anywhere, also when there is an error', async () => {
  const preflight = await fetch(`${url}/rest/v1/resources`, {
    method: 'OPTIONS',
    headers: { Origin: 'http://app.example', 'Access-Control-Request-Method': 'GET', 'Access-Control-Request-Headers': 'apikey,authorization,x-new-header' },
  });
  assert.ok([200, 204].includes(preflight.status), `${preflight.status}`);
  assert.match(preflight.headers.get('access-control-allow-headers').toLowerCase(), /x-new-header/);
  const failed = await fetch(`${url}/rest/v1/nothing`, { headers: { Origin: 'http://app.example' } });
  assert.equal(failed.status, 404);
  assert.ok(['*', 'http://app.example'].includes(failed.headers.get('access-control-allow-origin')));
  assert.match(failed.headers.get('access-control-expose-headers').toLowerCase(), /content-range/);
});
