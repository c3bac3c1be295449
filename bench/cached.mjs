// Measures what keeping replies gains and costs, beside the same gateway without it.
//
//   node bench/cached.mjs [--rounds 3] [--seconds 3] [--only 'kept in process'] [--binary FILE] [--json]
//
// Needs target/dist/passerelle, wrk and psql. Rounds with and without the cache take turns; figures are medians.

import { spawn } from 'node:child_process';
import { createHmac } from 'node:crypto';
import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';

import { freePort, run, serverCpu, start, usage } from './processes.mjs';
import { BULK, USER } from './scenarios.mjs';

const here = dirname(fileURLToPath(import.meta.url));
const { values: options } = parseArgs({
  options: {
    rounds: { type: 'string', default: '3' },
    seconds: { type: 'string', default: '3' },
    only: { type: 'string', default: '' },
    binary: { type: 'string', default: join(dirname(here), 'target/dist/passerelle') },
    json: { type: 'boolean', default: false },
  },
});
const { binary } = options;
const rounds = Number(options.rounds);
const seconds = Number(options.seconds);
const log = (line) => process.stderr.write(`${line}\n`);
const median = (list) => [...list].sort((a, b) => a - b)[Math.floor(list.length / 2)];

const PAGE = '/rest/v1/items?select=id,title,score,created_at';
const read = (name, path, more = {}) => ({ name, METHOD: 'GET', SHAPE: path, ...more });
const NOTE = JSON.stringify({ owner_id: USER, body: 'A note as long as short notes are.' });
const JSON_BODY = 'Content-Type: application/json';

// `cache` is the gateway that keeps replies: `all` in as much memory as it likes, `little` in hardly any, so that Redis has
// them, `other` only of a table that the scenario does not touch.
const scenarios = [
  read('25-row page, kept in process', `${PAGE}&order=created_at.desc&limit=25`, { cache: 'all' }),
  read('primary-key read, 20,000 kept in process', '/rest/v1/items?select=*&id=eq.:id', { cache: 'all', warm: true }),
  read('25-row page, 20,000 kept in Redis', `${PAGE}&id=gte.:id&order=id.asc&limit=25`, { cache: 'little', warm: true }),
  read('95 % reads of a page, 5 % writes to its table', '/rest/v1/counters?select=id,value&order=id.asc&limit=25', {
    cache: 'all', WRITE_METHOD: 'PATCH', WRITE_SHAPE: '/rest/v1/counters?id=eq.:id', WRITE_BODY: '{"value":1}', HEADERS: JSON_BODY,
  }),
  read('primary-key read of what is not kept', '/rest/v1/items?select=*&id=eq.:id', { cache: 'other' }),
  { name: 'insert into a table that is kept', METHOD: 'POST', SHAPE: '/rest/v1/notes', BODY: NOTE, HEADERS: JSON_BODY, cache: 'all' },
  { name: 'insert into a table that is not', METHOD: 'POST', SHAPE: '/rest/v1/notes', BODY: NOTE, HEADERS: JSON_BODY, cache: 'other' },
];

const configuration = (tables, memory) => [
  '[cache]', `memory_bytes = ${memory}`, 'max_entry_bytes = 1048576',
  ...tables.map((table) => `[cache.tables."public.${table}"]\nttl_seconds = 3600\naudience = "everyone"`),
].join('\n');

const MEGABYTE = 1024 * 1024;
const CONFIGURATIONS = {
  none: '',
  all: configuration(['items', 'counters', 'notes'], 256 * MEGABYTE),
  little: configuration(['items'], MEGABYTE),
  other: configuration(['teams'], MEGABYTE),
};

/** `passerelle serve`; resolves when it is ready. Its log goes nowhere, as that of `start`. */
async function serve(name, dir, environment) {
  const file = join(dir, `${name}.toml`);
  writeFileSync(file, CONFIGURATIONS[name]);
  const [port, adminPort] = [await freePort(), await freePort()];
  const args = ['serve', '--config', file];
  const env = { ...process.env, ...environment, PASSERELLE_SERVER_PORT: `${port}`, PASSERELLE_SERVER_ADMIN_PORT: `${adminPort}` };
  const child = spawn(binary, args, { env, stdio: 'ignore' });
  const end = Date.now() + 30_000;
  while (!await fetch(`http://127.0.0.1:${adminPort}/ready`).then(({ ok }) => ok, () => false)) {
    const ended = child.exitCode ?? child.signalCode;
    if (ended !== null || Date.now() > end) throw new Error(`passerelle serve is not ready (${ended}): start it by hand with ${file}`);
    await new Promise((resolve) => { setTimeout(resolve, 20); });
  }
  return { child, url: `http://127.0.0.1:${port}`, file };
}

async function load(bench, gateway, { name, cache, warm, ...environment }) {
  const before = { gateway: usage(gateway.child.pid).cpu, server: serverCpu(bench.postmaster) };
  const args = ['-t1', '-c32', `-d${seconds}s`, '--timeout', '30s', '--latency', '-s', join(here, 'wrk/requests.lua'), gateway.url];
  const { out } = await run('wrk', args, { ...environment, TOKENS: bench.token });
  if (/Non-2xx|Socket errors/.test(out)) throw new Error(`${name}: ${out}`);
  const requests = Number(/(\d+) requests in/.exec(out)[1]);
  return {
    rate: Number(/Requests\/sec:\s+([\d.]+)/.exec(out)[1]),
    gateway: (usage(gateway.child.pid).cpu - before.gateway) / requests * 1e6,
    server: (serverCpu(bench.postmaster) - before.server) / requests * 1e6,
  };
}

async function measure(bench, scenario) {
  const taken = { with: [], without: [] };
  const cached = bench.gateways[scenario.cache];
  if (scenario.warm) await load(bench, cached, scenario);
  for (let round = 1; round <= rounds; round += 1) {
    taken.with.push(await load(bench, cached, scenario));
    taken.without.push(await load(bench, bench.gateways.none, scenario));
    if (scenario.METHOD === 'POST') await bench.sql('truncate public.notes');
    log(`${scenario.name}: round ${round}/${rounds}: with ${taken.with.at(-1).rate.toFixed(0)}/s, without ${taken.without.at(-1).rate.toFixed(0)}/s`);
  }
  const of = (side, key) => median(taken[side].map((item) => item[key]));
  const figures = (side) => ({ rate: of(side, 'rate'), gateway_us: of(side, 'gateway'), postgres_us: of(side, 'server') });
  return { scenario: scenario.name, with: figures('with'), without: figures('without'), resident_mb: usage(cached.child.pid).resident };
}

function table(rows) {
  const head = ['scenario', 'with /s', 'gateway µs', 'PostgreSQL µs', 'without /s', 'gateway µs', 'PostgreSQL µs', 'MB'];
  const side = (one) => [one.rate.toFixed(0), one.gateway_us.toFixed(1), one.postgres_us.toFixed(1)];
  const lines = rows.map((row) => [row.scenario, ...side(row.with), ...side(row.without), row.resident_mb.toFixed(0)]);
  return [head, head.map(() => '---'), ...lines].map((cells) => `| ${cells.join(' | ')} |`).join('\n');
}

async function main() {
  const dir = mkdtempSync(join(tmpdir(), 'passerelle-bench-'));
  chmodSync(dir, 0o755);
  const servers = await start(binary, join(dir, 'servers'), {});
  const gateways = {};
  try {
    const sql = (text) => run('psql', ['-q', '-v', 'ON_ERROR_STOP=1', '-Atc', text, servers.db_url]);
    await run('psql', ['-q', '-v', 'ON_ERROR_STOP=1', '-v', `rows=${BULK.rows}`, '-v', `user=${USER}`, '-f', join(here, 'schema.sql'), servers.db_url]);
    const data = (await sql('show data_directory')).out.trim();
    const postmaster = Number(readFileSync(join(data, 'postmaster.pid'), 'utf8').split('\n')[0]);
    const part = (value) => Buffer.from(JSON.stringify(value)).toString('base64url');
    const claims = { role: 'authenticated', sub: USER, exp: Math.floor(Date.now() / 1000) + 86400 };
    const text = `${part({ alg: 'HS256', typ: 'JWT' })}.${part(claims)}`;
    const token = `${text}.${createHmac('sha256', servers.jwt_secret).update(text).digest('base64url')}`;
    const password = readFileSync(join(dir, 'servers/authenticator.password'), 'utf8').trim();
    const url = new URL(servers.db_url);
    url.username = 'authenticator';
    url.password = password;
    const environment = {
      DATABASE_URL: url.href, PASSERELLE_DATABASE_FEED_URL: servers.db_url, JWT_SECRET: servers.jwt_secret, REDIS_URL: servers.redis_url,
      PASSERELLE_RATE_LIMITS_ENABLED: 'false',
    };
    const bench = { postmaster, token, sql, gateways };
    const rows = [];
    let previous;
    gateways.none = await serve('none', dir, environment);
    for (const scenario of scenarios.filter(({ name }) => name.includes(options.only))) {
      if (scenario.cache !== previous) {
        // One at a time, so that no write waits for a gateway that is not part of it.
        if (previous) gateways[previous].child.kill('SIGTERM');
        const file = join(dir, `${scenario.cache}.toml`);
        writeFileSync(file, CONFIGURATIONS[scenario.cache]);
        await run(binary, ['migrate', '--config', file], { DATABASE_URL: servers.db_url });
        gateways[scenario.cache] = await serve(scenario.cache, dir, environment);
        // It is sure a second after it has begun.
        await new Promise((resolve) => { setTimeout(resolve, 2500); });
        previous = scenario.cache;
      }
      rows.push(await measure(bench, scenario));
    }
    console.log(options.json ? JSON.stringify(rows) : table(rows));
  } finally {
    for (const gateway of Object.values(gateways)) gateway.child.kill('SIGTERM');
    servers.child.kill('SIGTERM');
    await servers.ended;
    rmSync(dir, { recursive: true, force: true });
  }
}

await main();
