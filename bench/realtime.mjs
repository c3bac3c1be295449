// Measures sockets: how much memory each takes, what is said to many, changes of rows under row policies, joins of private channels,
// and a large transaction.
//
//   node bench/realtime.mjs [--rounds 3] [--seconds 5] [--json]
//
// Needs target/dist/passerelle, target/dist/examples/load and psql. Figures are medians.

import { createHmac } from 'node:crypto';
import { spawn } from 'node:child_process';
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';

import { run, start, usage } from './processes.mjs';

const here = dirname(fileURLToPath(import.meta.url));
const target = join(dirname(here), 'target/dist');
const { values: options } = parseArgs({
  options: { rounds: { type: 'string', default: '3' }, seconds: { type: 'string', default: '5' }, json: { type: 'boolean', default: false } },
});
const [rounds, seconds] = [Number(options.rounds), options.seconds];
const log = (line) => process.stderr.write(`${line}\n`);
const median = (list) => [...list].sort((a, b) => a - b)[Math.floor(list.length / 2)];
const SECRET = '0123456789012345678901234567890123456789';
const SCHEMA = `create table public.ticks (id bigint generated always as identity primary key, owner int, t bigint);
alter table public.ticks enable row level security;
create policy own on public.ticks for select to authenticated, anon using (owner = coalesce((select (auth.jwt() ->> 'number')::int), 0));
alter publication supabase_realtime add table public.ticks;
create policy lounge on realtime.messages for select to authenticated using (realtime.topic() like 'lounge%' and auth.uid() is not null);
notify pgrst`;

function token(claims) {
  const part = (value) => Buffer.from(JSON.stringify(value)).toString('base64url');
  const text = `${part({ alg: 'HS256', typ: 'JWT' })}.${part(claims)}`;
  return `${text}.${createHmac('sha256', SECRET).update(text).digest('base64url')}`;
}

/** Runs the load client; its last line, and what the gateway has used meanwhile. `between` is called at the line before. */
async function load(gateway, mode, args, between) {
  const before = usage(gateway.child.pid).cpu;
  const child = spawn(join(target, 'examples/load'), [mode, '--url', gateway.url, '--key', gateway.anon_key, ...args], { stdio: ['ignore', 'pipe', 'inherit'] });
  let last;
  for await (const line of createInterface({ input: child.stdout })) {
    if (last === undefined && between) between();
    last = JSON.parse(line);
  }
  return { ...last, cpu: usage(gateway.child.pid).cpu - before };
}

async function metric(gateway, name) {
  const text = await (await fetch(`http://127.0.0.1:${gateway.admin}/metrics`)).text();
  return Number(new RegExp(`^${name} (\\S+)`, 'm').exec(text)?.[1] ?? NaN);
}

async function main() {
  const dir = mkdtempSync(join(tmpdir(), 'passerelle-bench-'));
  chmodSync(dir, 0o755);
  const environment = {
    PASSERELLE_RATE_LIMITS_ENABLED: 'false', PASSERELLE_LOG_LEVEL: 'error', PASSERELLE_REALTIME_MESSAGES_PER_SECOND: '100000', PASSERELLE_REALTIME_JOINS_PER_SECOND: '100000',
    PASSERELLE_REALTIME_QUEUE_MESSAGES: '100000', PASSERELLE_REALTIME_QUEUE_BYTES: '1073741824',
  };
  const admin = await freePort();
  environment.PASSERELLE_SERVER_ADMIN_PORT = `${admin}`;
  const gateway = { ...await start(join(target, 'passerelle'), join(dir, 'servers'), environment, ['--jwt-secret', SECRET]), admin };
  const figures = {};
  try {
    await run('psql', ['-q', '-v', 'ON_ERROR_STOP=1', '-c', SCHEMA, gateway.db_url]);
    const exp = Math.floor(Date.now() / 1000) + 36000;
    const people = join(dir, 'tokens');
    const tokens = Array.from({ length: 10 }, (_, number) => token({ role: 'authenticated', sub: `a0000000-0000-4000-8000-00000000000${number}`, number, exp }));
    writeFileSync(people, tokens.join('\n'));
    const rows = [];
    const note = (name, row) => { rows.push({ name, ...row }); log(`${name}: ${JSON.stringify(row)}`); };

    const empty = usage(gateway.child.pid).resident * 1048576;
    let full = 0;
    const sockets = await load(gateway, 'sockets', ['--count', '5000', '--seconds', '3'], () => { full = usage(gateway.child.pid).resident * 1048576; });
    note('5,000 sockets', { kib_each: (full - empty) / 1024 / 5000, opened_per_s: sockets.per_second });

    const said = [];
    for (let round = 0; round < rounds; round += 1) said.push(await load(gateway, 'broadcast', ['--count', '1000', '--seconds', seconds, '--rate', '120']));
    note('broadcast to 1,000', {
      deliveries_per_s: median(said.map((one) => one.per_second)), us_each: median(said.map((one) => one.cpu / one.deliveries * 1e6)),
      p50_ms: median(said.map((one) => one.p50_ms)), p99_ms: median(said.map((one) => one.p99_ms)), missing: said.reduce((sum, one) => sum + one.missing, 0),
    });

    for (const count of [10, 100, 1000]) {
      const asked = await metric(gateway, 'passerelle_realtime_evaluations_total');
      const told = [];
      for (let round = 0; round < (count === 1000 ? rounds : 1); round += 1) {
        told.push(await load(gateway, 'changes', ['--tokens', people, '--count', `${count}`, '--seconds', seconds, '--rate', '200', '--database', gateway.db_url]));
      }
      const changes = told.reduce((sum, one) => sum + one.changes, 0);
      const statements = await metric(gateway, 'passerelle_realtime_evaluations_total') - asked;
      note(`200 changes/s to ${count} in 10 audiences`, {
        changes_per_s: median(told.map((one) => one.changes_per_second)), p50_ms: median(told.map((one) => one.p50_ms)), p99_ms: median(told.map((one) => one.p99_ms)),
        statements_per_change: statements / changes, missing: told.reduce((sum, one) => sum + one.expected - one.deliveries, 0),
      });
    }

    const joins = [];
    for (let round = 0; round < rounds; round += 1) joins.push(await load(gateway, 'joins', ['--tokens', people, '--count', '4000']));
    note('joins of private channels', { per_s: median(joins.map((one) => one.per_second)), us_each: median(joins.map((one) => one.cpu / one.joins * 1e6)) });

    const before = usage(gateway.child.pid).resident * 1048576;
    let most = before;
    const watch = setInterval(() => { most = Math.max(most, usage(gateway.child.pid).resident * 1048576); }, 20);
    const burst = await load(gateway, 'burst', ['--count', '5', '--changes', '100000', '--database', gateway.db_url]);
    clearInterval(watch);
    note('100,000 changes at once, to 5', { delivered_ms: burst.delivered_ms, missing: burst.expected - burst.deliveries, mib_more: (most - before) / 1048576 });
    figures.rows = rows;
    if (options.json) console.log(JSON.stringify(figures));
    else for (const { name, ...row } of rows) console.log(`| ${name} | ${Object.entries(row).map(([key, value]) => `${key} ${Math.round(value * 100) / 100}`).join(' | ')} |`);
  } finally {
    gateway.child.kill('SIGTERM');
    await gateway.ended;
    rmSync(dir, { recursive: true, force: true });
  }
}

/** A port that nobody listens at. */
function freePort() {
  return new Promise((resolve) => {
    const server = createServer().listen(0, '127.0.0.1', () => { const { port } = server.address(); server.close(() => resolve(port)); });
  });
}

await main();
