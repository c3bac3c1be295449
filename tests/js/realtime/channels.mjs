// supabase.channel(): broadcast and presence, in both versions of the protocol and on two gateways.

import assert from 'node:assert/strict';
import test from 'node:test';
import WebSocket from 'ws';
import { createClient } from '@supabase/supabase-js';
import { database, need, token } from '../actors.mjs';

const urls = [need('PASSERELLE_URL'), need('PASSERELLE_OTHER_URL')];
const anonKey = need('PASSERELLE_ANON_KEY');
const exp = Math.floor(Date.now() / 1000) + 3600;
const clients = [];

function client(url = urls[0], vsn = '2.0.0') {
  const made = createClient(url, anonKey, { auth: { persistSession: false, autoRefreshToken: false }, realtime: { transport: WebSocket, vsn, timeout: 5000 } });
  clients.push(made);
  return made;
}

/** Joins; rejects with what the server says. */
const joined = (channel) => new Promise((resolve, reject) => {
  channel.subscribe((status, error) => {
    if (status === 'SUBSCRIBED') resolve(channel);
    else if (status === 'CHANNEL_ERROR' || status === 'TIMED_OUT') reject(error ?? new Error(status));
  });
});

/** What arrives, and a way to wait for it. */
function box() {
  const got = [];
  const waiting = [];
  return {
    got,
    put(value) { got.push(value); waiting.splice(0).forEach((wake) => wake()); },
    async until(enough, what = 'what was waited for') {
      const started = Date.now();
      while (!enough(got)) {
        const left = 10000 - (Date.now() - started);
        if (left <= 0) throw new Error(`${what} did not come: ${JSON.stringify(got)}`);
        await new Promise((resolve) => { const timer = setTimeout(resolve, left); waiting.push(() => { clearTimeout(timer); resolve(); }); });
      }
      return got;
    },
  };
}

/** A socket without a client of Supabase, and a way to ask something on it. */
async function phoenix(url) {
  const socket = new WebSocket(`${url.replace('http', 'ws')}/realtime/v1/websocket?apikey=${anonKey}&vsn=2.0.0`);
  const { put, until } = box();
  socket.on('message', (data) => put(JSON.parse(data)));
  await new Promise((resolve, reject) => { socket.on('open', resolve); socket.on('error', reject); });
  let reference = 0;
  const ask = async (topic, event, payload, join = null) => {
    reference += 1;
    const mine = `${reference}`;
    socket.send(JSON.stringify([join ?? mine, mine, topic, event, payload]));
    const got = await until((all) => all.some((frame) => frame[1] === mine), `${topic} ${event}`);
    return got.find((frame) => frame[1] === mine)[4];
  };
  return { socket, ask, until, last: () => reference };
}

let count = 0;
const room = () => `room-${process.pid}-${(count += 1)}`;

for (const [from, to] of [['2.0.0', '2.0.0'], ['1.0.0', '1.0.0'], ['1.0.0', '2.0.0'], ['2.0.0', '1.0.0']]) {
  test(`broadcast from ${from} to ${to}, on two gateways`, async () => {
    const name = room();
    const boxes = [box(), box()];
    const listeners = await Promise.all(urls.map(async (url, index) => {
      const channel = client(url, to).channel(name);
      channel.on('broadcast', { event: 'note' }, (message) => boxes[index].put(message));
      return joined(channel);
    }));
    const sender = await joined(client(urls[0], from).channel(name, { config: { broadcast: { ack: true } } }));
    for (let number = 0; number < 5; number += 1) {
      assert.equal(await sender.send({ type: 'broadcast', event: 'note', payload: { number, text: 'é"\\' } }), 'ok');
    }
    for (const { until } of boxes) {
      const got = await until((all) => all.length >= 5);
      assert.deepEqual(got.map(({ payload }) => payload), [0, 1, 2, 3, 4].map((number) => ({ number, text: 'é"\\' })));
      assert.ok(got.every(({ event, type }) => event === 'note' && type === 'broadcast'));
    }
    for (const listener of listeners) assert.equal(await listener.unsubscribe(), 'ok');
  });
}

test('who says something hears it only if they want to', async () => {
  const name = room();
  const [own, others] = [box(), box()];
  const silent = client().channel(name);
  silent.on('broadcast', { event: '*' }, own.put);
  await joined(silent);
  const loud = client().channel(name, { config: { broadcast: { self: true } } });
  loud.on('broadcast', { event: '*' }, others.put);
  await joined(loud);
  await silent.send({ type: 'broadcast', event: 'a', payload: {} });
  await loud.send({ type: 'broadcast', event: 'b', payload: {} });
  await others.until((all) => all.length === 2);
  await own.until((all) => all.length === 1);
  assert.equal(own.got[0].event, 'b');
});

test('bytes are said and heard', async () => {
  const name = room();
  const { put, until } = box();
  const listener = client(urls[1]).channel(name);
  listener.on('broadcast', { event: 'bytes' }, put);
  await joined(listener);
  const sender = await joined(client().channel(name));
  const bytes = Uint8Array.from([0, 1, 254, 255]);
  await sender.send({ type: 'broadcast', event: 'bytes', payload: bytes.buffer });
  const [{ payload }] = await until((all) => all.length === 1);
  assert.deepEqual([...new Uint8Array(payload)], [...bytes]);
});

test('presences of both gateways are known to all, and go with their sockets', async () => {
  const name = room();
  const people = [];
  for (let number = 0; number < 10; number += 1) {
    const supabase = client(urls[number % 2]);
    const channel = supabase.channel(name, { config: { presence: { key: `person-${number}` } } });
    const events = box();
    channel.on('presence', { event: 'sync' }, () => events.put(Object.keys(channel.presenceState()).length));
    channel.on('presence', { event: 'leave' }, ({ key }) => events.put(`leave ${key}`));
    await joined(channel);
    assert.equal(await channel.track({ number }), 'ok');
    people.push({ supabase, channel, events });
  }
  for (const { events, channel } of people) {
    await events.until(() => Object.keys(channel.presenceState()).length === 10, 'everybody');
    const state = channel.presenceState();
    for (let number = 0; number < 10; number += 1) assert.equal(state[`person-${number}`][0].number, number);
  }
  await people[0].channel.track({ number: 'changed' });
  for (const { channel, events } of people) {
    await events.until(() => channel.presenceState()['person-0']?.[0]?.number === 'changed', 'the change');
    assert.equal(channel.presenceState()['person-0'].length, 1);
  }
  await people[1].channel.untrack();
  people[2].supabase.realtime.disconnect();
  for (const { channel, events } of people.filter((_, number) => number !== 2)) {
    await events.until(() => Object.keys(channel.presenceState()).length === 8, 'those who have left');
  }
});

test('a broadcast may have any name', async () => {
  const name = room();
  for (const vsn of ['2.0.0', '1.0.0']) {
    const heard = box();
    const listener = client(urls[1], vsn).channel(name);
    listener.on('broadcast', { event: '*' }, heard.put);
    await joined(listener);
    const sender = await joined(client(urls[0], vsn).channel(name, { config: { broadcast: { ack: true } } }));
    const names = ['presence', 'access_token', 'phx_leave', 'phx_join', 'heartbeat', 'system', 'x'.repeat(255)];
    for (const event of names) assert.equal(await sender.send({ type: 'broadcast', event, payload: {} }), 'ok', event);
    assert.deepEqual((await heard.until((all) => all.length === names.length)).map(({ event }) => event), names);
  }
});

test('who tracks without listening knows who is present all the same', async () => {
  const name = room();
  const other = await joined(client(urls[1]).channel(name, { config: { presence: { key: 'other' } } }));
  assert.equal(await other.track({}), 'ok');
  const seen = client();
  const watcher = seen.channel(name, { config: { presence: { key: 'watcher' } } });
  const events = box();
  watcher.on('presence', { event: 'sync' }, () => events.put('sync'));
  await joined(watcher);
  await events.until(() => watcher.presenceState().other, 'the other gateway');
  const mute = await joined(client().channel(name, { config: { presence: { key: 'mute' } } }));
  assert.deepEqual(mute.presenceState(), {});
  assert.equal(await mute.track({}), 'ok');
  await events.until(() => watcher.presenceState().mute, 'the mute one');
  assert.deepEqual(Object.keys(mute.presenceState()).sort(), ['mute', 'other']);
});

test('presences of a channel are bounded, and whoever joins is told all of them', async () => {
  const name = room();
  const people = [];
  const track = (person, length) => person.ask(`realtime:${name}`, 'presence', { type: 'presence', event: 'track', payload: { text: 'x'.repeat(length) } });
  let reply = { status: 'ok' };
  while (reply.status === 'ok') {
    const person = await phoenix(urls[0]);
    people.push(person);
    await person.ask(`realtime:${name}`, 'phx_join', {});
    reply = await track(person, 30_000);
  }
  assert.match(reply.response.reason, /at most 524288 bytes/);
  const most = people.length - 1;
  assert.equal(most, 17);
  const newcomers = [];
  for (const url of urls) {
    const channel = client(url).channel(name);
    const events = box();
    channel.on('presence', { event: 'sync' }, () => events.put('sync'));
    await joined(channel);
    await events.until(() => Object.keys(channel.presenceState()).length === most, 'everybody');
    newcomers.push({ channel, events });
  }
  people[0].socket.close();
  for (const { channel, events } of newcomers) {
    await events.until(() => Object.keys(channel.presenceState()).length === most - 1, 'who has left');
  }
  assert.equal((await track(people.at(-1), 30_000)).status, 'ok');
  for (const { socket } of people) socket.close();
});

test('who stops reading is taken out, and nobody else waits', async () => {
  const name = room();
  const [speaker, present] = [client(), box()];
  const channel = speaker.channel(name, { config: { broadcast: { ack: true } } });
  channel.on('presence', { event: 'join' }, ({ key }) => present.put(`join ${key}`)).on('presence', { event: 'leave' }, ({ key }) => present.put(`leave ${key}`));
  await joined(channel);
  const stalled = new WebSocket(`${urls[0].replace('http', 'ws')}/realtime/v1/websocket?apikey=${anonKey}&vsn=2.0.0`);
  await new Promise((resolve) => { stalled.on('open', resolve); });
  const config = { presence: { key: 'stalled', enabled: true } };
  stalled.send(JSON.stringify(['1', '1', `realtime:${name}`, 'phx_join', { config }]));
  stalled.send(JSON.stringify(['1', '2', `realtime:${name}`, 'presence', { type: 'presence', event: 'track', payload: {} }]));
  await present.until((all) => all.includes('join stalled'));
  stalled.pause();
  const payload = { text: 'x'.repeat(200_000) };
  for (let sent = 0; sent < 150 && !present.got.includes('leave stalled'); sent += 1) {
    // Nor is an answer to this waited for.
    stalled.ping();
    assert.equal(await channel.send({ type: 'broadcast', event: 'much', payload }), 'ok');
  }
  await present.until((all) => all.includes('leave stalled'));
  stalled.terminate();
});

test('a message by POST reaches everybody', async () => {
  const name = room();
  const boxes = urls.map(() => box());
  for (const [index, url] of urls.entries()) {
    const channel = client(url).channel(name);
    channel.on('broadcast', { event: 'post' }, boxes[index].put);
    await joined(channel);
  }
  const sender = client().channel(name);
  assert.deepEqual(await sender.httpSend('post', { by: 'http' }), { success: true });
  const plain = await fetch(`${urls[1]}/realtime/v1/api/broadcast`, {
    method: 'POST', headers: { apikey: anonKey, 'Content-Type': 'application/json' },
    body: JSON.stringify({ messages: [{ topic: name, event: 'post', payload: { by: 'list' } }] }),
  });
  assert.deepEqual([plain.status, await plain.text()], [202, '']);
  for (const { until } of boxes) {
    const got = await until((all) => all.length === 2);
    assert.deepEqual(got.map(({ payload }) => payload.by), ['http', 'list']);
  }
});

test('a list by POST is said as a whole or not at all', async () => {
  const name = room();
  const heard = box();
  const channel = client().channel(name);
  channel.on('broadcast', { event: '*' }, heard.put);
  await joined(channel);
  const post = (messages) => fetch(`${urls[0]}/realtime/v1/api/broadcast`, {
    method: 'POST', headers: { apikey: anonKey, 'Content-Type': 'application/json' }, body: JSON.stringify({ messages }),
  });
  const good = { topic: name, event: 'good', payload: {} };
  assert.equal((await post([good, { ...good, event: 'x'.repeat(256) }])).status, 422);
  assert.equal((await post([good, { ...good, topic: '' }])).status, 422);
  assert.equal((await post([good, { ...good, payload: 'x'.repeat(300_000) }])).status, 413);
  assert.equal((await post(Array.from({ length: 101 }, () => good))).status, 422);
  assert.equal((await post([{ ...good, event: 'last' }])).status, 202);
  assert.deepEqual((await heard.until((all) => all.length === 1)).map(({ event }) => event), ['last']);
});

test('what is wrong is told, and the socket lives on', async () => {
  const address = urls[0].replace('http', 'ws');
  const { socket, ask, until, last } = await phoenix(urls[0]);
  for (const broken of ['', '{', '[]', '[1,2,3]', 'null', '"x"', Buffer.from([9, 9, 9]), Buffer.from([3, 255])]) socket.send(broken);
  assert.deepEqual(await ask('phoenix', 'heartbeat', {}), { status: 'ok', response: {} });
  assert.equal((await ask('nothing:x', 'phx_join', {})).response.reason, 'unmatched topic');
  assert.equal((await ask('realtime:', 'phx_join', {})).response.reason, 'unmatched topic');
  assert.equal((await ask('realtime:unknown', 'phx_leave', {})).response.reason, 'unmatched topic');
  assert.match((await ask('realtime:a', 'phx_join', { config: { broadcast: 7 } })).response.reason, /^Invalid join payload/);
  assert.match((await ask('realtime:a', 'phx_join', { access_token: 'nonsense' })).response.reason, /^InvalidJWTToken/);
  const old = token({ role: 'authenticated', sub: 'x', exp: 1000 });
  assert.match((await ask('realtime:a', 'phx_join', { access_token: old })).response.reason, /^InvalidJWTToken/);
  const ok = await ask('realtime:a', 'phx_join', { config: { unknown: true } });
  assert.deepEqual(ok, { status: 'ok', response: { postgres_changes: [] } });
  assert.equal((await ask('realtime:a', 'presence', { type: 'presence', event: 'dance' })).status, 'error');
  assert.equal((await ask('realtime:a', 'presence', 7)).status, 'error');
  const track = (text) => ask('realtime:a', 'presence', { type: 'presence', event: 'track', payload: { text } });
  assert.equal((await track('x'.repeat(30_000))).status, 'ok');
  assert.match((await track('x'.repeat(40_000))).response.reason, /at most 32768 bytes/);
  const nested = (depth) => JSON.parse('['.repeat(depth) + ']'.repeat(depth));
  assert.match((await track(nested(124))).response.reason, /at most 32 levels deep/);
  assert.match((await track(nested(32))).response.reason, /at most 32 levels deep/);
  assert.equal((await track(nested(31))).status, 'ok');
  assert.match((await ask('realtime:b', 'phx_join', { config: { presence: { key: 'k'.repeat(256) } } })).response.reason, /too long/);
  // A second join takes the place of the first, which is closed under its own reference.
  const join = `${last() + 1}`;
  assert.equal((await ask('realtime:a', 'phx_join', {})).status, 'ok');
  assert.ok((await until((all) => all.some((frame) => frame[3] === 'phx_close'))).some((frame) => frame[3] === 'phx_close' && frame[0] !== join));
  assert.equal((await ask('realtime:a', 'phx_leave', {}, join)).status, 'ok');
  assert.equal((await ask('phoenix', 'heartbeat', {})).status, 'ok');
  socket.close();
  for (const [query, status] of [['', 401], ['apikey=wrong', 401], [`apikey=${anonKey}&vsn=9.9`, 400]]) {
    const refused = new WebSocket(`${address}/realtime/v1/websocket?${query}`);
    const response = await new Promise((resolve) => { refused.on('unexpected-response', (_, answer) => resolve(answer)); refused.on('error', () => {}); });
    assert.equal(response.statusCode, status);
  }
  const plain = await fetch(`${urls[0]}/realtime/v1/websocket?apikey=${anonKey}`);
  assert.equal(plain.status, 426);
});

test('a message that is too long, and too many', async () => {
  const address = urls[0].replace('http', 'ws');
  const closed = (socket) => new Promise((resolve) => { socket.on('close', (code, reason) => resolve([code, `${reason}`])); });
  const opened = async () => {
    const socket = new WebSocket(`${address}/realtime/v1/websocket?apikey=${anonKey}&vsn=2.0.0`);
    await new Promise((resolve) => { socket.on('open', resolve); });
    return socket;
  };
  const long = await opened();
  long.send('x'.repeat(300000));
  assert.equal((await closed(long))[0], 1009);
  const many = await opened();
  const end = closed(many);
  for (let number = 0; number < 1000; number += 1) many.send(JSON.stringify([null, `${number}`, 'phoenix', 'heartbeat', {}]));
  assert.deepEqual(await end, [1008, 'Too many messages per second']);
});

test('too many bytes', async () => {
  const socket = new WebSocket(`${urls[1].replace('http', 'ws')}/realtime/v1/websocket?apikey=${anonKey}&vsn=2.0.0`);
  await new Promise((resolve) => { socket.on('open', resolve); });
  const end = new Promise((resolve) => { socket.on('close', (code, reason) => resolve([code, `${reason}`])); });
  for (let number = 0; number < 40; number += 1) socket.send(JSON.stringify([null, `${number}`, 'phoenix', 'heartbeat', { text: 'x'.repeat(250_000) }]));
  assert.deepEqual(await end, [1008, 'Too many bytes per second']);
});

test('a channel closes when its token expires', async () => {
  const short = token({ role: 'authenticated', aud: 'authenticated', sub: 'a0000000-0000-4000-8000-000000000001', exp: Math.floor(Date.now() / 1000) + 3 });
  const supabase = client();
  await supabase.realtime.setAuth(short);
  const channel = supabase.channel(room());
  const states = box();
  channel.on('system', {}, (payload) => states.put(payload));
  await new Promise((resolve) => { channel.subscribe((status) => { if (status === 'SUBSCRIBED') resolve(); states.put(status); }); });
  await states.until((all) => all.some((one) => one.message === 'Token has expired'));
  await states.until((all) => all.includes('CLOSED'));
});

test.after(async () => {
  for (const one of clients) await one.removeAllChannels().catch(() => {});
  for (const one of clients) one.realtime.disconnect();
  await database.end();
});
