// Measures the gateway beside pgbench running the same SQL against the same database.
//
//   node bench/bench.mjs [--rounds 5] [--seconds 4] [--only NAME] [--json]
//
// Needs target/dist/passerelle, wrk, pgbench and psql. Rounds of gateway and pgbench take turns,
// so that whatever else the machine does touches both. Figures are medians over the rounds. The gateway logs as it does
// by default, a line for each request, to /dev/null.

import { createHmac } from 'node:crypto';
import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';

import { forgetPeak, run, serverCpu, start, usage } from './processes.mjs';
import { report } from './report.mjs';
import { BULK, USER, scenarios } from './scenarios.mjs';
import { startups } from './startup.mjs';

const here = dirname(fileURLToPath(import.meta.url));
const binary = join(dirname(here), 'target/dist/passerelle');
const { values: options } = parseArgs({
  options: {
    rounds: { type: 'string', default: '5' },
    seconds: { type: 'string', default: '4' },
    only: { type: 'string' },
    json: { type: 'boolean', default: false },
  },
});
const rounds = Number(options.rounds);
const seconds = Number(options.seconds);
const CONNECTIONS = 32;
// As many sessions of PostgreSQL for pgbench as the gateway has: what is compared is the way to them, not their number.
// Clients of the gateway beyond that wait in it, as they are meant to.
const SESSIONS = 10;
// Memory is looked at again after so many requests.
const MANY = 200_000;

const log = (line) => process.stderr.write(`${line}\n`);
const median = (list) => [...list].sort((a, b) => a - b)[Math.floor(list.length / 2)];

function token(secret, claims) {
  const part = (value) => Buffer.from(JSON.stringify(value)).toString('base64url');
  const text = `${part({ alg: 'HS256', typ: 'JWT' })}.${part(claims)}`;
  return `${text}.${createHmac('sha256', secret).update(text).digest('base64url')}`;
}

const inMs = (text) => {
  const [, number, unit] = /([\d.]+)(us|ms|s|m)/.exec(text);
  return Number(number) * { us: 0.001, ms: 1, s: 1000, m: 60_000 }[unit];
};

/** What a scenario sends, for wrk and, as PostgreSQL gets it, for pgbench. */
class Load {
  constructor(bench, scenario) {
    this.scenario = scenario;
    this.tokens = (scenario.tokens ?? ['user']).map((name) => bench.tokens[name]);
    const headers = { ...scenario.headers, ...(scenario.accept ? { Accept: scenario.accept } : {}) };
    this.env = { METHOD: scenario.method, SHAPE: scenario.path, TOKENS: this.tokens.join(' ') };
    this.env.HEADERS = Object.entries(headers).map(([name, value]) => `${name}: ${value}`).join('\n');
    if (scenario.body !== undefined) {
      // An environment variable could not hold the longest.
      this.env.BODY_FILE = join(bench.dir, 'body');
      writeFileSync(this.env.BODY_FILE, scenario.body);
    }
    const sent = { host: '127.0.0.1:54321', authorization: `Bearer ${this.tokens[0]}`, apikey: this.tokens[0] };
    for (const [name, value] of Object.entries(headers)) sent[name.toLowerCase()] = value;
    const body = scenario.body ?? '';
    this.variables = {
      claims: JSON.stringify(bench.claims), headers: JSON.stringify(sent), rows: String(scenario.rows ?? 1),
      ...(body !== '' && body.length < 100_000 ? { body } : {}),
    };
  }

  async ofGateway(bench) {
    const { gateway, postmaster } = bench;
    const before = { gateway: usage(gateway.child.pid).cpu, server: serverCpu(postmaster) };
    const connections = this.scenario.connections ?? CONNECTIONS;
    const args = ['-t1', `-c${connections}`, `-d${seconds}s`, '--timeout', '30s', '--latency', '-s', join(here, 'wrk/requests.lua'), gateway.url];
    const { out, err } = await run('wrk', args, this.env);
    const requests = Number(/(\d+) requests in/.exec(out)[1]);
    if (/Non-2xx|Socket errors/.test(out) || requests === 0) throw new Error(`${this.scenario.name}: ${err}${out}`);
    return {
      rate: Number(/Requests\/sec:\s+([\d.]+)/.exec(out)[1]),
      p50: inMs(/^\s+50%\s+(\S+)/m.exec(out)[1]),
      p99: inMs(/^\s+99%\s+(\S+)/m.exec(out)[1]),
      gatewayMicros: (usage(gateway.child.pid).cpu - before.gateway) / requests * 1e6,
      serverMicros: (serverCpu(postmaster) - before.server) / requests * 1e6,
      requests,
    };
  }

  async ofPgbench(bench) {
    const clients = Math.min(SESSIONS, this.scenario.connections ?? SESSIONS);
    const variables = Object.entries(this.variables).flatMap(([name, value]) => ['-D', `${name}=${value}`]);
    const args = ['-n', '-M', 'prepared', '-c', String(clients), '-j', '1', '-T', String(seconds), ...variables, '-f', join(here, 'pgbench', this.scenario.script), bench.localUrl];
    const { out } = await run('pgbench', args);
    if (!/number of failed transactions: 0 /.test(out)) throw new Error(`${this.scenario.name}: ${out}`);
    return Number(/tps = ([\d.]+)/.exec(out)[1]);
  }
}

async function measure(bench, scenario) {
  const load = new Load(bench, scenario);
  const taken = { gateway: [], pgbench: [] };
  forgetPeak(bench.gateway.child.pid);
  for (let round = 1; round <= rounds; round += 1) {
    taken.gateway.push(await load.ofGateway(bench));
    taken.pgbench.push(await load.ofPgbench(bench));
    // What was written would make the next round another one.
    await bench.sql('truncate public.notes');
    log(`${scenario.name}: round ${round}/${rounds}: gateway ${taken.gateway.at(-1).rate.toFixed(1)}/s, pgbench ${taken.pgbench.at(-1).toFixed(1)}/s`);
  }
  const of = (key) => median(taken.gateway.map((item) => item[key]));
  const reference = median(taken.pgbench);
  return {
    scenario: scenario.name, rate: of('rate'), pgbench: reference, ratio: of('rate') / reference,
    p50_ms: of('p50'), p99_ms: of('p99'), gateway_us: of('gatewayMicros'), postgres_us: of('serverMicros'),
    ...(scenario.rows ? { rows_per_second: of('rate') * scenario.rows } : {}),
    peak_mb: usage(bench.gateway.child.pid).peak,
    requests: taken.gateway.reduce((sum, item) => sum + item.requests, 0),
  };
}

/** Goes on asking until there were many requests; says how many. */
async function exhaust(bench, requests) {
  const load = new Load(bench, scenarios[0]);
  let total = requests;
  while (total < MANY) {
    total += (await load.ofGateway(bench)).requests;
    log(`${total} of ${MANY} requests`);
  }
  return total;
}

/** The same database through the Unix socket, which is how `passerelle dev` connects, so that pgbench does, too. */
async function local(url, sql) {
  const { port, username, password, pathname } = new URL(url);
  const [directory] = (await sql('show unix_socket_directories')).out.trim().split(',');
  const parameters = new URLSearchParams({ host: directory, port, user: username, password });
  return `postgresql://${pathname}?${parameters}`;
}

async function main() {
  const dir = mkdtempSync(join(tmpdir(), 'passerelle-bench-'));
  // PostgreSQL does not run as root, and its user may enter.
  chmodSync(dir, 0o755);
  const gateway = await start(binary, join(dir, 'servers'), { PASSERELLE_RATE_LIMITS_ENABLED: 'false', PASSERELLE_DATABASE_POOL_SIZE: String(SESSIONS) });
  try {
    const sql = (text) => run('psql', ['-q', '-v', 'ON_ERROR_STOP=1', '-Atc', text, gateway.db_url]);
    await run('psql', ['-q', '-v', 'ON_ERROR_STOP=1', '-v', `rows=${BULK.rows}`, '-v', `user=${USER}`, '-f', join(here, 'schema.sql'), gateway.db_url]);
    const data = (await sql('show data_directory')).out.trim();
    const postmaster = Number(readFileSync(join(data, 'postmaster.pid'), 'utf8').split('\n')[0]);
    const exp = Math.floor(Date.now() / 1000) + 86400;
    const claims = { role: 'authenticated', sub: USER, aud: 'authenticated', exp };
    const tokens = { anon: gateway.anon_key, service: gateway.service_role_key, user: token(gateway.jwt_secret, claims) };
    const bench = { dir, gateway, postmaster, claims, tokens, sql, localUrl: await local(gateway.db_url, sql) };
    const idle = usage(gateway.child.pid).resident;
    const rows = [];
    for (const scenario of scenarios) {
      if (options.only && !scenario.name.includes(options.only)) continue;
      rows.push(await measure(bench, scenario));
    }
    const requests = await exhaust(bench, rows.reduce((sum, row) => sum + row.requests, 0));
    const memory = { idle_mb: idle, resident_mb: usage(gateway.child.pid).resident, requests };
    const starts = await startups({ binary, gateway, servers: join(dir, 'servers'), rounds, median, log });
    console.log(options.json ? JSON.stringify({ rows, memory, starts }) : report(rows, memory, starts));
  } finally {
    gateway.child.kill('SIGTERM');
    await gateway.ended;
    rmSync(dir, { recursive: true, force: true });
  }
}

await main();
