// Signing in at a provider: a browser that goes there and comes back, ID tokens of apps, and what attackers try.

import assert from 'node:assert/strict';
import { createHash, generateKeyPairSync, randomUUID, sign } from 'node:crypto';
import { createServer } from 'node:http';
import test from 'node:test';
import { database, need, open } from '../actors.mjs';

const url = need('PASSERELLE_URL');
const anonKey = need('PASSERELLE_ANON_KEY');
const site = need('PASSERELLE_SITE_URL');
const issuer = need('PASSERELLE_ISSUER');
const PASSWORD = 'StrongPass123!';

const keys = Object.fromEntries(['one', 'two', 'foreign'].map((kid) => [kid, generateKeyPairSync('rsa', { modulusLength: 2048 })]));
const published = new Set(['one']);
let asks = 0;

function idToken(claims, { kid = 'one', alg = 'RS256', key = keys[kid].privateKey } = {}) {
  const part = (value) => Buffer.from(JSON.stringify(value)).toString('base64url');
  const now = Math.floor(Date.now() / 1000);
  const text = `${part({ alg, kid, typ: 'JWT' })}.${part({ iss: issuer, aud: 'hub-lib', iat: now, exp: now + 300, ...claims })}`;
  if (alg === 'none') return `${text}.`;
  return `${text}.${sign('sha256', Buffer.from(text), key).toString('base64url')}`;
}

// The provider, of OpenID Connect and of GitHub's kind at once.
let person = null;
let spoil = (token) => token;
const codes = new Map();
const provider = createServer(async (request, response) => {
  const here = new URL(request.url, issuer);
  const json = (value, status = 200) => { response.writeHead(status, { 'Content-Type': 'application/json' }); response.end(JSON.stringify(value)); };
  let body = '';
  for await (const part of request) body += part;
  switch (here.pathname) {
    case '/.well-known/openid-configuration':
      asks += 1;
      return json({ issuer, authorization_endpoint: `${issuer}/authorize`, token_endpoint: `${issuer}/token`, jwks_uri: `${issuer}/jwks` });
    case '/jwks':
      return json({ keys: [...published].map((kid) => ({ ...keys[kid].publicKey.export({ format: 'jwk' }), kid, alg: 'RS256', use: 'sig' })) });
    case '/authorize': case '/login/oauth/authorize': {
      const code = randomUUID();
      codes.set(code, Object.fromEntries(here.searchParams));
      const back = new URL(here.searchParams.get('redirect_uri'));
      back.searchParams.set('state', here.searchParams.get('state'));
      if (person === null) back.searchParams.set('error', 'access_denied');
      else back.searchParams.set('code', code);
      response.writeHead(302, { Location: back.href });
      return response.end();
    }
    case '/token': case '/login/oauth/access_token': {
      const form = new URLSearchParams(body);
      const asked = codes.get(form.get('code'));
      codes.delete(form.get('code'));
      const challenge = createHash('sha256').update(form.get('code_verifier') ?? '').digest('base64url');
      if (!asked || challenge !== asked.code_challenge || asked.redirect_uri !== form.get('redirect_uri') || form.get('client_secret') !== 'very secret') return json({ error: 'invalid_grant' }, 400);
      return json({ access_token: 'at-provider', refresh_token: 'rt-provider', token_type: 'bearer', id_token: spoil(idToken({ nonce: asked.nonce, ...person })) });
    }
    case '/user':
      return request.headers.authorization === 'Bearer at-provider' ? json({ id: person.id, login: person.login, name: person.name, avatar_url: `${issuer}/a.png` }) : json({}, 401);
    case '/user/emails':
      return json([{ email: 'other@example.com', primary: false, verified: true }, { email: person.email, primary: true, verified: person.email_verified }]);
    default:
      return json({}, 404);
  }
});
await new Promise((resolve) => { provider.listen(Number(new URL(issuer).port), '127.0.0.1', resolve); });

let count = 0;
const somebody = (more = {}) => { count += 1; return { sub: `s${process.pid}${count}`, email: `oauth.${process.pid}.${count}@example.com`, email_verified: true, name: 'Ada Lovelace', picture: `${issuer}/ada.png`, ...more }; };

function memory() {
  const kept = new Map();
  return { getItem: (key) => kept.get(key) ?? null, setItem: (key, value) => kept.set(key, value), removeItem: (key) => kept.delete(key) };
}
const client = (flowType = 'implicit') => open({ auth: { autoRefreshToken: false, detectSessionInUrl: false, flowType, storage: memory() } }, url);

function fine({ data, error }) {
  assert.equal(error, null);
  return data;
}

/** A browser: keeps cookies of the gateway, follows redirects until it leaves the machine's servers. */
class Browser {
  cookies = new Map();

  async step(address) {
    const headers = address.startsWith(url) && this.cookies.size ? { Cookie: [...this.cookies].map(([name, value]) => `${name}=${value}`).join('; ') } : {};
    const response = await fetch(address, { redirect: 'manual', headers });
    if (address.startsWith(url)) {
      for (const line of response.headers.getSetCookie()) {
        const [, name, value] = /^([^=]+)=([^;]*)/.exec(line);
        assert.match(line, /HttpOnly/);
        assert.match(line, /SameSite=Lax/);
        if (value) this.cookies.set(name, value); else this.cookies.delete(name);
      }
    }
    return response;
  }

  /** Where it ends up, and all addresses on the way. */
  async follow(address) {
    const way = [address];
    for (;;) {
      const response = await this.step(way.at(-1));
      const location = response.headers.get('location');
      if (!location) throw new Error(`${way.at(-1)}: ${response.status} ${await response.text()}`);
      way.push(location);
      if (location.startsWith(site)) {
        const target = new URL(location);
        return { target, said: new URLSearchParams(target.hash.slice(1)), way };
      }
    }
  }
}

async function begin(supabase, name, options = {}) {
  const { url: address } = fine(await supabase.auth.signInWithOAuth({ provider: name, options: { skipBrowserRedirect: true, redirectTo: `${site}/after`, ...options } }));
  return address;
}

test('a browser goes there and comes back with a session', async () => {
  person = somebody();
  const supabase = client();
  const { target, said, way } = await new Browser().follow(await begin(supabase, 'example', { scopes: 'calendar', queryParams: { prompt: 'consent' } }));
  const asked = new URL(way[1]).searchParams;
  assert.equal(asked.get('scope'), 'openid email profile calendar');
  assert.equal(asked.get('prompt'), 'consent');
  assert.equal(target.pathname, '/after');
  assert.equal(said.get('provider_token'), 'at-provider');
  assert.equal(said.get('provider_refresh_token'), 'rt-provider');
  const { user } = fine(await supabase.auth.setSession({ access_token: said.get('access_token'), refresh_token: said.get('refresh_token') }));
  assert.equal(user.email, person.email);
  assert.equal(user.user_metadata.full_name, 'Ada Lovelace');
  assert.equal(user.user_metadata.avatar_url, person.picture);
  assert.deepEqual(user.app_metadata, { provider: 'example', providers: ['example'] });
  assert.equal(user.identities[0].id, person.sub);
  const again = await new Browser().follow(await begin(client(), 'example'));
  assert.equal(fine(await client().auth.getUser(again.said.get('access_token'))).user.id, user.id);
});

test('with PKCE it brings a code for the one that asked', async () => {
  person = somebody();
  const supabase = client('pkce');
  const { target } = await new Browser().follow(await begin(supabase, 'example'));
  assert.equal(target.hash, '');
  const code = target.searchParams.get('code');
  assert.ok((await client('pkce').auth.exchangeCodeForSession(code)).error);
  const { session } = fine(await supabase.auth.exchangeCodeForSession(code));
  assert.equal(session.user.email, person.email);
  assert.equal(session.provider_token, 'at-provider');
  assert.ok((await supabase.auth.exchangeCodeForSession(code)).error);
  const { rows: [kept] } = await database.query('select count(*)::int as flows from auth.flow_state where user_id = $1', [session.user.id]);
  assert.equal(kept.flows, 0);
});

test('GitHub', async () => {
  person = { id: 4711 + process.pid, login: 'ada', name: 'Ada', email: `github.${process.pid}@example.com`, email_verified: true };
  const { said } = await new Browser().follow(await begin(client(), 'github'));
  const { user } = fine(await client().auth.getUser(said.get('access_token')));
  assert.equal(user.email, person.email);
  assert.equal(user.identities[0].id, String(person.id));
  assert.equal(user.user_metadata.user_name, 'ada');
});

test('an account that has the address already, and one that has not shown it', async () => {
  const known = somebody();
  const confirmed = client();
  fine(await confirmed.auth.signUp({ email: known.email, password: PASSWORD }));
  await database.query('update auth.users set email_confirmed_at = now() where email = $1', [known.email]);
  person = known;
  const { said } = await new Browser().follow(await begin(client(), 'example'));
  const { user } = fine(await client().auth.getUser(said.get('access_token')));
  assert.deepEqual(user.identities.map((identity) => identity.provider).sort(), ['email', 'example']);
  assert.deepEqual(user.app_metadata, { provider: 'email', providers: ['email', 'example'] });
  fine(await client().auth.signInWithPassword({ email: known.email, password: PASSWORD }));

  const victim = somebody();
  fine(await client().auth.signUp({ email: victim.email, password: PASSWORD, options: { data: { planted: true } } }));
  person = victim;
  const landed = await new Browser().follow(await begin(client(), 'example'));
  const theirs = fine(await client().auth.getUser(landed.said.get('access_token'))).user;
  assert.deepEqual(theirs.identities.map((identity) => identity.provider), ['example']);
  assert.equal(theirs.user_metadata.planted, undefined);
  assert.equal((await client().auth.signInWithPassword({ email: victim.email, password: PASSWORD })).error.code, 'invalid_credentials');
});

test('what a provider has not verified, or does not tell, or refuses', async () => {
  for (const [who, code] of [
    [somebody({ email_verified: false }), 'provider_email_needs_verification'], [somebody({ email: undefined }), 'email_address_not_provided'], [null, 'bad_oauth_callback'],
  ]) {
    person = who;
    const { target, said } = await new Browser().follow(await begin(client(), 'example'));
    assert.equal(said.get('error_code'), code);
    assert.equal(target.searchParams.get('error_code'), code);
    assert.equal(said.get('access_token'), null);
  }
  const unknown = await fetch(`${url}/auth/v1/authorize?provider=nowhere`, { redirect: 'manual', headers: { 'X-Supabase-Api-Version': '2024-01-01' } });
  assert.equal(unknown.status, 400);
  assert.equal((await unknown.json()).code, 'validation_failed');
});

test('a state is of one browser and good once', async () => {
  person = somebody();
  const browser = new Browser();
  const toProvider = (await browser.step(await begin(client(), 'example'))).headers.get('location');
  const back = (await browser.step(toProvider)).headers.get('location');
  // Somebody else is made to follow the link: another browser, one with a cookie of its own, a forged state.
  const stranger = new Browser();
  await stranger.step(await begin(client(), 'example'));
  const forged = new URL(back);
  forged.searchParams.set('state', Buffer.from(randomUUID()).toString('base64url'));
  for (const [who, address] of [[new Browser(), back], [stranger, back], [browser, forged.href], [browser, `${url}/auth/v1/callback?code=x`]]) {
    const kept = new Map(who.cookies);
    const { said, target } = await who.follow(address);
    assert.equal(said.get('error_code'), 'bad_oauth_state', address);
    assert.equal(target.origin, site);
    who.cookies = kept;
  }
  const kept = new Map(browser.cookies);
  assert.ok((await browser.follow(back)).said.get('access_token'));
  browser.cookies = kept;
  assert.equal((await browser.follow(back)).said.get('error_code'), 'bad_oauth_state');
});

test('tokens that are not from this provider, for this application, of this sign-in', async () => {
  const none = (token) => { const [, claims] = token.split('.'); return `${Buffer.from('{"alg":"none","typ":"JWT"}').toString('base64url')}.${claims}.`; };
  const spoils = {
    'another issuer': () => idToken({ ...person, iss: 'https://evil.example', nonce: undefined }),
    'another audience': () => idToken({ ...person, aud: 'somebody-else' }),
    'several audiences and no party': () => idToken({ ...person, aud: ['hub-lib', 'somebody-else'] }),
    'another nonce': () => idToken({ ...person, nonce: 'another' }),
    'no nonce': () => idToken({ ...person }),
    'no signature': none,
    'a key that is not published': (token) => idToken(JSON.parse(Buffer.from(token.split('.')[1], 'base64url')), { kid: 'foreign' }),
    'a foreign key under a known name': (token) => idToken(JSON.parse(Buffer.from(token.split('.')[1], 'base64url')), { kid: 'one', key: keys.foreign.privateKey }),
    expired: (token) => idToken({ ...JSON.parse(Buffer.from(token.split('.')[1], 'base64url')), exp: Math.floor(Date.now() / 1000) - 60 }),
    'no end': (token) => idToken({ ...JSON.parse(Buffer.from(token.split('.')[1], 'base64url')), exp: undefined }),
  };
  person = somebody();
  for (const [name, change] of Object.entries(spoils)) {
    spoil = change;
    const { said } = await new Browser().follow(await begin(client(), 'example'));
    assert.equal(said.get('error_code'), 'bad_jwt', name);
  }
  spoil = (token) => token;
  assert.ok((await new Browser().follow(await begin(client(), 'example'))).said.get('access_token'));
});

test('Apple sends browsers back with a form', async () => {
  person = somebody({ name: undefined });
  const supabase = client();
  const browser = new Browser();
  const toProvider = (await browser.step(await begin(supabase, 'apple'))).headers.get('location');
  const asked = new URL(toProvider).searchParams;
  assert.deepEqual([asked.get('response_mode'), asked.get('scope')], ['form_post', 'openid email name']);
  const back = new URL((await fetch(toProvider, { redirect: 'manual' })).headers.get('location'));
  const form = new URLSearchParams({ state: back.searchParams.get('state'), code: back.searchParams.get('code'), user: JSON.stringify({ name: { firstName: 'Grace', lastName: 'Hopper' } }) });
  // No cookie comes along with what another site posts.
  const posted = await fetch(`${url}/auth/v1/callback`, { method: 'POST', body: form, redirect: 'manual' });
  assert.equal(posted.status, 303);
  const { said } = await browser.follow(posted.headers.get('location'));
  const { user } = fine(await supabase.auth.setSession({ access_token: said.get('access_token'), refresh_token: said.get('refresh_token') }));
  assert.equal(user.user_metadata.full_name, 'Grace Hopper');
});

test('an issuer of somebody else signs nobody in (CVE-2026-31813)', async () => {
  // Somebody who has signed in with Apple, and an attacker who has an issuer with everything that belongs to one.
  const victim = somebody();
  fine(await client().auth.signInWithIdToken({ provider: 'apple', token: idToken(victim) }));
  let asked = 0;
  const attacker = createServer((request, response) => {
    asked += 1;
    const here = `http://127.0.0.1:${attacker.address().port}`;
    const document = { issuer: here, authorization_endpoint: `${here}/a`, token_endpoint: `${here}/t`, jwks_uri: `${here}/jwks` };
    const jwks = { keys: [{ ...keys.foreign.publicKey.export({ format: 'jwk' }), kid: 'foreign', alg: 'RS256' }] };
    response.writeHead(200, { 'Content-Type': 'application/json' }).end(JSON.stringify(request.url === '/jwks' ? jwks : document));
  });
  await new Promise((resolve) => { attacker.listen(0, '127.0.0.1', resolve); });
  const iss = `http://127.0.0.1:${attacker.address().port}`;
  for (const provider of ['apple', 'example', 'azure']) {
    for (const forged of [idToken({ ...victim, iss }, { kid: 'foreign' }), idToken({ ...victim, iss, sub: 'theirs' }, { kid: 'foreign' }), idToken(victim, { kid: 'foreign' })]) {
      const { data, error } = await client().auth.signInWithIdToken({ provider, token: forged });
      assert.equal(data.session, null);
      assert.ok(['bad_jwt', 'validation_failed'].includes(error.code), error.code);
    }
  }
  assert.equal(asked, 0, 'the issuer of a token is not asked for its keys');
  const { rows } = await database.query('select provider from auth.identities where email = $1', [victim.email]);
  assert.deepEqual(rows.map((row) => row.provider), ['apple']);
  attacker.close();
});

test('ID tokens that an app has got', async () => {
  const who = somebody();
  const nonce = randomUUID();
  const hashed = createHash('sha256').update(nonce).digest('hex');
  const supabase = client();
  const { user } = fine(await supabase.auth.signInWithIdToken({ provider: 'example', token: idToken({ ...who, nonce: hashed }), nonce }));
  assert.equal(user.email, who.email);
  fine(await client().auth.signInWithIdToken({ provider: 'example', token: idToken({ ...who, aud: 'hub-lib-ios' }) }));
  for (const [token, given] of [
    [idToken({ ...who, nonce: hashed }), undefined], [idToken({ ...who, nonce: hashed }), 'another'], [idToken(who), nonce],
    [idToken({ ...who, aud: 'other' }), undefined], [idToken({ ...who, iss: 'https://evil.example' }), undefined], ['nonsense', undefined], [idToken(who, { alg: 'none' }), undefined],
  ]) {
    assert.equal((await client().auth.signInWithIdToken({ provider: 'example', token, nonce: given })).error.code, 'bad_jwt');
  }
  // A provider says that a token of another is its own: only the issuer that is configured counts.
  assert.equal((await client().auth.signInWithIdToken({ provider: 'github', token: idToken(who) })).error.code, 'bad_jwt');
  assert.equal((await client().auth.signInWithIdToken({ provider: 'nowhere', token: idToken(who) })).error.code, 'validation_failed');
});

test('identities are added and taken away', async () => {
  const first = somebody();
  person = first;
  const supabase = client();
  const { said } = await new Browser().follow(await begin(supabase, 'example'));
  const mine = fine(await supabase.auth.setSession({ access_token: said.get('access_token'), refresh_token: said.get('refresh_token') })).user;
  assert.equal((await supabase.auth.unlinkIdentity(mine.identities[0])).error.code, 'single_identity_not_deletable');
  person = { id: 8000 + process.pid, login: 'second', name: 'Second', email: `second.${process.pid}@example.com`, email_verified: true };
  const browser = new Browser();
  const link = await fetch(`${url}/auth/v1/user/identities/authorize?provider=github&skip_http_redirect=true&redirect_to=${encodeURIComponent(site)}`, { headers: { apikey: anonKey, Authorization: `Bearer ${said.get('access_token')}` } });
  for (const line of link.headers.getSetCookie()) { const [, name, value] = /^([^=]+)=([^;]*)/.exec(line); browser.cookies.set(name, value); }
  const landed = await browser.follow((await link.json()).url);
  assert.ok(landed.said.get('access_token'), landed.target.href);
  const { identities } = fine(await supabase.auth.getUserIdentities());
  assert.deepEqual(identities.map((identity) => identity.provider).sort(), ['example', 'github']);
  // From another origin no cookie comes along: with PKCE the browser brings a ticket.
  const kept = new Map();
  const storage = { getItem: (key) => kept.get(key) ?? null, setItem: (key, value) => kept.set(key, value), removeItem: (key) => kept.delete(key) };
  const elsewhere = open({ auth: { autoRefreshToken: false, detectSessionInUrl: false, flowType: 'pkce', storage } }, url);
  fine(await elsewhere.auth.setSession({ access_token: landed.said.get('access_token'), refresh_token: landed.said.get('refresh_token') }));
  const second = somebody();
  person = second;
  const ticket = fine(await elsewhere.auth.linkIdentity({ provider: 'example', options: { redirectTo: site } })).url;
  assert.equal(new URL(ticket).pathname, '/auth/v1/authorize');
  const brought = `${url}${new URL(ticket).pathname}${new URL(ticket).search}`;
  const { target } = await new Browser().follow(brought);
  const count = async () => fine(await elsewhere.auth.getUserIdentities()).identities.length;
  assert.equal(await count(), 2, 'nothing is linked before the code is exchanged');
  // Whoever was lured along has a code that they cannot exchange, and the ticket is used up.
  const lured = await fetch(`${url}/auth/v1/token?grant_type=pkce`, { method: 'POST', headers: { apikey: anonKey, 'Content-Type': 'application/json', 'X-Supabase-Api-Version': '2024-01-01' }, body: JSON.stringify({ auth_code: target.searchParams.get('code'), code_verifier: 'a'.repeat(43) }) });
  assert.equal((await lured.json()).code, 'bad_code_verifier');
  const again = await fetch(brought, { redirect: 'manual', headers: { 'X-Supabase-Api-Version': '2024-01-01' } });
  assert.deepEqual([again.status, (await again.json()).code], [400, 'bad_oauth_state']);
  const exchanged = fine(await elsewhere.auth.exchangeCodeForSession(target.searchParams.get('code')));
  assert.equal(exchanged.user.id, mine.id);
  assert.ok(exchanged.session.provider_token);
  assert.equal(await count(), 3);
  fine(await elsewhere.auth.unlinkIdentity(exchanged.user.identities.find((identity) => identity.identity_data.email === second.email)));
  // Somebody else cannot have it, too.
  person = somebody();
  const other = client();
  const theirs = await new Browser().follow(await begin(other, 'example'));
  const taken = await fetch(`${url}/auth/v1/token?grant_type=id_token`, { method: 'POST', headers: { apikey: anonKey, Authorization: `Bearer ${theirs.said.get('access_token')}`, 'Content-Type': 'application/json', 'X-Supabase-Api-Version': '2024-01-01' }, body: JSON.stringify({ provider: 'example', id_token: idToken(first), link_identity: true }) });
  assert.equal((await taken.json()).code, 'identity_already_exists');
  fine(await supabase.auth.unlinkIdentity(identities.find((identity) => identity.provider === 'github')));
  assert.deepEqual(fine(await supabase.auth.getUser()).user.app_metadata.providers, ['example']);
});

test('a provider changes its keys', async () => {
  const who = somebody();
  fine(await client().auth.signInWithIdToken({ provider: 'example', token: idToken(who) }));
  published.add('two');
  const before = asks;
  const started = Date.now();
  let answer;
  // It is asked anew for a key that is not known, and not more often than every ten seconds.
  do answer = await client().auth.signInWithIdToken({ provider: 'example', token: idToken(who, { kid: 'two' }) }); while (answer.error && Date.now() - started < 30000);
  fine(answer);
  assert.ok(asks - before <= 4, `${asks - before} times`);
});

test.after(async () => {
  provider.close();
  provider.closeAllConnections();
  await database.end();
});
