// A browser saves what it holds, with the script that people paste into its console.

import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import { readFileSync } from 'node:fs';
import test from 'node:test';
import { chromium } from 'playwright-core';
import { need } from '../actors.mjs';

const script = readFileSync(new URL('../../../clients/export/hub-lib-export.js', import.meta.url), 'utf8');
const kept = JSON.parse(readFileSync(need('PASSERELLE_DUMP'), 'utf8'));

const server = createServer((_, response) => {
  response.writeHead(200, { 'Content-Type': 'text/html; charset=utf-8' });
  response.end('<!doctype html><title>Hub-Lib</title>');
});
await new Promise((resolve) => { server.listen(0, '127.0.0.1', resolve); });
const browser = await chromium.launch({
  executablePath: need('PASSERELLE_CHROMIUM'),
  args: ['--no-sandbox', '--disable-gpu', '--no-first-run', '--disable-background-networking', '--disable-component-update', '--disable-sync'],
});
test.after(async () => {
  await browser.close();
  server.close();
});

test('everything of the application is saved, and no token', async () => {
  const tab = await browser.newPage();
  await tab.goto(`http://127.0.0.1:${server.address().port}/`);
  await tab.evaluate((entries) => entries.forEach(([key, value]) => localStorage.setItem(key, value)), Object.entries(kept));
  const [download, told] = await Promise.all([tab.waitForEvent('download'), tab.evaluate(script)]);
  assert.match(download.suggestedFilename(), /^hub-lib-export-\d{4}-\d\d-\d\d\.json$/);
  assert.match(told, /^hub-lib-export-.* keys, \d+ KB$/);
  await download.saveAs(need('PASSERELLE_EXPORT'));
  const text = readFileSync(need('PASSERELLE_EXPORT'), 'utf8');
  const saved = JSON.parse(text);
  const expected = Object.keys(kept).filter((key) => key.startsWith('hub-lib-') && !key.startsWith('hub-lib-api-'));
  assert.deepEqual(Object.keys(saved).sort(), [...expected, 'metadata'].sort());
  for (const key of expected.filter((key) => key !== 'hub-lib-auth')) assert.equal(saved[key], kept[key]);
  assert.deepEqual(Object.keys(JSON.parse(saved['hub-lib-auth']).user), ['id', 'email']);
  for (const secret of ['access_token', 'hub_lib_1_secret']) assert.ok(!text.includes(secret), secret);
});
