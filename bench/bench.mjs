// Measures the gateway beside pgbench running the same SQL against the same database.
//
//   node bench/bench.mjs [--rounds 5] [--seconds 4] [--only NAME] [--json]
//
// Needs target/release/passerelle, wrk, pgbench and psql. Rounds of gateway and pgbench take turns,
// so that whatever else the machine does touches both. Figures are medians over the rounds.

import { spawn, spawnSync } from 'node:child_process';
import { createHmac } from 'node:crypto';
import { mkdtempSync, readFileSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';

const here = dirname(fileURLToPath(import.meta.url));
const root = dirname(here);
const binary = join(root, 'target/release/passerelle');
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
const PGBENCH_CLIENTS = 16;
const USER = '0a5ff2a4-5b35-4c3c-9c19-0d1a1c6c2f11';
const TICKS_PER_SECOND = Number(spawnSync('getconf', ['CLK_TCK'], { encoding: 'utf8' }).stdout);

const scenarios = [
  { name: 'primary-key read', path: '/rest/v1/items?select=*&id=eq.:id', script: 'pk.sql', tokens: ['user'] },
  { name: 'primary-key read, two roles', path: '/rest/v1/items?select=*&id=eq.:id', script: 'pk.sql', tokens: ['user', 'anon'] },
  { name: '25-row page', path: '/rest/v1/items?select=id,title,score,created_at&order=created_at.desc&limit=25', script: 'page.sql', tokens: ['user'] },
  { name: 'two-level embed, 25 rows', path: '/rest/v1/items?select=id,title,authors(name,teams(name))&order=id.asc&limit=25', script: 'embed.sql', tokens: ['user'] },
];

const log = (line) => process.stderr.write(`${line}\n`);
const median = (list) => [...list].sort((a, b) => a - b)[Math.floor(list.length / 2)];

function token(secret, claims) {
  const part = (value) => Buffer.from(JSON.stringify(value)).toString('base64url');
  const text = `${part({ alg: 'HS256', typ: 'JWT' })}.${part(claims)}`;
  return `${text}.${createHmac('sha256', secret).update(text).digest('base64url')}`;
}

/** Seconds of CPU a process has used, and its peak and present memory in MB. */
function usage(pid) {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  const status = readFileSync(`/proc/${pid}/status`, 'utf8');
  const megabytes = (key) => Number(new RegExp(`${key}:\\s+(\\d+)`).exec(status)?.[1] ?? 0) / 1024;
  return {
    ppid: Number(fields[1]),
    cpu: (Number(fields[11]) + Number(fields[12])) / TICKS_PER_SECOND,
    exited: (Number(fields[13]) + Number(fields[14])) / TICKS_PER_SECOND,
    peak: megabytes('VmHWM'),
    resident: megabytes('VmRSS'),
  };
}

/** CPU seconds of a postmaster and of all its children, those that ended included. */
function serverCpu(postmaster) {
  const own = usage(postmaster);
  let total = own.cpu + own.exited;
  for (const entry of readdirSync('/proc')) {
    if (!/^\d+$/.test(entry)) continue;
    try {
      const child = usage(entry);
      if (child.ppid === postmaster) total += child.cpu;
    } catch { /* it ended meanwhile */ }
  }
  return total;
}

function run(command, args, env = {}) {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { env: { ...process.env, ...env }, stdio: ['ignore', 'pipe', 'pipe'] });
    let out = '', err = '';
    child.stdout.on('data', (chunk) => { out += chunk; });
    child.stderr.on('data', (chunk) => { err += chunk; });
    child.on('error', reject);
    child.on('close', (code) => code === 0 ? resolve({ out, err }) : reject(new Error(`${command}: exit ${code}\n${err}${out}`)));
  });
}

async function start(dir) {
  const began = process.hrtime.bigint();
  const child = spawn(binary, ['dev', '--dir', dir, '--port', '0', '--app', 'none', '--json'], { env: { ...process.env, PASSERELLE_LOG_LEVEL: 'warn', PASSERELLE_RATE_LIMITS_ENABLED: 'false' }, stdio: ['ignore', 'pipe', 'pipe'] });
  let errors = '';
  child.stderr.on('data', (chunk) => { errors = (errors + chunk).slice(-4000); });
  const line = await new Promise((resolve, reject) => {
    let text = '';
    child.stdout.on('data', (chunk) => {
      text += chunk;
      if (text.includes('\n')) resolve(text);
    });
    child.on('close', (code) => reject(new Error(`passerelle dev: exit ${code}\n${errors}`)));
  });
  return { child, ms: Number(process.hrtime.bigint() - began) / 1e6, ...JSON.parse(line) };
}

const inMs = (text) => {
  const [, number, unit] = /([\d.]+)(us|ms|s)/.exec(text);
  return Number(number) * { us: 0.001, ms: 1, s: 1000 }[unit];
};

async function gatewayRound(gateway, postmaster, scenario, tokens) {
  const before = { gateway: usage(gateway.child.pid).cpu, server: serverCpu(postmaster) };
  const { out, err } = await run('wrk', ['-t1', `-c${CONNECTIONS}`, `-d${seconds}s`, '--latency', '-s', join(here, 'wrk/reads.lua'), gateway.url], { SHAPE: scenario.path, TOKENS: tokens.join(' ') });
  if (err.includes('status ') || /Non-2xx/.test(out)) throw new Error(`${scenario.name}: ${err}${out}`);
  const requests = Number(/(\d+) requests in/.exec(out)[1]);
  return {
    rate: Number(/Requests\/sec:\s+([\d.]+)/.exec(out)[1]),
    p50: inMs(/50%\s+(\S+)/.exec(out)[1]),
    p99: inMs(/99%\s+(\S+)/.exec(out)[1]),
    gatewayMicros: (usage(gateway.child.pid).cpu - before.gateway) / requests * 1e6,
    serverMicros: (serverCpu(postmaster) - before.server) / requests * 1e6,
    requests,
  };
}

async function pgbenchRound(url, scenario, claims) {
  const { out } = await run('pgbench', ['-n', '-M', 'prepared', '-c', String(PGBENCH_CLIENTS), '-j', '1', '-T', String(seconds), '-D', `claims=${claims}`, '-D', 'rows=25', '-f', join(here, 'pgbench', scenario.script), url]);
  return Number(/tps = ([\d.]+)/.exec(out)[1]);
}

async function main() {
  const dir = mkdtempSync(join(tmpdir(), 'passerelle-bench-'));
  const gateway = await start(dir);
  try {
    await run('psql', ['-q', '-v', 'ON_ERROR_STOP=1', '-f', join(here, 'schema.sql'), gateway.db_url]);
    const data = (await run('psql', ['-Atc', 'show data_directory', gateway.db_url])).out.trim();
    const postmaster = Number(readFileSync(join(data, 'postmaster.pid'), 'utf8').split('\n')[0]);
    const exp = Math.floor(Date.now() / 1000) + 86400;
    const claims = { role: 'authenticated', sub: USER, aud: 'authenticated', exp };
    const tokens = { anon: gateway.anon_key, user: token(gateway.jwt_secret, claims) };
    const idle = usage(gateway.child.pid).resident;
    let requests = 0;
    const rows = [];
    for (const scenario of scenarios) {
      if (options.only && !scenario.name.includes(options.only)) continue;
      const taken = { gateway: [], pgbench: [] };
      const mine = scenario.tokens.map((name) => tokens[name]);
      for (let round = 1; round <= rounds; round += 1) {
        const measured = await gatewayRound(gateway, postmaster, scenario, mine);
        const reference = await pgbenchRound(gateway.db_url, scenario, JSON.stringify(claims));
        requests += measured.requests;
        taken.gateway.push(measured);
        taken.pgbench.push(reference);
        log(`${scenario.name}: round ${round}/${rounds}: gateway ${Math.round(measured.rate)}/s, pgbench ${Math.round(reference)}/s`);
      }
      const of = (key) => median(taken.gateway.map((item) => item[key]));
      const reference = median(taken.pgbench);
      rows.push({
        scenario: scenario.name, rate: Math.round(of('rate')), pgbench: Math.round(reference),
        ratio: of('rate') / reference, p50_ms: of('p50'), p99_ms: of('p99'),
        gateway_us: of('gatewayMicros'), postgres_us: of('serverMicros'),
      });
    }
    const memory = usage(gateway.child.pid);
    report(rows, { idle_mb: idle, peak_mb: memory.peak, resident_mb: memory.resident, requests });
  } finally {
    gateway.child.kill('SIGTERM');
    await new Promise((resolve) => { gateway.child.on('close', resolve); });
    rmSync(dir, { recursive: true, force: true });
  }
}

function report(rows, memory) {
  if (options.json) {
    console.log(JSON.stringify({ rows, memory }));
    return;
  }
  const columns = ['scenario', 'gateway/s', 'pgbench/s', 'ratio', 'p50 ms', 'p99 ms', 'gateway µs', 'postgres µs'];
  const table = rows.map((row) => [row.scenario, row.rate, row.pgbench, `${Math.round(row.ratio * 100)} %`, row.p50_ms.toFixed(2), row.p99_ms.toFixed(2), row.gateway_us.toFixed(1), row.postgres_us.toFixed(1)].map(String));
  const widths = columns.map((name, i) => Math.max(name.length, ...table.map((row) => row[i].length)));
  for (const row of [columns, ...table]) {
    console.log(row.map((cell, i) => i === 0 ? cell.padEnd(widths[i]) : cell.padStart(widths[i])).join('  '));
  }
  console.log(`\nCPU is per request. Memory of the gateway: ${memory.idle_mb.toFixed(1)} MB idle, ${memory.peak_mb.toFixed(1)} MB at its peak, ${memory.resident_mb.toFixed(1)} MB after ${memory.requests} requests.`);
}

await main();
