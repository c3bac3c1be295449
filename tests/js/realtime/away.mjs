// Redis goes away and comes back: gateways know one another's presences again, as they are by then.

import test from 'node:test';
import WebSocket from 'ws';
import { createClient } from '@supabase/supabase-js';
import { database, need } from '../actors.mjs';

const urls = [need('PASSERELLE_URL'), need('PASSERELLE_OTHER_URL')];
const anonKey = need('PASSERELLE_ANON_KEY');
const clients = [];
const mark = (name) => database.query('insert into marks values ($1)', [name]);

async function until(enough, what) {
  const started = Date.now();
  while (!await enough()) {
    if (Date.now() - started > 45000) throw new Error(`${what} did not come`);
    await new Promise((resolve) => { setTimeout(resolve, 20); });
  }
}

async function come(key, url) {
  const supabase = createClient(url, anonKey, { auth: { persistSession: false, autoRefreshToken: false }, realtime: { transport: WebSocket } });
  clients.push(supabase);
  const channel = supabase.channel('hall', { config: { presence: { key } } });
  channel.on('presence', { event: 'sync' }, () => {});
  await new Promise((resolve, reject) => {
    channel.subscribe((status, error) => { if (status === 'SUBSCRIBED') resolve(); else reject(error ?? new Error(status)); });
  });
  await channel.track({});
  return channel;
}

const sees = (channel, keys) => Object.keys(channel.presenceState()).sort().join() === keys;

test('presences are whole again after Redis was away', async () => {
  const [ada, bob, eve] = [await come('ada', urls[0]), await come('bob', urls[1]), await come('eve', urls[1])];
  const all = [ada, bob, eve];
  await until(() => all.every((one) => sees(one, 'ada,bob,eve')), 'everybody');
  await mark('away');
  await until(() => sees(ada, 'ada') && sees(bob, 'bob,eve'), 'that gateways are alone');
  await eve.untrack();
  await come('cleo', urls[0]);
  await until(() => sees(ada, 'ada,cleo') && sees(bob, 'bob'), 'what changes meanwhile');
  await mark('back');
  await until(() => sees(ada, 'ada,bob,cleo') && sees(bob, 'ada,bob,cleo'), 'everybody again');
  await mark('done');
});

test.after(async () => {
  for (const one of clients) await one.removeAllChannels().catch(() => {});
  for (const one of clients) one.realtime.disconnect();
  await database.end();
});
