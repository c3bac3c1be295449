// The table.

const COLUMNS = [
  ['scenario', (row) => row.scenario],
  ['gateway/s', (row) => row.rate < 100 ? row.rate.toFixed(1) : Math.round(row.rate)],
  ['pgbench/s', (row) => row.pgbench < 100 ? row.pgbench.toFixed(1) : Math.round(row.pgbench)],
  ['ratio', (row) => `${Math.round(row.ratio * 100)} %`],
  ['p50 ms', (row) => row.p50_ms.toFixed(2)],
  ['p99 ms', (row) => row.p99_ms.toFixed(2)],
  ['gateway µs', (row) => row.gateway_us.toFixed(1)],
  ['postgres µs', (row) => row.postgres_us.toFixed(1)],
  ['rows/s', (row) => row.rows_per_second === undefined ? '' : Math.round(row.rows_per_second)],
  ['peak MB', (row) => row.peak_mb.toFixed(1)],
];

export function table(rows, memory) {
  const lines = [COLUMNS.map(([name]) => name), ...rows.map((row) => COLUMNS.map(([, cell]) => String(cell(row))))];
  const widths = COLUMNS.map((_, i) => Math.max(...lines.map((line) => line[i].length)));
  const text = lines.map((line) => line.map((cell, i) => i === 0 ? cell.padEnd(widths[i]) : cell.padStart(widths[i])).join('  '));
  text.push('', `CPU is per request. Memory of the gateway: ${memory.idle_mb.toFixed(1)} MB idle, ${memory.resident_mb.toFixed(1)} MB after ${memory.requests} requests; its peak is that of each scenario.`);
  return text.join('\n');
}
