// supabase.auth, as applications use it: signing up and in, refreshing, changing, signing out.

import assert from 'node:assert/strict';
import test from 'node:test';
import { database, need, open } from '../actors.mjs';

const url = need('PASSERELLE_URL');
const other = need('PASSERELLE_OTHER_URL');
const anonKey = need('PASSERELLE_ANON_KEY');
const PASSWORD = 'StrongPass123!';

let count = 0;
const address = (name = 'ada') => `${name}.${process.pid}.${(count += 1)}@example.com`;
const client = (where = url) => open({ auth: { autoRefreshToken: false, persistSession: true, storage: memory() } }, where);

function memory() {
  const kept = new Map();
  return { getItem: (key) => kept.get(key) ?? null, setItem: (key, value) => kept.set(key, value), removeItem: (key) => kept.delete(key) };
}

/** The data of an answer without an error. */
function fine({ data, error }) {
  assert.equal(error, null);
  return data;
}

async function newcomer(where = url) {
  const supabase = client(where);
  const email = address();
  const { user, session } = fine(await supabase.auth.signUp({ email, password: PASSWORD, options: { data: { full_name: 'Ada' } } }));
  return { supabase, email, user, session };
}

/** Asks the REST surface with an access token. */
const rest = (token, where = url) => fetch(`${where}/rest/v1/profiles?select=id&limit=1`, { headers: { apikey: anonKey, Authorization: `Bearer ${token}` } });

/** Asks the surface itself. */
async function ask(path, { method = 'POST', body, token, versioned = true, raw } = {}) {
  const headers = { apikey: anonKey, 'Content-Type': 'application/json' };
  if (token) headers.Authorization = `Bearer ${token}`;
  if (versioned) headers['X-Supabase-Api-Version'] = '2024-01-01';
  const response = await fetch(`${url}/auth/v1${path}`, { method, headers, body: raw ?? (body && JSON.stringify(body)) });
  const text = await response.text();
  return { status: response.status, headers: response.headers, body: text && JSON.parse(text) };
}

const claims = (token) => JSON.parse(Buffer.from(token.split('.')[1], 'base64url'));

test('who signs up is signed in, and has what triggers give', async () => {
  const { supabase, email, user, session } = await newcomer();
  assert.equal(user.email, email);
  assert.equal(user.role, 'authenticated');
  assert.deepEqual(user.app_metadata, { provider: 'email', providers: ['email'] });
  assert.deepEqual(user.user_metadata, { full_name: 'Ada' });
  assert.equal(user.identities[0].provider, 'email');
  assert.ok(user.email_confirmed_at && user.confirmed_at && user.last_sign_in_at);
  const profile = fine(await supabase.from('profiles').select('id,username,full_name').eq('id', user.id).single());
  assert.equal(profile.full_name, 'Ada');
  const said = claims(session.access_token);
  assert.equal(said.sub, user.id);
  assert.equal(said.aud, 'authenticated');
  assert.equal(said.aal, 'aal1');
  assert.equal(said.amr[0].method, 'password');
  assert.equal(said.iss, `${need('PASSERELLE_PUBLIC_URL')}/auth/v1`);
  assert.equal(said.exp - said.iat, 3600);
  assert.equal(session.expires_in, 3600);
  assert.deepEqual(fine(await supabase.auth.getClaims()).claims.sub, user.id);
});

test('two addresses with one local part get different usernames', async () => {
  const local = `same.${process.pid}`;
  const names = [];
  for (const host of ['example.com', 'example.org']) {
    const supabase = client();
    const { user } = fine(await supabase.auth.signUp({ email: `${local}@${host}`, password: PASSWORD }));
    names.push(fine(await supabase.from('profiles').select('username').eq('id', user.id).single()).username);
  }
  assert.deepEqual(names, [local, `${local}-2`]);
});

test('an address is one whatever its case, and unknown and wrong look the same', async () => {
  const { email } = await newcomer();
  const supabase = client();
  assert.equal((await supabase.auth.signUp({ email: email.toUpperCase(), password: PASSWORD })).error.code, 'user_already_exists');
  const wrong = (await supabase.auth.signInWithPassword({ email, password: 'wrong' })).error;
  const unknown = (await supabase.auth.signInWithPassword({ email: address('nobody'), password: 'wrong' })).error;
  assert.deepEqual({ ...wrong }, { ...unknown });
  assert.equal(wrong.code, 'invalid_credentials');
  const { user } = fine(await supabase.auth.signInWithPassword({ email: ` ${email.toUpperCase()}`, password: PASSWORD }));
  assert.equal(user.email, email);
});

test('events are those that applications wait for', async () => {
  const { supabase, email } = await newcomer();
  const seen = [];
  const { data: { subscription } } = supabase.auth.onAuthStateChange((event) => { seen.push(event); });
  fine(await supabase.auth.refreshSession());
  fine(await supabase.auth.updateUser({ data: { theme: 'dark' } }));
  assert.equal((await supabase.auth.signOut()).error, null);
  fine(await supabase.auth.signInWithPassword({ email, password: PASSWORD }));
  subscription.unsubscribe();
  assert.deepEqual(seen.filter((event) => event !== 'INITIAL_SESSION'), ['TOKEN_REFRESHED', 'USER_UPDATED', 'SIGNED_OUT', 'SIGNED_IN']);
});

test('metadata are merged, and null takes a key away', async () => {
  const { supabase } = await newcomer();
  fine(await supabase.auth.updateUser({ data: { theme: 'dark', size: { w: 1, h: null } } }));
  const { user } = fine(await supabase.auth.updateUser({ data: { full_name: null } }));
  assert.deepEqual(user.user_metadata, { theme: 'dark', size: { w: 1, h: null } });
  assert.deepEqual(fine(await supabase.auth.getUser()).user.user_metadata, user.user_metadata);
});

test('metadata have an end', async () => {
  const { supabase } = await newcomer();
  const part = () => ({ [`k${Math.random()}`]: 'x'.repeat(20000) });
  let answer;
  for (let turn = 0; turn < 5; turn += 1) {
    answer = await supabase.auth.updateUser({ data: part() });
    if (answer.error) break;
  }
  assert.equal(answer.error?.code, 'validation_failed');
  assert.equal((await client().auth.signUp({ email: address(), password: PASSWORD, options: { data: { x: 'x'.repeat(70000) } } })).error.code, 'validation_failed');
  // It still works, and less is always taken.
  fine(await supabase.auth.refreshSession());
  fine(await supabase.auth.getUser());
});

test('a new password ends the other sessions and not one\'s own', async () => {
  const { supabase, email, session } = await newcomer();
  const second = client(other);
  const elsewhere = fine(await second.auth.signInWithPassword({ email, password: PASSWORD })).session;
  assert.equal((await supabase.auth.updateUser({ password: PASSWORD })).error.code, 'same_password');
  fine(await supabase.auth.updateUser({ password: 'AnotherPass123!' }));
  assert.equal((await rest(elsewhere.access_token, other)).status, 401);
  assert.equal((await rest(session.access_token)).status, 200);
  assert.equal((await second.auth.refreshSession()).error.code, 'refresh_token_not_found');
  assert.equal((await client().auth.signInWithPassword({ email, password: PASSWORD })).error.code, 'invalid_credentials');
  fine(await client().auth.signInWithPassword({ email, password: 'AnotherPass123!' }));
});

test('a sign-out is effective with the next request, at each gateway', async () => {
  for (let round = 0; round < 20; round += 1) {
    const [here, there] = round % 2 ? [url, other] : [other, url];
    const { supabase, session } = await newcomer(here);
    assert.equal((await rest(session.access_token, there)).status, 200);
    assert.equal((await supabase.auth.signOut()).error, null);
    for (const where of [there, here]) {
      const response = await rest(session.access_token, where);
      assert.equal(response.status, 401);
      assert.equal((await response.json()).code, 'PSR401');
      assert.match(response.headers.get('www-authenticate'), /^Bearer error="invalid_token"/);
    }
    const gone = await fetch(`${there}/auth/v1/user`, { headers: { apikey: anonKey, Authorization: `Bearer ${session.access_token}`, 'X-Supabase-Api-Version': '2024-01-01' } });
    assert.equal(gone.status, 403);
    assert.equal((await gone.json()).code, 'session_not_found');
  }
});

test('scopes of signing out', async () => {
  const { supabase, email } = await newcomer();
  const second = client();
  const third = client();
  for (const one of [second, third]) fine(await one.auth.signInWithPassword({ email, password: PASSWORD }));
  const tokens = [];
  for (const one of [supabase, second, third]) tokens.push(fine(await one.auth.getSession()).session.access_token);
  const statuses = async () => Promise.all(tokens.map(async (token) => (await rest(token)).status));
  assert.equal((await third.auth.signOut({ scope: 'local' })).error, null);
  assert.deepEqual(await statuses(), [200, 200, 401]);
  assert.equal((await second.auth.signOut({ scope: 'others' })).error, null);
  assert.deepEqual(await statuses(), [401, 200, 401]);
  assert.equal((await ask('/logout?scope=everything', { token: tokens[1] })).body.code, 'validation_failed');
});

test('who is banned, deleted or signed out by SQL is out', async () => {
  const endings = [
    (id) => database.query("update auth.users set banned_until = now() + interval '1 hour' where id = $1", [id]),
    (id) => database.query('delete from auth.users where id = $1', [id]),
    (id) => database.query('delete from auth.sessions where user_id = $1', [id]),
  ];
  for (const end of endings) {
    const { user, session } = await newcomer();
    await end(user.id);
    const started = Date.now();
    let status;
    do status = (await rest(session.access_token, other)).status; while (status === 200 && Date.now() - started < 5000);
    assert.equal(status, 401);
  }
  const { email, user } = await newcomer();
  await database.query("update auth.users set banned_until = now() + interval '1 hour' where id = $1", [user.id]);
  assert.equal((await client().auth.signInWithPassword({ email, password: PASSWORD })).error.code, 'user_banned');
  await database.query('update auth.users set banned_until = now() where id = $1', [user.id]);
  fine(await client().auth.signInWithPassword({ email, password: PASSWORD }));
});

test('refresh tokens rotate; requests that cross get one successor; one that is older ends the session', async () => {
  const { session } = await newcomer();
  const refresh = (token) => ask('/token?grant_type=refresh_token', { body: { refresh_token: token } });
  const all = await Promise.all(Array.from({ length: 50 }, () => refresh(session.refresh_token)));
  assert.deepEqual([...new Set(all.map(({ status }) => status))], [200]);
  const successors = new Set(all.map(({ body }) => body.refresh_token));
  assert.equal(successors.size, 1);
  const [second] = successors;
  assert.notEqual(second, session.refresh_token);
  const third = (await refresh(second)).body;
  // Within the reuse window the first one still leads to the newest.
  assert.equal((await refresh(session.refresh_token)).body.refresh_token, third.refresh_token);
  await database.query("update auth.sessions set refreshed_at = refreshed_at - interval '11 seconds' where id = $1", [claims(third.access_token).session_id]);
  // The parent of the newest may have been lost on the way.
  assert.equal((await refresh(second)).body.refresh_token, third.refresh_token);
  const reused = await refresh(session.refresh_token);
  assert.equal(reused.status, 400);
  assert.equal(reused.body.code, 'refresh_token_already_used');
  assert.equal((await refresh(third.refresh_token)).body.code, 'refresh_token_not_found');
  assert.equal((await rest(third.access_token)).status, 401);
});

test('one sees and ends one\'s sessions', async () => {
  const { supabase, email, session } = await newcomer();
  const second = client();
  const elsewhere = fine(await second.auth.signInWithPassword({ email, password: PASSWORD })).session;
  const list = await ask('/user/sessions', { method: 'GET', token: session.access_token });
  assert.equal(list.body.length, 2);
  assert.deepEqual(list.body.filter((one) => one.is_current).map((one) => one.id), [claims(session.access_token).session_id]);
  assert.ok(list.body.every((one) => one.ip === '127.0.0.1' && one.user_agent && one.last_used_at));
  const id = claims(elsewhere.access_token).session_id;
  assert.equal((await ask(`/user/sessions/${id}`, { method: 'DELETE', token: session.access_token })).status, 204);
  assert.equal((await rest(elsewhere.access_token)).status, 401);
  const stranger = await newcomer();
  const mine = claims(session.access_token).session_id;
  assert.equal((await ask(`/user/sessions/${mine}`, { method: 'DELETE', token: stranger.session.access_token })).body.code, 'session_not_found');
  assert.equal((await rest(session.access_token)).status, 200);
  fine(await supabase.auth.getUser());
});

test('anonymous accounts, which become permanent', async () => {
  const supabase = client();
  const { user, session } = fine(await supabase.auth.signInAnonymously({ options: { data: { seen: 1 } } }));
  assert.equal(user.is_anonymous, true);
  assert.equal(claims(session.access_token).is_anonymous, true);
  assert.equal(claims(session.access_token).amr[0].method, 'anonymous');
  assert.equal((await supabase.auth.updateUser({ password: PASSWORD })).error.code, 'validation_failed');
  const email = address('upgraded');
  const upgraded = fine(await supabase.auth.updateUser({ email, password: PASSWORD })).user;
  assert.equal(upgraded.id, user.id);
  assert.equal(upgraded.is_anonymous, false);
  assert.equal(upgraded.email, email);
  fine(await client().auth.signInWithPassword({ email, password: PASSWORD }));
});

test('accounts that came along from Supabase sign in and refresh', async () => {
  const email = address('imported');
  // bcrypt, and a refresh token as Supabase Auth stored it.
  await database.query('create extension if not exists pgcrypto schema extensions');
  const { rows: [{ hash }] } = await database.query("select extensions.crypt('correct horse', extensions.gen_salt('bf', 10)) as hash");
  const { rows: [{ id }] } = await database.query(
    `insert into auth.users (instance_id, id, aud, role, email, encrypted_password, email_confirmed_at, raw_app_meta_data, raw_user_meta_data, created_at, updated_at)
     values ('00000000-0000-0000-0000-000000000000', gen_random_uuid(), 'authenticated', 'authenticated', $1, $2, now(), '{}', '{}', now(), now()) returning id`, [email, hash]);
  const { rows: [session] } = await database.query(
    "insert into auth.sessions (id, user_id, created_at, updated_at, aal) values (gen_random_uuid(), $1, now(), now(), 'aal1') returning id", [id]);
  const token = `Imported${process.pid}`;
  await database.query('insert into auth.refresh_tokens (token, user_id, revoked, created_at, updated_at, session_id) values ($1, $2, false, now(), now(), $3)', [token, id, session.id]);
  const refreshed = await ask('/token?grant_type=refresh_token', { body: { refresh_token: token } });
  assert.equal(refreshed.status, 200);
  assert.equal(claims(refreshed.body.access_token).session_id, session.id);
  assert.equal((await ask('/token?grant_type=refresh_token', { body: { refresh_token: refreshed.body.refresh_token } })).status, 200);
  fine(await client().auth.signInWithPassword({ email, password: 'correct horse' }));
  const { rows: [kept] } = await database.query('select encrypted_password from auth.users where id = $1', [id]);
  assert.match(kept.encrypted_password, /^\$argon2id\$/);
  fine(await client().auth.signInWithPassword({ email, password: 'correct horse' }));
});

test('errors, with the version of the API and without', async () => {
  const { email, session } = await newcomer();
  const token = session.access_token;
  const forged = `${token.slice(0, -4)}AAAA`;
  const noAlgorithm = `${Buffer.from('{"alg":"none","typ":"JWT"}').toString('base64url')}.${token.split('.')[1]}.`;
  const cases = [
    [400, 'validation_failed', '/signup', { body: { email: 'nonsense', password: PASSWORD } }],
    [400, 'validation_failed', '/signup', { body: { email: address() } }],
    [400, 'validation_failed', '/signup', { body: { email: address(), phone: '33123456789', password: PASSWORD } }],
    [400, 'phone_provider_disabled', '/signup', { body: { phone: '33123456789', password: PASSWORD } }],
    [400, 'validation_failed', '/signup', { body: { email: address(), password: 'aB1!'.repeat(65) } }],
    [422, 'weak_password', '/signup', { body: { email: address(), password: 'short' } }],
    [422, 'user_already_exists', '/signup', { body: { email, password: PASSWORD } }],
    [400, 'bad_json', '/signup', { raw: '{"email":' }],
    [400, 'bad_json', '/signup', { raw: '{"email":7}' }],
    [400, 'invalid_credentials', '/token?grant_type=password', { body: { email, password: 'wrong' } }],
    [400, 'validation_failed', '/token?grant_type=password', { body: { password: PASSWORD } }],
    [400, 'refresh_token_not_found', '/token?grant_type=refresh_token', { body: { refresh_token: 'unknown' } }],
    [401, 'no_authorization', '/user', { method: 'GET' }],
    [403, 'bad_jwt', '/user', { method: 'GET', token: 'nonsense' }],
    [403, 'bad_jwt', '/user', { method: 'GET', token: forged }],
    [403, 'bad_jwt', '/user', { method: 'GET', token: noAlgorithm }],
    [403, 'bad_jwt', '/user', { method: 'GET', token: anonKey }],
    [403, 'not_admin', '/user', { method: 'PUT', token, body: { app_metadata: { role: 'admin' } } }],
    [422, 'email_exists', '/user', { method: 'PUT', token, body: { email: (await newcomer()).email } }],
    [413, 'request_entity_too_large', '/signup', { body: { email: address(), password: PASSWORD, data: { x: 'x'.repeat(2 << 20) } } }],
    [404, 'not_found', '/nothing', { method: 'GET' }],
    [405, 'validation_failed', '/signup', { method: 'GET' }],
  ];
  for (const [status, code, path, request] of cases) {
    const now = await ask(path, request);
    assert.equal(now.status, status, JSON.stringify([path, now.body]));
    assert.equal(now.body.code, code);
    assert.ok(now.body.message);
    assert.equal(now.headers.get('x-supabase-api-version'), '2024-01-01');
    assert.equal(now.headers.get('x-sb-error-code'), code);
    assert.equal(now.headers.get('cache-control'), 'no-store');
    const before = await ask(path, { ...request, versioned: false });
    assert.deepEqual(before.body, { code: status, error_code: code, msg: now.body.message, ...(now.body.weak_password && { weak_password: now.body.weak_password }) });
    assert.equal(before.headers.get('x-supabase-api-version'), null);
  }
  const weak = (await client().auth.signUp({ email: address(), password: 'short' })).error;
  assert.deepEqual(weak.reasons, ['length', 'characters']);
  const grant = await ask('/token?grant_type=magic', { body: {} });
  assert.equal(grant.status, 400);
  assert.equal(grant.body.error, 'unsupported_grant_type');
});

test('text that PostgreSQL cannot keep does no harm', async () => {
  const supabase = client();
  const odd = { 'ключ': '\u0001\u{1F600}', quote: `'";--`, nested: { deep: [null, 1.5, '\\'] } };
  const { user } = fine(await supabase.auth.signUp({ email: address(), password: PASSWORD, options: { data: odd } }));
  assert.deepEqual(user.user_metadata, odd);
  const refused = await ask('/signup', { body: { email: address(), password: PASSWORD, data: { nul: '\u0000' } } });
  assert.equal(refused.status, 400);
  assert.equal(refused.body.code, 'validation_failed');
});

test.after(() => database.end());
