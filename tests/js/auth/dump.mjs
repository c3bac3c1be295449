// People who came along from Supabase (tests/fixtures/supabase_auth.sql).

import assert from 'node:assert/strict';
import test from 'node:test';
import { database, need, open } from '../actors.mjs';
import { code } from './totp.mjs';

const url = need('PASSERELLE_URL');
const options = { auth: { autoRefreshToken: false, persistSession: false } };
const client = () => open(options, url);
const PASSWORD = 'StrongPass123!';

function fine({ data, error }) {
  assert.equal(error, null);
  return data;
}

test('passwords are taken, and kept anew', async () => {
  const supabase = client();
  const { user } = fine(await supabase.auth.signInWithPassword({ email: 'ada@supabase.example', password: PASSWORD }));
  assert.deepEqual([user.user_metadata.name, user.created_at], ['Ada\tLovelace', '2024-01-02T03:04:05.678000Z']);
  assert.equal(user.identities[0].provider, 'email');
  const { rows: [{ hash }] } = await database.query("select encrypted_password hash from auth.users where email = 'ada@supabase.example'");
  assert.match(hash, /^\$argon2id\$/);
  assert.equal(fine(await client().auth.signInWithPassword({ phone: '33612345678', password: PASSWORD })).user.phone, '33612345678');
  assert.equal((await client().auth.signInWithPassword({ email: 'banned@supabase.example', password: PASSWORD })).error.code, 'user_banned');
  assert.equal((await client().auth.signInWithPassword({ email: 'waiting@supabase.example', password: PASSWORD })).error.code, 'email_not_confirmed');
});

test('triggers of the application have run', async () => {
  const { rows } = await database.query('select count(*)::int as n from public.profiles p join auth.users u on u.id = p.id');
  assert.equal(rows[0].n, 4, 'everybody with an address');
});

test('sessions go on', async () => {
  for (const refresh_token of ['nownownownow', 'anonanonanon']) {
    const supabase = client();
    const { session } = fine(await supabase.auth.refreshSession({ refresh_token }));
    assert.ok(session.access_token);
    assert.notEqual(session.refresh_token, refresh_token);
    fine(await supabase.auth.refreshSession());
  }
});

test('so do second factors and identities', async () => {
  const supabase = client();
  const { user } = fine(await supabase.auth.signInWithPassword({ email: 'mfa@supabase.example', password: PASSWORD }));
  assert.deepEqual(user.identities.map(({ provider, id }) => [provider, id]), [['google', '10987']]);
  const { currentLevel, nextLevel } = fine(await supabase.auth.mfa.getAuthenticatorAssuranceLevel());
  assert.deepEqual([currentLevel, nextLevel], ['aal1', 'aal2']);
  const [{ id: factorId }] = fine(await supabase.auth.mfa.listFactors()).totp;
  fine(await supabase.auth.mfa.challengeAndVerify({ factorId, code: code('JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP') }));
  assert.equal(fine(await supabase.auth.mfa.getAuthenticatorAssuranceLevel()).currentLevel, 'aal2');
});

test.after(() => database.end());
