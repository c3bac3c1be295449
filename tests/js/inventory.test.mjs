// Every GET shape of the application, asked through supabase-js as several people, gives the rows
// that SQL gives under the same claims.

import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { anon, database, send, user } from './actors.mjs';
import { facts, shapes } from './shapes.mjs';

/** Key order and the order inside embedded arrays mean nothing. */
const canonical = (value) => {
  if (Array.isArray(value)) {
    const items = value.map(canonical);
    return value.some((item) => item !== null && typeof item === 'object') ? items.sort((a, b) => JSON.stringify(a) < JSON.stringify(b) ? -1 : 1) : items;
  }
  if (value === null || typeof value !== 'object') return value;
  return Object.fromEntries(Object.keys(value).sort().map((key) => [key, canonical(value[key])]));
};
const text = (row) => JSON.stringify(canonical(row));

function compareRows(shape, got, expected) {
  const length = Math.min(shape.limit ?? Infinity, expected.length);
  assert.equal(got.length, length, `${shape.id}: number of rows`);
  const left = new Map();
  for (const row of expected.map(text)) left.set(row, (left.get(row) ?? 0) + 1);
  for (const row of got.map(text)) {
    assert.ok(left.get(row) > 0, `${shape.id}: a row that SQL does not give: ${row.slice(0, 600)}`);
    left.set(row, left.get(row) - 1);
  }
  if (shape.order) {
    const column = (rows) => rows.slice(0, length).map((row) => row[shape.order]);
    assert.deepEqual(column(got), column(expected), `${shape.id}: order`);
  }
}

let given;
let people;
const seen = new Map();

before(async () => {
  given = await facts(database);
  people = [anon, user('owner', given.owner), user('other', given.other), user('admin', given.admin)];
});
after(() => database.end());

describe('every GET of the inventory', () => {
  for (const shape of shapes) {
    test(shape.id, async () => {
      for (const person of people) {
        const expected = await person.rows(shape.sql, shape.params?.(given) ?? []);
        seen.set(`${shape.id} ${person.name}`, expected.length);
        let query = shape.call(person.client, given);
        if (shape.one) query = query.single();
        if (shape.maybe) query = query.maybeSingle();
        const { data, error, status } = await send(query);
        if (shape.one && expected.length !== 1) {
          assert.equal(error?.code, 'PGRST116', `${shape.id} as ${person.name}`);
          assert.equal(status, 406);
          continue;
        }
        assert.equal(error, null, `${shape.id} as ${person.name}: ${JSON.stringify(error)}`);
        const rows = shape.one || shape.maybe ? [data].filter((row) => row !== null) : data;
        compareRows(shape, rows, expected);
      }
    });
  }

  test('the people see different rows, so the comparison means something', () => {
    const count = (id) => people.map((person) => seen.get(`${id} ${person.name}`));
    const [stranger, owner, other, admin] = count('R9');
    assert.ok(stranger > 0 && owner > stranger && admin > owner && other >= stranger, `R9: ${count('R9')}`);
    assert.deepEqual(count('R2 private'), [0, 1, 0, 1]);
    assert.ok(count('N1')[1] > 0 && count('N1')[0] === 0 && count('N1')[2] === 0, `N1: ${count('N1')}`);
    assert.deepEqual(count('UR1'), [0, 0, 0, 1]);
  });
});

describe('addresses', () => {
  const refused = async (query) => {
    const { data, error, status } = await send(query);
    assert.equal(data, null);
    assert.equal(error.code, '42501');
    return status;
  };

  test('cannot be selected, filtered, ordered or embedded', async () => {
    for (const person of people) {
      const from = () => person.client.from('profiles');
      const status = person === anon ? 401 : 403;
      assert.equal(await refused(from().select('email')), status);
      assert.equal(await refused(from().select('id').eq('email', 'someone@example.org')), status);
      assert.equal(await refused(from().select('id').order('email')), status);
      assert.equal(await refused(person.client.from('resources').select('id, profiles(email)')), status);
      assert.equal(await refused(person.client.from('resources').select('id, profiles!inner(id)').like('profiles.email', '%')), status);
    }
  });

  test('are not part of a star', async () => {
    for (const person of people) {
      const { data } = await send(person.client.from('profiles').select('*').limit(3));
      assert.ok(data.length > 0 && data.every((row) => !('email' in row) && !('preferred_layout' in row)));
    }
  });
});
