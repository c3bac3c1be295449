// The tables.

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

const STARTS = [
  ['start of `serve`', (row) => row.database],
  ['ready after ms', (row) => Math.round(row.ready_ms)],
  ['resident MB', (row) => row.resident_mb.toFixed(1)],
];

function table(columns, rows) {
  const lines = [columns.map(([name]) => name), ...rows.map((row) => columns.map(([, cell]) => String(cell(row))))];
  const widths = columns.map((_, i) => Math.max(...lines.map((line) => line[i].length)));
  return lines.map((line) => line.map((cell, i) => i === 0 ? cell.padEnd(widths[i]) : cell.padStart(widths[i])).join('  ')).join('\n');
}

export function report(rows, memory, starts) {
  const notes = `CPU is per request. Memory of the gateway: ${memory.idle_mb.toFixed(1)} MB idle, ${memory.resident_mb.toFixed(1)} MB after ${memory.requests} requests; its peak is that of each scenario.`;
  return [table(COLUMNS, rows), notes, table(STARTS, starts)].join('\n\n');
}
