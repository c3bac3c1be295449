// What the application's client does beside supabase-js, asked of the real gateway.

import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { after, before, describe, test } from 'node:test';
import { anon, database, need, open } from '../actors.mjs';
import { cast, done, gone, put, resourceOf, row, silent, stored, untouched } from '../cast.mjs';

const { ilikeAny } = await import(need('PASSERELLE_LOCAL_CLIENT'));
after(() => database.end());

/** Characters that mean something in a URL, in a logic tree, in quotes or in a pattern, each with a letter beside it. */
const SPECIAL = [',', '(', ')', '"', '\\', '%', '_', '*', "'", '&', '+', '#', '{', '}', ':', '.', '?', '/', '-', 'é', '語', '😀'];
const TRICKS = ['a,id.not.is.null', 'a)', 'a"', 'a"),or(id.not.is.null', 'a\\"', '%%', '__', '\\\\', 'not.a', ' a b '];

describe('text that a person types', () => {
  let names;
  before(async () => {
    names = [...SPECIAL.map((character) => `q${character}z`), ...TRICKS];
    for (const name of names) {
      const id = randomUUID();
      await put('profiles', { id, user_id: id, email: `${id}@example.org`, username: id, full_name: `${name} of ${id}` });
    }
  });

  test('finds people by it, and nobody else', async () => {
    for (const name of names) {
      const { data, error } = await anon.client.searchUsers(name);
      assert.equal(error, null, name);
      assert.ok(data.length > 0 && data.length <= 10, `${name}: ${data.length}`);
      // The interface cannot search for `*`; it stands for any one character.
      if (name.includes('*')) continue;
      for (const found of data) assert.ok(`${found.username} ${found.full_name}`.toLowerCase().includes(name.trim().toLowerCase()), `${name}: ${found.full_name}`);
    }
  });

  test('finds ten people at most, with four columns, by username, too', async () => {
    const many = await anon.client.searchUsers(' OF ');
    assert.equal(many.data.length, 10);
    assert.deepEqual(Object.keys(many.data[0]), ['id', 'username', 'full_name', 'avatar_url']);
    const { username } = many.data[0];
    assert.deepEqual((await anon.client.searchUsers(username.toUpperCase())).data, [many.data[0]]);
  });

  test('finds resources in any of several columns, by any of several words', async () => {
    const { owner } = await cast();
    const places = ['title', 'description', 'readme'];
    const made = await Promise.all(names.map((name, index) => resourceOf(owner, { [places[index % 3]]: `-> ${name} <- ${index}` })));
    for (const [index, name] of names.entries()) {
      const query = owner.client.from('resources').select('id,title,description,readme').eq('user_id', owner.id);
      const data = await done(query.or(ilikeAny(places, name)), 200);
      assert.ok(data.some(({ id }) => id === made[index].id), name);
      if (name.includes('*')) continue;
      for (const found of data) assert.ok(places.some((place) => found[place]?.includes(name)), `${name}: ${JSON.stringify(found)}`);
    }
    const [first, last] = [names[0], names.at(-1)];
    const two = await done(owner.client.from('resources').select('id').eq('user_id', owner.id).or(ilikeAny(places, [first, last])), 200);
    assert.deepEqual(two.map(({ id }) => id).sort(), [made[0].id, made.at(-1).id].sort());
  });
});

describe('values', () => {
  test('tags keep their commas, quotes and braces', async () => {
    const { owner } = await cast();
    const tags = ['a,b', 'say "hi"', '{}', 'null', '', 'back\\slash'];
    const made = await Promise.all(tags.map((tag) => resourceOf(owner, { tags: [tag, 'x'] })));
    for (const [index, tag] of tags.entries()) {
      for (const filter of ['overlaps', 'contains']) {
        const data = await done(owner.client.from('resources').select('id').eq('user_id', owner.id)[filter]('tags', [tag]), 200);
        assert.deepEqual(data, [{ id: made[index].id }], `${filter} ${tag}`);
      }
    }
  });

  test('categories keep their commas and quotes in a list', async () => {
    const { owner } = await cast();
    const categories = ['a,b', 'say "hi", you', '(c)', 'back\\slash'];
    for (const category of categories) await resourceOf(owner, { category });
    for (const category of categories) {
      const data = await done(owner.client.from('resources').select('category').eq('user_id', owner.id).in('category', [category]), 200);
      assert.deepEqual(data, [{ category }]);
    }
    const all = await done(owner.client.from('resources').select('category').eq('user_id', owner.id).in('category', categories), 200);
    assert.equal(all.length, 4);
  });

  test('undefined equals nothing, in columns of any type', async () => {
    const { owner } = await cast();
    const { id } = await resourceOf(owner, { category: 'undefined', tags: ['undefined'] });
    for (const column of ['id', 'category', 'tags', 'visibility', 'views_count', 'created_at']) {
      assert.deepEqual(await done(owner.client.from('resources').select('*').eq(column, undefined), 200), [], column);
      await untouched(row('resources', id), async () => {
        await silent(owner.client.from('resources').update({ title: 'Overwritten' }).eq(column, undefined), 204);
        await silent(owner.client.from('resources').delete().eq(column, undefined), 204);
      });
    }
  });
});

describe('writes', () => {
  test('without a filter leave every row alone', async () => {
    const { owner } = await cast();
    const { id } = await resourceOf(owner);
    await untouched(row('resources', id), async () => {
      assert.equal((await owner.client.from('resources').delete().execute()).error.code, 'LOCAL_UNFILTERED');
      assert.equal((await owner.client.from('resources').update({ title: 'x' }).execute()).error.code, 'LOCAL_UNFILTERED');
    });
    await silent(owner.client.from('resources').delete().not('id', 'is', null), 204);
    await gone('resources', id);
  });

  test('are made once, however often the chain is asked', async () => {
    const { owner } = await cast();
    const query = owner.client.from('collections').insert({ user_id: owner.id, name: 'Once' }).select().single();
    const [first, second, third] = [await query.execute(), await query, await query.execute()];
    assert.deepEqual([first.error, second.data, third.data], [null, first.data, first.data]);
    const { rows } = await database.query('select id from collections where user_id = $1', [owner.id]);
    assert.deepEqual(rows, [{ id: first.data.id }]);
    assert.equal((await stored('collections', first.data.id)).name, 'Once');
  });
});

describe('channels', () => {
  const joined = (channel) => new Promise((resolve, reject) => { channel.subscribe((status, error) => (status === 'SUBSCRIBED' ? resolve() : reject(error ?? new Error(status)))); });

  test('two follow one table, and are left one by one', async () => {
    const { client } = anon;
    const follow = () => client.channel('votes').on('postgres_changes', { event: '*', schema: 'public', table: 'category_tag_suggestions' }, () => {});
    const [first, second] = [follow(), follow()];
    await Promise.all([joined(first), joined(second)]);
    assert.equal(await client.removeChannel(first), 'ok');
    assert.deepEqual(client.getChannels(), [second]);
    assert.equal(await client.removeChannel(first), 'ok', 'leaving twice is no error');
    assert.deepEqual(await client.removeAllChannels(), ['ok']);
    assert.deepEqual(client.getChannels(), []);
  });
});

describe('accounts', () => {
  test('signing up signs in, with a profile and a name from the address', async () => {
    const client = open({ auth: { persistSession: false, autoRefreshToken: false } });
    const local = `Grace.${randomUUID()}`;
    const heard = [];
    const { data: listener } = client.auth.onAuthStateChange((event, session) => heard.push([event, session?.user.id ?? null]));
    const { data, error } = await client.auth.signUp({ email: `${local}@example.org`, password: 'StrongPass123!', options: { emailRedirectTo: 'http://localhost/' } });
    assert.equal(error, null);
    const { session, user } = data;
    assert.deepEqual([user.email, user.user_metadata.full_name], [`${local}@example.org`.toLowerCase(), local.toLowerCase()]);
    assert.ok(session.access_token && session.user.id === user.id && Date.parse(user.created_at) > 0);
    assert.ok(Math.abs(session.expires_at - Date.now() / 1000 - session.expires_in) < 60, 'expires_at is in seconds');
    assert.deepEqual((await client.auth.getSession()).data.session.user.id, user.id);
    assert.deepEqual((await client.auth.getUser()).data.user.id, user.id);
    const profile = await done(client.from('profiles').select('*').eq('id', user.id).single(), 200);
    assert.deepEqual([profile.user_id, profile.username, profile.full_name], [user.id, local.toLowerCase(), local.toLowerCase()]);
    const { error: failed } = await client.auth.signUp({ email: `${local}@example.org`, password: 'StrongPass123!' });
    assert.equal(failed.code, 'user_already_exists');
    await client.auth.signOut();
    assert.equal((await client.auth.getSession()).data.session, null);
    const wrong = await client.auth.signInWithPassword({ email: `${local}@example.org`, password: 'Wrong' });
    assert.equal(wrong.error.code, 'invalid_credentials');
    assert.equal((await client.auth.signInWithPassword({ email: `${local}@example.org`, password: 'StrongPass123!' })).data.user.id, user.id);
    listener.subscription.unsubscribe();
    assert.deepEqual(heard.filter(([event]) => event !== 'INITIAL_SESSION'), [['SIGNED_IN', user.id], ['SIGNED_OUT', null], ['SIGNED_IN', user.id]]);
  });
});
