// Notes which methods of the query builder are called, by wrapping them before anybody has a client.

import * as library from '@supabase/postgrest-js';
import { after } from 'node:test';
import { createClient } from '@supabase/supabase-js';
import WebSocket from 'ws';
import { database, need } from '../actors.mjs';

const called = new Set();
const all = new Set();

for (const [kind, definition] of Object.entries(library)) {
  if (!kind.startsWith('Postgrest') || typeof definition !== 'function') continue;
  for (const name of Object.getOwnPropertyNames(definition.prototype)) {
    const method = definition.prototype[name];
    if (name === 'constructor' || typeof method !== 'function') continue;
    const label = `${kind}.${name}`;
    all.add(label);
    definition.prototype[name] = function recorded(...args) {
      called.add(label);
      return method.apply(this, args);
    };
  }
}

after(() => database.end());

/** Every method there is, and those that nobody called so far. */
export const methods = () => ({ all: [...all], uncalled: [...all].filter((label) => !called.has(label)) });

/** What every request was sent as: method, URL and headers. */
export const sent = [];
const watched = (input, init) => {
  sent.push({ method: init.method, url: new URL(input), headers: new Headers(init.headers) });
  return fetch(input, init);
};

const url = need('PASSERELLE_URL');
const key = need('PASSERELLE_ANON_KEY');
export const open = (options = {}) =>
  createClient(url, key, {
    auth: { persistSession: false },
    realtime: { transport: WebSocket },
    global: { fetch: watched },
    ...options,
  });
export const client = open();
export { database };
