/** Where the imitation kept its tables in the browser. */
const PREFIX = 'hub-lib-db-';

const warned = new Set<string>();

function warn(name: string, instead: string): void {
  if (warned.has(name)) return;
  warned.add(name);
  console.warn(`localClient.${name}() does nothing any more: ${instead}`);
}

/** What the imitation could do because all data lay in the browser. None of it reaches the server. */
export interface Leftovers {
  /** Always empty: rows are read with `from(table).select()`. Warns once. */
  getTable(name: string): Record<string, unknown>[];
  /** Does nothing: rows are written with `from(table)`. Warns once. */
  setTable(name: string, rows: Record<string, unknown>[]): void;
  /**
   * The tables that the imitation left in this browser, and nothing of the server: what can be given to an import on the
   * server. Empty where the imitation never ran.
   */
  exportData(): Record<string, Record<string, unknown>[]>;
  /**
   * Imports nothing. Throws where there are rows, so that no page says they were imported: the server imports,
   * since it has to give rows new ids and their owners.
   */
  importData(data: Record<string, unknown[]>): void;
  /** A new id that the server takes, too. */
  generateId(): string;
  /** Does nothing: the server writes notifications, and they arrive by `channel()`. Warns once. */
  triggerNotification(notification: unknown): void;
  /** Does nothing: the server's database is there. Warns once. */
  initializeDatabase(): void;
}

export const leftovers: Leftovers = {
  getTable() {
    warn('getTable', 'rows are read with from(table).select().');
    return [];
  },
  setTable() {
    warn('setTable', 'rows are written with from(table).');
  },
  exportData() {
    const data: Record<string, Record<string, unknown>[]> = {};
    const storage = globalThis.localStorage as Storage | undefined;
    for (const key of Object.keys(storage ?? {}).filter((name) => name.startsWith(PREFIX))) {
      const rows = rowsOf(storage?.getItem(key) ?? null);
      if (rows.length > 0) data[key.slice(PREFIX.length)] = rows;
    }
    return data;
  },
  importData(data) {
    if (!Object.values(data).some((rows) => Array.isArray(rows) && rows.length > 0)) return;
    throw new Error('Nothing was imported: data is imported on the server.');
  },
  generateId,
  triggerNotification() {
    warn('triggerNotification', 'the server writes notifications.');
  },
  initializeDatabase() {
    warn('initializeDatabase', 'the tables are on the server.');
  },
};

function rowsOf(text: string | null): Record<string, unknown>[] {
  try {
    const rows: unknown = JSON.parse(text ?? 'null');
    return Array.isArray(rows) ? rows : [];
  } catch {
    return [];
  }
}

/** A UUID of version 4, also on a page that came by plain HTTP, where browsers hide `crypto.randomUUID`. */
function generateId(): string {
  const bytes = globalThis.crypto.getRandomValues(new Uint8Array(16));
  bytes[6] = (bytes[6]! & 0x0f) | 0x40;
  bytes[8] = (bytes[8]! & 0x3f) | 0x80;
  const hex = [...bytes].map((byte) => byte.toString(16).padStart(2, '0')).join('');
  return hex.replace(/^(.{8})(.{4})(.{4})(.{4})/, '$1-$2-$3-$4-');
}
