// The rest of the surface: people, channels, what is left of the imitation, configuration.

import assert from 'node:assert/strict';
import { webcrypto } from 'node:crypto';
import { after, beforeEach, describe, test } from 'node:test';
import { createLocalClient, localClient } from '../dist/index.js';
import { listen } from './server.mjs';

let answer;
const server = await listen((asked) => answer(asked));
const { sent } = server;
// Node.js before 22 has no WebSocket, and no channel is joined here.
class Transport {}
const client = createLocalClient(server.url, 'key', { auth: { persistSession: false, autoRefreshToken: false }, realtime: { transport: Transport } });
after(() => server.stop());
beforeEach(() => {
  sent.length = 0;
  answer = () => ({ status: 200, body: [] });
});

describe('searchUsers', () => {
  test('asks for ten people by name, as text', async () => {
    const found = [{ id: '1', username: 'ada', full_name: 'Ada', avatar_url: null }];
    answer = () => ({ status: 200, body: found });
    assert.deepEqual(await client.searchUsers(' ada '), { data: found, error: null });
    assert.deepEqual(sent[0].query, [
      ['select', 'id,username,full_name,avatar_url'],
      ['or', '(username.ilike."%ada%",full_name.ilike."%ada%")'],
      ['limit', '10'],
    ]);
  });

  test('asks for nobody before there are two characters', async () => {
    for (const text of ['', 'a', ' a ', undefined]) assert.deepEqual(await client.searchUsers(text), { data: [], error: null });
    assert.equal(sent.length, 0);
  });

  test('gives an error beside an empty list', async () => {
    answer = () => ({ status: 400, body: { code: 'X', message: 'no', details: null, hint: null } });
    const { data, error } = await client.searchUsers('ada');
    assert.deepEqual([data, error.code], [[], 'X']);
  });
});

describe('signUp', () => {
  const signUp = async (credentials) => {
    answer = () => ({ status: 422, body: { code: 'weak_password', message: 'no' } });
    await client.auth.signUp(credentials);
    return JSON.parse(sent.at(-1).body);
  };

  test('names people after their address, unless they have a name', async () => {
    assert.deepEqual((await signUp({ email: 'Ada.L@example.org', password: 'x' })).data, { full_name: 'ada.l' });
    assert.deepEqual((await signUp({ email: 'ada@example.org', password: 'x', options: { data: { full_name: 'Ada', a: 1 } } })).data, { full_name: 'Ada', a: 1 });
    await signUp({ email: 'ada@example.org', password: 'x', options: { emailRedirectTo: 'http://localhost/' } });
    assert.deepEqual(sent.at(-1).query, [['redirect_to', 'http://localhost/']]);
  });
});

describe('channels', () => {
  test('are one\'s own, whoever has the name', () => {
    const open = () => client.channel('notifications').on('postgres_changes', { event: 'INSERT', schema: 'public', table: 'notifications' }, () => {});
    const channels = [open(), open(), open()];
    assert.deepEqual(channels.map(({ topic }) => topic), ['realtime:notifications', 'realtime:notifications:2', 'realtime:notifications:3']);
    assert.deepEqual(client.getChannels(), channels);
  });

  test('with options are shared by name', () => {
    const options = { config: { broadcast: { self: true } } };
    assert.equal(client.channel('room', options), client.channel('room', options));
  });

  test('removeChannel takes anything', async () => {
    for (const channel of [undefined, null, {}, { unsubscribe() { throw new Error('not ours'); } }]) assert.equal(await client.removeChannel(channel), 'ok');
  });
});

describe('what is left of the imitation', () => {
  test('does nothing, and says so once', (context) => {
    const warn = context.mock.method(console, 'warn', () => {});
    for (let turn = 0; turn < 2; turn += 1) {
      assert.deepEqual(client.getTable('profiles'), []);
      client.setTable('profiles', [{ id: 1 }]);
      client.triggerNotification({});
      client.initializeDatabase();
    }
    const said = warn.mock.calls.map(({ arguments: [text] }) => text);
    assert.deepEqual(said.map((text) => /localClient\.(\w+)\(\) does nothing/.exec(text)[1]), ['getTable', 'setTable', 'triggerNotification', 'initializeDatabase']);
    assert.equal(sent.length, 0);
  });

  test('exportData gives the tables that lie in this browser', (context) => {
    assert.deepEqual(client.exportData(), {});
    const values = { 'hub-lib-db-groups': '[{"id":1}]', 'hub-lib-db-empty': '[]', 'hub-lib-db-broken': '{', 'hub-lib-auth': '{"access_token":"x"}' };
    const storage = Object.assign(Object.create({ getItem: (name) => values[name] ?? null }), values);
    Object.defineProperty(globalThis, 'localStorage', { value: storage, configurable: true });
    context.after(() => { delete globalThis.localStorage; });
    assert.deepEqual(client.exportData(), { groups: [{ id: 1 }] });
  });

  test('importData does not pretend', () => {
    client.importData({});
    client.importData({ groups: [] });
    assert.throws(() => client.importData({ groups: [{ id: 1 }] }), /imported on the server/);
  });

  test('generateId gives ids that the server takes', () => {
    // Node.js 18 keeps it in a module; browsers and later versions have it here.
    globalThis.crypto ??= webcrypto;
    const ids = [client.generateId(), client.generateId()];
    assert.notEqual(ids[0], ids[1]);
    for (const id of ids) assert.match(id, /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
  });
});

test('localClient says what is missing, when it is used', () => {
  assert.throws(() => localClient.from('things'), /set VITE_SUPABASE_URL and VITE_SUPABASE_ANON_KEY/);
});
