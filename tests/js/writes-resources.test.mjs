// Resources, bookmarks, ratings and versions, written as the application writes them, by those who
// may and those who may not; the database is asked afterwards.

import assert from 'node:assert/strict';
import { after, describe, test } from 'node:test';
import { anon, database } from './actors.mjs';
import { LONG_AGO, cast, count, denied, done, gone, put, refused, resourceOf, row, share, silent, stored, touchesNothing, untouched } from './cast.mjs';

after(() => database.end());
const P3 = '*, profiles!inner(username, full_name, avatar_url)';
const PA = '*, profiles(*)';
const counters = { average_rating: 5, ratings_count: 40, downloads_count: 50, views_count: 60 };
const form = (owner, values = {}) => ({ user_id: owner.id, title: 'A guide, "quoted" (é)', description: "It's 100% new", tags: ['react', 'c,d', 'say "hi"', '{}'], category: 'Design', visibility: 'public', ...values });
const titled = (owner, title) => count('resources', 'user_id = $1 and title = $2', [owner.id, title]);

describe('new resources', () => {
  test('W1: the owner gets the stored row back', async () => {
    const { owner } = await cast();
    const data = await done(owner.client.from('resources').insert(form(owner)).select().single(), 201);
    const inside = await stored('resources', data.id);
    assert.deepEqual([data.title, data.description, data.tags], [form(owner).title, form(owner).description, form(owner).tags]);
    assert.deepEqual([inside.user_id, inside.title, inside.description, inside.tags, inside.resource_type], [owner.id, data.title, data.description, data.tags, 'external_link']);
    assert.equal(new Date(data.created_at).getTime(), inside.created_at.getTime());
  });

  test('W1: counters start at zero whatever is sent', async () => {
    const { owner } = await cast();
    const data = await done(owner.client.from('resources').insert(form(owner, counters)).select('*').single(), 201);
    const inside = await stored('resources', data.id);
    assert.deepEqual([inside.average_rating, inside.ratings_count, inside.downloads_count, inside.views_count], ['0.00', 0, 0, 0]);
    assert.deepEqual([data.average_rating, data.ratings_count, data.downloads_count, data.views_count], [0, 0, 0, 0]);
  });

  test('W1: nobody writes in the name of another', async () => {
    const { owner, stranger, admin } = await cast();
    for (const person of [anon, stranger, admin]) {
      await denied(person, person.client.from('resources').insert(form(owner)).select().single());
    }
    assert.equal(await titled(owner, form(owner).title), 0);
  });

  test('W1: what the table does not take is an error of the request', async () => {
    const { owner } = await cast();
    const insert = (values) => owner.client.from('resources').insert(values).select().single();
    const missing = await refused(insert({ user_id: owner.id, title: 'No description' }), 400, '23502');
    assert.match(missing.message, /description/);
    const unknown = await refused(insert(form(owner, { colour: 'red' })), 400, 'PGRST204');
    assert.match(unknown.message, /colour/);
    await refused(insert(form(owner, { visibility: 'everyone' })), 400, '22P02');
    await refused(insert(form(owner, { title: 'x'.repeat(501) })), 400, '22001');
    assert.equal(await count('resources', 'user_id = $1', [owner.id]), 0);
  });

  test('W1: a file of 10 MB travels as a data URL', async () => {
    const { owner } = await cast();
    const file = `data:application/pdf;base64,${'QUJD'.repeat(3_495_254)}`;
    const { id } = await done(owner.client.from('resources').insert(form(owner, { file_url: file, resource_type: 'file_upload' })).select('id').single(), 201);
    assert.equal(await count('resources', 'id = $1 and file_url = $2', [id, file]), 1);
  });

  test('W2: the new row comes with its author, without the address', async () => {
    const { owner } = await cast();
    const data = await done(owner.client.from('resources').insert(form(owner)).select(PA).single(), 201);
    assert.equal(data.profiles.user_id, owner.id);
    assert.equal(data.profiles.full_name, 'owner');
    assert.ok(!('email' in data.profiles));
    assert.equal((await stored('resources', data.id)).title, data.title);
  });
});

describe('changed resources', () => {
  test('W3: the owner and administrators change, and updated_at moves', async () => {
    const { owner, admin } = await cast();
    for (const person of [owner, admin]) {
      const { id } = await resourceOf(owner);
      await silent(person.client.from('resources').update({ title: 'New', visibility: 'private', tags: [] }).eq('id', id), 204);
      const inside = await stored('resources', id);
      assert.deepEqual([inside.title, inside.visibility, inside.tags, inside.description], ['New', 'private', [], 'Stored description']);
      assert.ok(inside.updated_at > new Date(LONG_AGO));
    }
  });

  test('W3: others change nothing and hear nothing', async () => {
    const { owner, friend, stranger } = await cast();
    const { id } = await resourceOf(owner, { visibility: 'public' });
    const shared = await resourceOf(owner, { visibility: 'shared_users' });
    await share(shared, friend, 'read');
    for (const person of [anon, friend, stranger]) {
      for (const target of [id, shared.id]) {
        await touchesNothing(row('resources', target), person.client.from('resources').update({ title: 'Taken' }).eq('id', target));
      }
    }
  });

  test('W3: counters are not for clients, and do not move updated_at', async () => {
    const { owner, admin } = await cast();
    const { id } = await resourceOf(owner);
    for (const person of [owner, admin]) {
      await touchesNothing(row('resources', id), person.client.from('resources').update(counters).eq('id', id));
    }
  });

  test('W3: who may write by a share edits content, not visibility or owner', async () => {
    const { owner, friend, admin } = await cast();
    const { id } = await resourceOf(owner, { visibility: 'shared_users' });
    await share({ id }, friend, 'write');
    const update = (person, values) => person.client.from('resources').update(values).eq('id', id);
    await silent(update(friend, { title: 'By a friend' }), 204);
    assert.equal((await stored('resources', id)).title, 'By a friend');
    await untouched(row('resources', id), () => denied(friend, update(friend, { visibility: 'public' })));
    await untouched(row('resources', id), () => denied(friend, update(friend, { user_id: friend.id })));
    await untouched(row('resources', id), () => denied(owner, update(owner, { user_id: friend.id })));
    await silent(update(admin, { user_id: friend.id }), 204);
    assert.equal((await stored('resources', id)).user_id, friend.id);
  });

  test('W3: private beats a share, and a share ends', async () => {
    const { owner, friend } = await cast();
    const hidden = await resourceOf(owner, { visibility: 'private' });
    const over = await resourceOf(owner, { visibility: 'shared_users' });
    await share(hidden, friend, 'write');
    await share(over, friend, 'write', { expires_at: LONG_AGO });
    for (const { id } of [hidden, over]) {
      await touchesNothing(row('resources', id), friend.client.from('resources').update({ title: 'Taken' }).eq('id', id));
    }
  });

  test('W4: a renamed category moves the rows one may write', async () => {
    const { owner, stranger, admin } = await cast();
    const old = `category of ${owner.id}`;
    const mine = await resourceOf(owner, { category: old });
    const theirs = await resourceOf(stranger, { category: old });
    const other = await resourceOf(owner, { category: 'another' });
    const rename = (person, to) => person.client.from('resources').update({ category: to }).eq('category', old);
    await touchesNothing(['select * from resources where category = $1 order by id', [old]], rename(anon, 'anon'));
    await silent(rename(owner, 'by owner'), 204);
    const categories = async () => (await Promise.all([mine, theirs, other].map(({ id }) => stored('resources', id)))).map((found) => found.category);
    assert.deepEqual(await categories(), ['by owner', old, 'another']);
    await silent(rename(admin, 'by admin'), 204);
    assert.deepEqual(await categories(), ['by owner', 'by admin', 'another']);
  });

  test('W5: the changed row comes back with its author; no row is 406', async () => {
    const { owner, stranger } = await cast();
    const { id } = await resourceOf(owner);
    const update = (person, title) => person.client.from('resources').update({ title, description: 'd' }).eq('id', id).select(PA).single();
    const data = await done(update(owner, 'Edited'), 200);
    assert.deepEqual([data.id, data.title, data.profiles.username], [id, 'Edited', `owner-${owner.id}`]);
    assert.equal((await stored('resources', id)).title, 'Edited');
    for (const person of [anon, stranger]) {
      await untouched(row('resources', id), () => refused(update(person, 'Taken'), 406, 'PGRST116'));
    }
  });

  test('W6: the owner and administrators delete, with all that hangs on it', async () => {
    const { owner, friend, stranger, admin } = await cast();
    for (const person of [owner, admin]) {
      const { id } = await resourceOf(owner, { visibility: 'shared_users' });
      await share({ id }, friend, 'write');
      const comment = await put('resource_comments', { resource_id: id, user_id: friend.id, content: 'Hello' });
      const remove = (who) => who.client.from('resources').delete().eq('id', id);
      for (const who of [anon, friend, stranger]) await touchesNothing(row('resources', id), remove(who));
      await silent(remove(person), 204);
      await gone('resources', id);
      await gone('resource_comments', comment.id);
      assert.equal(await count('resource_shares', 'resource_id = $1', [id]), 0);
    }
  });
});

describe('bookmarks', () => {
  test('S3: one bookmarks what one can read, for oneself, once', async () => {
    const { owner, friend, stranger } = await cast();
    const open = await resourceOf(owner);
    const shared = await resourceOf(owner, { visibility: 'shared_users' });
    await share(shared, friend, 'read');
    const save = (person, resource, who = person) => person.client.from('saved_resources').insert({ resource_id: resource.id, user_id: who.id });
    await silent(save(friend, open), 201);
    await silent(save(friend, shared), 201);
    await denied(stranger, save(stranger, shared));
    await denied(stranger, save(stranger, open, friend));
    await denied(anon, save(anon, open, stranger));
    const twice = await refused(save(friend, open), 409, '23505');
    assert.match(twice.message, /saved_resources/);
    assert.equal(await count('saved_resources', 'user_id = $1', [friend.id]), 2);
    assert.equal(await count('saved_resources', 'user_id = $1', [stranger.id]), 0);
  });

  test('S2: a delete without a filter on people removes one\'s own alone', async () => {
    const { owner, friend, stranger, admin } = await cast();
    const { id } = await resourceOf(owner);
    const saved = await Promise.all([owner, friend].map((person) => put('saved_resources', { resource_id: id, user_id: person.id })));
    const remove = (person) => person.client.from('saved_resources').delete().eq('resource_id', id);
    for (const person of [anon, stranger, admin]) {
      await touchesNothing(['select * from saved_resources where resource_id = $1 order by id', [id]], remove(person));
    }
    await silent(remove(friend), 204);
    await gone('saved_resources', saved[1].id);
    assert.ok(await stored('saved_resources', saved[0].id));
  });
});

describe('ratings', () => {
  const rate = (person, resource, rating, who = person) => person.client.from('resource_ratings').upsert({ resource_id: resource.id, user_id: who.id, rating }, { onConflict: 'resource_id,user_id' });
  const standing = async ({ id }) => {
    const { average_rating: average, ratings_count: ratings, updated_at: updated } = await stored('resources', id);
    return [average, ratings, updated.toISOString()];
  };

  test('RT2: rating again replaces, and the resource counts', async () => {
    const { owner, friend } = await cast();
    const resource = await resourceOf(owner);
    await silent(rate(friend, resource, 5), 201);
    await silent(rate(owner, resource, 2), 201);
    assert.deepEqual(await standing(resource), ['3.50', 2, LONG_AGO]);
    await silent(rate(friend, resource, 1), 200);
    assert.deepEqual(await standing(resource), ['1.50', 2, LONG_AGO]);
    assert.equal(await count('resource_ratings', 'resource_id = $1 and user_id = $2 and rating = 1', [resource.id, friend.id]), 1);
  });

  test('RT2: not for others, not of what one cannot read, not outside 1 to 5', async () => {
    const { owner, friend, stranger, admin } = await cast();
    const resource = await resourceOf(owner);
    const hidden = await resourceOf(owner, { visibility: 'private' });
    await put('resource_ratings', { resource_id: resource.id, user_id: friend.id, rating: 3 });
    await untouched(['select * from resource_ratings where resource_id = any($1)', [[resource.id, hidden.id]]], async () => {
      for (const person of [anon, stranger, admin]) await denied(person, rate(person, resource, 1, friend));
      await denied(stranger, rate(stranger, hidden, 1));
      await refused(rate(stranger, resource, 6), 400, '23514');
      await denied(stranger, rate(stranger, { id: undefined }, 4));
    });
    assert.deepEqual(await standing(resource), ['3.00', 1, LONG_AGO]);
  });

  test('RT3: a delete without a filter on people removes one\'s own alone', async () => {
    const { owner, friend, stranger, admin } = await cast();
    const resource = await resourceOf(owner);
    for (const [person, rating] of [[owner, 4], [friend, 1]]) await put('resource_ratings', { resource_id: resource.id, user_id: person.id, rating });
    const ratings = ['select * from resource_ratings where resource_id = $1 order by id', [resource.id]];
    const remove = (person) => person.client.from('resource_ratings').delete().eq('resource_id', resource.id);
    for (const person of [anon, stranger]) await touchesNothing(ratings, remove(person));
    await silent(remove(friend), 204);
    assert.deepEqual(await standing(resource), ['4.00', 1, LONG_AGO]);
    await silent(remove(admin), 204);
    assert.deepEqual(await standing(resource), ['0.00', 0, LONG_AGO]);
  });
});

describe('versions', () => {
  const version = (resource, author, number) => ({ resource_id: resource.id, version_number: number, title: `v${number}`, description: 'd', tags: ['a'], created_by: author.id, change_summary: 'why' });
  const add = (person, ...values) => person.client.from('resource_versions').insert(version(...values)).select().single();

  test('V3: who may write the resource adds versions in their own name', async () => {
    const { owner, friend, stranger } = await cast();
    const resource = await resourceOf(owner, { visibility: 'shared_users' });
    await share(resource, friend, 'write');
    const first = await done(add(owner, resource, owner, 1), 201);
    const second = await done(add(friend, resource, friend, 2), 201);
    assert.deepEqual([first.title, second.title, second.created_by], ['v1', 'v2', friend.id]);
    assert.equal((await stored('resource_versions', second.id)).change_summary, 'why');
    await refused(add(owner, resource, owner, 2), 409, '23505');
    await denied(stranger, add(stranger, resource, stranger, 3));
    await denied(friend, add(friend, resource, owner, 3));
    await denied(anon, add(anon, resource, owner, 3));
    assert.equal(await count('resource_versions', 'resource_id = $1', [resource.id]), 2);
  });

  test('V3: reading is not enough', async () => {
    const { owner, friend, stranger } = await cast();
    const resource = await resourceOf(owner, { visibility: 'public' });
    await share(resource, friend, 'read');
    for (const person of [friend, stranger]) await denied(person, add(person, resource, person, 1));
    assert.equal(await count('resource_versions', 'resource_id = $1', [resource.id]), 0);
  });

  test('V4: the owner and administrators remove old versions, never the last', async () => {
    const { owner, friend, stranger, admin } = await cast();
    const resource = await resourceOf(owner);
    await share(resource, friend, 'write');
    const [first, second, last] = await Promise.all([1, 2, 3].map((number) => put('resource_versions', version(resource, friend, number))));
    const remove = (person, { id }) => person.client.from('resource_versions').delete().eq('id', id);
    for (const person of [anon, friend, stranger]) await touchesNothing(row('resource_versions', first.id), remove(person, first));
    await silent(remove(owner, first), 204);
    await silent(remove(admin, second), 204);
    await gone('resource_versions', first.id);
    await gone('resource_versions', second.id);
    for (const person of [owner, admin]) await touchesNothing(row('resource_versions', last.id), remove(person, last));
  });
});

describe('counted views and downloads', () => {
  for (const [name, column] of [['increment_resource_views', 'views_count'], ['increment_resource_downloads', 'downloads_count']]) {
    const call = (person, id) => person.client.rpc(name, { resource_id: id });

    test(`${name}: everybody who can read counts, updated_at stays`, async () => {
      const { owner, stranger } = await cast();
      const resource = await resourceOf(owner, { [column]: 7 });
      for (const person of [anon, stranger, owner]) await silent(call(person, resource.id), 204);
      const inside = await stored('resources', resource.id);
      assert.equal(inside[column], 10);
      assert.deepEqual({ ...inside, [column]: 7 }, resource);
    });

    test(`${name}: who cannot read does not count`, async () => {
      const { owner, stranger } = await cast();
      const { id } = await resourceOf(owner, { visibility: 'private' });
      for (const person of [anon, stranger]) await touchesNothing(row('resources', id), call(person, id));
      await silent(call(owner, id), 204);
      assert.equal((await stored('resources', id))[column], 1);
    });

    test(`${name}: wrong calls`, async () => {
      await refused(anon.client.rpc(name), 404, 'PGRST202');
      await refused(anon.client.rpc(name, { id: 'x' }), 404, 'PGRST202');
      await refused(call(anon, 'not a uuid'), 400, '22P02');
      await refused(anon.client.rpc(`${name}s`, { resource_id: '00000000-0000-0000-0000-000000000000' }), 404, 'PGRST202');
    });
  }
});

test('the inner embed of P3 answers a write, too', async () => {
  const { owner } = await cast();
  const data = await done(owner.client.from('resources').insert(form(owner)).select(P3).single(), 201);
  assert.deepEqual(data.profiles, { username: `owner-${owner.id}`, full_name: 'owner', avatar_url: null });
});
