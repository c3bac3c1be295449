// Telephone numbers, and hooks that are servers: this is one.

import assert from 'node:assert/strict';
import { createHmac } from 'node:crypto';
import { createServer } from 'node:http';
import test from 'node:test';
import { createClient } from '@supabase/supabase-js';
import WebSocket from 'ws';
import { database, need, open, token } from '../actors.mjs';

const url = need('PASSERELLE_URL');
const anonKey = need('PASSERELLE_ANON_KEY');
const hooks = new URL(need('PASSERELLE_HOOKS'));
const options = { auth: { autoRefreshToken: false, persistSession: false }, realtime: { transport: WebSocket } };
const service = token({ role: 'service_role', exp: Math.floor(Date.now() / 1000) + 3600 });
const { auth: { admin } } = createClient(url, service, options);
const PASSWORD = 'StrongPass123!';
const SECRETS = ['new secret new secret new!', 'old secret old secret old!'];

const heard = [];
/** What is answered at a path, one after the other; then 204. */
const answers = { '/sms': [], '/mail': [], '/newcomer': [] };

function checked(request, body) {
  const [id, seconds] = ['webhook-id', 'webhook-timestamp'].map((name) => request.headers[name]);
  const expected = SECRETS.map((secret) => `v1,${createHmac('sha256', secret).update(`${id}.${seconds}.${body}`).digest('base64')}`);
  assert.equal(request.headers['webhook-signature'], expected.join(' '));
  assert.ok(Math.abs(seconds - Date.now() / 1000) < 60);
  return { path: request.url, id, event: JSON.parse(body) };
}

const server = createServer(async (request, response) => {
  let body = '';
  for await (const chunk of request) body += chunk;
  heard.push(checked(request, body));
  const { status = 204, type = 'application/json', text = '', wait = 0 } = answers[request.url].shift() ?? {};
  setTimeout(() => response.writeHead(status, { 'Content-Type': type }).end(text), wait);
}).listen(Number(hooks.port), hooks.hostname);

/** The newest event at a path that fits, once there is one. */
async function event(path, fits, number = 1) {
  const started = Date.now();
  for (;;) {
    const found = heard.filter((one) => one.path === path && fits(one.event));
    if (found.length >= number) return found.at(-1);
    if (Date.now() - started > 30000) throw new Error(`nothing at ${path}`);
    await new Promise((resolve) => { setTimeout(resolve, 20); });
  }
}
const sms = async (phone, number = 1) => (await event('/sms', (one) => one.sms.phone === phone.replace(/\D/g, ''), number)).event.sms;

let count = 0;
const phone = () => `+336${String(process.pid % 10000).padStart(4, '0')}${String((count += 1)).padStart(4, '0')}`;
const address = () => `hook.${process.pid}.${(count += 1)}@example.com`;
const client = () => open(options);

function fine({ data, error }) {
  assert.equal(error, null);
  return data;
}

test('a number is confirmed, and signs in with a password and with codes', async () => {
  const supabase = client();
  const number = phone();
  const { user, session } = fine(await supabase.auth.signUp({ phone: number, password: PASSWORD, options: { data: { language: 'fr' } } }));
  assert.deepEqual([session, user.phone, user.identities[0].provider], [null, number.slice(1), 'phone']);
  assert.equal((await supabase.auth.signInWithPassword({ phone: number, password: PASSWORD })).error.code, 'phone_not_confirmed');
  const first = await sms(number);
  assert.match(first.message, /^Votre code est \d{6}$/);
  assert.equal((await supabase.auth.verifyOtp({ phone: number, token: '000000', type: 'sms' })).error.code, 'otp_expired');
  const verified = fine(await supabase.auth.verifyOtp({ phone: number, token: first.otp, type: 'sms' }));
  assert.ok(verified.session && verified.user.phone_confirmed_at);
  assert.equal(verified.user.identities[0].identity_data.phone_verified, true);
  assert.equal((await supabase.auth.verifyOtp({ phone: number, token: first.otp, type: 'sms' })).error.code, 'otp_expired');
  fine(await client().auth.signInWithPassword({ phone: `${number.slice(0, 3)} ${number.slice(3)}`, password: PASSWORD }));
  assert.equal((await client().auth.signInWithPassword({ phone: number, password: 'wrong' })).error.code, 'invalid_credentials');
  assert.equal((await client().auth.signInWithPassword({ phone: 'nonsense', password: 'wrong' })).error.code, 'invalid_credentials');
  const { messageId } = fine(await supabase.auth.signInWithOtp({ phone: number }));
  const second = await event('/sms', (one) => one.sms.phone === number.slice(1), 2);
  assert.equal(second.id, messageId);
  assert.equal(second.event.user.id, user.id);
  assert.equal(second.event.metadata.name, 'send-sms');
  assert.equal(fine(await client().auth.verifyOtp({ phone: number, token: second.event.sms.otp, type: 'sms' })).user.id, user.id);
  // Nobody learns that the number is taken.
  const again = fine(await client().auth.signUp({ phone: number, password: 'AnotherPass123!' }));
  assert.equal(again.session, null);
  assert.notEqual(again.user.id, user.id);
  assert.deepEqual(Object.keys(again.user).sort(), Object.keys(user).sort());
});

test('a code to sign in with makes an account, and voids the password of somebody who has not shown the number', async () => {
  const number = phone();
  fine(await client().auth.signInWithOtp({ phone: number, options: { channel: 'whatsapp', data: { name: 'Ada' } } }));
  const made = await sms(number);
  assert.equal(made.channel, 'whatsapp');
  assert.equal(fine(await client().auth.verifyOtp({ phone: number, token: made.otp, type: 'sms' })).user.user_metadata.name, 'Ada');
  const theirs = phone();
  fine(await client().auth.signUp({ phone: theirs, password: PASSWORD }));
  await sms(theirs);
  fine(await client().auth.signInWithOtp({ phone: theirs }));
  fine(await client().auth.verifyOtp({ phone: theirs, token: (await sms(theirs, 2)).otp, type: 'sms' }));
  assert.equal((await client().auth.signInWithPassword({ phone: theirs, password: PASSWORD })).error.code, 'invalid_credentials');
  const nobody = phone();
  fine(await client().auth.signInWithOtp({ phone: nobody, options: { shouldCreateUser: false } }));
  assert.equal((await client().auth.signInWithOtp({ phone: nobody, options: { channel: 'pigeon' } })).error.code, 'validation_failed');
  assert.equal((await client().auth.signInWithOtp({ phone: '0612' })).error.code, 'validation_failed');
  assert.equal((await database.query('select from auth.users where phone = $1', [nobody.slice(1)])).rowCount, 0);
});

test('SMS are sent once more, and not without end', async () => {
  const number = phone();
  fine(await client().auth.signUp({ phone: number, password: PASSWORD }));
  const first = await sms(number);
  fine(await client().auth.resend({ type: 'sms', phone: number }));
  const second = await sms(number, 2);
  assert.notEqual(first.otp, second.otp);
  fine(await client().auth.resend({ type: 'sms', phone: phone() }));
  let last;
  for (let round = 0; round < 8; round += 1) last = await client().auth.resend({ type: 'sms', phone: number });
  assert.deepEqual([last.error.status, last.error.code], [429, 'over_sms_send_rate_limit']);
  fine(await client().auth.verifyOtp({ phone: number, token: (await sms(number, 6)).otp, type: 'sms' }));
});

test('a number changes when the new one has agreed', async () => {
  const supabase = client();
  fine(await supabase.auth.signInAnonymously());
  const number = phone();
  assert.equal(fine(await supabase.auth.updateUser({ phone: number })).user.phone, '');
  const first = await sms(number);
  fine(await client().auth.resend({ type: 'phone_change', phone: number }));
  const second = await sms(number, 2);
  assert.equal((await supabase.auth.verifyOtp({ phone: number, token: first.otp, type: 'phone_change' })).error.code, 'otp_expired');
  const { user } = fine(await supabase.auth.verifyOtp({ phone: number, token: second.otp, type: 'phone_change' }));
  assert.deepEqual([user.phone, user.is_anonymous, user.app_metadata.providers], [number.slice(1), false, ['phone']]);
  const other = client();
  fine(await other.auth.signInAnonymously());
  assert.equal((await other.auth.updateUser({ phone: number })).error.code, 'phone_exists');
});

test('a telephone is a second factor', async () => {
  const supabase = client();
  const email = address();
  fine(await admin.createUser({ email, password: PASSWORD, email_confirm: true }));
  fine(await supabase.auth.signInWithPassword({ email, password: PASSWORD }));
  const number = phone();
  const factor = fine(await supabase.auth.mfa.enroll({ factorType: 'phone', phone: number, friendlyName: 'Mobile' }));
  assert.deepEqual([factor.type, factor.phone], ['phone', number.slice(1)]);
  const challenge = fine(await supabase.auth.mfa.challenge({ factorId: factor.id }));
  assert.equal(challenge.type, 'phone');
  const sent = await sms(number);
  assert.equal(sent.sms_type, 'mfa');
  const wrong = await supabase.auth.mfa.verify({ factorId: factor.id, challengeId: challenge.id, code: sent.otp === '111111' ? '222222' : '111111' });
  assert.deepEqual([wrong.error.code, wrong.error.message], ['mfa_verification_failed', 'Invalid MFA Phone code entered']);
  const verified = fine(await supabase.auth.mfa.verify({ factorId: factor.id, challengeId: challenge.id, code: sent.otp }));
  const claims = JSON.parse(Buffer.from(verified.access_token.split('.')[1], 'base64url'));
  assert.deepEqual([claims.aal, claims.amr.map(({ method }) => method).sort()], ['aal2', ['mfa/phone', 'password']]);
  assert.equal((await supabase.auth.mfa.verify({ factorId: factor.id, challengeId: challenge.id, code: sent.otp })).error.code, 'mfa_challenge_expired');
  assert.equal((await supabase.auth.mfa.enroll({ factorType: 'phone', phone: number })).error.code, 'mfa_verified_factor_exists');
  assert.deepEqual(fine(await supabase.auth.mfa.listFactors()).phone.map(({ id }) => id), [factor.id]);
  fine(await supabase.auth.mfa.unenroll({ factorId: factor.id }));
});

test('mails are a hook\'s', async () => {
  const email = address();
  const supabase = client();
  fine(await supabase.auth.signUp({ email, password: PASSWORD }));
  const { event: { user, email_data: data, metadata } } = await event('/mail', (one) => one.user.email === email);
  assert.equal(metadata.name, 'send-email');
  assert.deepEqual([data.email_action_type, data.token_new, data.token_hash_new], ['signup', '', '']);
  fine(await supabase.auth.verifyOtp({ token_hash: data.token_hash, type: 'signup' }));
  // A mail that cannot be sent is sent later, with the same id.
  answers['/mail'].push({ status: 500 }, { status: 200, text: '{"error": {"http_code": 429, "message": "later"}}' });
  fine(await supabase.auth.resetPasswordForEmail(email));
  const third = await event('/mail', (one) => one.user.email === email && one.email_data.email_action_type === 'recovery', 3);
  assert.equal(new Set(heard.filter((one) => one.path === '/mail' && one.event.email_data.email_action_type === 'recovery').map(({ id }) => id)).size, 1);
  assert.equal(fine(await client().auth.verifyOtp({ email, token: third.event.email_data.token, type: 'recovery' })).user.id, user.id);
  const next = address();
  fine(await supabase.auth.updateUser({ email: next }));
  const change = (key) => event('/mail', (one) => one.user.email === email && one.email_data.email_action_type === 'email_change' && one.email_data[key]);
  const [current, fresh] = [(await change('token')).event.email_data, (await change('token_new')).event.email_data];
  assert.deepEqual([current.token_new, fresh.token, fresh.old_email], ['', '', email]);
  fine(await supabase.auth.verifyOtp({ token_hash: current.token_hash_new, type: 'email_change' }));
  assert.equal(fine(await supabase.auth.verifyOtp({ token_hash: fresh.token_hash, type: 'email_change' })).user.email, next);
});

test('who may have an account is a hook\'s to say', async () => {
  const refuse = { status: 200, text: '{"error": {"http_code": 400, "message": "Only members"}}' };
  for (const [asked, user] of [
    [() => client().auth.signUp({ email: 'new@hook.example', password: PASSWORD }), { email: 'new@hook.example', is_anonymous: false }],
    [() => client().auth.signUp({ phone: '+4912345', password: PASSWORD }), { phone: '4912345' }],
    [() => client().auth.signInWithOtp({ email: 'new@hook.example' }), { email: 'new@hook.example' }],
    [() => client().auth.signInWithOtp({ phone: '+4912345' }), { phone: '4912345' }],
    [() => client().auth.signInAnonymously(), { is_anonymous: true }],
    [() => admin.inviteUserByEmail('new@hook.example'), { email: 'new@hook.example' }],
  ]) {
    answers['/newcomer'].push(refuse);
    const { error } = await asked();
    assert.deepEqual([error?.status, error?.message], [400, 'Only members'], JSON.stringify(user));
    const told = heard.filter(({ path }) => path === '/newcomer').at(-1).event;
    assert.equal(told.metadata.ip_address, '127.0.0.1');
    for (const [name, value] of Object.entries(user)) assert.equal(told.user[name], value);
  }
  assert.equal((await database.query("select from auth.users where email = 'new@hook.example' or phone = '4912345'")).rowCount, 0);
  for (const [answer, status, code] of [
    [{ status: 200, type: 'text/html', text: '{}' }, 400, 'hook_payload_invalid_content_type'],
    [{ status: 200, text: JSON.stringify({ long: 'x'.repeat(300000) }) }, 422, 'hook_payload_over_size_limit'],
    // supabase-js keeps no code of a failure of ours.
    [{ status: 500, text: '{}' }, 500, undefined],
    [{ status: 200, text: 'nonsense' }, 500, undefined],
    [{ status: 302 }, 500, undefined],
    [{ status: 204, wait: 6000 }, 422, 'hook_timeout'],
  ]) {
    answers['/newcomer'].push(answer);
    const { error } = await client().auth.signUp({ email: 'new@hook.example', password: PASSWORD });
    assert.deepEqual([error.status, error.code], [status, code], JSON.stringify(answer).slice(0, 80));
  }
  answers['/newcomer'].push({ status: 503 }, { status: 429 }, { status: 503 });
  assert.equal((await client().auth.signUp({ email: 'new@hook.example', password: PASSWORD })).error.code, 'hook_timeout_after_retry');
  answers['/newcomer'].push({ status: 503 });
  fine(await client().auth.signUp({ email: 'new@hook.example', password: PASSWORD }));
  // Who has an account is not asked about.
  const before = heard.filter(({ path }) => path === '/newcomer').length;
  fine(await client().auth.signInWithOtp({ email: 'new@hook.example' }));
  assert.equal(heard.filter(({ path }) => path === '/newcomer').length, before);
});

test('a password may be refused, right or wrong', async () => {
  const email = address();
  const { user } = fine(await admin.createUser({ email, password: PASSWORD, email_confirm: true }));
  const signedIn = client();
  fine(await signedIn.auth.signInWithPassword({ email, password: PASSWORD }));
  for (let round = 0; round < 2; round += 1) {
    assert.equal((await client().auth.signInWithPassword({ email, password: 'wrong' })).error.message, 'Invalid login credentials');
  }
  for (const password of ['wrong', PASSWORD]) {
    const { error } = await client().auth.signInWithPassword({ email, password });
    assert.deepEqual([error.status, error.code, error.message], [400, 'invalid_credentials', 'Ask us to unlock it']);
  }
  assert.equal((await signedIn.auth.getUser()).error.name, 'AuthSessionMissingError');
  const { rows } = await database.query('select is_right from public.attempts where account = $1', [user.id]);
  assert.deepEqual(rows.map((row) => row.is_right), [true, false, false, false, true]);
});

test('a password changes with the one before, and after a day with a code', async () => {
  const email = address();
  const { user } = fine(await admin.createUser({ email, password: PASSWORD, email_confirm: true }));
  const supabase = client();
  fine(await supabase.auth.signInWithPassword({ email, password: PASSWORD }));
  assert.equal((await supabase.auth.updateUser({ password: 'NextPass123!' })).error.code, 'current_password_required');
  assert.equal((await supabase.auth.updateUser({ password: 'NextPass123!', current_password: 'wrong' })).error.code, 'current_password_invalid');
  fine(await supabase.auth.updateUser({ password: 'NextPass123!', current_password: PASSWORD }));
  await database.query("update auth.sessions set created_at = created_at - interval '25 hours' where user_id = $1", [user.id]);
  const last = { password: 'LastPass123!', current_password: 'NextPass123!' };
  assert.equal((await supabase.auth.updateUser(last)).error.code, 'reauthentication_needed');
  fine(await supabase.auth.reauthenticate());
  const { event: { email_data: { token: nonce } } } = await event('/mail', (one) => one.user.email === email && one.email_data.email_action_type === 'reauthentication');
  assert.equal((await supabase.auth.updateUser({ ...last, nonce: nonce === '111111' ? '222222' : '111111' })).error.code, 'reauthentication_not_valid');
  fine(await supabase.auth.updateUser({ ...last, nonce }));
  await database.query("update auth.sessions set created_at = created_at - interval '25 hours' where user_id = $1", [user.id]);
  assert.equal((await supabase.auth.updateUser({ password: 'MorePass123!', current_password: 'LastPass123!', nonce })).error.code, 'reauthentication_not_valid');
  // Somebody who has forgotten the password does not know it.
  const forgetful = client();
  fine(await forgetful.auth.resetPasswordForEmail(email));
  const { event: { email_data: { token_hash } } } = await event('/mail', (one) => one.user.email === email && one.email_data.email_action_type === 'recovery');
  fine(await forgetful.auth.verifyOtp({ token_hash, type: 'recovery' }));
  fine(await forgetful.auth.updateUser({ password: 'FreshPass123!' }));
  // One who has a telephone alone is asked by it.
  const number = phone();
  const other = client();
  fine(await other.auth.signInWithOtp({ phone: number }));
  fine(await other.auth.verifyOtp({ phone: number, token: (await sms(number)).otp, type: 'sms' }));
  await database.query("update auth.sessions set created_at = created_at - interval '25 hours' where user_id in (select id from auth.users where phone = $1)", [number.slice(1)]);
  fine(await other.auth.reauthenticate());
  fine(await other.auth.updateUser({ password: 'FirstPass123!', nonce: (await sms(number, 2)).otp }));
  fine(await client().auth.signInWithPassword({ phone: number, password: 'FirstPass123!' }));
});

test('what is told of it, and without a telephone', async () => {
  const settings = await (await fetch(`${url}/auth/v1/settings`, { headers: { apikey: anonKey } })).json();
  assert.deepEqual([settings.external.phone, settings.phone_autoconfirm], [true, false]);
});

test.after(async () => {
  server.close();
  server.closeAllConnections();
  await database.end();
});
