// A browser signs up, follows the link of its mail, is still signed in after a reload, and signs out in all tabs.

import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'node:test';
import { chromium } from 'playwright-core';
import { need } from '../actors.mjs';
import { mail } from './mailbox.mjs';

const url = need('PASSERELLE_URL');
const site = new URL(need('PASSERELLE_SITE_URL'));
const PASSWORD = 'StrongPass123!';

const library = readFileSync(new URL('../node_modules/@supabase/supabase-js/dist/umd/supabase.js', import.meta.url));
const page = `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<title>Application</title>
<h1 id="who">nobody</h1>
<ol id="events"></ol>
<script src="/supabase.js"></script>
<script>
  window.client = supabase.createClient(${JSON.stringify(url)}, ${JSON.stringify(need('PASSERELLE_ANON_KEY'))}, {
    auth: { flowType: new URLSearchParams(location.search).get('flow') ?? localStorage.getItem('flow') ?? 'implicit' },
  });
  client.auth.onAuthStateChange((event, session) => {
    document.querySelector('#who').textContent = session?.user.email ?? 'nobody';
    const item = document.createElement('li');
    item.textContent = event;
    document.querySelector('#events').append(item);
  });
</script>
</html>`;

const server = createServer((request, response) => {
  const isLibrary = request.url === '/supabase.js';
  response.writeHead(200, { 'Content-Type': isLibrary ? 'text/javascript' : 'text/html; charset=utf-8' });
  response.end(isLibrary ? library : page);
});
await new Promise((resolve) => { server.listen(Number(site.port), '127.0.0.1', resolve); });
const browser = await chromium.launch({
  executablePath: need('PASSERELLE_CHROMIUM'),
  args: ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking', '--disable-component-update', '--disable-sync'],
});

const shown = (tab, text) => tab.waitForFunction((wanted) => document.querySelector('#who').textContent === wanted, text);
const events = (tab) => tab.$$eval('#events li', (items) => items.map((item) => item.textContent));
const session = (tab) => tab.evaluate(async () => (await client.auth.getSession()).data.session);

for (const flow of ['implicit', 'pkce']) {
  test(`a person in a browser, ${flow}`, async () => {
    const email = `browser.${flow}.${process.pid}@example.com`;
    const context = await browser.newContext();
    const errors = [];
    context.on('weberror', (error) => errors.push(error.error().message));
    const tab = await context.newPage();
    await tab.goto(`${site.origin}/?flow=${flow}`);
    await tab.evaluate((kind) => localStorage.setItem('flow', kind), flow);
    const answer = await tab.evaluate(([address, password]) => client.auth.signUp({ email: address, password, options: { emailRedirectTo: location.origin } }), [email, PASSWORD]);
    assert.equal(answer.error, null);
    assert.equal(answer.data.session, null);
    await shown(tab, 'nobody');

    await tab.goto((await mail(email)).link);
    await shown(tab, email);
    assert.equal(new URL(tab.url()).origin, site.origin);
    assert.ok(!tab.url().includes('access_token'), 'the session does not stay in the address');
    assert.ok((await events(tab)).includes('SIGNED_IN'));

    await tab.reload();
    await shown(tab, email);
    const { access_token: token } = await session(tab);
    const read = await tab.evaluate(() => client.from('profiles').select('username').eq('id', 'x').then(({ status }) => status));
    assert.equal(read, 400);

    const second = await context.newPage();
    await second.goto(site.origin);
    await shown(second, email);
    if (process.env.TEST_OUTPUT) await second.screenshot({ path: join(process.env.TEST_OUTPUT, `signed-in-${flow}.png`) });
    await tab.evaluate(() => client.auth.signOut());
    await shown(tab, 'nobody');
    await shown(second, 'nobody');
    assert.ok((await events(second)).includes('SIGNED_OUT'));
    assert.equal(await session(second), null);
    const refused = await fetch(`${url}/rest/v1/profiles?select=id&limit=1`, { headers: { Authorization: `Bearer ${token}` } });
    assert.equal(refused.status, 401);
    assert.deepEqual(errors, []);
    await context.close();
  });
}

test.after(async () => {
  await browser.close();
  server.close();
  server.closeAllConnections();
});
