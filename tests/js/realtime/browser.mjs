// A page like those of Hub-Lib: it shows a notification as soon as somebody comments, and how a vote goes.

import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'node:test';
import { chromium } from 'playwright-core';
import { database, need, open } from '../actors.mjs';

const url = need('PASSERELLE_URL');
const site = new URL(need('PASSERELLE_SITE_URL'));
const PASSWORD = 'StrongPass123!';
const library = readFileSync(new URL('../node_modules/@supabase/supabase-js/dist/umd/supabase.js', import.meta.url));
const page = `<!doctype html>
<html lang="fr">
<meta charset="utf-8">
<title>Hub-Lib</title>
<style>body{font-family:sans-serif;max-width:40rem;margin:2rem auto}.card{border:1px solid #ccc;border-radius:8px;padding:.5rem 1rem;margin:.5rem 0}.new{background:#eef7ff}</style>
<h1>Hub-Lib <small id="bell">0</small></h1>
<p id="state">…</p>
<section id="notifications"></section>
<h2>Suggestions</h2>
<section id="suggestions"></section>
<script src="/supabase.js"></script>
<script>
  const client = window.client = supabase.createClient(${JSON.stringify(url)}, ${JSON.stringify(need('PASSERELLE_ANON_KEY'))});
  const card = (into, id, text, more) => {
    const place = document.querySelector(into);
    const item = document.getElementById(id) ?? place.appendChild(Object.assign(document.createElement('div'), { id, className: 'card ' + (more ?? '') }));
    item.textContent = text;
  };
  window.start = async (credentials) => {
    const { data: { user } } = await client.auth.signInWithPassword(credentials);
    await client.realtime.setAuth();
    window.since = {};
    client.channel('notifications')
      .on('postgres_changes', { event: 'INSERT', schema: 'public', table: 'notifications' }, ({ new: row }) => {
        card('#notifications', row.id, row.title + ' — ' + row.message, 'new');
        document.querySelector('#bell').textContent = Number(document.querySelector('#bell').textContent) + 1;
      })
      .on('postgres_changes', { event: '*', schema: 'public', table: 'category_tag_suggestions' }, ({ new: row }) => {
        card('#suggestions', row.id, row.name + ': ' + row.votes_count + ' (' + row.status + ')');
      })
      .on('system', {}, ({ extension, status }) => { if (extension === 'postgres_changes') document.querySelector('#state').textContent = status; })
      .subscribe();
    return user.id;
  };
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

async function person(name) {
  const supabase = open({ auth: { autoRefreshToken: false, persistSession: true, storageKey: name } }, url);
  const email = `${name}.${process.pid}@example.com`;
  const { data, error } = await supabase.auth.signUp({ email, password: PASSWORD, options: { data: { full_name: name } } });
  assert.equal(error, null);
  return { supabase, email, id: data.user.id };
}

test('a comment is noticed at once, by the owner alone', async () => {
  const [ada, bob, carol] = [await person('Ada'), await person('Bob'), await person('Carol')];
  const tabs = await Promise.all([ada, bob].map(async ({ email }) => {
    const tab = await (await browser.newContext({ viewport: { width: 800, height: 600 } })).newPage();
    await tab.goto(site.origin);
    await tab.evaluate((credentials) => start(credentials), { email, password: PASSWORD });
    await tab.waitForFunction(() => document.querySelector('#state').textContent === 'ok');
    return tab;
  }));
  const made = await ada.supabase.from('resources').insert({ user_id: ada.id, title: 'Un livre', description: 'À lire' }).select('id').single();
  assert.equal(made.error, null);
  const said = performance.now();
  const comment = await carol.supabase.from('resource_comments').insert({ resource_id: made.data.id, user_id: carol.id, content: 'Merci !' });
  assert.equal(comment.error, null);
  await tabs[0].waitForFunction(() => document.querySelector('#bell').textContent === '1');
  const took = performance.now() - said;
  console.log(`noticed after ${took.toFixed(0)} ms`);
  assert.ok(took < 10000, 'a machine that is busy takes longer than a second');
  const shown = await tabs[0].textContent('#notifications');
  assert.match(shown, /Nouveau commentaire — Carol a commenté « Un livre »/);
  // A vote is seen by both.
  const { data: [suggestion] } = await ada.supabase.from('category_tag_suggestions').insert({ name: `tag-${process.pid}`, type: 'tag', suggested_by: ada.id }).select();
  const vote = await carol.supabase.from('suggestion_votes').insert({ suggestion_id: suggestion.id, user_id: carol.id, vote_type: 'upvote' });
  assert.equal(vote.error, null);
  for (const tab of tabs) await tab.waitForFunction(({ id, name }) => document.getElementById(id)?.textContent === `${name}: 1 (pending)`, suggestion);
  assert.equal(await tabs[1].textContent('#bell'), '0', 'it is nobody else\'s notification');
  await tabs[0].screenshot({ path: join(need('PASSERELLE_OUTPUT'), 'notification.png') });
});

test.after(async () => {
  await browser.close();
  server.close();
  server.closeAllConnections();
  await database.end();
});
