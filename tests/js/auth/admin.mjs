// supabase.auth.admin

import assert from 'node:assert/strict';
import test from 'node:test';
import { createClient } from '@supabase/supabase-js';
import WebSocket from 'ws';
import { database, need, open, token } from '../actors.mjs';
import { mail, visit } from './mailbox.mjs';

const url = need('PASSERELLE_URL');
const service = token({ role: 'service_role', exp: Math.floor(Date.now() / 1000) + 3600 });
const options = { auth: { autoRefreshToken: false, persistSession: false }, realtime: { transport: WebSocket } };
const { auth: { admin } } = createClient(url, service, options);
const client = () => open(options);
const PASSWORD = 'StrongPass123!';

let count = 0;
const address = (name = 'made') => `${name}.${process.pid}.${(count += 1)}@example.com`;

function fine({ data, error }) {
  assert.equal(error, null);
  return data;
}

test('nobody but administrators', async () => {
  const none = await fetch(`${url}/auth/v1/admin/users`);
  assert.equal(none.status, 401);
  assert.equal((await none.json()).error_code, 'no_authorization');
  const anonymous = (await open(options).auth.admin.listUsers()).error;
  assert.equal(anonymous.code, 'not_admin');
  assert.equal(anonymous.status, 403);
});

test('an account from its making to its end', async () => {
  const email = address();
  const { user } = fine(await admin.createUser({ email, password: PASSWORD, email_confirm: true, user_metadata: { a: 1 }, app_metadata: { plan: 'pro' } }));
  assert.deepEqual(user.app_metadata, { provider: 'email', providers: ['email'], plan: 'pro' });
  assert.equal(user.identities[0].identity_data.email, email);
  assert.equal((await admin.createUser({ email: email.toUpperCase(), password: PASSWORD })).error.code, 'email_exists');
  const { session } = fine(await client().auth.signInWithPassword({ email, password: PASSWORD }));
  assert.deepEqual(JSON.parse(Buffer.from(session.access_token.split('.')[1], 'base64url')).app_metadata, user.app_metadata);
  const changed = fine(await admin.updateUserById(user.id, { user_metadata: { a: null, b: 2 }, app_metadata: { plan: 'free' } })).user;
  assert.deepEqual(changed.user_metadata, { b: 2 });
  assert.equal(changed.app_metadata.plan, 'free');
  assert.equal(fine(await admin.getUserById(user.id)).user.email, email);
  const renamed = address('renamed');
  assert.equal(fine(await admin.updateUserById(user.id, { email: renamed })).user.email, renamed);
  fine(await admin.updateUserById(user.id, { password: 'AnotherPass123!' }));
  assert.equal((await client().auth.getUser(session.access_token)).error.name, 'AuthSessionMissingError');
  fine(await client().auth.signInWithPassword({ email: renamed, password: 'AnotherPass123!' }));
  assert.deepEqual(fine(await admin.deleteUser(user.id)), { user: {} });
  assert.equal((await admin.getUserById(user.id)).error.code, 'user_not_found');
  assert.equal((await admin.deleteUser(user.id)).error.code, 'user_not_found');
});

test('bans', async () => {
  const email = address('banned');
  const { user } = fine(await admin.createUser({ email, password: PASSWORD, email_confirm: true }));
  const { session } = fine(await client().auth.signInWithPassword({ email, password: PASSWORD }));
  const banned = fine(await admin.updateUserById(user.id, { ban_duration: '1h30m' })).user;
  assert.ok(Math.abs(new Date(banned.banned_until) - Date.now() - 5400_000) < 60_000);
  assert.equal((await client().auth.getUser(session.access_token)).error.name, 'AuthSessionMissingError');
  assert.equal((await client().auth.signInWithPassword({ email, password: PASSWORD })).error.code, 'user_banned');
  assert.equal(fine(await admin.updateUserById(user.id, { ban_duration: 'none' })).user.banned_until, undefined);
  fine(await client().auth.signInWithPassword({ email, password: PASSWORD }));
  assert.equal((await admin.updateUserById(user.id, { ban_duration: 'forever' })).error.code, 'validation_failed');
});

test('soft deletion leaves nothing of the person, and the address is free again', async () => {
  const email = address('soft');
  const { user } = fine(await admin.createUser({ email, password: PASSWORD, email_confirm: true, user_metadata: { name: 'Ada' } }));
  fine(await admin.deleteUser(user.id, true));
  const { rows: [kept] } = await database.query('select to_jsonb(u)::text as row from auth.users u where id = $1', [user.id]);
  assert.ok(!kept.row.includes(email) && !kept.row.includes('Ada'), kept.row);
  assert.equal((await client().auth.signInWithPassword({ email, password: PASSWORD })).error.code, 'invalid_credentials');
  // What the application keeps of the person is the application's to forget.
  await database.query('delete from public.profiles where user_id = $1', [user.id]);
  fine(await admin.createUser({ email, password: PASSWORD }));
});

test('a password hash that was made elsewhere, and an id', async () => {
  await database.query('create extension if not exists pgcrypto schema extensions');
  const { rows: [{ hash }] } = await database.query("select extensions.crypt('correct horse', extensions.gen_salt('bf', 6)) as hash");
  const [email, id] = [address('hashed'), crypto.randomUUID()];
  const { user } = fine(await admin.createUser({ id, email, password_hash: hash, email_confirm: true }));
  assert.equal(user.id, id);
  fine(await client().auth.signInWithPassword({ email, password: 'correct horse' }));
  assert.equal((await admin.createUser({ id, email: address('same-id'), password: PASSWORD })).error.code, 'user_already_exists');
  assert.equal((await admin.createUser({ email: address(), password_hash: 'plain' })).error.code, 'validation_failed');
});

test('accounts with a number', async () => {
  const phone = `33${String(process.pid).padStart(9, '1')}`;
  const { user } = fine(await admin.createUser({ phone: `+${phone}`, phone_confirm: true }));
  assert.equal(user.phone, phone);
  assert.ok(user.phone_confirmed_at);
  assert.equal((await admin.createUser({ phone })).error.code, 'phone_exists');
  assert.equal((await admin.createUser({ phone: '123abc' })).error.code, 'validation_failed');
  assert.equal((await admin.createUser({})).error.code, 'validation_failed');
});

test('pages', async () => {
  for (let turn = 0; turn < 3; turn += 1) fine(await admin.createUser({ email: address('page'), password: PASSWORD }));
  const first = fine(await admin.listUsers({ page: 1, perPage: 2 }));
  assert.equal(first.users.length, 2);
  assert.ok(first.total >= 3);
  assert.equal(first.nextPage, 2);
  assert.equal(first.lastPage, Math.ceil(first.total / 2));
  const last = fine(await admin.listUsers({ page: first.lastPage, perPage: 2 }));
  assert.equal(last.nextPage, null);
  assert.deepEqual(fine(await admin.listUsers({ page: 100000, perPage: 50 })).users, []);
  assert.equal(fine(await admin.listUsers()).users.length, Math.min(first.total, 50));
  const bad = await fetch(`${url}/auth/v1/admin/users?page=-1`, { headers: { Authorization: `Bearer ${service}` } });
  assert.equal(bad.status, 400);
});

test('an invitation', async () => {
  const email = address('guest');
  const { user } = fine(await admin.inviteUserByEmail(email, { data: { role: 'editor' } }));
  assert.ok(user.invited_at);
  const { link } = await mail(email);
  const { status, said } = await visit(link);
  assert.equal(status, 303);
  assert.equal(said.get('type'), 'invite');
  const guest = client();
  fine(await guest.auth.setSession({ access_token: said.get('access_token'), refresh_token: said.get('refresh_token') }));
  fine(await guest.auth.updateUser({ password: PASSWORD }));
  fine(await client().auth.signInWithPassword({ email, password: PASSWORD }));
  assert.equal((await admin.inviteUserByEmail(email)).error.code, 'email_exists');
});

test('links that an administrator sends', async () => {
  const email = address('linked');
  const signup = fine(await admin.generateLink({ type: 'signup', email, password: PASSWORD, options: { data: { a: 1 } } }));
  assert.equal(signup.user.email, email);
  assert.equal(signup.properties.verification_type, 'signup');
  const { said } = await visit(signup.properties.action_link);
  assert.equal(said.get('type'), 'signup');
  const magic = fine(await admin.generateLink({ type: 'magiclink', email }));
  fine(await client().auth.verifyOtp({ token_hash: magic.properties.hashed_token, type: 'magiclink' }));
  const recovery = fine(await admin.generateLink({ type: 'recovery', email }));
  fine(await client().auth.verifyOtp({ email, token: recovery.properties.email_otp, type: 'recovery' }));
  const wanted = address('moved');
  for (const type of ['email_change_current', 'email_change_current', 'email_change_new']) {
    const link = fine(await admin.generateLink({ type, email, newEmail: wanted }));
    const { said: landed } = await visit(link.properties.action_link);
    // The one before cannot confirm in the place of the new one, however often.
    assert.equal(landed.get('type'), type === 'email_change_new' ? 'email_change' : null);
  }
  assert.equal((await admin.generateLink({ type: 'recovery', email: address('nobody') })).error.code, 'user_not_found');
  assert.equal((await admin.generateLink({ type: 'signup', email: wanted, password: PASSWORD })).error.code, 'email_exists');
});

test('signing somebody out', async () => {
  const email = address('out');
  fine(await admin.createUser({ email, password: PASSWORD, email_confirm: true }));
  const { session } = fine(await client().auth.signInWithPassword({ email, password: PASSWORD }));
  assert.equal((await admin.signOut(session.access_token, 'global')).error, null);
  assert.equal((await client().auth.getUser(session.access_token)).error.name, 'AuthSessionMissingError');
});

test.after(() => database.end());
