// What is left of supabase.auth: methods that keep tokens fresh, features that are not there, and that no method is left out.

import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { dirname } from 'node:path';
import test from 'node:test';
import { fileURLToPath } from 'node:url';
import { createClient, GoTrueAdminApi, GoTrueClient } from '@supabase/supabase-js';
import WebSocket from 'ws';
import { need, open, token } from '../actors.mjs';

const url = need('PASSERELLE_URL');
const PASSWORD = 'StrongPass123!';
const options = { auth: { autoRefreshToken: false, persistSession: true }, realtime: { transport: WebSocket } };

function memory() {
  const kept = new Map();
  return { getItem: (key) => kept.get(key) ?? null, setItem: (key, value) => kept.set(key, value), removeItem: (key) => kept.delete(key) };
}
const client = (more = {}) => open({ ...options, auth: { ...options.auth, storage: memory(), ...more } }, url);

function fine({ data, error }) {
  assert.equal(error, null);
  return data;
}

test('tokens are refreshed before they expire, until that is stopped', async () => {
  const supabase = client();
  const events = [];
  supabase.auth.onAuthStateChange((event) => { events.push(event); });
  await supabase.auth.initialize();
  const { session } = fine(await supabase.auth.signUp({ email: `methods.${process.pid}@example.com`, password: PASSWORD }));
  assert.equal(session.expires_in, 30);
  const refreshed = new Promise((resolve) => { supabase.auth.onAuthStateChange((event) => { if (event === 'TOKEN_REFRESHED') resolve(); }); });
  await supabase.auth.startAutoRefresh();
  await refreshed;
  await supabase.auth.stopAutoRefresh();
  const { session: next } = fine(await supabase.auth.getSession());
  assert.notEqual(next.refresh_token, session.refresh_token);
  assert.ok(events.includes('SIGNED_IN') && events.includes('TOKEN_REFRESHED'));
  await supabase.auth.dispose();
});

test('errors are thrown where that is asked for', async () => {
  const strict = client({ throwOnError: true });
  assert.equal(strict.auth.isThrowOnErrorEnabled(), true);
  await assert.rejects(strict.auth.signInWithPassword({ email: 'nobody@example.com', password: 'x' }), { code: 'invalid_credentials' });
});

test('what is not there says so', async () => {
  const supabase = client({ experimental: { passkey: true } });
  fine(await supabase.auth.signUp({ email: `absent.${process.pid}@example.com`, password: PASSWORD }));
  const service = token({ role: 'service_role', exp: Math.floor(Date.now() / 1000) + 3600 });
  const { auth: { admin } } = createClient(url, service, { ...options, auth: { ...options.auth, persistSession: false, experimental: { passkey: true } } });
  const id = '5c2b8a2e-7d0f-4b8e-9a53-1d6b5c2f9e11';
  const signature = `0x${'ab'.repeat(65)}`;
  for (const [code, ask] of Object.entries({
    saml_provider_disabled: [() => supabase.auth.signInWithSSO({ domain: 'corp.example' })],
    web3_provider_disabled: [() => supabase.auth.signInWithWeb3({ chain: 'ethereum', message: 'hello', signature })],
    not_found: [
      () => supabase.auth.oauth.getAuthorizationDetails(id), () => supabase.auth.oauth.approveAuthorization(id),
      () => supabase.auth.oauth.denyAuthorization(id), () => supabase.auth.oauth.listGrants(), () => supabase.auth.oauth.revokeGrant({ clientId: id }),
      () => supabase.auth.passkey.startRegistration(), () => supabase.auth.passkey.startAuthentication(), () => supabase.auth.passkey.list(),
      () => supabase.auth.passkey.update({ passkeyId: id, friendlyName: 'x' }), () => supabase.auth.passkey.delete({ passkeyId: id }),
      () => supabase.auth.passkey.verifyRegistration({ challengeId: id, credential: {} }), () => supabase.auth.passkey.verifyAuthentication({ challengeId: id, credential: {} }),
      () => admin.passkey.listPasskeys({ userId: id }), () => admin.passkey.deletePasskey({ userId: id, passkeyId: id }),
      () => admin.oauth.listClients(), () => admin.oauth.createClient({ client_name: 'x', redirect_uris: [] }), () => admin.oauth.getClient(id),
      () => admin.oauth.updateClient(id, {}), () => admin.oauth.deleteClient(id), () => admin.oauth.regenerateClientSecret(id),
      () => admin.customProviders.listProviders(), () => admin.customProviders.createProvider({}), () => admin.customProviders.getProvider('custom:x'),
      () => admin.customProviders.updateProvider('custom:x', {}), () => admin.customProviders.deleteProvider('custom:x'),
    ],
  })) {
    for (const one of ask) {
      const { error } = await one();
      assert.deepEqual([error?.code, error?.status >= 400 && error.status < 500], [code, true], `${one} ${error?.message}`);
    }
  }
});

/** Methods that others are made of, or that need a device. */
const INSIDE = new Set([
  'linkIdentityOAuth', 'linkIdentityIdToken', 'fetchJwk', 'signInWithEthereum', 'signInWithSolana', 'signInWithPasskey', 'registerPasskey', 'webauthn',
]);

test('every method is called by a test', () => {
  const folder = dirname(fileURLToPath(import.meta.url));
  const tests = readdirSync(folder).filter((file) => file.endsWith('.mjs')).map((file) => readFileSync(`${folder}/${file}`, 'utf8')).join('\n');
  const isCalled = (name) => new RegExp(`\\.${name}\\(`).test(tests);
  const known = new GoTrueClient({ url, autoRefreshToken: false, persistSession: false, experimental: { passkey: true } });
  const missing = [];
  const look = (path, methods) => missing.push(...methods.filter((name) => !name.startsWith('_') && !INSIDE.has(name) && !isCalled(name)).map((name) => `${path}.${name}`));
  const ofClass = ({ prototype }) => Object.getOwnPropertyNames(prototype).filter((name) => name !== 'constructor' && typeof Object.getOwnPropertyDescriptor(prototype, name).value === 'function');
  const ofObject = (object) => Object.keys(object).filter((name) => typeof object[name] === 'function');
  look('auth', ofClass(GoTrueClient));
  look('auth.admin', ofClass(GoTrueAdminApi));
  for (const name of ['mfa', 'oauth', 'passkey']) look(`auth.${name}`, ofObject(known[name]));
  for (const name of ['mfa', 'oauth', 'customProviders', 'passkey']) look(`auth.admin.${name}`, ofObject(known.admin[name]));
  assert.deepEqual(missing, []);
});
