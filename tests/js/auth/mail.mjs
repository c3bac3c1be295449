// Links and codes by mail, followed as people follow them.

import assert from 'node:assert/strict';
import { readdirSync } from 'node:fs';
import { request } from 'node:http';
import test from 'node:test';
import { database, need, open } from '../actors.mjs';
import { folder, mail, mails, read } from './mailbox.mjs';

const url = need('PASSERELLE_URL');
const anonKey = need('PASSERELLE_ANON_KEY');
const site = need('PASSERELLE_SITE_URL');
const PASSWORD = 'StrongPass123!';
const CALLBACK = 'https://preview-7.hub.example/callback?keep=1';

let count = 0;
const address = (name = 'ada') => `${name}.${process.pid}.${(count += 1)}@example.com`;

function memory() {
  const kept = new Map();
  return { getItem: (key) => kept.get(key) ?? null, setItem: (key, value) => kept.set(key, value), removeItem: (key) => kept.delete(key) };
}
const client = (flowType = 'implicit') => open({ auth: { autoRefreshToken: false, detectSessionInUrl: false, flowType, storage: memory() } }, url);

function fine({ data, error }) {
  assert.equal(error, null);
  return data;
}

/** Follows a link of a mail; where the browser is sent. */
async function follow(link) {
  const here = new URL(link);
  assert.equal(here.origin, new URL(need('PASSERELLE_PUBLIC_URL')).origin, 'links lead where the configuration says');
  const response = await fetch(`${url}${here.pathname}${here.search}`, { redirect: 'manual', headers: { Host: 'evil.example', 'X-Forwarded-Host': 'evil.example' } });
  assert.equal(response.status, 303, await response.text());
  assert.equal(response.headers.get('cache-control'), 'no-store');
  const target = new URL(response.headers.get('location'));
  return { target, said: new URLSearchParams(target.hash.slice(1)) };
}

test('headers do not say where links lead (GHSA-3529-5m8x-rpv3)', async () => {
  const send = (path, headers, body) => new Promise((resolve, reject) => {
    const sent = request(new URL(`${url}/auth/v1${path}`), { method: 'POST', headers: { apikey: anonKey, 'Content-Type': 'application/json', ...headers } }, (answer) => { answer.resume(); answer.on('end', () => resolve(answer.statusCode)); });
    sent.on('error', reject);
    sent.end(JSON.stringify(body));
  });
  const evil = {
    Host: 'evil.example', 'X-Forwarded-Host': 'evil.example', 'X-Forwarded-Proto': 'http', Forwarded: 'host=evil.example;proto=http',
    Referer: 'https://evil.example/', Origin: 'https://evil.example', 'X-Original-Host': 'evil.example',
  };
  for (const path of ['/signup', '/recover', '/otp', '/recover?redirect_to=https://evil.example/']) {
    const email = address('poisoned');
    if (path.startsWith('/recover')) fine(await client().auth.signUp({ email, password: PASSWORD }));
    assert.equal(await send(path, evil, { email, password: PASSWORD }), 200);
    const { raw, text } = await mail(email, path.startsWith('/recover') ? 2 : 1);
    assert.ok(!raw.includes('evil') && !text.includes('evil'), text);
  }
});

test('an address is confirmed by a link, which is good once', async () => {
  const supabase = client();
  const email = address();
  const { user, session } = fine(await supabase.auth.signUp({ email, password: PASSWORD, options: { emailRedirectTo: CALLBACK } }));
  assert.equal(session, null);
  assert.ok(user.confirmation_sent_at);
  assert.equal((await supabase.auth.signInWithPassword({ email, password: PASSWORD })).error.code, 'email_not_confirmed');
  const { link, head, from } = await mail(email);
  assert.match(from, /no-reply@hub\.example/);
  assert.match(head, /^Auto-Submitted: auto-generated/m);
  const { target, said } = await follow(link);
  assert.equal(`${target.origin}${target.pathname}${target.search}`, CALLBACK);
  assert.equal(said.get('type'), 'signup');
  assert.equal(said.get('token_type'), 'bearer');
  const given = fine(await supabase.auth.setSession({ access_token: said.get('access_token'), refresh_token: said.get('refresh_token') }));
  assert.equal(given.user.email, email);
  assert.equal(given.user.identities[0].identity_data.email_verified, true);
  const again = await follow(link);
  assert.equal(again.said.get('error'), 'access_denied');
  assert.equal(again.said.get('error_code'), 'otp_expired');
  assert.equal(again.said.get('error_description'), 'Email link is invalid or has expired');
  fine(await client().auth.signInWithPassword({ email, password: PASSWORD }));
});

test('a code does as well, for its address alone, and wrong ones are bounded', async () => {
  const supabase = client();
  const email = address();
  fine(await supabase.auth.signUp({ email, password: PASSWORD }));
  const { code } = await mail(email);
  const wrong = String((Number(code) + 1) % 1000000).padStart(6, '0');
  const refused = (await supabase.auth.verifyOtp({ email, token: wrong, type: 'signup' })).error;
  assert.equal(refused.code, 'otp_expired');
  assert.equal(refused.status, 403);
  assert.equal((await supabase.auth.verifyOtp({ email: address('other'), token: code, type: 'signup' })).error.code, 'otp_expired');
  assert.equal((await supabase.auth.verifyOtp({ email, token: code, type: 'recovery' })).error.code, 'otp_expired');
  const { session } = fine(await supabase.auth.verifyOtp({ email, token: code, type: 'email' }));
  assert.ok(session.access_token);
  assert.equal((await supabase.auth.verifyOtp({ email, token: code, type: 'email' })).error.code, 'otp_expired');
});

test('nobody learns which accounts there are', async () => {
  const email = address();
  const fresh = fine(await client().auth.signUp({ email, password: PASSWORD, options: { data: { a: 1 } } }));
  const { code } = await mail(email);
  fine(await client().auth.verifyOtp({ email, token: code, type: 'signup' }));
  const taken = fine(await client().auth.signUp({ email, password: 'AnotherPass1!', options: { data: { a: 1 } } }));
  const shape = (value) => (value && typeof value === 'object' ? Object.fromEntries(Object.entries(value).sort().map(([key, inner]) => [key, shape(inner)])) : typeof value);
  assert.deepEqual(shape(taken), shape(fresh));
  assert.notEqual(taken.user.id, fresh.user.id);
  assert.equal((await client().auth.signInWithPassword({ email, password: 'AnotherPass1!' })).error.code, 'invalid_credentials');
  const known = address('known');
  fine(await client().auth.signInWithOtp({ email: known }));
  fine(await client().auth.verifyOtp({ email: known, token: (await mail(known)).code, type: 'email' }));
  for (const who of [known, address('nobody')]) {
    assert.deepEqual(await client().auth.resetPasswordForEmail(who), { data: {}, error: null });
    assert.equal((await client().auth.resend({ type: 'signup', email: who })).error, null);
  }
  for (const who of [email, address('nobody')]) {
    const answer = await client().auth.signInWithOtp({ email: who, options: { shouldCreateUser: false } });
    assert.deepEqual(answer, { data: { user: null, session: null }, error: null });
  }
  // Both existing accounts got one more mail, and nobody else any.
  await Promise.all([mail(known, 2), mail(email, 2)]);
  const all = readdirSync(folder).filter((file) => file.endsWith('.eml')).map((file) => read(file).to);
  assert.equal(all.filter((to) => to === known).length, 2);
  assert.equal(all.filter((to) => to === email).length, 2);
  assert.equal(all.filter((to) => to.startsWith('nobody')).length, 0);
});

test('a link to sign in makes an account, and its address counts as confirmed', async () => {
  const supabase = client();
  const email = address('magic');
  fine(await supabase.auth.signInWithOtp({ email, options: { data: { full_name: 'Grace' } } }));
  const first = await follow((await mail(email)).link);
  assert.equal(first.target.origin, site);
  assert.equal(first.said.get('type'), 'signup');
  fine(await supabase.auth.signInWithOtp({ email }));
  const second = await follow((await mail(email, 2)).link);
  assert.equal(second.said.get('type'), 'magiclink');
  const { user } = fine(await supabase.auth.getUser(second.said.get('access_token')));
  assert.equal(user.user_metadata.full_name, 'Grace');
  assert.ok(user.email_confirmed_at);
});

test('a password that a stranger chose before is void when a link confirms the address', async () => {
  const email = address('victim');
  fine(await client().auth.signUp({ email, password: 'StrangersPass1!' }));
  fine(await client().auth.resetPasswordForEmail(email));
  const { link, text } = await mail(email, 2);
  assert.match(text, /new password/);
  const { said } = await follow(link);
  assert.equal(said.get('type'), 'recovery');
  assert.equal((await client().auth.signInWithPassword({ email, password: 'StrangersPass1!' })).error.code, 'invalid_credentials');
});

test('nor does it outlive a link to sign in', async () => {
  const email = address('victim');
  fine(await client().auth.signUp({ email, password: 'StrangersPass1!' }));
  fine(await client().auth.signInWithOtp({ email }));
  const { said } = await follow((await mail(email, 2)).link);
  assert.ok(said.get('access_token'));
  assert.equal((await client().auth.signInWithPassword({ email, password: 'StrangersPass1!' })).error.code, 'invalid_credentials');
});

test('a forgotten password, with a code for the browser that asked (PKCE)', async () => {
  const email = address('pkce');
  const supabase = client('pkce');
  fine(await supabase.auth.signUp({ email, password: PASSWORD, options: { emailRedirectTo: CALLBACK } }));
  const { target } = await follow((await mail(email)).link);
  assert.equal(target.hash, '');
  assert.equal(target.searchParams.get('keep'), '1');
  const code = target.searchParams.get('code');
  // Another browser has no verifier, a wrong one is refused, and the right one is taken once.
  assert.ok((await client('pkce').auth.exchangeCodeForSession(code)).error);
  const exchange = (body) => fetch(`${url}/auth/v1/token?grant_type=pkce`, { method: 'POST', headers: { apikey: anonKey, 'Content-Type': 'application/json', 'X-Supabase-Api-Version': '2024-01-01' }, body: JSON.stringify(body) });
  assert.equal((await (await exchange({ auth_code: code, code_verifier: 'x'.repeat(60) })).json()).code, 'bad_code_verifier');
  const { session } = fine(await supabase.auth.exchangeCodeForSession(code));
  assert.equal(session.user.email, email);
  const gone = await exchange({ auth_code: code, code_verifier: 'x'.repeat(60) });
  assert.equal(gone.status, 404);
  assert.equal((await gone.json()).code, 'flow_state_not_found');
  fine(await supabase.auth.resetPasswordForEmail(email, { redirectTo: CALLBACK }));
  const recovery = (await follow((await mail(email, 2)).link)).target.searchParams.get('code');
  const recovered = fine(await supabase.auth.exchangeCodeForSession(recovery));
  assert.equal(recovered.redirectType, 'recovery');
  fine(await supabase.auth.updateUser({ password: 'AnotherPass123!' }));
  fine(await client().auth.signInWithPassword({ email, password: 'AnotherPass123!' }));
});

test('browsers are sent to the site or to what is listed, never elsewhere', async () => {
  for (const elsewhere of ['https://evil.example/', 'https://hub.example.evil.example/', 'https://hub.example@evil.example/', 'javascript:alert(1)', '//evil.example']) {
    const email = address('redirect');
    fine(await client().auth.signUp({ email, password: PASSWORD, options: { emailRedirectTo: elsewhere } }));
    const { link } = await mail(email);
    const changed = new URL(link);
    changed.searchParams.set('redirect_to', elsewhere);
    assert.equal((await follow(changed.href)).target.origin, site, elsewhere);
  }
});

test('another address is confirmed by both', async () => {
  const [email, wanted] = [address('old'), address('new')];
  const supabase = client();
  fine(await supabase.auth.signUp({ email, password: PASSWORD }));
  fine(await supabase.auth.verifyOtp({ email, token: (await mail(email)).code, type: 'signup' }));
  const { user } = fine(await supabase.auth.updateUser({ email: wanted }));
  assert.equal(user.new_email, wanted);
  assert.equal(user.email, email);
  const half = await follow((await mail(wanted)).link);
  assert.match(half.said.get('message'), /confirm link sent to the other email/);
  assert.equal(fine(await supabase.auth.getUser()).user.email, email);
  const token = (await mail(email, 2)).code;
  const whole = fine(await supabase.auth.verifyOtp({ email, token, type: 'email_change' }));
  assert.equal(whole.user.email, wanted);
  assert.equal(whole.user.new_email, undefined);
  assert.deepEqual(whole.user.identities.map((identity) => identity.identity_data.email), [wanted]);
  fine(await client().auth.signInWithPassword({ email: wanted, password: PASSWORD }));
});

test('mails for one address are bounded, whether or not there is an account', async () => {
  for (const email of [address('flood'), address('nobody')]) {
    const codes = [];
    for (let turn = 0; turn < 4; turn += 1) codes.push((await client().auth.resetPasswordForEmail(email)).error?.code);
    assert.deepEqual(codes, [undefined, undefined, undefined, 'over_email_send_rate_limit']);
  }
});

test('texts follow the language that a person reads', async () => {
  const email = address('fr');
  const response = await fetch(`${url}/auth/v1/signup`, { method: 'POST', headers: { apikey: anonKey, 'Content-Type': 'application/json', 'Accept-Language': 'fr-FR,fr;q=0.9' }, body: JSON.stringify({ email, password: PASSWORD }) });
  assert.equal(response.status, 200);
  assert.match((await mail(email)).text, /Confirmez cette adresse/);
});

test('nothing of a code or a link is stored, and old ones are no good', async () => {
  const email = address('stored');
  fine(await client().auth.signUp({ email, password: PASSWORD }));
  const { code, link } = await mail(email);
  const token = new URL(link).searchParams.get('token');
  const { rows } = await database.query('select to_jsonb(o)::text as kept from auth.one_time_tokens o where o.relates_to = $1 union all select to_jsonb(u)::text from auth.users u where u.email = $1', [email]);
  assert.equal(rows.length, 2);
  for (const { kept } of rows) assert.ok(!kept.includes(token) && !kept.includes(`"${code}"`), kept);
  const { rows: jobs } = await database.query("select count(*)::int as waiting from passerelle.jobs where payload ->> 'to' = $1", [email]);
  assert.equal(jobs[0].waiting, 0);
  await database.query("update auth.one_time_tokens set created_at = created_at - interval '61 minutes' where relates_to = $1", [email]);
  assert.equal((await client().auth.verifyOtp({ email, token: code, type: 'signup' })).error.code, 'otp_expired');
  assert.equal((await follow(link)).said.get('error_code'), 'otp_expired');
  assert.equal((await client().auth.verifyOtp({ token_hash: token, type: 'signup' })).error.code, 'otp_expired');
});

test.after(() => database.end());
