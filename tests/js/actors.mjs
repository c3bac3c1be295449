// Who asks: callers with tokens minted from the secret, and the same callers inside the database.

import { createHmac } from 'node:crypto';
import { createClient } from '@supabase/supabase-js';
import pg from 'pg';
import WebSocket from 'ws';

export const need = (name) => {
  const value = process.env[name];
  if (!value) throw new Error(`${name} is not set; these tests are started by cargo test -p e2e`);
  return value;
};
const url = need('PASSERELLE_URL');
const secret = need('PASSERELLE_JWT_SECRET');
const anonKey = need('PASSERELLE_ANON_KEY');
export const database = new pg.Pool({ connectionString: need('PASSERELLE_DB_URL'), max: 4 });

export function token(claims) {
  const part = (value) => Buffer.from(JSON.stringify(value)).toString('base64url');
  const text = `${part({ alg: 'HS256', typ: 'JWT' })}.${part(claims)}`;
  return `${text}.${createHmac('sha256', secret).update(text).digest('base64url')}`;
}

/** Where the application's own client is to be used, the module that makes it. */
const local = process.env.PASSERELLE_LOCAL_CLIENT ? await import(process.env.PASSERELLE_LOCAL_CLIENT) : null;
const create = local ? local.createLocalClient : createClient;

/** A supabase-js client, or the application's; versions of Node without a WebSocket of their own are given one. */
export const open = (options, address = url) => create(address, anonKey, { realtime: { transport: WebSocket }, ...options });

/** Sends a query in the way of the client it was made with. */
export const send = local ? (query) => query.execute() : (query) => query;

/** A caller: `client` is a supabase-js client, `rows` runs SQL as the database sees that caller. */
function actor(name, claims) {
  const access = claims ? token(claims) : null;
  const client = open(access ? { accessToken: async () => access } : { auth: { persistSession: false } });
  const role = claims?.role ?? 'anon';
  return {
    name,
    client,
    async rows(sql, params = []) {
      const connection = await database.connect();
      try {
        await connection.query('begin read only');
        await connection.query("select set_config('role', $1, true), set_config('request.jwt.claims', $2, true)", [role, JSON.stringify(claims ?? { role })]);
        const result = await connection.query(`select coalesce(json_agg(t), '[]')::text as rows from (${sql}) t`, params);
        return JSON.parse(result.rows[0].rows);
      } finally {
        await connection.query('rollback');
        connection.release();
      }
    },
  };
}

const exp = Math.floor(Date.now() / 1000) + 3600;
export const anon = actor('anon', null);
export const service = actor('service', { role: 'service_role', exp });
export const user = (name, sub) => actor(name, { role: 'authenticated', aud: 'authenticated', sub, exp });
