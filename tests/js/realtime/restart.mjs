// A gateway dies and another takes its place: channels are joined again, changes go on, and nobody is present who is gone.

import assert from 'node:assert/strict';
import test from 'node:test';
import WebSocket from 'ws';
import { createClient } from '@supabase/supabase-js';
import { database, need, token } from '../actors.mjs';

const urls = [need('PASSERELLE_URL'), need('PASSERELLE_OTHER_URL')];
const anonKey = need('PASSERELLE_ANON_KEY');
const exp = Math.floor(Date.now() / 1000) + 3600;
const service = token({ role: 'service_role', exp });
const clients = [];
const mark = (name) => database.query('insert into marks values ($1)', [name]);

async function client(url, access) {
  const made = createClient(url, anonKey, {
    auth: { persistSession: false, autoRefreshToken: false }, realtime: { transport: WebSocket, timeout: 5000, heartbeatIntervalMs: 1000, reconnectAfterMs: () => 200 },
  });
  if (access) await made.realtime.setAuth(access);
  clients.push(made);
  return made;
}

async function until(enough, what) {
  const started = Date.now();
  while (!await enough()) {
    if (Date.now() - started > 45000) throw new Error(`${what} did not come`);
    await new Promise((resolve) => { setTimeout(resolve, 20); });
  }
}

test('fifty people are present, and those of a gateway that dies are not', async () => {
  const people = [];
  let subscribed = 0;
  for (let number = 0; number < 50; number += 1) {
    const supabase = await client(urls[number % 2]);
    const channel = supabase.channel('hall', { config: { presence: { key: `p${number}` } } });
    channel.on('presence', { event: 'sync' }, () => {});
    const person = { number, channel, joins: 0 };
    channel.subscribe(async (status) => {
      if (status !== 'SUBSCRIBED') return;
      person.joins += 1;
      subscribed += 1;
      await channel.track({ number });
    });
    people.push(person);
  }
  const present = ({ channel }) => Object.keys(channel.presenceState()).length;
  await until(() => subscribed === 50 && people.every((person) => present(person) === 50), 'everybody');
  const follower = await client(urls[1], service);
  const told = [];
  const changes = follower.channel('notes');
  changes.on('postgres_changes', { event: 'INSERT', schema: 'public', table: 'open_notes' }, ({ new: { body } }) => told.push(body));
  let live = 0;
  changes.on('system', {}, ({ extension, status }) => { if (extension === 'postgres_changes' && status === 'ok') live += 1; });
  changes.subscribe();
  await until(() => live === 1, 'the first subscription');
  await database.query("insert into open_notes (body) values ('before')");
  await until(() => told.includes('before'), 'the first change');
  const since = Date.now();
  await mark('kill');
  const here = people.filter(({ number }) => number % 2 === 0);
  await until(() => here.every((person) => present(person) === 25), 'that half of them are gone');
  assert.ok(Date.now() - since < 20000, `${Date.now() - since} ms`);
  await mark('start');
  await until(() => people.every((person) => present(person) === 50), 'everybody again');
  assert.ok(people.every(({ number, joins }) => joins === (number % 2 === 0 ? 1 : 2)));
  await until(() => live === 2, 'the second subscription');
  await database.query("insert into open_notes (body) values ('after')");
  await until(() => told.includes('after'), 'the change after it');
  // One that is stopped says so, and nobody waits for it.
  await mark('stop');
  await until(() => live === 3 && people.every((person) => present(person) === 50), 'everybody a third time');
  await database.query("insert into open_notes (body) values ('at last')");
  await until(() => told.includes('at last'), 'the last change');
  const { rows } = await database.query("select count(*)::int as slots from pg_replication_slots where slot_name like 'passerelle_rt_%' and database = current_database() and active");
  assert.equal(rows[0].slots, 2, 'each gateway that runs has one');
  await mark('done');
});

test.after(async () => {
  for (const one of clients) await one.removeAllChannels().catch(() => {});
  for (const one of clients) one.realtime.disconnect();
  await database.end();
});
