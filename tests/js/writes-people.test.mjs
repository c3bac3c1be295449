// Shares, comments, groups, notifications and profiles, written as the application writes them, by
// those who may and those who may not; the database is asked afterwards.

import assert from 'node:assert/strict';
import { after, describe, test } from 'node:test';
import { anon, database, service } from './actors.mjs';
import { LONG_AGO, all, cast, count, denied, done, gone, kinds, notices, one, put, refused, resourceOf, row, share, silent, stored, touchesNothing, untouched } from './cast.mjs';

after(() => database.end());
const P3 = '*, profiles!inner(username, full_name, avatar_url)';

/** A group as the superuser writes it; its owner is a member from the start. */
const groupOf = (owner) => put('groups', { owner_id: owner.id, name: 'Stored group', created_at: LONG_AGO, updated_at: LONG_AGO });
const member = (group, person, role = 'member') => put('group_members', { group_id: group.id, user_id: person.id, role });

describe('shares', () => {
  const give = (person, resource, values) => person.client.from('resource_shares').insert({ resource_id: resource.id, permission: 'read', ...values });

  test('SH4: the owner and administrators share with a person, who is told', async () => {
    const { owner, friend, stranger, admin } = await cast();
    const resource = await resourceOf(owner, { visibility: 'shared_users' });
    await silent(give(owner, resource, { shared_with_user_id: friend.id, permission: 'write' }), 201);
    await silent(give(admin, resource, { shared_with_user_id: stranger.id }), 201);
    const shares = await all('select shared_with_user_id as who, permission from resource_shares where resource_id = $1 order by permission', [resource.id]);
    assert.deepEqual(shares, [{ who: stranger.id, permission: 'read' }, { who: friend.id, permission: 'write' }]);
    for (const person of [friend, stranger]) {
      assert.deepEqual(await notices(person), [{ type: 'resource_shared', title: 'Ressource partagée', resource_id: resource.id, group_id: null }]);
    }
    assert.deepEqual(await kinds(owner), []);
    const read = await done(friend.client.from('resources').select('id').eq('id', resource.id).single(), 200);
    assert.equal(read.id, resource.id);
  });

  test('SH4: a group that one belongs to, whose members are told', async () => {
    const { owner, friend, stranger, admin } = await cast();
    const resource = await resourceOf(owner, { visibility: 'shared_groups' });
    const [mine, theirs] = [await groupOf(owner), await groupOf(stranger)];
    await member(mine, friend);
    await silent(give(owner, resource, { shared_with_group_id: mine.id }), 201);
    await denied(owner, give(owner, resource, { shared_with_group_id: theirs.id }));
    await denied(admin, give(admin, resource, { shared_with_group_id: theirs.id }));
    assert.equal(await count('resource_shares', 'resource_id = $1 and shared_with_group_id = $2', [resource.id, mine.id]), 1);
    assert.equal(await count('resource_shares', 'resource_id = $1', [resource.id]), 1);
    assert.deepEqual(await notices(friend), [{ type: 'resource_shared', title: 'Ressource partagée', resource_id: resource.id, group_id: mine.id }]);
    assert.deepEqual([await kinds(owner), await kinds(stranger)], [[], []]);
  });

  test('SH4: not what is another\'s, not with oneself, not with both or nobody', async () => {
    const { owner, friend, stranger } = await cast();
    const resource = await resourceOf(owner);
    const group = await groupOf(owner);
    await share(resource, friend, 'write');
    await untouched(['select * from resource_shares where resource_id = $1', [resource.id]], async () => {
      for (const person of [anon, friend]) await denied(person, give(person, resource, { shared_with_user_id: stranger.id }));
      await denied(stranger, give(stranger, resource, { shared_with_user_id: owner.id }));
      await denied(owner, give(owner, resource, { shared_with_user_id: owner.id }));
      await refused(give(owner, resource, { shared_with_user_id: friend.id, shared_with_group_id: group.id }), 400, '23514');
      await refused(give(owner, resource, {}), 400, '23514');
    });
  });

  test('SH5: the owner and administrators change permission and end, nothing else', async () => {
    const { owner, friend, stranger, admin } = await cast();
    const resource = await resourceOf(owner, { visibility: 'shared_users' });
    const { id } = await share(resource, friend, 'read');
    const update = (person, values) => person.client.from('resource_shares').update(values).eq('id', id);
    await silent(update(owner, { permission: 'write', expires_at: '2100-01-01T00:00:00Z' }), 204);
    const inside = await stored('resource_shares', id);
    assert.deepEqual([inside.permission, inside.expires_at.toISOString()], ['write', '2100-01-01T00:00:00.000Z']);
    await silent(update(admin, { permission: 'read' }), 204);
    assert.equal((await stored('resource_shares', id)).permission, 'read');
    for (const person of [anon, friend, stranger]) await touchesNothing(row('resource_shares', id), update(person, { permission: 'write', expires_at: null }));
    for (const person of [anon, owner]) await untouched(row('resource_shares', id), () => denied(person, update(person, { shared_with_user_id: stranger.id })));
  });

  test('SH6: the owner and administrators end a share, the recipient does not', async () => {
    const { owner, friend, stranger, admin } = await cast();
    const resource = await resourceOf(owner);
    for (const person of [owner, admin]) {
      const { id } = await share(resource, friend, 'write');
      const remove = (who) => who.client.from('resource_shares').delete().eq('id', id);
      for (const who of [anon, friend, stranger]) await touchesNothing(row('resource_shares', id), remove(who));
      await silent(remove(person), 204);
      await gone('resource_shares', id);
    }
  });

  test('SH7: all shares of a resource', async () => {
    const { owner, friend, stranger } = await cast();
    const [resource, other] = [await resourceOf(owner), await resourceOf(owner)];
    await share(resource, friend, 'read');
    await share(resource, stranger, 'read');
    const kept = await share(other, friend, 'read');
    const remove = (person) => person.client.from('resource_shares').delete().eq('resource_id', resource.id);
    await touchesNothing(['select * from resource_shares where resource_id = $1 order by id', [resource.id]], remove(friend));
    await silent(remove(owner), 204);
    assert.equal(await count('resource_shares', 'resource_id = $1', [resource.id]), 0);
    assert.ok(await stored('resource_shares', kept.id));
  });
});

describe('comments', () => {
  const say = (person, values) => person.client.from('resource_comments').insert({ user_id: person.id, content: 'Très "utile", (merci)', ...values }).select(P3).single();
  const comment = (resource, author, values = {}) => put('resource_comments', { resource_id: resource.id, user_id: author.id, content: 'Stored', created_at: LONG_AGO, updated_at: LONG_AGO, ...values });

  test('C2: a comment and a reply come back with their author, and the owner is told', async () => {
    const { owner, friend } = await cast();
    const resource = await resourceOf(owner);
    const first = await done(say(friend, { resource_id: resource.id }), 201);
    assert.deepEqual([first.content, first.profiles], ['Très "utile", (merci)', { username: `friend-${friend.id}`, full_name: 'friend', avatar_url: null }]);
    const reply = await done(say(owner, { resource_id: resource.id, parent_id: first.id }), 201);
    assert.equal((await stored('resource_comments', reply.id)).parent_id, first.id);
    assert.equal((await stored('resource_comments', first.id)).user_id, friend.id);
    assert.deepEqual(await notices(owner), [{ type: 'new_comment', title: 'Nouveau commentaire', resource_id: resource.id, group_id: null }]);
    assert.deepEqual(await kinds(friend), []);
  });

  test('C2: not for others, not where one cannot read, not under another resource', async () => {
    const { owner, friend, stranger, admin } = await cast();
    const [open, hidden, other] = [await resourceOf(owner), await resourceOf(owner, { visibility: 'private' }), await resourceOf(owner)];
    const elsewhere = await comment(other, friend);
    await denied(stranger, say(stranger, { resource_id: hidden.id }));
    await denied(stranger, say(stranger, { resource_id: open.id, parent_id: elsewhere.id }));
    for (const person of [stranger, admin]) await denied(person, say(person, { resource_id: open.id, user_id: friend.id }));
    await denied(anon, say(anon, { resource_id: open.id, user_id: friend.id }));
    await refused(say(stranger, { resource_id: open.id, content: '' }), 400, '23514');
    assert.equal(await count('resource_comments', 'resource_id = any($1)', [[open.id, hidden.id]]), 0);
    assert.deepEqual(await kinds(owner), []);
  });

  test('C3: the author and administrators change the text; the server sets the time', async () => {
    const { owner, friend, stranger, admin } = await cast();
    const { id } = await comment(await resourceOf(owner), friend);
    const update = (person, values) => person.client.from('resource_comments').update(values).eq('id', id);
    for (const person of [friend, admin]) {
      await silent(update(person, { content: `by ${person.name}`, updated_at: '1999-01-01T00:00:00Z' }), 204);
      const inside = await stored('resource_comments', id);
      assert.equal(inside.content, `by ${person.name}`);
      assert.ok(inside.updated_at > new Date(LONG_AGO));
    }
    for (const person of [anon, owner, stranger]) await touchesNothing(row('resource_comments', id), update(person, { content: 'Taken', updated_at: LONG_AGO }));
    await untouched(row('resource_comments', id), () => denied(friend, update(friend, { user_id: stranger.id })));
  });

  test('C5: replies go with their parent; deleting them afterwards is no error', async () => {
    const { owner, friend, stranger, admin } = await cast();
    const resource = await resourceOf(owner);
    for (const person of [friend, admin]) {
      const parent = await comment(resource, friend);
      const replies = await Promise.all([owner, stranger].map((who) => comment(resource, who, { parent_id: parent.id })));
      const remove = (who, { id }) => who.client.from('resource_comments').delete().eq('id', id);
      for (const who of [anon, owner, stranger]) await touchesNothing(row('resource_comments', parent.id), remove(who, parent));
      await silent(remove(person, parent), 204);
      for (const { id } of [parent, ...replies]) await gone('resource_comments', id);
      for (const reply of replies) await silent(remove(person, reply), 204);
    }
  });

  test('C6: a delete by resource removes one\'s own alone', async () => {
    const { owner, friend, stranger, admin } = await cast();
    const resource = await resourceOf(owner);
    const [mine, theirs] = [await comment(resource, friend), await comment(resource, stranger)];
    const remove = (person) => person.client.from('resource_comments').delete().eq('resource_id', resource.id);
    const comments = ['select * from resource_comments where resource_id = $1 order by id', [resource.id]];
    for (const person of [anon, owner]) await touchesNothing(comments, remove(person));
    await silent(remove(friend), 204);
    await gone('resource_comments', mine.id);
    assert.ok(await stored('resource_comments', theirs.id));
    await silent(remove(admin), 204);
    assert.equal(await count('resource_comments', 'resource_id = $1', [resource.id]), 0);
  });
});

describe('groups', () => {
  test('G2: who creates a group is its first administrator', async () => {
    const { owner, stranger, admin } = await cast();
    const create = (person, who) => person.client.from('groups').insert({ name: 'New group', description: null, owner_id: who.id }).select().single();
    const group = await done(create(owner, owner), 201);
    assert.deepEqual([group.name, group.description, group.owner_id], ['New group', null, owner.id]);
    assert.deepEqual(await all('select user_id, role from group_members where group_id = $1', [group.id]), [{ user_id: owner.id, role: 'admin' }]);
    for (const person of [anon, stranger, admin]) await denied(person, create(person, owner));
    assert.equal(await count('groups', 'owner_id = $1', [owner.id]), 1);
  });

  test('GM2: administrators of the group add people, who are told', async () => {
    const { owner, friend, stranger, admin } = await cast();
    const group = await groupOf(owner);
    const add = (person, who, role = 'member') => person.client.from('group_members').insert({ group_id: group.id, user_id: who.id, role, added_at: '2025-01-01T00:00:00Z' });
    await denied(friend, add(friend, friend));
    await denied(anon, add(anon, friend));
    await silent(add(owner, friend, 'admin'), 201);
    await silent(add(friend, stranger), 201);
    await denied(stranger, add(stranger, admin));
    await refused(add(owner, stranger), 409, '23505');
    await silent(add(admin, await cast().then((other) => other.friend)), 201);
    const inside = await one('select role, added_at from group_members where group_id = $1 and user_id = $2', [group.id, stranger.id]);
    assert.deepEqual([inside.role, inside.added_at.toISOString()], ['member', '2025-01-01T00:00:00.000Z']);
    assert.equal(await count('group_members', 'group_id = $1', [group.id]), 4);
    for (const person of [friend, stranger]) {
      assert.deepEqual(await notices(person), [{ type: 'group_invitation', title: 'Invitation à un groupe', resource_id: null, group_id: group.id }]);
    }
  });

  test('GM3: administrators of the group change roles, never the owner\'s', async () => {
    const { owner, friend, stranger, admin } = await cast();
    const group = await groupOf(owner);
    const { id } = await member(group, friend);
    const second = await member(group, stranger);
    const update = (person, who, role) => person.client.from('group_members').update({ role }).eq('group_id', group.id).eq('user_id', who.id);
    for (const person of [anon, friend, stranger]) await touchesNothing(row('group_members', id), update(person, friend, 'admin'));
    for (const [person, role] of [[owner, 'admin'], [admin, 'member'], [owner, 'admin']]) {
      await silent(update(person, friend, role), 204);
      assert.equal((await stored('group_members', id)).role, role);
    }
    await silent(update(friend, stranger, 'admin'), 204);
    assert.equal((await stored('group_members', second.id)).role, 'admin');
    const owners = ['select * from group_members where group_id = $1 and user_id = $2', [group.id, owner.id]];
    for (const person of [owner, friend, admin]) await touchesNothing(owners, update(person, owner, 'member'));
    await untouched(row('group_members', id), () => denied(owner, owner.client.from('group_members').update({ user_id: admin.id }).eq('id', id)));
  });

  test('GM4: administrators of the group remove people, everybody leaves, the owner stays', async () => {
    const { owner, friend, stranger, admin } = await cast();
    const group = await groupOf(owner);
    const remove = (person, who) => person.client.from('group_members').delete().eq('group_id', group.id).eq('user_id', who.id);
    for (const person of [owner, admin, friend]) {
      const { id } = await member(group, friend);
      const other = await member(group, stranger);
      for (const who of [anon, stranger]) await touchesNothing(row('group_members', id), remove(who, friend));
      await silent(remove(person, friend), 204);
      await gone('group_members', id);
      await silent(remove(owner, stranger), 204);
      await gone('group_members', other.id);
    }
    const owners = ['select * from group_members where group_id = $1 and user_id = $2', [group.id, owner.id]];
    for (const person of [owner, admin]) await touchesNothing(owners, remove(person, owner));
  });
});

describe('notifications', () => {
  const note = (person, values = {}) => put('notifications', { user_id: person.id, type: 'new_comment', title: 'Stored', message: 'm', ...values });

  test('N2: one reads one\'s own, and writes nothing else', async () => {
    const { owner, stranger, admin } = await cast();
    const { id } = await note(owner);
    const update = (person, values) => person.client.from('notifications').update(values).eq('id', id);
    for (const person of [anon, stranger, admin]) await touchesNothing(row('notifications', id), update(person, { is_read: true }));
    await silent(update(owner, { is_read: true }), 204);
    assert.equal((await stored('notifications', id)).is_read, true);
    await untouched(row('notifications', id), () => denied(owner, update(owner, { title: 'Mine' })));
  });

  test('N3: marking all as read without a filter on people touches one\'s own alone', async () => {
    const { owner, stranger } = await cast();
    const mine = [await note(owner), await note(owner), await note(owner, { is_read: true })];
    const theirs = await note(stranger);
    const readAll = (person) => person.client.from('notifications').update({ is_read: true }).eq('is_read', false);
    await touchesNothing(['select * from notifications where id = any($1) order by id', [[theirs.id, ...mine.map(({ id }) => id)]]], readAll(anon));
    await untouched(row('notifications', theirs.id), () => silent(readAll(owner), 204));
    assert.equal(await count('notifications', 'user_id = $1 and is_read', [owner.id]), 3);
  });

  test('nobody but the server writes new ones', async () => {
    const { owner, admin } = await cast();
    const insert = (person) => person.client.from('notifications').insert({ user_id: owner.id, type: 'new_comment', title: 'Forged', message: 'm' });
    for (const person of [anon, owner, admin]) await denied(person, insert(person));
    assert.deepEqual(await kinds(owner), []);
    await silent(insert(service), 201);
    assert.deepEqual((await notices(owner)).map(({ title }) => title), ['Forged']);
  });
});

describe('profiles', () => {
  const changes = (person) => ({ username: `new-${person.id}`, full_name: 'Zoé "Z" Perrin', bio: 'a\nb', github_username: null, updated_at: '1999-01-01T00:00:00Z', avatar_url: 'data:image/png;base64,AAAA' });
  const update = (person, who, values) => person.client.from('profiles').update(values).eq('id', who.id);

  test('PR6: one\'s own, or anybody\'s as an administrator', async () => {
    const { owner, friend, stranger, admin } = await cast();
    for (const [person, who] of [[owner, owner], [admin, friend]]) {
      await silent(update(person, who, changes(who)), 204);
      const { updated_at: updated, ...inside } = await stored('profiles', who.id);
      const { updated_at: sent, ...expected } = changes(who);
      assert.ok(updated > new Date(sent) && updated > new Date(LONG_AGO));
      for (const [column, value] of Object.entries(expected)) assert.equal(inside[column], value, column);
      assert.equal(inside.email, `${who.id}@example.org`);
    }
    for (const person of [anon, friend, stranger]) await touchesNothing(row('profiles', owner.id), update(person, owner, { full_name: 'Taken', updated_at: LONG_AGO }));
  });

  test('PR6: without a filter, still one\'s own alone', async () => {
    const { owner, stranger } = await cast();
    const bio = `by ${owner.id}`;
    await untouched(row('profiles', stranger.id), () => silent(owner.client.from('profiles').update({ bio }).neq('username', ''), 204));
    assert.deepEqual(await all('select id from profiles where bio = $1', [bio]), [{ id: owner.id }]);
  });

  test('PR6: neither the address nor the identity', async () => {
    const { owner, friend } = await cast();
    for (const values of [{ email: 'else@example.org' }, { user_id: friend.id }, { id: friend.id }]) {
      await untouched(row('profiles', owner.id), () => denied(owner, update(owner, owner, values)));
      await untouched(row('profiles', owner.id), () => denied(anon, update(anon, owner, values)));
    }
    await untouched(row('profiles', owner.id), () => refused(update(owner, owner, { username: `friend-${friend.id}` }), 409, '23505'));
  });
});
