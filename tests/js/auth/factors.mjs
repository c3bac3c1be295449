// supabase.auth.mfa, with an authenticator app that these lines stand for.

import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import test from 'node:test';
import { createClient } from '@supabase/supabase-js';
import WebSocket from 'ws';
import { database, need, open, token } from '../actors.mjs';
import { code } from './totp.mjs';

const url = need('PASSERELLE_URL');
const options = { auth: { autoRefreshToken: false, persistSession: false }, realtime: { transport: WebSocket } };
const service = token({ role: 'service_role', exp: Math.floor(Date.now() / 1000) + 3600 });
const { auth: { admin } } = createClient(url, service, options);
const PASSWORD = 'StrongPass123!';

let count = 0;
const address = () => `mfa.${process.pid}.${(count += 1)}@example.com`;

function fine({ data, error }) {
  assert.equal(error, null);
  return data;
}

async function newcomer() {
  const email = address();
  fine(await admin.createUser({ email, password: PASSWORD, email_confirm: true }));
  const supabase = open(options);
  const { user } = fine(await supabase.auth.signInWithPassword({ email, password: PASSWORD }));
  return { supabase, email, user };
}

async function enrolled() {
  const person = await newcomer();
  const factor = fine(await person.supabase.auth.mfa.enroll({ factorType: 'totp', friendlyName: 'Phone' }));
  const shown = code(factor.totp.secret, -1);
  fine(await person.supabase.auth.mfa.challengeAndVerify({ factorId: factor.id, code: shown }));
  return { ...person, factor, shown };
}

test('enrolling raises the level, and ends sessions that have not shown the factor', async () => {
  const { supabase, email } = await newcomer();
  const other = open(options);
  const elsewhere = fine(await other.auth.signInWithPassword({ email, password: PASSWORD })).session;
  const factor = fine(await supabase.auth.mfa.enroll({ factorType: 'totp', friendlyName: 'Phone', issuer: 'Hub-Lib' }));
  assert.match(factor.totp.qr_code, /^data:image\/svg\+xml;utf-8,.*<svg/s);
  assert.match(factor.totp.uri, /^otpauth:\/\/totp\/Hub%2DLib:.*issuer=Hub%2DLib/);
  const challenge = fine(await supabase.auth.mfa.challenge({ factorId: factor.id }));
  assert.ok(Math.abs(challenge.expires_at - Date.now() / 1000 - 300) < 10);
  const wrong = (await supabase.auth.mfa.verify({ factorId: factor.id, challengeId: challenge.id, code: '000000' })).error;
  assert.equal(wrong.code, 'mfa_verification_failed');
  const verified = fine(await supabase.auth.mfa.verify({ factorId: factor.id, challengeId: challenge.id, code: code(factor.totp.secret) }));
  const claims = JSON.parse(Buffer.from(verified.access_token.split('.')[1], 'base64url'));
  assert.equal(claims.aal, 'aal2');
  assert.deepEqual(claims.amr.map(({ method }) => method).sort(), ['password', 'totp']);
  const level = fine(await supabase.auth.mfa.getAuthenticatorAssuranceLevel());
  assert.deepEqual([level.currentLevel, level.nextLevel], ['aal2', 'aal2']);
  assert.deepEqual(fine(await supabase.auth.mfa.listFactors()).totp.map(({ id, status }) => [id, status]), [[factor.id, 'verified']]);
  assert.equal((await open(options).auth.getUser(elsewhere.access_token)).error.name, 'AuthSessionMissingError');
  fine(await supabase.auth.refreshSession());
  assert.equal(fine(await supabase.auth.mfa.getAuthenticatorAssuranceLevel()).currentLevel, 'aal2');
  const { rows: [kept] } = await database.query('select secret from auth.mfa_factors where id = $1', [factor.id]);
  assert.match(kept.secret, /^sealed:/);
});

test('a code is good once', async () => {
  const { supabase, factor, shown } = await enrolled();
  const again = await supabase.auth.mfa.challengeAndVerify({ factorId: factor.id, code: shown });
  assert.equal(again.error.code, 'mfa_verification_failed');
  const challenge = fine(await supabase.auth.mfa.challenge({ factorId: factor.id }));
  fine(await supabase.auth.mfa.verify({ factorId: factor.id, challengeId: challenge.id, code: code(factor.totp.secret) }));
  const over = await supabase.auth.mfa.verify({ factorId: factor.id, challengeId: challenge.id, code: code(factor.totp.secret, 1) });
  assert.equal(over.error.code, 'mfa_challenge_expired');
});

test('signing in begins at the lower level, which may not change what matters', async () => {
  const { email, factor } = await enrolled();
  const supabase = open(options);
  fine(await supabase.auth.signInWithPassword({ email, password: PASSWORD }));
  const level = fine(await supabase.auth.mfa.getAuthenticatorAssuranceLevel());
  assert.deepEqual([level.currentLevel, level.nextLevel], ['aal1', 'aal2']);
  assert.equal((await supabase.auth.updateUser({ password: 'AnotherPass123!' })).error.code, 'insufficient_aal');
  assert.equal((await supabase.auth.mfa.enroll({ factorType: 'totp', friendlyName: 'Second' })).error.code, 'insufficient_aal');
  assert.equal((await supabase.auth.mfa.unenroll({ factorId: factor.id })).error.code, 'insufficient_aal');
  fine(await supabase.auth.mfa.challengeAndVerify({ factorId: factor.id, code: code(factor.totp.secret) }));
  fine(await supabase.auth.updateUser({ password: 'AnotherPass123!' }));
  fine(await supabase.auth.mfa.unenroll({ factorId: factor.id }));
  fine(await supabase.auth.refreshSession());
  assert.equal(fine(await supabase.auth.mfa.getAuthenticatorAssuranceLevel()).currentLevel, 'aal1');
});

test('factors of others, names that are taken, kinds that are not there', async () => {
  const { factor } = await enrolled();
  const { supabase, user } = await newcomer();
  assert.equal((await supabase.auth.mfa.challenge({ factorId: factor.id })).error.code, 'mfa_factor_not_found');
  assert.equal((await supabase.auth.mfa.unenroll({ factorId: factor.id })).error.code, 'mfa_factor_not_found');
  fine(await supabase.auth.mfa.enroll({ factorType: 'totp', friendlyName: 'Same' }));
  assert.equal((await supabase.auth.mfa.enroll({ factorType: 'totp', friendlyName: 'Same' })).error.code, 'mfa_factor_name_conflict');
  assert.equal((await supabase.auth.mfa.enroll({ factorType: 'totp', friendlyName: randomBytes(8000).toString('hex') })).error.code, 'validation_failed');
  assert.equal((await supabase.auth.mfa.enroll({ factorType: 'phone', phone: '+33123456789' })).error.code, 'mfa_phone_enroll_not_enabled');
  for (let turn = 0; turn < 9; turn += 1) fine(await supabase.auth.mfa.enroll({ factorType: 'totp', friendlyName: `f${turn}` }));
  assert.equal((await supabase.auth.mfa.enroll({ factorType: 'totp', friendlyName: 'one more' })).error.code, 'too_many_enrolled_mfa_factors');
  const { factors } = fine(await admin.mfa.listFactors({ userId: user.id }));
  assert.equal(factors.length, 10);
  const gone = fine(await admin.mfa.deleteFactor({ userId: user.id, id: factors[0].id }));
  // The client wraps what it got once more.
  assert.equal((gone.data ?? gone).id, factors[0].id);
  assert.equal(fine(await admin.mfa.listFactors({ userId: user.id })).factors.length, 9);
});

test('a factor that came along from Supabase', async () => {
  const { supabase, user } = await newcomer();
  const secret = 'GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ';
  const { rows: [{ id }] } = await database.query(
    "insert into auth.mfa_factors (id, user_id, friendly_name, factor_type, status, created_at, updated_at, secret) values (gen_random_uuid(), $1, 'Old', 'totp', 'verified', now(), now(), $2) returning id", [user.id, secret]);
  fine(await supabase.auth.mfa.challengeAndVerify({ factorId: id, code: code(secret) }));
});

test('challenges and flows that nobody comes back to are forgotten', async () => {
  const { factor } = await enrolled();
  await database.query("insert into auth.mfa_challenges (id, factor_id, created_at, ip_address) values (gen_random_uuid(), $1, now() - interval '2 days', '127.0.0.1')", [factor.id]);
  await database.query("insert into auth.flow_state (id, provider_type, created_at, authentication_method) values (gen_random_uuid(), 'abandoned', now() - interval '2 days', 'oauth'), (gen_random_uuid(), 'abandoned', now(), 'oauth')");
  await database.query('select passerelle.forget_ended()');
  const { rows: [left] } = await database.query("select (select count(*) from auth.mfa_challenges where created_at < now() - interval '1 day')::int as challenges, (select count(*) from auth.flow_state where provider_type = 'abandoned')::int as flows");
  assert.deepEqual(left, { challenges: 0, flows: 1 });
});

test.after(() => database.end());
