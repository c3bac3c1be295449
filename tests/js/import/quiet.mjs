// Somebody who is signed in while old data are imported hears of what is new, and of nothing else.

import assert from 'node:assert/strict';
import test from 'node:test';
import { database, need, open } from '../actors.mjs';

test('old notifications are no news', async () => {
  const client = open({ auth: { persistSession: false, autoRefreshToken: false } });
  const { error } = await client.auth.signInWithPassword({ email: 'ada@example.org', password: need('PASSERELLE_PASSWORD') });
  assert.equal(error, null);
  const heard = await new Promise((resolve, reject) => {
    const inserted = { event: 'INSERT', schema: 'public', table: 'notifications' };
    const channel = client.channel('notifications').on('postgres_changes', inserted, (change) => resolve(change.new.title));
    channel.on('system', {}, ({ extension, status }) => {
      if (extension === 'postgres_changes' && status === 'ok') database.query("insert into marks values ('listening')").catch(reject);
    });
    channel.subscribe((status, failure) => failure && reject(failure));
  });
  assert.equal(heard, 'news');
  await client.removeAllChannels();
  await database.end();
});
