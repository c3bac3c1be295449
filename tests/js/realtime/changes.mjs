// supabase.channel().on('postgres_changes'): who is told what, under row policies.

import assert from 'node:assert/strict';
import test from 'node:test';
import WebSocket from 'ws';
import { createClient } from '@supabase/supabase-js';
import pg from 'pg';
import { database, need, token } from '../actors.mjs';

// Ids are numbers here, as in changes.
pg.types.setTypeParser(20, Number);

const urls = [need('PASSERELLE_URL'), need('PASSERELLE_OTHER_URL')];
const anonKey = need('PASSERELLE_ANON_KEY');
const exp = Math.floor(Date.now() / 1000) + 3600;
const clients = [];
const ADA = 'a0000000-0000-4000-8000-00000000000a';
const BOB = 'b0000000-0000-4000-8000-00000000000b';
const tokenOf = (sub, more = {}) => token({ role: 'authenticated', aud: 'authenticated', sub, exp, ...more });
const service = token({ role: 'service_role', exp });

async function client(access, url = urls[0], vsn = '2.0.0') {
  const made = createClient(url, anonKey, { auth: { persistSession: false, autoRefreshToken: false }, realtime: { transport: WebSocket, vsn, timeout: 5000 } });
  if (access) await made.realtime.setAuth(access);
  clients.push(made);
  return made;
}

function box() {
  const got = [];
  const waiting = [];
  return {
    got,
    put(value) { got.push(value); waiting.splice(0).forEach((wake) => wake()); },
    async until(enough, what = 'what was waited for') {
      const started = Date.now();
      while (!enough(got)) {
        const left = 15000 - (Date.now() - started);
        if (left <= 0) throw new Error(`${what} did not come: ${JSON.stringify(got)}`);
        await new Promise((resolve) => { const timer = setTimeout(resolve, left); waiting.push(() => { clearTimeout(timer); resolve(); }); });
      }
      return got;
    },
  };
}

let count = 0;
/** Follows changes; returns when they come. */
async function follow(access, bindings, url = urls[0], vsn = '2.0.0') {
  const supabase = await client(access, url, vsn);
  const channel = supabase.channel(`changes-${process.pid}-${(count += 1)}`);
  const [changes, system] = [box(), box()];
  for (const binding of bindings) channel.on('postgres_changes', binding, changes.put);
  channel.on('system', {}, (payload) => system.put(payload));
  await new Promise((resolve, reject) => {
    channel.subscribe((status, error) => {
      if (status === 'SUBSCRIBED') resolve();
      else if (status !== 'CLOSED') reject(error ?? new Error(status));
    });
  });
  await system.until((all) => all.some(({ extension }) => extension === 'postgres_changes'), 'the system message');
  return { ...changes, system, channel, supabase };
}
/** A change that everybody sees, after which all before it have come. */
async function settled(...followers) {
  const { rows: [{ id }] } = await database.query("insert into open_notes (body) values ('done') returning id");
  for (const { until } of followers) await until((all) => all.some((one) => one.table === 'open_notes' && one.new.id === id), `the last note, ${id}`);
}
const notes = (box) => box.got.filter(({ table }) => table === 'notes');
const ALL = [{ event: '*', schema: 'public' }];

test('rows of all types, as REST has them', async () => {
  for (const vsn of ['2.0.0', '1.0.0']) {
    const follower = await follow(service, ALL, urls[0], vsn);
    const { rows: [{ id, whole }] } = await database.query(`
      insert into things (small, big, price, yes, label, kind, data, tags, numbers, at, day, plain, bytes, mood, nothing)
      values (1, 9007199254740991, 12.50, true, E'a"\\\\\\n,(é', 'x', '{"a": [1, "b"]}', array['a,b', 'c"d', null], array[1, 2], '2026-01-02 03:04:05.6+02', '2026-01-02',
        '2026-01-02 03:04:05', '\\x00ff', 'happy', null) returning id, to_jsonb(things.*) as whole`);
    const [change] = await follower.until((all) => all.some((one) => one.table === 'things'));
    assert.equal(change.eventType, 'INSERT');
    assert.deepEqual([change.schema, change.table, change.errors], ['public', 'things', null]);
    assert.ok(Math.abs(Date.parse(change.commit_timestamp) - Date.now()) < 60000);
    assert.deepEqual(change.new, whole);
    await database.query('update things set price = 13, nothing = 7 where id = $1', [id]);
    const updated = (await follower.until((all) => all.some((one) => one.eventType === 'UPDATE'))).at(-1);
    assert.deepEqual([updated.new.price, updated.new.nothing, updated.old], [13, 7, { id }]);
    await database.query('delete from things where id = $1', [id]);
    const deleted = (await follower.until((all) => all.some((one) => one.eventType === 'DELETE'))).at(-1);
    assert.deepEqual([deleted.new, deleted.old], [{}, { id }]);
  }
});

test('row policies on every event', async () => {
  const [ada, bob, anon, all] = [
    await follow(tokenOf(ADA), ALL), await follow(tokenOf(BOB), ALL, urls[1]), await follow(undefined, ALL), await follow(service, ALL),
  ];
  const { rows: [{ id: mine }] } = await database.query('insert into notes (owner, body) values ($1, $2) returning id', [ADA, 'private']);
  const { rows: [{ id: shown }] } = await database.query("insert into notes (owner, body, is_public) values ($1, 'public', true) returning id", [ADA]);
  await database.query("update notes set body = 'still private' where id = $1", [mine]);
  // It moves out of sight of all but its owner, and comes back.
  await database.query("update notes set is_public = false, body = 'hidden' where id = $1", [shown]);
  await database.query("update notes set is_public = true, body = 'shown again' where id = $1", [shown]);
  // It belongs to somebody else now.
  await database.query("update notes set owner = $2, body = 'of bob' where id = $1", [mine, BOB]);
  await database.query('delete from notes where id = any ($1)', [[mine, shown]]);
  await settled(ada, bob, anon, all);
  const told = (who) => notes(who).map(({ eventType, new: row, old }) => [eventType, row.body, old.body]);
  assert.deepEqual(told(all), [
    ['INSERT', 'private', undefined], ['INSERT', 'public', undefined], ['UPDATE', 'still private', 'private'], ['UPDATE', 'hidden', 'public'],
    ['UPDATE', 'shown again', 'hidden'], ['UPDATE', 'of bob', 'still private'], ['DELETE', undefined, 'of bob'], ['DELETE', undefined, 'shown again'],
  ]);
  assert.deepEqual(told(ada), [
    ['INSERT', 'private', undefined], ['INSERT', 'public', undefined], ['UPDATE', 'still private', 'private'], ['UPDATE', 'hidden', 'public'],
    ['UPDATE', 'shown again', 'hidden'], ['DELETE', undefined, 'shown again'],
  ]);
  // What a row was before is told to those who could see it then.
  assert.deepEqual(told(bob), [
    ['INSERT', 'public', undefined], ['UPDATE', 'shown again', undefined], ['UPDATE', 'of bob', undefined], ['DELETE', undefined, 'of bob'], ['DELETE', undefined, 'shown again'],
  ]);
  assert.deepEqual(told(anon), [['INSERT', 'public', undefined], ['UPDATE', 'shown again', undefined], ['DELETE', undefined, 'shown again']]);
});

test('the image of a row counts, not what has become of it', async () => {
  const bob = await follow(tokenOf(BOB), ALL);
  const connection = await database.connect();
  await connection.query('begin');
  for (let number = 0; number < 50; number += 1) {
    const { rows: [{ id }] } = await connection.query("insert into notes (owner, body) values ($1, 'secret') returning id", [ADA]);
    await connection.query("update notes set is_public = true, body = 'told' where id = $1", [id]);
  }
  await connection.query('commit');
  connection.release();
  await settled(bob);
  assert.deepEqual([...new Set(notes(bob).map(({ eventType, new: { body } }) => `${eventType} ${body}`))], ['UPDATE told']);
  assert.equal(notes(bob).length, 50);
});

test('keys of deleted rows are told to those who need no policy', async () => {
  const [ada, all] = [await follow(tokenOf(ADA), ALL), await follow(service, ALL)];
  const { rows: [{ id }] } = await database.query('insert into keyed_notes (owner, body) values ($1, $2) returning id', [ADA, 'x']);
  await database.query('delete from keyed_notes where id = $1', [id]);
  await settled(ada, all);
  const told = (who) => who.got.filter(({ table }) => table === 'keyed_notes').map(({ eventType }) => eventType);
  assert.deepEqual([told(ada), told(all)], [['INSERT'], ['INSERT', 'DELETE']]);
});

test('columns that a role may not read are not told', async () => {
  const [ada, all] = [await follow(tokenOf(ADA), ALL), await follow(service, ALL)];
  await database.query("insert into accounts (name, secret) values ('ada', 'x')");
  await settled(ada, all);
  const told = (who) => who.got.filter(({ table }) => table === 'accounts').map(({ new: row }) => row);
  assert.deepEqual(told(ada), [{ id: 1, name: 'ada' }]);
  assert.deepEqual(told(all), [{ id: 1, name: 'ada', secret: 'x' }]);
});

test('a filter tells nothing of a column that its owner may not read', async () => {
  const notices = { event: '*', schema: 'public', table: 'open_notes' };
  const guesser = await follow(tokenOf(ADA), [
    notices,
    { event: '*', schema: 'public', table: 'accounts', filter: 'secret=eq.y' },
    { event: '*', schema: 'public', table: 'accounts', filter: 'name=eq.bob' },
  ]);
  await guesser.system.until((all) => all.some(({ status, message }) => status === 'error' && /invalid column for filter secret/.test(message)));
  // Somebody who could read it, and who is somebody else now.
  const demoted = await follow(service, [notices, { event: '*', schema: 'public', table: 'accounts', filter: 'secret=eq.y' }]);
  await demoted.supabase.realtime.setAuth(tokenOf(ADA));
  await demoted.channel.track({});
  await database.query("insert into accounts (name, secret) values ('bob', 'y')");
  await settled(guesser, demoted);
  const told = (who) => who.got.filter(({ table }) => table === 'accounts').map(({ new: row }) => row.name);
  assert.deepEqual([told(guesser), told(demoted)], [['bob'], []]);
});

test('policies that call functions, that fail, and that read whole rows', async () => {
  const ada = await follow(tokenOf(ADA), ALL);
  await database.query('insert into shares (draft, reader) values (70, $1) on conflict do nothing', [ADA]);
  await database.query("insert into chapters (draft, page) values (70, '1'), (71, '2'), (70, 'none'), (70, '0'), (70, '3')");
  await database.query("insert into blobs (owner, big) values ($1, repeat('x', 9000))", [ADA]);
  await database.query("update blobs set body = 'y'");
  await database.query("update blobs set big = 'short'");
  await settled(ada);
  const told = (name) => ada.got.filter(({ table }) => table === name);
  assert.deepEqual(told('chapters').map(({ new: row }) => row.page), ['1', '3'], 'the row that the policy fails on takes no other with it');
  // What a policy depends on and nobody knows is not guessed.
  assert.deepEqual(told('blobs').map(({ eventType, new: row }) => `${eventType} ${row.big.length}`), ['INSERT 9000', 'UPDATE 5']);
});

test('a large value that did not change is not taken for null', async () => {
  const [ada, all] = [await follow(tokenOf(ADA), ALL), await follow(service, ALL)];
  await database.query("insert into veiled (body, secret) values ('x', repeat('s', 9000))");
  await database.query("update veiled set body = 'y'");
  await database.query('update veiled set secret = null');
  await settled(ada, all);
  const told = (who) => who.got.filter(({ table }) => table === 'veiled').map(({ eventType, new: row }) => `${eventType} ${row.body}`);
  assert.deepEqual([told(ada), told(all)], [['UPDATE y'], ['INSERT x', 'UPDATE y', 'UPDATE y']]);
});

test('partitions are told of as their table, under its policies', async () => {
  const [ada, bob, all] = [await follow(tokenOf(ADA), ALL), await follow(tokenOf(BOB), ALL), await follow(service, [...ALL, { event: '*', schema: 'public', table: 'parted_a' }])];
  const { system } = all;
  await system.until((got) => got.some(({ message }) => /table: parted_a/.test(message)));
  const insert = (id) => database.query("insert into parted (id, part, owner) values ($1, 'a', $2), ($1, 'b', $2), ($1::bigint + 1, 'a', $3)", [id, ADA, BOB]);
  await insert(1);
  // As before, or when its owner has it so.
  await database.query('alter publication supabase_realtime set (publish_via_partition_root = false)');
  await insert(11);
  await settled(ada, bob, all);
  await database.query('alter publication supabase_realtime set (publish_via_partition_root = true)');
  const told = (who) => who.got.filter(({ table }) => table.startsWith('parted')).map(({ table, new: { id, part, owner } }) => `${table} ${id} ${part} ${owner[0]}`);
  const expected = [1, 11].flatMap((id) => [`parted ${id} a a`, `parted ${id} b a`, `parted ${id + 1} a b`]);
  assert.deepEqual(told(ada), expected.filter((one) => one.endsWith(' a')));
  assert.deepEqual(told(bob), expected.filter((one) => one.endsWith(' b')));
  assert.deepEqual(told(all), expected);
});

test('the key that a row had is not told to who could not see it', async () => {
  const [ada, bob] = [await follow(tokenOf(ADA), ALL), await follow(tokenOf(BOB), ALL)];
  await database.query("insert into desks values ('of ada', $1)", [ADA]);
  await database.query("update desks set name = 'of bob', owner = $1", [BOB]);
  await database.query('update desks set owner = $1', [ADA]);
  await settled(ada, bob);
  const told = (who) => who.got.filter(({ table }) => table === 'desks').map(({ eventType, new: { name }, old }) => [eventType, name, old]);
  assert.deepEqual(told(bob), [['UPDATE', 'of bob', {}]]);
  assert.deepEqual(told(ada), [['INSERT', 'of ada', {}], ['UPDATE', 'of bob', { name: 'of bob' }]]);
});

test('who misses changes because a policy had to wait is told so', async () => {
  const [ada, other] = [await follow(tokenOf(ADA), ALL), await follow(service, ALL)];
  const holder = new pg.Client(need('PASSERELLE_DB_URL'));
  await holder.connect();
  await holder.query('begin; lock table gate');
  await database.query("insert into gated (body) values ('while it was closed')");
  await ada.system.until((all) => all.some(({ status, message }) => status === 'error' && /missed/.test(message)), 'that changes were missed');
  await holder.query('rollback');
  await holder.end();
  await ada.system.until((all) => all.filter(({ status }) => status === 'ok').length === 2, 'the second subscription');
  await database.query("insert into gated (body) values ('while it was open')");
  await settled(ada, other);
  const told = (who) => who.got.filter(({ table }) => table === 'gated').map(({ new: { body } }) => body);
  assert.deepEqual([told(ada), told(other)], [['while it was open'], ['while it was closed', 'while it was open']]);
  assert.equal(other.system.got.filter(({ status }) => status === 'error').length, 0, 'others have missed nothing');
});

test('operators of somebody may read a token, too', async () => {
  const [sun, moon] = [await follow(tokenOf(ADA, { word: 'sun' }), ALL), await follow(tokenOf(ADA, { word: 'moon' }), ALL)];
  await database.query("insert into riddles (word) values ('sun'), ('moon')");
  await settled(sun, moon);
  const told = (who) => who.got.filter(({ table }) => table === 'riddles').map(({ new: { word } }) => word);
  assert.deepEqual([told(sun), told(moon)], [['sun'], ['moon']]);
});

test('who binds twice for the same is called twice and told once', async () => {
  const binding = (table) => ({ event: 'INSERT', schema: 'public', ...(table === undefined ? {} : { table }) });
  const follower = await follow(service, [binding(), binding('*'), binding('riddles'), binding('riddles')]);
  await database.query("insert into riddles (word) values ('once')");
  await settled(follower);
  assert.equal(follower.got.filter(({ table }) => table === 'riddles').length, 4);
});

test('filters compare values of all types', async () => {
  const kinds = { event: 'INSERT', schema: 'public', table: 'kinds' };
  const filters = ['yes=eq.true', 'yes=eq.f', 'code=eq.ab', 'code=in.(ab,x)', 'host=eq.10.0.0.1', 'mood=eq.sad', 'day=lt.0001-01-01', 'day=gt.9999-12-31',
    'at=gt.2026-01-01 00:00', 'word=eq.tiny', 'gap=eq.1 day'];
  const followers = [];
  for (const filter of filters) followers.push(await follow(service, [{ ...kinds, filter }, { event: '*', schema: 'public', table: 'open_notes' }]));
  await database.query(`set timezone = 'Asia/Tokyo'; insert into kinds (id, yes, code, host, mood, gap, day, at, word) values
    (1, true, 'ab', '10.0.0.1', 'sad', '24:00:00', '0044-03-15 BC', '2026-01-01 00:00:00+00', 'tiny'),
    (2, false, 'x', '10.0.0.2/8', 'happy', '1 day', '10000-01-01', '2026-01-01 00:00:00.1+00', 'wee'); reset timezone`);
  await settled(...followers);
  const told = followers.map(({ got }) => got.filter(({ table }) => table === 'kinds').map(({ new: { id } }) => id).join());
  assert.deepEqual(Object.fromEntries(filters.map((filter, index) => [filter, told[index]])), {
    'yes=eq.true': '1', 'yes=eq.f': '2', 'code=eq.ab': '1', 'code=in.(ab,x)': '1,2', 'host=eq.10.0.0.1': '1', 'mood=eq.sad': '1', 'day=lt.0001-01-01': '1', 'day=gt.9999-12-31': '2',
    'at=gt.2026-01-01 00:00': '2', 'word=eq.tiny': '1', 'gap=eq.1 day': '2',
  });
});

test('filters, columns that are wanted, and events', async () => {
  const follower = await follow(service, [
    { event: 'INSERT', schema: 'public', table: 'things', filter: 'small=gt.5' },
    { event: 'UPDATE', schema: 'public', table: 'things', filter: 'label=in.(a,"b,c")' },
    { event: '*', schema: 'public', table: 'things', filter: 'at=gte.2026-06-01T00:00:00Z,yes=is.true' },
    { event: 'DELETE', schema: 'public', table: 'things' },
    { event: '*', schema: 'public', table: 'open_notes' },
  ]);
  await database.query("insert into things (id, small, label) values (101, 5, 'a'), (102, 6, 'x'), (103, null, 'b,c')");
  await database.query("insert into things (id, small, at, yes) values (104, 1, '2026-06-01 00:00:00+00', true), (105, 1, '2026-05-31 23:59:59.9+00', true), (106, 1, '2026-07-01', false)");
  await database.query("update things set small = 0 where id in (101, 102, 103)");
  await database.query('delete from things where id = 105');
  await settled(follower);
  const told = follower.got.filter(({ table }) => table === 'things').map(({ eventType, new: row, old }) => `${eventType} ${row.id ?? old.id}`);
  assert.deepEqual(told, ['INSERT 102', 'INSERT 104', 'UPDATE 101', 'UPDATE 103', 'DELETE 105']);
  const some = await follow(service, [{ event: '*', schema: 'public', table: 'things', select: ['id', 'label'] }]);
  await database.query("insert into things (id, small, label) values (110, 5, 'a')");
  const [change] = await some.until((all) => all.length === 1);
  assert.deepEqual(change.new, { id: 110, label: 'a' });
});

test('what cannot be followed is said, and the channel stays', async () => {
  for (const [binding, reason] of [
    [{ event: '*', schema: 'public', table: 'nowhere' }, /check Realtime is enabled/],
    [{ event: '*', schema: 'public', table: 'quiet' }, /check Realtime is enabled/],
    [{ event: '*', schema: 'public', table: 'things', filter: 'none=eq.1' }, /invalid column "none"/],
    [{ event: '*', schema: 'public', table: 'things', filter: 'small=eq.x' }, /invalid value "x"/],
    [{ event: '*', schema: 'public', table: 'things', filter: 'small=foo.1' }, /invalid filter operator "foo"/],
    [{ event: '*', schema: 'public', table: 'things', filter: 'small=in.(1,2,3,x,5)' }, /invalid value "x"/],
    [{ event: '*', schema: 'public', table: 'things', filter: 'mood=gt.sad' }, /invalid filter operator "gt" for column "mood": values of type mood/],
    [{ event: 'DANCE', schema: 'public', table: 'things' }, /invalid event/],
    [{ event: '*', schema: 'public', table: 'things', select: ['none'] }, /invalid column "none"/],
  ]) {
    const { system, channel } = await follow(service, [binding]);
    const [{ status, message }] = system.got;
    assert.equal(status, 'error');
    assert.match(message, reason);
    assert.equal(channel.state, 'joined');
  }
});

test('policies, grants and tables may change while changes are followed', async () => {
  const bob = await follow(tokenOf(BOB), ALL);
  const say = (body) => database.query('insert into notes (owner, body) values ($1, $2)', [ADA, body]);
  await say('one');
  await settled(bob);
  await database.query("create policy staff on notes for select to authenticated using (body = 'two')");
  await say('two');
  await say('three');
  await settled(bob);
  await database.query('drop policy staff on notes');
  await database.query("alter table notes add column extra text default 'e'");
  await database.query("insert into notes (owner, body, is_public) values ($1, 'four', true)", [ADA]);
  await settled(bob);
  await database.query('revoke select on notes from authenticated');
  await database.query("insert into notes (owner, body, is_public) values ($1, 'five', true)", [ADA]);
  await settled(bob);
  await database.query('grant select on notes to authenticated');
  assert.deepEqual(notes(bob).map(({ new: { body, extra } }) => [body, extra]), [['two', undefined], ['four', 'e']]);
});

test('policies that read claims and other tables', async () => {
  const [editor, reader] = [await follow(tokenOf(ADA, { app_metadata: { editor: true } }), ALL), await follow(tokenOf(ADA), ALL)];
  await database.query("insert into drafts (body) values ('draft')");
  // The share is of the same transaction as what is shared.
  await database.query('with s as (insert into shares (draft, reader) values (1000, $1) returning draft) insert into drafts (id, body) select draft, $2 from s', [ADA, 'shared']);
  await settled(editor, reader);
  const told = (who) => who.got.filter(({ table }) => table === 'drafts').map(({ new: { body } }) => body);
  assert.deepEqual([told(editor), told(reader)], [['draft', 'shared'], ['shared']]);
});

test('another token is another audience', async () => {
  const who = await follow(tokenOf(ADA), ALL);
  const say = (owner, body) => database.query('insert into notes (owner, body) values ($1, $2)', [owner, body]);
  await say(ADA, 'a');
  await say(BOB, 'b');
  await settled(who);
  await who.supabase.realtime.setAuth(tokenOf(BOB));
  // The reply to what comes after it shows that it was taken.
  await who.channel.track({});
  await say(ADA, 'c');
  await say(BOB, 'd');
  await settled(who);
  assert.deepEqual(notes(who).map(({ new: { body } }) => body), ['a', 'd']);
});

test('a large transaction arrives whole and in order', async () => {
  const all = await follow(service, [{ event: 'INSERT', schema: 'public', table: 'open_notes', filter: 'body=neq.x' }], urls[1]);
  await database.query("insert into open_notes (body) select 'bulk ' || n from generate_series(1, 2000) n");
  await settled(all);
  const bulk = all.got.map(({ new: { body } }) => body).filter((body) => body.startsWith('bulk'));
  assert.deepEqual(bulk, Array.from({ length: 2000 }, (_, number) => `bulk ${number + 1}`));
});

test('private channels ask the policies of realtime.messages', async () => {
  const join = async (access, name, config = {}) => {
    const supabase = await client(access);
    const channel = supabase.channel(name, { config: { private: true, broadcast: { ack: true }, ...config } });
    const heard = box();
    channel.on('broadcast', { event: '*' }, heard.put);
    const outcome = await new Promise((resolve) => { channel.subscribe((status, error) => { if (status === 'SUBSCRIBED') resolve('ok'); else if (error) resolve(error.message); }); });
    return { outcome, channel, supabase, ...heard };
  };
  const name = `team-${ADA}`;
  const [ada, bob, anon] = [await join(tokenOf(ADA), name), await join(tokenOf(BOB), name), await join(undefined, name)];
  assert.equal(ada.outcome, 'ok');
  for (const { outcome, supabase } of [bob, anon]) {
    assert.match(outcome, new RegExp(`Unauthorized: You do not have permissions to read from this Channel topic: ${name}`));
    await supabase.removeAllChannels();
  }
  // What a policy gives without the privilege is not given.
  const hall = await join(undefined, 'hall');
  assert.equal(hall.outcome, 'ok');
  assert.equal(await hall.channel.send({ type: 'broadcast', event: 'hello', payload: {} }), 'timed out');
  await hall.supabase.removeAllChannels();
  // Everybody may read from the lounge, and Ada alone may write.
  const [one, other] = [await join(tokenOf(ADA), 'lounge'), await join(tokenOf(BOB), 'lounge')];
  assert.equal(await one.channel.send({ type: 'broadcast', event: 'hello', payload: { by: 'ada' } }), 'ok');
  assert.equal(await other.channel.send({ type: 'broadcast', event: 'hello', payload: { by: 'bob' } }), 'timed out');
  const post = (access, isPrivate) => fetch(`${urls[1]}/realtime/v1/api/broadcast/lounge/events/hello?private=${isPrivate}`, {
    method: 'POST', headers: { apikey: anonKey, Authorization: `Bearer ${access}`, 'Content-Type': 'application/json' }, body: '{"by": "post"}',
  });
  assert.deepEqual([(await post(tokenOf(ADA), true)).status, (await post(tokenOf(BOB), true)).status, (await post(tokenOf(BOB), false)).status], [202, 403, 202]);
  assert.equal((await other.channel.track({})), 'error', 'nobody may be present there');
  await database.query("select realtime.send('{\"by\": \"database\"}', 'hello', 'lounge', true), realtime.send('{\"by\": \"nobody\"}', 'hello', 'lounge', false)");
  await database.query("insert into open_notes (body) values ('told')");
  const got = await other.until((all) => all.length >= 4);
  assert.deepEqual(got.map(({ payload: { by } }) => by).filter(Boolean).sort(), ['ada', 'database', 'post']);
  const change = got.find(({ event }) => event === 'INSERT').payload;
  assert.deepEqual([change.operation, change.schema, change.table, change.record.body, change.old_record], ['INSERT', 'public', 'open_notes', 'told', null]);
  const late = await join(tokenOf(BOB), 'lounge', { broadcast: { replay: { since: Date.now() - 60000, limit: 10 } } });
  const replayed = await late.until((all) => all.length >= 2);
  assert.ok(replayed.every(({ meta }) => meta.replayed && meta.id));
  // Public and private channels of one name do not hear each other.
  const open = await client();
  const heard = box();
  const channel = open.channel('lounge');
  channel.on('broadcast', { event: '*' }, heard.put);
  await new Promise((resolve) => { channel.subscribe((status) => { if (status === 'SUBSCRIBED') resolve(); }); });
  await one.channel.send({ type: 'broadcast', event: 'hello', payload: { by: 'ada' } });
  await post(tokenOf(BOB), false);
  const [{ payload }] = await heard.until((all) => all.length === 1);
  assert.equal(payload.by, 'post');
});

test('a socket goes on while one of its channels waits for the database', async () => {
  const holder = new pg.Client(need('PASSERELLE_DB_URL'));
  await holder.connect();
  await holder.query('begin; lock table gate');
  const socket = new WebSocket(`${urls[0].replace('http', 'ws')}/realtime/v1/websocket?apikey=${anonKey}&vsn=2.0.0`);
  const frames = box();
  socket.on('message', (data) => frames.put(JSON.parse(data)));
  await new Promise((resolve, reject) => { socket.on('open', resolve); socket.on('error', reject); });
  const send = (reference, topic, event, payload) => socket.send(JSON.stringify([reference, reference, topic, event, payload]));
  const reply = async (reference) => (await frames.until((all) => all.some((frame) => frame[1] === reference), `the reply to ${reference}`)).find((frame) => frame[1] === reference)[4].status;
  send('1', 'realtime:other', 'phx_join', {});
  assert.equal(await reply('1'), 'ok');
  send('2', 'realtime:slow', 'phx_join', { config: { private: true }, access_token: tokenOf(ADA) });
  send('3', 'realtime:slow', 'broadcast', { type: 'broadcast', event: 'x', payload: {} });
  send('4', 'phoenix', 'heartbeat', {});
  assert.equal(await reply('4'), 'ok');
  const post = await fetch(`${urls[1]}/realtime/v1/api/broadcast/other/events/meanwhile`, {
    method: 'POST', headers: { apikey: anonKey, 'Content-Type': 'application/json' }, body: '{}',
  });
  assert.equal(post.status, 202);
  await frames.until((all) => all.some((frame) => frame[4].event === 'meanwhile'), 'a broadcast');
  assert.ok(frames.got.every((frame) => frame[1] !== '2'));
  await holder.query('rollback');
  await holder.end();
  assert.equal(await reply('2'), 'ok');
  // What was said in between has waited for the join.
  send('5', 'realtime:slow', 'phx_leave', {});
  assert.equal(await reply('5'), 'ok');
  assert.ok(frames.got.every((frame) => frame[4]?.response?.reason !== 'unmatched topic'));
  socket.close();
});

test('who follows changes is told when some were lost, and follows them anew', async () => {
  const [one, other] = [await follow(service, ALL), await follow(service, ALL, urls[1])];
  const { rows: slots } = await database.query("select slot_name, active_pid from pg_replication_slots where slot_name like 'passerelle_rt_%' and database = current_database() and active");
  assert.equal(slots.length, 2);
  for (const { slot_name: slot, active_pid: pid } of slots) {
    await database.query('select pg_terminate_backend($1)', [pid]);
    // As when it held too much (max_slot_wal_keep_size).
    for (;;) {
      try { await database.query('select pg_drop_replication_slot($1)', [slot]); break; } catch (error) { if (!/is active/.test(error.message)) throw error; }
    }
  }
  for (const { system } of [one, other]) {
    await system.until((all) => all.some(({ status, message }) => status === 'error' && /missed/.test(message)), 'that some were missed');
    await system.until((all) => all.filter(({ status }) => status === 'ok').length === 2, 'the second subscription');
  }
  await settled(one, other);
});

test('who signs out loses their channels at once', async () => {
  const supabase = createClient(urls[0], anonKey, { auth: { persistSession: true, autoRefreshToken: false, storageKey: `s${process.pid}` }, realtime: { transport: WebSocket } });
  clients.push(supabase);
  const { data: { session } } = await supabase.auth.signUp({ email: `rt.${process.pid}@example.com`, password: 'StrongPass123!' });
  await supabase.realtime.setAuth(session.access_token);
  const states = box();
  const channel = supabase.channel('signed-in');
  channel.on('system', {}, states.put);
  await new Promise((resolve) => { channel.subscribe((status) => { if (status === 'SUBSCRIBED') resolve(); states.put(status); }); });
  const answer = await fetch(`${urls[1]}/auth/v1/logout`, { method: 'POST', headers: { apikey: anonKey, Authorization: `Bearer ${session.access_token}` } });
  assert.equal(answer.status, 204);
  await states.until((all) => all.some(({ message }) => message === 'The session has ended'));
  await states.until((all) => all.includes('CLOSED'));
  const said = await fetch(`${urls[0]}/realtime/v1/api/broadcast/signed-in/events/x`, {
    method: 'POST', headers: { apikey: anonKey, Authorization: `Bearer ${session.access_token}`, 'Content-Type': 'application/json' }, body: '{}',
  });
  assert.equal(said.status, 401);
});

test.after(async () => {
  for (const one of clients) await one.removeAllChannels().catch(() => {});
  for (const one of clients) one.realtime.disconnect();
  await database.end();
});
