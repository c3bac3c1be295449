// Suggestions, votes, collections and settings, written as the application writes them, by those who
// may and those who may not; the database is asked afterwards.

import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { after, describe, test } from 'node:test';
import { anon, database } from './actors.mjs';
import { LONG_AGO, all, cast, count, denied, done, gone, kinds, one, put, refused, resourceOf, row, silent, stored, touchesNothing, untouched } from './cast.mjs';

after(() => database.end());

const suggestions = 'category_tag_suggestions';
const suggestion = (author, values = {}) => put(suggestions, { name: `tag ${randomUUID()}`, type: 'tag', suggested_by: author?.id ?? null, created_at: LONG_AGO, updated_at: LONG_AGO, ...values });
const standing = async ({ id }) => {
  const { status, votes_count: votes, reviewed_by: by, reviewed_at: at } = await stored(suggestions, id);
  return { status, votes, by, reviewed: at !== null };
};
const pending = (votes) => ({ status: 'pending', votes, by: null, reviewed: false });

describe('suggestions', () => {
  const suggest = (person, values) => person.client.from(suggestions).insert({ name: `tag ${randomUUID()}`, type: 'tag', action: 'add', status: 'pending', description: 'd', ...values });

  test('CT10: everybody who signed in suggests, as pending', async () => {
    const { owner } = await cast();
    const name = `catégorie (${randomUUID()})`;
    await silent(suggest(owner, { name, type: 'category', suggested_by: owner.id, votes_count: 0 }), 201);
    const inside = await one(`select * from ${suggestions} where name = $1`, [name]);
    assert.deepEqual([inside.type, inside.status, inside.votes_count, inside.suggested_by, inside.reviewed_at], ['category', 'pending', 0, owner.id, null]);
    await refused(suggest(owner, { name, type: 'category', suggested_by: owner.id }), 409, '23505');
    await denied(anon, suggest(anon, {}));
  });

  test('CT10: in another\'s name is one\'s own', async () => {
    const { owner, stranger } = await cast();
    const { id } = await done(suggest(stranger, { suggested_by: owner.id, votes_count: 40 }).select('id').single(), 201);
    assert.equal((await stored(suggestions, id)).suggested_by, stranger.id);
    assert.deepEqual(await standing({ id }), pending(0));
  });

  test('CT11: approved from the start by administrators, plain pending by others', async () => {
    const { stranger, admin } = await cast();
    const approved = { status: 'approved', suggested_by: null, reviewed_at: LONG_AGO, votes_count: 10 };
    const plain = await done(suggest(stranger, approved).select('id').single(), 201);
    assert.deepEqual(await standing(plain), pending(0));
    assert.equal((await stored(suggestions, plain.id)).suggested_by, stranger.id);
    const real = await done(suggest(admin, approved).select('id').single(), 201);
    assert.deepEqual([(await standing(real)).status, (await stored(suggestions, real.id)).suggested_by], ['approved', null]);
    await denied(anon, suggest(anon, approved).select('id').single());
  });

  test('CT12: the score is the server\'s, whoever sends one', async () => {
    const { owner, stranger, admin } = await cast();
    const { id } = await suggestion(owner, { votes_count: 3 });
    for (const person of [anon, owner, stranger]) {
      await touchesNothing(row(suggestions, id), person.client.from(suggestions).update({ votes_count: 99 }).eq('id', id));
    }
    await silent(admin.client.from(suggestions).update({ votes_count: 99 }).eq('id', id), 204);
    assert.deepEqual(await standing({ id }), pending(3));
  });

  test('CT13: a voter\'s own approval or rejection touches nothing', async () => {
    const { owner, stranger } = await cast();
    const { id } = await suggestion(owner);
    for (const person of [anon, owner, stranger]) {
      for (const status of ['approved', 'rejected']) {
        await touchesNothing(row(suggestions, id), person.client.from(suggestions).update({ status, reviewed_at: LONG_AGO, reviewed_by: null }).eq('id', id));
      }
    }
    assert.deepEqual(await kinds(owner), []);
  });

  test('CT14: administrators rename', async () => {
    const { owner, admin } = await cast();
    const { id } = await suggestion(owner);
    const [name, description] = [`renamed ${randomUUID()}`, null];
    await touchesNothing(row(suggestions, id), owner.client.from(suggestions).update({ name, description }).eq('id', id));
    await silent(admin.client.from(suggestions).update({ name, description }).eq('id', id), 204);
    const inside = await stored(suggestions, id);
    assert.deepEqual([inside.name, inside.description], [name, null]);
    assert.ok(inside.updated_at > new Date(LONG_AGO));
  });

  test('CT15: administrators decide, and the author hears of an approval', async () => {
    const { owner, stranger, admin } = await cast();
    for (const [status, told] of [['rejected', []], ['approved', ['suggestion_approved']]]) {
      const { id } = await suggestion(owner);
      const review = (person) => person.client.from(suggestions).update({ status, reviewed_at: '2025-05-05T05:05:05Z', reviewed_by: person.id ?? null }).eq('id', id);
      for (const person of [anon, owner, stranger]) await touchesNothing(row(suggestions, id), review(person));
      await silent(review(admin), 204);
      assert.deepEqual(await standing({ id }), { status, votes: 0, by: admin.id, reviewed: true });
      assert.equal((await stored(suggestions, id)).reviewed_at.toISOString(), '2025-05-05T05:05:05.000Z');
      assert.deepEqual(await kinds(owner), told);
    }
  });

  test('CT16: administrators delete, with the votes', async () => {
    const { owner, stranger, admin } = await cast();
    const { id } = await suggestion(owner);
    await put('suggestion_votes', { suggestion_id: id, user_id: stranger.id, vote_type: 'upvote' });
    const remove = (person) => person.client.from(suggestions).delete().eq('id', id);
    for (const person of [anon, owner, stranger]) await touchesNothing(row(suggestions, id), remove(person));
    await silent(remove(admin), 204);
    await gone(suggestions, id);
    assert.equal(await count('suggestion_votes', 'suggestion_id = $1', [id]), 0);
  });
});

describe('votes', () => {
  const vote = (person, { id }, type, who = person) => person.client.from('suggestion_votes').insert({ suggestion_id: id, user_id: who.id, vote_type: type });
  const people = async (size) => (await Promise.all(Array.from({ length: Math.ceil(size / 4) }, cast))).flatMap(Object.values).slice(0, size);

  test('SV4: one vote per person, in one\'s own name, counted as a net score', async () => {
    const { owner, friend, stranger, admin } = await cast();
    const target = await suggestion(owner);
    await silent(vote(friend, target, 'upvote'), 201);
    await silent(vote(owner, target, 'upvote'), 201);
    assert.deepEqual(await standing(target), pending(2));
    await silent(vote(stranger, target, 'downvote'), 201);
    assert.deepEqual(await standing(target), pending(1));
    await refused(vote(friend, target, 'upvote'), 409, '23505');
    for (const person of [anon, stranger]) await denied(person, vote(person, target, 'upvote', admin));
    await refused(vote(admin, target, 'sideways'), 400, '22P02');
    await refused(vote(admin, { id: randomUUID() }, 'upvote'), 409, '23503');
    assert.deepEqual(await standing(target), pending(1));
    assert.equal((await stored(suggestions, target.id)).updated_at.toISOString(), LONG_AGO);
  });

  test('SV4: five up approve, and the author hears of it', async () => {
    const { owner } = await cast();
    const target = await suggestion(owner);
    const voters = await people(5);
    for (const [index, voter] of voters.entries()) {
      assert.equal((await standing(target)).status, 'pending', `after ${index}`);
      await silent(vote(voter, target, 'upvote'), 201);
    }
    assert.deepEqual(await standing(target), { status: 'approved', votes: 5, by: null, reviewed: true });
    assert.deepEqual(await kinds(owner), ['suggestion_approved']);
  });

  test('SV4: three down reject, also when all vote at once', async () => {
    const { owner } = await cast();
    const target = await suggestion(owner);
    const voters = await people(3);
    await Promise.all(voters.map((voter) => silent(vote(voter, target, 'downvote'), 201)));
    assert.deepEqual(await standing(target), { status: 'rejected', votes: -3, by: null, reviewed: true });
    assert.deepEqual(await kinds(owner), []);
  });

  test('SV5: one turns one\'s own vote, and moves it nowhere', async () => {
    const { owner, friend, stranger, admin } = await cast();
    const [target, other] = [await suggestion(owner), await suggestion(owner)];
    const { id } = await put('suggestion_votes', { suggestion_id: target.id, user_id: friend.id, vote_type: 'upvote' });
    const update = (person, values) => person.client.from('suggestion_votes').update(values).eq('id', id);
    for (const person of [anon, stranger, admin]) await touchesNothing(row('suggestion_votes', id), update(person, { vote_type: 'downvote' }));
    assert.deepEqual(await standing(target), pending(1));
    await silent(update(friend, { vote_type: 'downvote' }), 204);
    assert.equal((await stored('suggestion_votes', id)).vote_type, 'downvote');
    assert.deepEqual(await standing(target), pending(-1));
    for (const values of [{ suggestion_id: other.id }, { user_id: stranger.id }]) {
      await untouched(row('suggestion_votes', id), () => denied(friend, update(friend, values)));
    }
  });

  test('SV6: one takes back one\'s own vote', async () => {
    const { owner, friend, stranger, admin } = await cast();
    const target = await suggestion(owner);
    for (const person of [friend, admin]) {
      const { id } = await put('suggestion_votes', { suggestion_id: target.id, user_id: friend.id, vote_type: 'upvote' });
      const remove = (who) => who.client.from('suggestion_votes').delete().eq('id', id);
      for (const who of [anon, owner, stranger]) await touchesNothing(row('suggestion_votes', id), remove(who));
      assert.deepEqual(await standing(target), pending(1));
      await silent(remove(person), 204);
      await gone('suggestion_votes', id);
      assert.deepEqual(await standing(target), pending(0));
    }
  });

  test('SV7: a delete by suggestion removes one\'s own alone, all as an administrator', async () => {
    const { owner, friend, stranger, admin } = await cast();
    const target = await suggestion(owner);
    for (const person of [friend, stranger]) await put('suggestion_votes', { suggestion_id: target.id, user_id: person.id, vote_type: 'upvote' });
    const votes = ['select * from suggestion_votes where suggestion_id = $1 order by id', [target.id]];
    const remove = (person) => person.client.from('suggestion_votes').delete().eq('suggestion_id', target.id);
    for (const person of [anon, owner]) await touchesNothing(votes, remove(person));
    await silent(remove(friend), 204);
    assert.deepEqual((await all(...votes)).map((left) => left.user_id), [stranger.id]);
    assert.deepEqual(await standing(target), pending(1));
    await silent(remove(admin), 204);
    assert.deepEqual(await all(...votes), []);
    assert.deepEqual(await standing(target), pending(0));
  });
});

const collectionOf = (owner, values = {}) => put('collections', { user_id: owner.id, name: 'Stored', is_public: true, created_at: LONG_AGO, updated_at: LONG_AGO, ...values });

describe('collections', () => {
  test('CO5: one\'s own, empty at first', async () => {
    const { owner, stranger, admin } = await cast();
    const create = (person, who) => person.client.from('collections').insert({ name: 'New', description: 'd', user_id: who.id, is_public: false, resources_count: 7 }).select().single();
    const data = await done(create(owner, owner), 201);
    const inside = await stored('collections', data.id);
    assert.deepEqual([data.name, data.resources_count, data.is_public], ['New', 0, false]);
    assert.deepEqual([inside.name, inside.resources_count, inside.user_id], ['New', 0, owner.id]);
    for (const person of [anon, stranger, admin]) await denied(person, create(person, owner));
    assert.equal(await count('collections', 'user_id = $1', [owner.id]), 1);
  });

  test('CO6: the owner and administrators change and get the row; no row is 406', async () => {
    const { owner, stranger, admin } = await cast();
    const { id } = await collectionOf(owner);
    const update = (person, values) => person.client.from('collections').update(values).eq('id', id).select().single();
    for (const person of [owner, admin]) {
      const data = await done(update(person, { name: `by ${person.name}`, description: null, is_public: true }), 200);
      assert.deepEqual([data.id, data.name], [id, `by ${person.name}`]);
      assert.equal((await stored('collections', id)).name, `by ${person.name}`);
    }
    for (const person of [anon, stranger]) await untouched(row('collections', id), () => refused(update(person, { name: 'Taken' }), 406, 'PGRST116'));
    for (const person of [owner, admin]) await untouched(row('collections', id), () => denied(person, update(person, { user_id: stranger.id })));
  });

  test('CO7: a count that a client sends is ignored, and does not move updated_at', async () => {
    const { owner, stranger, admin } = await cast();
    const { id } = await collectionOf(owner);
    for (const person of [anon, stranger, owner, admin]) {
      await touchesNothing(row('collections', id), person.client.from('collections').update({ resources_count: 9 }).eq('id', id));
    }
  });

  test('CO8: the owner and administrators delete', async () => {
    const { owner, stranger, admin } = await cast();
    for (const person of [owner, admin]) {
      const { id } = await collectionOf(owner);
      const entry = await put('collection_resources', { collection_id: id, resource_id: (await resourceOf(owner)).id });
      const remove = (who) => who.client.from('collections').delete().eq('id', id);
      for (const who of [anon, stranger]) await touchesNothing(row('collections', id), remove(who));
      await silent(remove(person), 204);
      await gone('collections', id);
      await gone('collection_resources', entry.id);
    }
  });
});

describe('what collections hold', () => {
  const entries = 'collection_resources';
  const held = async ({ id }) => {
    const { resources_count: total, updated_at: updated } = await stored('collections', id);
    assert.equal(updated.toISOString(), LONG_AGO);
    return total;
  };

  test('CR2: into one\'s own, what one can read, under both names of the place', async () => {
    const { owner, stranger, admin } = await cast();
    const [collection, open, hidden] = [await collectionOf(owner), await resourceOf(stranger), await resourceOf(stranger, { visibility: 'private' })];
    const add = (person, resource, order = 3) => person.client.from(entries).insert({ collection_id: collection.id, resource_id: resource.id, order });
    await silent(add(owner, open), 201);
    const inside = await one(`select order_index, "order" from ${entries} where collection_id = $1`, [collection.id]);
    assert.deepEqual(inside, { order_index: 3, order: 3 });
    assert.equal(await held(collection), 1);
    await refused(add(owner, open), 409, '23505');
    await denied(owner, add(owner, hidden));
    const free = await resourceOf(stranger);
    for (const person of [anon, stranger, admin]) await denied(person, add(person, free));
    assert.equal(await held(collection), 1);
  });

  test('CR3: the owner moves', async () => {
    const { owner, stranger, admin } = await cast();
    const [collection, first, second] = [await collectionOf(owner), await resourceOf(stranger), await resourceOf(stranger)];
    const [one_, two] = await Promise.all([first, second].map(({ id }, order) => put(entries, { collection_id: collection.id, resource_id: id, order_index: order })));
    const move = (person, resource, order) => person.client.from(entries).update({ order }).eq('collection_id', collection.id).eq('resource_id', resource.id);
    for (const person of [anon, stranger, admin]) await touchesNothing(row(entries, one_.id), move(person, first, 5));
    await untouched(row(entries, two.id), () => silent(move(owner, first, 5), 204));
    const inside = await stored(entries, one_.id);
    assert.deepEqual([inside.order, inside.order_index], [5, 5]);
  });

  test('CR4 and CR5: the owner takes one out, then all', async () => {
    const { owner, stranger, admin } = await cast();
    const [collection, other] = [await collectionOf(owner), await collectionOf(owner)];
    const resources = await Promise.all([1, 2, 3].map(() => resourceOf(stranger)));
    for (const { id } of resources) await put(entries, { collection_id: collection.id, resource_id: id });
    const kept = await put(entries, { collection_id: other.id, resource_id: resources[0].id });
    const all_ = [`select * from ${entries} where collection_id = $1 order by id`, [collection.id]];
    const takeOne = (person) => person.client.from(entries).delete().eq('collection_id', collection.id).eq('resource_id', resources[0].id);
    const takeAll = (person) => person.client.from(entries).delete().eq('collection_id', collection.id);
    for (const person of [anon, stranger, admin]) {
      await touchesNothing(all_, takeOne(person));
      await touchesNothing(all_, takeAll(person));
    }
    await silent(takeOne(owner), 204);
    assert.equal(await held(collection), 2);
    assert.equal(await count(entries, 'collection_id = $1 and resource_id = $2', [collection.id, resources[0].id]), 0);
    await silent(takeAll(owner), 204);
    assert.equal(await held(collection), 0);
    assert.ok(await stored(entries, kept.id));
  });
});

describe('settings', () => {
  const save = (person, values) => person.client.from('admin_config').upsert(values, { onConflict: 'key' });
  const setting = (key) => one('select id, value, value_text, description from admin_configs where key = $1', [key]);

  test('A2: administrators save settings as text; admin_configs keeps JSON', async () => {
    const { admin } = await cast();
    const key = `setting ${randomUUID()}`;
    await silent(save(admin, { id: randomUUID(), key, value: 'true', description: 'd' }), 201);
    assert.deepEqual([(await setting(key)).value, (await setting(key)).value_text], [true, 'true']);
    const id = randomUUID();
    await silent(save(admin, { id, key, value: '5' }), 200);
    assert.deepEqual(await setting(key), { id, value: 5, value_text: '5', description: 'd' });
    await silent(save(admin, [{ key, value: 'five' }, { key: `${key} too`, value: '1e3' }]), 201);
    assert.deepEqual([(await setting(key)).value, (await setting(`${key} too`)).value], ['five', '1e3']);
    const data = await done(admin.client.from('admin_config').select('value').eq('key', key).single(), 200);
    assert.deepEqual(data, { value: 'five' });
  });

  test('A2: nobody else does', async () => {
    const { owner, admin } = await cast();
    const key = `setting ${randomUUID()}`;
    await put('admin_configs', { key, value: 'true' });
    for (const person of [anon, owner]) {
      await untouched(['select * from admin_configs where key = $1', [key]], () => denied(person, save(person, { key, value: 'false' })));
      await denied(person, save(person, { key: `${key} new`, value: 'false' }));
    }
    await refused(save(admin, { id: 'config-1', key, value: 'false' }), 400, '22P02');
    assert.equal(await setting(`${key} new`), undefined);
    assert.equal((await setting(key)).value, true);
  });
});
