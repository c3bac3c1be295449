// Every code of an error, provoked by requests as clients of both versions of the API send them.

import assert from 'node:assert/strict';
import { generateKeyPairSync, randomUUID, sign } from 'node:crypto';
import { createServer } from 'node:http';
import test from 'node:test';
import { database, need, token as forge } from '../actors.mjs';
import { code as totp } from './totp.mjs';

const open = need('PASSERELLE_URL');
const closed = need('PASSERELLE_OTHER_URL');
const anonKey = need('PASSERELLE_ANON_KEY');
const issuer = need('PASSERELLE_HOOKS');
const wanted = new Set(need('PASSERELLE_CODES').split(','));
const VERSION = '2024-01-01';
const PASSWORD = 'StrongPass123!';
const exp = Math.floor(Date.now() / 1000) + 3600;
const service = forge({ role: 'service_role', exp });

// Hooks, and a provider of OpenID Connect.
const { privateKey, publicKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
const messages = [];
const newcomers = [];
const server = createServer(async (request, response) => {
  let body = '';
  for await (const part of request) body += part;
  const json = (value, status = 200, type = 'application/json') => response.writeHead(status, { 'Content-Type': type }).end(JSON.stringify(value));
  switch (request.url) {
    case '/.well-known/openid-configuration':
      return json({ issuer, authorization_endpoint: `${issuer}/authorize`, token_endpoint: `${issuer}/token`, jwks_uri: `${issuer}/jwks` });
    case '/jwks': return json({ keys: [{ ...publicKey.export({ format: 'jwk' }), kid: 'one', alg: 'RS256' }] });
    case '/newcomer': {
      const { status = 200, type, value = {}, wait = 0 } = newcomers.shift() ?? {};
      return setTimeout(() => json(value, status, type), wait);
    }
    default: messages.push(JSON.parse(body)); return json({});
  }
}).listen(Number(new URL(issuer).port), '127.0.0.1');

function idToken(claims) {
  const part = (value) => Buffer.from(JSON.stringify(value)).toString('base64url');
  const text = `${part({ alg: 'RS256', kid: 'one' })}.${part({ iss: issuer, aud: 'hub-lib', exp, ...claims })}`;
  return `${text}.${sign('sha256', Buffer.from(text), privateKey).toString('base64url')}`;
}

async function message(fits) {
  const started = Date.now();
  for (;;) {
    const found = messages.findLast(fits);
    if (found) return found;
    if (Date.now() - started > 30000) throw new Error('no message');
    await new Promise((resolve) => { setTimeout(resolve, 20); });
  }
}

let count = 0;
const email = () => `code.${process.pid}.${(count += 1)}@example.com`;
const phone = () => `3361${String(process.pid % 10000).padStart(4, '0')}${String((count += 1)).padStart(4, '0')}`;

/** A request; `as` is a token. */
async function send(version, method, path, body, as, gateway = open) {
  const headers = { apikey: anonKey, 'Content-Type': 'application/json' };
  if (as !== null) headers.Authorization = `Bearer ${as ?? anonKey}`;
  if (version) headers['X-Supabase-Api-Version'] = VERSION;
  const text = typeof body === 'string' ? body : body && JSON.stringify(body);
  const response = await fetch(`${gateway}/auth/v1${path}`, { method, headers, body: text, redirect: 'manual' });
  const answer = await response.text();
  return { status: response.status, headers: response.headers, body: answer && JSON.parse(answer) };
}
const done = async (...request) => {
  const { status, body } = await send(true, ...request);
  assert.ok(status < 300, `${request.slice(0, 2).join(' ')}: ${JSON.stringify(body)}`);
  return body;
};

/** Somebody who has signed in. */
async function person(more = {}) {
  const known = { email: email(), password: PASSWORD, email_confirm: true, ...more };
  await done('POST', '/admin/users', known, service);
  const session = await done('POST', '/token?grant_type=password', { email: known.email, password: PASSWORD });
  return { ...session, as: session.access_token, email: known.email, id: session.user.id };
}
const old = (id) => database.query("update auth.sessions set created_at = created_at - interval '25 hours' where user_id = $1", [id]);
const post = (path, body, as, gateway) => (version) => send(version, 'POST', path, body, as, gateway);

/** Somebody with an authenticator app; `as` has not shown it. */
async function careful() {
  const who = await person();
  const { id, totp: { secret } } = await done('POST', '/factors', { factor_type: 'totp', friendly_name: 'App' }, who.as);
  const { id: challenge_id } = await done('POST', `/factors/${id}/challenge`, {}, who.as);
  const shown = await done('POST', `/factors/${id}/verify`, { challenge_id, code: totp(secret) }, who.as);
  const low = await done('POST', '/token?grant_type=password', { email: who.email, password: PASSWORD });
  return { ...who, as: low.access_token, high: shown.access_token, factor: id, secret };
}

/** A flow with PKCE, up to the code. */
async function flow() {
  const who = await person();
  const verifier = 'v'.repeat(50);
  await done('POST', '/magiclink', { email: who.email, code_challenge: verifier, code_challenge_method: 'plain' });
  const { email_data } = await message(({ user, email_data: data }) => data && user.email === who.email);
  const { headers } = await fetch(`${open}/auth/v1/verify?type=magiclink&token=${email_data.token_hash}`, { redirect: 'manual' });
  return { auth_code: new URL(headers.get('location')).searchParams.get('code'), code_verifier: verifier };
}

/** Whose request is the newest, held up until somebody else is faster. */
async function overtaken(version) {
  const [{ id }, taken] = [await person(), email()];
  const rival = await database.connect();
  try {
    await rival.query('begin');
    await rival.query("insert into auth.users (id, email, is_sso_user) values (gen_random_uuid(), $1, false)", [taken]);
    const asked = send(version, 'PUT', `/admin/users/${id}`, { email: taken }, service);
    for (;;) {
      const { rows } = await database.query("select from pg_stat_activity where wait_event_type = 'Lock' and datname = current_database()");
      if (rows.length) break;
      await new Promise((resolve) => { setTimeout(resolve, 20); });
    }
    await rival.query('commit');
    return await asked;
  } finally {
    rival.release();
  }
}

const asNewcomer = (answer) => async (version) => {
  newcomers.push(...[answer].flat());
  return send(version, 'POST', '/signup', { email: email(), password: PASSWORD });
};
const tooMany = (path, body) => async (version) => {
  const same = body();
  for (let round = 0; ; round += 1) {
    const answer = await send(version, 'POST', path, same);
    if (answer.status === 429 || round > 20) return answer;
  }
};

const CASES = {
  not_found: [404, post('/nothing')],
  validation_failed: [400, post('/signup', { email: 'nonsense', password: PASSWORD })],
  bad_json: [400, post('/signup', '{"email":')],
  request_entity_too_large: [413, post('/signup', JSON.stringify({ data: 'x'.repeat(2 << 20) }))],
  no_authorization: [401, (version) => send(version, 'GET', '/user', undefined, null)],
  bad_jwt: [403, (version) => send(version, 'GET', '/user', undefined, `${anonKey}x`)],
  user_not_found: [403, (version) => send(version, 'GET', '/user', undefined, forge({ role: 'authenticated', sub: randomUUID(), exp }))],
  session_not_found: [403, async (version) => {
    const who = await person();
    await done('POST', '/logout', undefined, who.as);
    return send(version, 'GET', '/user', undefined, who.as);
  }],
  not_admin: [403, (version) => send(version, 'GET', '/admin/users')],
  signup_disabled: [422, post('/signup', { email: email(), password: PASSWORD }, anonKey, closed)],
  anonymous_provider_disabled: [422, post('/signup', {})],
  phone_provider_disabled: [400, post('/otp', { phone: '33612345678' }, anonKey, closed)],
  feature_disabled: [501, post('/recover', { email: email() }, anonKey, closed)],
  manual_linking_disabled: [404, async (version) => send(version, 'GET', '/user/identities/authorize?provider=example', undefined, (await person()).as, closed)],
  mfa_phone_enroll_not_enabled: [422, async (version) => send(version, 'POST', '/factors', { factor_type: 'phone', phone: '33612345678' }, (await person()).as, closed)],
  mfa_webauthn_enroll_not_enabled: [422, async (version) => send(version, 'POST', '/factors', { factor_type: 'webauthn' }, (await person()).as)],
  mfa_phone_verify_not_enabled: [422, async (version) => {
    const who = await person();
    const { id } = await done('POST', '/factors', { factor_type: 'phone', phone: phone() }, who.as);
    return send(version, 'POST', `/factors/${id}/challenge`, {}, who.as, closed);
  }],
  web3_provider_disabled: [422, post('/token?grant_type=web3', { chain: 'ethereum' })],
  saml_provider_disabled: [404, post('/sso', { domain: 'corp.example' })],
  user_already_exists: [422, async (version) => send(version, 'POST', '/signup', { email: (await person()).email, password: PASSWORD }, anonKey, need('PASSERELLE_CONFIRMING_URL'))],
  email_exists: [422, async (version) => send(version, 'PUT', '/user', { email: (await person()).email }, (await person()).as)],
  phone_exists: [422, async (version) => {
    const number = phone();
    await person({ phone: number });
    return send(version, 'PUT', '/user', { phone: number }, (await person()).as);
  }],
  weak_password: [422, post('/signup', { email: email(), password: 'short' })],
  same_password: [422, async (version) => send(version, 'PUT', '/user', { password: PASSWORD, current_password: PASSWORD }, (await person()).as)],
  invalid_credentials: [400, async (version) => send(version, 'POST', '/token?grant_type=password', { email: (await person()).email, password: 'wrong' })],
  user_banned: [400, async (version) => {
    const known = { email: email(), password: PASSWORD, email_confirm: true, ban_duration: '1h' };
    await done('POST', '/admin/users', known, service);
    return send(version, 'POST', '/token?grant_type=password', known);
  }],
  email_not_confirmed: [400, async (version) => {
    const known = { email: email(), password: PASSWORD };
    await done('POST', '/admin/users', known, service);
    return send(version, 'POST', '/token?grant_type=password', known);
  }],
  phone_not_confirmed: [400, async (version) => {
    const known = { phone: phone(), password: PASSWORD };
    await done('POST', '/admin/users', known, service);
    return send(version, 'POST', '/token?grant_type=password', known);
  }],
  reauthentication_needed: [400, async (version) => {
    const who = await person();
    await old(who.id);
    return send(version, 'PUT', '/user', { password: 'NextPass123!' }, who.as);
  }],
  reauthentication_not_valid: [422, async (version) => {
    const who = await person();
    await old(who.id);
    return send(version, 'PUT', '/user', { password: 'NextPass123!', nonce: '000000' }, who.as);
  }],
  current_password_required: [400, async (version) => send(version, 'PUT', '/user', { password: 'NextPass123!' }, (await person()).as)],
  current_password_invalid: [400, async (version) => send(version, 'PUT', '/user', { password: 'NextPass123!', current_password: 'wrong' }, (await person()).as)],
  insufficient_aal: [401, async (version) => send(version, 'PUT', '/user', { email: email() }, (await careful()).as)],
  mfa_factor_not_found: [404, async (version) => send(version, 'POST', `/factors/${randomUUID()}/challenge`, {}, (await person()).as)],
  mfa_factor_name_conflict: [422, async (version) => {
    const who = await person();
    await done('POST', '/factors', { factor_type: 'totp', friendly_name: 'App' }, who.as);
    return send(version, 'POST', '/factors', { factor_type: 'totp', friendly_name: 'App' }, who.as);
  }],
  too_many_enrolled_mfa_factors: [422, async (version) => {
    const who = await person();
    for (let round = 0; round < 10; round += 1) await done('POST', '/factors', { factor_type: 'totp', friendly_name: `${round}` }, who.as);
    return send(version, 'POST', '/factors', { factor_type: 'totp' }, who.as);
  }],
  mfa_challenge_expired: [422, async (version) => {
    const who = await careful();
    const { id: challenge_id } = await done('POST', `/factors/${who.factor}/challenge`, {}, who.as);
    await database.query("update auth.mfa_challenges set created_at = created_at - interval '6 minutes' where id = $1", [challenge_id]);
    return send(version, 'POST', `/factors/${who.factor}/verify`, { challenge_id, code: totp(who.secret, 1) }, who.as);
  }],
  mfa_verification_failed: [422, async (version) => {
    const who = await careful();
    const { id: challenge_id } = await done('POST', `/factors/${who.factor}/challenge`, {}, who.as);
    return send(version, 'POST', `/factors/${who.factor}/verify`, { challenge_id, code: 'wrong' }, who.as);
  }],
  mfa_verified_factor_exists: [422, async (version) => {
    const [who, number] = [await careful(), phone()];
    const { id } = await done('POST', '/factors', { factor_type: 'phone', phone: number }, who.high);
    await database.query("update auth.mfa_factors set status = 'verified' where id = $1", [id]);
    return send(version, 'POST', '/factors', { factor_type: 'phone', phone: number }, who.high);
  }],
  refresh_token_not_found: [400, post('/token?grant_type=refresh_token', { refresh_token: 'nonsense' })],
  refresh_token_already_used: [400, async (version) => {
    const who = await person();
    let next = who.refresh_token;
    for (let round = 0; round < 2; round += 1) next = (await done('POST', '/token?grant_type=refresh_token', { refresh_token: next })).refresh_token;
    await database.query("update auth.sessions set refreshed_at = refreshed_at - interval '1 hour' where user_id = $1", [who.id]);
    return send(version, 'POST', '/token?grant_type=refresh_token', { refresh_token: who.refresh_token });
  }],
  session_expired: [400, async (version) => {
    const who = await person();
    await database.query("update auth.sessions set not_after = now() - interval '1 minute' where user_id = $1", [who.id]);
    return send(version, 'POST', '/token?grant_type=refresh_token', { refresh_token: who.refresh_token });
  }],
  otp_expired: [403, post('/verify', { type: 'email', email: email(), token: '000000' })],
  flow_state_not_found: [404, post('/token?grant_type=pkce', { auth_code: randomUUID(), code_verifier: 'x' })],
  flow_state_expired: [422, async (version) => {
    const known = await flow();
    await database.query("update auth.flow_state set auth_code_issued_at = now() - interval '6 minutes'");
    return send(version, 'POST', '/token?grant_type=pkce', known);
  }],
  bad_code_verifier: [400, async (version) => send(version, 'POST', '/token?grant_type=pkce', { ...await flow(), code_verifier: 'wrong' })],
  bad_oauth_state: [400, (version) => send(version, 'GET', '/authorize?ticket=nonsense')],
  identity_not_found: [404, async (version) => send(version, 'DELETE', `/user/identities/${randomUUID()}`, undefined, (await person()).as)],
  single_identity_not_deletable: [422, async (version) => {
    const { as, user } = await person();
    return send(version, 'DELETE', `/user/identities/${user.identities[0].identity_id}`, undefined, as);
  }],
  identity_already_exists: [422, async (version) => {
    const id_token = idToken({ sub: randomUUID(), email: email(), email_verified: true });
    await done('POST', '/token?grant_type=id_token', { provider: 'example', id_token });
    return send(version, 'POST', '/token?grant_type=id_token', { provider: 'example', id_token, link_identity: true }, (await person()).as);
  }],
  email_address_not_provided: [400, post('/token?grant_type=id_token', { provider: 'example', id_token: idToken({ sub: randomUUID() }) })],
  provider_email_needs_verification: [403, post('/token?grant_type=id_token', { provider: 'example', id_token: idToken({ sub: randomUUID(), email: email() }) })],
  hook_timeout: [422, asNewcomer({ wait: 7000 })],
  hook_timeout_after_retry: [422, asNewcomer([{ status: 503 }, { status: 503 }, { status: 503 }])],
  hook_payload_invalid_content_type: [400, asNewcomer({ type: 'text/plain' })],
  hook_payload_over_size_limit: [422, asNewcomer({ value: 'x'.repeat(300000) })],
  unexpected_failure: [500, asNewcomer({ status: 418 })],
  conflict: [409, overtaken],
  over_request_rate_limit: [429, tooMany('/token?grant_type=password', () => ({ email: email(), password: 'wrong' }))],
  over_email_send_rate_limit: [429, tooMany('/recover', () => ({ email: email() }))],
  over_sms_send_rate_limit: [429, tooMany('/otp', () => ({ phone: phone() }))],
};

for (const [code, [status, provoke]] of Object.entries(CASES)) {
  test(code, async () => {
    const fresh = await provoke(true);
    assert.deepEqual([fresh.status, fresh.body.code, typeof fresh.body.message], [status, code, 'string'], JSON.stringify(fresh.body));
    assert.equal(fresh.headers.get('x-supabase-api-version'), VERSION);
    const plain = await provoke(false);
    assert.deepEqual([plain.status, plain.body.code, plain.body.error_code, typeof plain.body.msg], [status, status, code, 'string'], JSON.stringify(plain.body));
    assert.equal(plain.headers.get('x-supabase-api-version'), null);
    for (const { headers } of [fresh, plain]) {
      assert.equal(headers.get('x-sb-error-code'), code);
      assert.equal(headers.get('cache-control'), 'no-store');
      assert.equal(headers.get('retry-after') !== null, status === 429);
    }
  });
}

test('failures of grants have the form of OAuth', async () => {
  for (const version of [true, false]) {
    const unknown = await send(version, 'POST', '/token?grant_type=magic', {});
    assert.deepEqual([unknown.status, unknown.body.error, typeof unknown.body.error_description], [400, 'unsupported_grant_type', 'string']);
    const missing = await send(version, 'POST', '/token?grant_type=refresh_token', {});
    assert.deepEqual([missing.status, missing.body.error], [400, 'invalid_request']);
  }
});

test('a browser is told in its address', async () => {
  const began = await fetch(`${open}/auth/v1/authorize?provider=example`, { redirect: 'manual' });
  const state = new URL(began.headers.get('location')).searchParams.get('state');
  const [cookie] = began.headers.getSetCookie()[0].split(';');
  const landed = await fetch(`${open}/auth/v1/callback?state=${state}`, { redirect: 'manual', headers: { cookie } });
  const said = new URLSearchParams(new URL(landed.headers.get('location')).hash.slice(1));
  assert.deepEqual([said.get('error'), said.get('error_code')], ['access_denied', 'bad_oauth_callback']);
});

test('a database that cannot be asked is told with 503', async () => {
  const { as } = await person();
  const functions = 'passerelle.ended_since(xid8), passerelle.has_ended(uuid)';
  await database.query(`revoke execute on function ${functions} from authenticator`);
  for (const version of [true, false]) {
    let answer;
    const started = Date.now();
    do answer = await send(version, 'GET', '/user', undefined, as); while (answer.status === 200 && Date.now() - started < 30000);
    assert.deepEqual([answer.status, version ? answer.body.code : answer.body.error_code], [503, 'request_timeout']);
    assert.equal(answer.headers.get('retry-after'), '1');
  }
  await database.query(`grant execute on function ${functions} to authenticator`);
});

test('no code is forgotten', () => {
  const provoked = new Set([...Object.keys(CASES), 'unsupported_grant_type', 'bad_oauth_callback', 'request_timeout']);
  assert.deepEqual([...wanted].filter((code) => !provoked.has(code)), []);
  assert.deepEqual([...provoked].filter((code) => !wanted.has(code)), []);
});

test.after(async () => {
  server.close();
  server.closeAllConnections();
  await database.end();
});
