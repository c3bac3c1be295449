// Processes: starting them, waiting for them, and what they use.

import { spawn, spawnSync } from 'node:child_process';
import { readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';

const TICKS_PER_SECOND = Number(spawnSync('getconf', ['CLK_TCK'], { encoding: 'utf8' }).stdout);

/** Seconds of CPU a process has used, and its peak and present memory in MB. */
export function usage(pid) {
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

/** Lets the peak memory of a process begin anew. */
export function forgetPeak(pid) {
  writeFileSync(`/proc/${pid}/clear_refs`, '5');
}

/** CPU seconds of a postmaster and of all its children, those that ended included. */
export function serverCpu(postmaster) {
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

/** Runs a program to its end. */
export function run(command, args, env = {}) {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { env: { ...process.env, ...env }, stdio: ['ignore', 'pipe', 'pipe'] });
    let out = '', err = '';
    child.stdout.on('data', (chunk) => { out += chunk; });
    child.stderr.on('data', (chunk) => { err += chunk; });
    child.on('error', reject);
    child.on('close', (code) => code === 0 ? resolve({ out, err }) : reject(new Error(`${command}: exit ${code}\n${err}${out}`)));
  });
}

/** Starts `passerelle dev` on any free port; resolves with what it says when it is ready. Its log goes nowhere: whoever
 * read it would take CPU from what is measured. */
export async function start(binary, dir, env, further = []) {
  const args = ['dev', '--dir', dir, '--port', '0', '--app', 'none', '--json', ...further];
  const child = spawn(binary, args, { env: { ...process.env, ...env }, stdio: ['ignore', 'pipe', 'ignore'] });
  const ended = new Promise((resolve) => { child.on('close', resolve); });
  const line = await new Promise((resolve, reject) => {
    let text = '';
    child.stdout.on('data', (chunk) => {
      text += chunk;
      if (text.includes('\n')) resolve(text);
    });
    child.on('close', (code) => reject(new Error(`passerelle dev: exit ${code}; it says why when started by hand: ${[binary, ...args].join(' ')}`)));
  });
  return { child, ended, ...JSON.parse(line) };
}

/** A port that nobody listens on. */
export function freePort() {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.on('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const { port } = server.address();
      server.close(() => resolve(port));
    });
  });
}
