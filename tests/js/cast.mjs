// Fresh people with rows of their own, and what may be said of a write's outcome. Nothing here is
// shared between two calls, so that tests in any order, or at the same time, do not meet.

import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { database, send, user } from './actors.mjs';

export const one = async (sql, params = []) => (await database.query(sql, params)).rows[0];
export const all = async (sql, params = []) => (await database.query(sql, params)).rows;

/** Writes a row as the superuser, silently: no one is calling, so nobody is notified. */
export const put = (table, values) => {
  const names = Object.keys(values);
  const places = names.map((_, index) => `$${index + 1}`);
  return one(`insert into ${table} (${names.map((name) => `"${name}"`)}) values (${places}) returning *`, Object.values(values));
};
export const stored = (table, id) => one(`select * from ${table} where id = $1`, [id]);

async function person(name, role = 'user') {
  const id = randomUUID();
  await put('profiles', { id, user_id: id, email: `${id}@example.org`, username: `${name}-${id}`, full_name: name });
  await put('user_roles', { user_id: id, role });
  return { ...user(name, id), id };
}

/** An owner, a friend to share with, a stranger and an administrator, none of whom existed before. */
export async function cast() {
  const [owner, friend, stranger, admin] = await Promise.all([person('owner'), person('friend'), person('stranger'), person('admin', 'admin')]);
  return { owner, friend, stranger, admin };
}

/** A time that no clock of these tests shows, to see whether updated_at moves. */
export const LONG_AGO = '2020-01-01T00:00:00.000Z';

export const resourceOf = (owner, values = {}) => put('resources', { user_id: owner.id, title: 'Stored title', description: 'Stored description', created_at: LONG_AGO, updated_at: LONG_AGO, ...values });
export const share = (resource, friend, permission, values = {}) => put('resource_shares', { resource_id: resource.id, shared_with_user_id: friend.id, permission, ...values });

/** The write went through; gives the client's data. */
export async function done(query, status) {
  const answer = await send(query);
  assert.equal(answer.error, null, JSON.stringify(answer.error));
  assert.equal(answer.status, status);
  return answer.data;
}

/** The write went through and says nothing: 201 of an insert, 204 of the others. */
export async function silent(query, status) {
  assert.equal(await done(query, status), null);
}

/** The write was refused with this status and code; gives the error. */
export async function refused(query, status, code) {
  const answer = await send(query);
  assert.equal(answer.error?.code, code, `status ${answer.status}, ${JSON.stringify(answer.error ?? answer.data)}`);
  assert.equal(answer.status, status);
  assert.equal(answer.data, null);
  assert.equal(typeof answer.error.message, 'string');
  assert.ok('details' in answer.error && 'hint' in answer.error);
  return answer.error;
}

/** An insert that a policy or a missing right forbids: 401 for who did not sign in, 403 for who did. */
export async function denied(person, query) {
  await refused(query, person.name === 'anon' ? 401 : 403, '42501');
}

/** What the write leaves as it is: `rows` must be there before, and be the same after. */
export async function untouched([sql, params], write) {
  const before = await all(sql, params);
  assert.ok(before.length > 0, 'there is something that could have been touched');
  await write();
  assert.deepEqual(await all(sql, params), before);
}

/** An update or delete that policies let pass without a row. */
export const touchesNothing = (rows, query) => untouched(rows, () => silent(query, 204));

export const row = (table, id) => [`select * from ${table} where id = $1`, [id]];
export const gone = async (table, id) => assert.equal(await stored(table, id), undefined);
export const count = async (table, condition, params) => (await one(`select count(*)::int as n from ${table} where ${condition}`, params)).n;
export const notices = (person) => all('select type, title, resource_id, group_id from notifications where user_id = $1 order by created_at, id', [person.id]);
export const kinds = async (person) => (await notices(person)).map((notice) => notice.type);
