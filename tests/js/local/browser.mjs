// People use a page that is built with the application's client: a visitor becomes a member, publishes, searches, rates,
// comments, votes, and hears of it at once.

import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { extname, join, normalize } from 'node:path';
import test from 'node:test';
import { chromium } from 'playwright-core';
import { database, need } from '../actors.mjs';

const site = new URL(need('PASSERELLE_SITE_URL'));
const folder = need('PASSERELLE_PACKAGE');
const output = need('PASSERELLE_OUTPUT');
const PASSWORD = 'StrongPass123!';
const TYPES = { '.html': 'text/html; charset=utf-8', '.js': 'text/javascript', '.css': 'text/css' };

const built = join(output, 'local-client-page');
execFileSync(process.execPath, [join(folder, 'node_modules/vite/bin/vite.js'), 'build', 'example', '--outDir', built, '--emptyOutDir', '--logLevel', 'warn'], {
  cwd: folder,
  env: { ...process.env, VITE_SUPABASE_URL: need('PASSERELLE_URL'), VITE_SUPABASE_ANON_KEY: need('PASSERELLE_ANON_KEY') },
  stdio: 'inherit',
});

const server = createServer((request, response) => {
  const path = normalize(new URL(request.url, site).pathname);
  const file = join(built, path === '/' ? 'index.html' : path);
  response.writeHead(200, { 'Content-Type': TYPES[extname(file)] });
  response.end(readFileSync(file));
});
await new Promise((resolve) => { server.listen(Number(site.port), '127.0.0.1', resolve); });
const browser = await chromium.launch({
  executablePath: need('PASSERELLE_CHROMIUM'),
  args: ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking', '--disable-component-update', '--disable-sync'],
});
test.after(async () => {
  await browser.close();
  server.close();
  server.closeAllConnections();
  await database.end();
});

const errors = [];
async function open(viewport = { width: 1200, height: 800 }) {
  const context = await browser.newContext({ viewport });
  const tab = await context.newPage();
  tab.setDefaultTimeout(60_000);
  tab.on('pageerror', (error) => errors.push(error.message));
  tab.on('response', (response) => { if (response.status() >= 400) errors.push(`${response.status()} ${response.request().method()} ${response.url()}`); });
  await tab.goto(site.origin);
  return tab;
}

const shot = (tab, name) => tab.screenshot({ path: join(output, `local-client-${name}.png`) });
const press = (tab, name) => tab.getByRole('button', { name, exact: true }).click();
const live = (tab) => tab.waitForSelector('#toasts[data-live="true"]', { state: 'attached' });

async function signUp(tab, name) {
  await press(tab, 'Se connecter');
  await press(tab, 'Pas encore de compte ?');
  const form = tab.getByRole('form', { name: 'Compte' });
  await form.getByLabel('Adresse e-mail').fill(`${name}.${process.pid}@example.com`);
  await form.getByLabel('Mot de passe').fill(PASSWORD);
  if (name === 'ada') await shot(tab, '2-sign-up');
  await form.getByRole('button', { name: "S'inscrire" }).click();
  await tab.waitForFunction((wanted) => document.querySelector('#who')?.textContent === wanted, `${name}.${process.pid}`);
}

async function publish(tab, title, { hidden = false } = {}) {
  const form = tab.getByRole('form', { name: 'Publier' });
  await form.getByLabel('Titre').fill(title);
  await form.getByLabel('Description').fill('Une introduction aux politiques de PostgreSQL.');
  await form.getByLabel('Mots-clés').fill('sql débutant');
  if (hidden) await form.getByLabel('privé').check();
  await form.getByRole('button', { name: 'Publier' }).click();
  await tab.getByRole('button', { name: title, exact: true }).waitFor();
}

/** The titles that a search finds. */
async function search(tab, text) {
  await tab.getByLabel('Rechercher').fill(text);
  await tab.waitForFunction((wanted) => document.querySelector('.grid')?.dataset.searched === wanted, text);
  return tab.$$eval('.grid h3', (titles) => titles.map((title) => title.textContent));
}

async function comment(tab, text) {
  const form = tab.getByRole('form', { name: 'Commenter' });
  await form.getByLabel('Votre commentaire').fill(text);
  await form.getByRole('button', { name: 'Commenter' }).click();
  await tab.locator('.comment', { hasText: text }).waitFor();
}

const toasts = (tab, count) => tab.waitForFunction((wanted) => document.querySelectorAll('.toast').length === wanted, count);
const bell = (tab, count) => tab.waitForFunction((wanted) => (document.querySelector('#bell')?.textContent ?? '0') === wanted, String(count));

const TITLE = 'RLS, pas à pas (100 % "sûr")';
const SECRET = 'Brouillon secret';

test('two people and a visitor use the page', async () => {
  const [ada, bob] = [await open(), await open()];
  await ada.locator('.grid article').nth(3).waitFor();
  await shot(ada, '1-visitor');
  await signUp(ada, 'ada');
  await publish(ada, TITLE);
  await publish(ada, SECRET, { hidden: true });
  await shot(ada, '3-published');
  await live(ada);

  await signUp(bob, 'bob');
  assert.deepEqual(await search(bob, TITLE), [TITLE], 'what is typed is text');
  assert.deepEqual(await search(bob, SECRET), [], 'private is private');
  assert.ok((await search(bob, '')).length > 1);
  await search(bob, 'politiques de PostgreSQL');
  await shot(bob, '4-found');
  await bob.getByRole('button', { name: TITLE, exact: true }).click();
  await press(bob, '4 étoiles');
  await bob.waitForSelector('#rating[data-count="1"]');
  await press(bob, '5 étoiles');
  await bob.getByText('5.0 (1 avis)').waitFor();
  const said = performance.now();
  await comment(bob, 'Merci, très clair !');
  await shot(bob, '5-commented');

  await toasts(ada, 1);
  console.log(`noticed ${(performance.now() - said).toFixed(0)} ms after the comment was typed`);
  await bell(ada, 1);
  await shot(ada, '6-notified');
  assert.equal(await bob.locator('.toast').count(), 0, 'it is nobody else\'s notification');

  // Every page subscribes anew.
  for (const page of ['Suggestions', 'Bibliothèque', 'Suggestions', 'Bibliothèque']) await press(ada, page);
  await live(ada);
  await comment(bob, 'Et la suite ?');
  await toasts(ada, 1);
  await bell(ada, 2);
  await ada.locator('.toast').click();
  await toasts(ada, 0);

  // A session that was kept hears, too.
  await ada.reload();
  await live(ada);
  await comment(bob, 'Bonne lecture à tous.');
  await toasts(ada, 1);
  await bell(ada, 3);

  await press(bob, 'Suggestions');
  const score = (tab) => tab.locator('.suggestion[data-name="react"] .score').textContent();
  await press(ada, 'Suggestions');
  await ada.locator('.suggestion[data-name="react"]').waitFor();
  await bob.locator('.suggestion[data-name="react"]').waitFor();
  const before = Number(await score(bob));
  const scored = (tab, value) => tab.waitForFunction((wanted) => document.querySelector('.suggestion[data-name="react"] .score')?.textContent === wanted, String(value));
  await press(bob, 'Pour react');
  for (const tab of [bob, ada]) await scored(tab, before + 1);
  await press(bob, 'Contre react');
  for (const tab of [bob, ada]) await scored(tab, before - 1);
  await press(bob, 'Contre react');
  for (const tab of [bob, ada]) await scored(tab, before);
  await press(bob, 'Pour react');
  await scored(bob, before + 1);
  await shot(bob, '7-voted');

  // The header and the page follow the same table.
  await ada.getByRole('button', { name: /^Notifications/ }).click();
  assert.match(await ada.locator('.notification.new').first().textContent(), /Nouveau commentaire.*bob.* a commenté « RLS, pas à pas/);
  await shot(ada, '8-notifications');
  await press(ada, 'Tout marquer comme lu');
  await bell(ada, 0);

  await press(ada, 'Bibliothèque');
  await ada.getByRole('button', { name: SECRET, exact: true }).waitFor();
  await press(ada, 'Se déconnecter');
  await ada.getByRole('button', { name: 'Se connecter', exact: true }).waitFor();
  await ada.getByRole('button', { name: SECRET, exact: true }).waitFor({ state: 'detached' });
  await shot(ada, '9-signed-out');

  const phone = await open({ width: 390, height: 800 });
  await phone.locator('.grid article').nth(2).waitFor();
  await shot(phone, '10-phone');
  assert.ok(await phone.evaluate(() => document.documentElement.scrollWidth <= innerWidth), 'nothing is wider than a telephone');

  const { rows: [counted] } = await database.query('select average_rating, ratings_count from resources where title = $1', [TITLE]);
  assert.deepEqual(counted, { average_rating: '5.00', ratings_count: 1 });
  assert.deepEqual(errors, []);
});
