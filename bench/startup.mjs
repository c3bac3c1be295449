// How long `passerelle serve` takes from its start until it is ready, in front of a database that is there, and what it
// holds then.

import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

import { run, usage } from './processes.mjs';

const here = dirname(fileURLToPath(import.meta.url));
const APP = join(dirname(here), 'sql/hub-lib');

/** The URL of another database, or of another role. */
function variant(url, { database, user, password }) {
  const other = new URL(url);
  if (database) other.pathname = `/${database}`;
  if (user) [other.username, other.password] = [user, password];
  return other.href;
}

/** Starts the gateway once: milliseconds until it says that it is ready, and resident MB then. */
async function once(binary, url, secret) {
  const env = {
    ...process.env, DATABASE_URL: url, JWT_SECRET: secret, PASSERELLE_SERVER_HOST: '127.0.0.1',
    PASSERELLE_SERVER_PORT: '0', PASSERELLE_SERVER_ADMIN_PORT: '0', PASSERELLE_LOG_FORMAT: 'json',
  };
  const since = performance.now();
  const child = spawn(binary, ['serve'], { env, stdio: ['ignore', 'ignore', 'pipe'] });
  const ended = new Promise((resolve) => { child.on('close', resolve); });
  let log = '';
  try {
    await new Promise((resolve, reject) => {
      child.stderr.on('data', (chunk) => {
        log += chunk;
        if (log.includes('"message":"ready"')) resolve();
      });
      child.on('close', (code) => reject(new Error(`passerelle serve: exit ${code}\n${log}`)));
    });
    return { ms: performance.now() - since, mb: usage(child.pid).resident };
  } finally {
    child.kill('SIGTERM');
    await ended;
  }
}

/** Measures both databases, which are made here, beside what a running `passerelle dev` has. */
export async function startups({ binary, gateway, servers, rounds, median, log }) {
  const password = readFileSync(join(servers, 'authenticator.password'), 'utf8').trim();
  const psql = (url, ...args) => run('psql', ['-q', '-v', 'ON_ERROR_STOP=1', ...args, url]);
  const databases = [
    { name: 'Hub-Lib', database: 'bench_hub_lib', app: ['--app', APP] },
    { name: '10,000 tables, 10,000 foreign keys', database: 'bench_many', app: [], file: 'many-tables.sql' },
  ];
  const rows = [];
  for (const { name, database, app, file } of databases) {
    await psql(gateway.db_url, '-c', `create database ${database}`);
    const url = variant(gateway.db_url, { database });
    await run(binary, ['migrate', ...app], { DATABASE_URL: url });
    if (file) await psql(url, '-f', join(here, file));
    const taken = [];
    for (let round = 1; round <= rounds; round += 1) {
      taken.push(await once(binary, variant(url, { user: 'authenticator', password }), gateway.jwt_secret));
      log(`start, ${name}: round ${round}/${rounds}: ${taken.at(-1).ms.toFixed(0)} ms`);
    }
    rows.push({ database: name, ready_ms: median(taken.map(({ ms }) => ms)), resident_mb: median(taken.map(({ mb }) => mb)) });
  }
  return rows;
}
