// Measures signing in: sessions that are refreshed, GET /user, and what passwords that are checked cost those who read meanwhile.
//
//   node bench/accounts.mjs [--rounds 3] [--seconds 3] [--json]
//
// Needs target/dist/passerelle, wrk and psql. Figures are medians.

import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { Agent, request } from 'node:http';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';

import { run, start, usage } from './processes.mjs';

const here = dirname(fileURLToPath(import.meta.url));
const binary = join(dirname(here), 'target/dist/passerelle');
const { values: options } = parseArgs({
  options: { rounds: { type: 'string', default: '3' }, seconds: { type: 'string', default: '3' }, json: { type: 'boolean', default: false } },
});
const [rounds, seconds] = [Number(options.rounds), Number(options.seconds)];
const log = (line) => process.stderr.write(`${line}\n`);
const median = (list) => [...list].sort((a, b) => a - b)[Math.floor(list.length / 2)];
const PASSWORD = 'StrongPass123!';
const READ = '/rest/v1/things?select=*&limit=25';
const SCHEMA = `create table public.things (id int primary key, name text); alter table public.things enable row level security;
create policy everybody on public.things for select using (true); insert into public.things select n, 'thing ' || n from generate_series(1, 25) n;
notify pgrst`;
/** Reads per second, beside which passwords are checked. */
const RATE = 500;

/** One exchange over kept connections: status, body and milliseconds. */
function ask(agent, url, { method = 'GET', path, headers = {}, body }) {
  const since = performance.now();
  return new Promise((resolve, reject) => {
    const sent = request(`${url}${path}`, { method, agent, headers }, (response) => {
      const parts = [];
      response.on('data', (part) => parts.push(part));
      response.on('end', () => resolve({ status: response.statusCode, body: Buffer.concat(parts).toString(), ms: performance.now() - since }));
    });
    sent.on('error', reject);
    sent.end(body);
  });
}

/** Reads at a fixed rate, whatever the answers take; the slowest of a hundred. */
async function readers(agent, url, headers) {
  const answers = [];
  const since = performance.now();
  for (let sent = 0; sent < RATE * seconds * 2; sent += 1) {
    const wait = since + (sent * 1000) / RATE - performance.now();
    if (wait > 0) await new Promise((resolve) => { setTimeout(resolve, wait); });
    answers.push(ask(agent, url, { path: READ, headers }));
  }
  const all = (await Promise.all(answers)).map(({ status, ms }) => { if (status !== 200) throw new Error(`status ${status}`); return ms; });
  return all.sort((a, b) => a - b)[Math.floor(all.length * 0.99)];
}

/** 32 people who sign in again and again; stopped by what is returned, which tells how many have. */
function signIns(agent, url, headers, accounts) {
  let [going, count] = [true, 0];
  const one = async (email) => {
    while (going) {
      const answer = await ask(agent, url, { method: 'POST', path: '/auth/v1/token?grant_type=password', headers, body: JSON.stringify({ email, password: PASSWORD }) });
      if (answer.status !== 200) throw new Error(answer.body);
      count += 1;
    }
  };
  const all = Promise.all(accounts.map(one));
  return async () => { going = false; await all; return count; };
}

async function main() {
  const dir = mkdtempSync(join(tmpdir(), 'passerelle-bench-'));
  chmodSync(dir, 0o755);
  const environment = { PASSERELLE_RATE_LIMITS_ENABLED: 'false', PASSERELLE_LOG_LEVEL: 'error', PASSERELLE_AUTH_EMAIL_AUTOCONFIRM: 'true' };
  const gateway = await start(binary, join(dir, 'servers'), environment);
  const agent = new Agent({ keepAlive: true, maxSockets: 256 });
  try {
    await run('psql', ['-q', '-v', 'ON_ERROR_STOP=1', '-c', SCHEMA, gateway.db_url]);
    const json = { 'Content-Type': 'application/json', apikey: gateway.anon_key };
    const [accounts, sessions] = [[], []];
    for (let number = 0; number < 64; number += 1) {
      const email = `bench${number}@example.com`;
      const answer = await ask(agent, gateway.url, { method: 'POST', path: '/auth/v1/signup', headers: json, body: JSON.stringify({ email, password: PASSWORD }) });
      if (answer.status !== 200) throw new Error(answer.body);
      accounts.push(email);
      sessions.push(JSON.parse(answer.body));
    }
    const load = async (name, args, env) => {
      const taken = [];
      for (let round = 1; round <= rounds; round += 1) {
        const before = usage(gateway.child.pid).cpu;
        const { out } = await run('wrk', ['-t1', '-c32', `-d${seconds}s`, '--latency', ...args, gateway.url], env);
        if (/Non-2xx|Socket errors/.test(out)) throw new Error(`${name}: ${out}`);
        const count = Number(/(\d+) requests in/.exec(out)[1]);
        taken.push({ rate: Number(/Requests\/sec:\s+([\d.]+)/.exec(out)[1]), us: (usage(gateway.child.pid).cpu - before) / count * 1e6 });
        log(`${name}: round ${round}/${rounds}: ${taken.at(-1).rate.toFixed(0)}/s`);
      }
      return { name, rate: median(taken.map(({ rate }) => rate)), gateway_us: median(taken.map(({ us }) => us)) };
    };
    const rows = [];
    const tokens = sessions.map((session) => session.access_token).join(' ');
    rows.push(await load('GET /user', ['-s', join(here, 'wrk/requests.lua')], { METHOD: 'GET', SHAPE: '/auth/v1/user', TOKENS: tokens }));
    const file = join(dir, 'tokens');
    let chains = sessions.map((session) => session.refresh_token);
    for (const round of Array(rounds).keys()) {
      // A new chain for each round: what was on its way at the end of the one before is lost.
      if (round) chains = (await Promise.all(accounts.map((email) => ask(agent, gateway.url, { method: 'POST', path: '/auth/v1/token?grant_type=password', headers: json, body: JSON.stringify({ email, password: PASSWORD }) })))).map(({ body }) => JSON.parse(body).refresh_token);
      writeFileSync(file, `${chains.join('\n')}\n`);
      const before = usage(gateway.child.pid).cpu;
      const { out } = await run('wrk', ['-t1', '-c32', `-d${seconds}s`, '-s', join(here, 'wrk/refresh.lua'), gateway.url], { TOKENS_FILE: file, APIKEY: gateway.anon_key });
      if (/Non-2xx|Socket errors/.test(out)) throw new Error(`refresh: ${out}`);
      const count = Number(/(\d+) requests in/.exec(out)[1]);
      const rate = Number(/Requests\/sec:\s+([\d.]+)/.exec(out)[1]);
      log(`refresh: round ${round + 1}/${rounds}: ${rate.toFixed(0)}/s`);
      rows.push({ name: 'refresh', round, rate, gateway_us: (usage(gateway.child.pid).cpu - before) / count * 1e6 });
    }
    const refreshed = rows.splice(1);
    rows.push({ name: 'refresh', rate: median(refreshed.map(({ rate }) => rate)), gateway_us: median(refreshed.map(({ gateway_us: us }) => us)) });

    const reader = { apikey: gateway.anon_key };
    const beside = { alone: [], beside: [], signed_in: [] };
    for (let round = 1; round <= rounds; round += 1) {
      beside.alone.push(await readers(agent, gateway.url, reader));
      const stop = signIns(new Agent({ keepAlive: true }), gateway.url, json, accounts.slice(0, 32));
      beside.beside.push(await readers(agent, gateway.url, reader));
      beside.signed_in.push(await stop() / (seconds * 2));
      log(`reads beside passwords: round ${round}/${rounds}: p99 ${beside.alone.at(-1).toFixed(1)} ms alone, ${beside.beside.at(-1).toFixed(1)} ms beside ${beside.signed_in.at(-1).toFixed(0)} sign-ins/s`);
    }
    const passwords = { alone_p99_ms: median(beside.alone), beside_p99_ms: median(beside.beside), sign_ins_per_s: median(beside.signed_in) };
    if (options.json) console.log(JSON.stringify({ rows, passwords }));
    else {
      console.log('| | /s | gateway µs |\n| --- | --- | --- |');
      for (const row of rows) console.log(`| ${row.name} | ${row.rate.toFixed(0)} | ${row.gateway_us.toFixed(0)} |`);
      console.log(`\n${RATE} reads/s: p99 ${passwords.alone_p99_ms.toFixed(1)} ms alone, ${passwords.beside_p99_ms.toFixed(1)} ms beside 32 people who sign in (${passwords.sign_ins_per_s.toFixed(0)}/s)`);
    }
  } finally {
    agent.destroy();
    gateway.child.kill('SIGTERM');
    await gateway.ended;
    rmSync(dir, { recursive: true, force: true });
  }
}

await main();
