import { createLocalClient, type LocalClient } from './client.js';
import { anonKey, url } from './environment.js';

export { createLocalClient } from './client.js';
export type { FoundUser, LocalClient, LocalSchema, LocalSession, LocalUser } from './client.js';
export { arrayLiteral, ilikeAny } from './filters.js';
export type { Leftovers } from './leftovers.js';
export type { LocalQuery, LocalResponse, LocalTable } from './query.js';

/**
 * The client of the application, for the gateway that `VITE_SUPABASE_URL` and `VITE_SUPABASE_ANON_KEY` name.
 *
 * Where they are not set, its first use throws an error that says so.
 */
export const localClient: LocalClient = url && anonKey ? createLocalClient(url, anonKey) : unconfigured();

function unconfigured(): LocalClient {
  const missing = [url ? [] : 'VITE_SUPABASE_URL', anonKey ? [] : 'VITE_SUPABASE_ANON_KEY'].flat().join(' and ');
  return new Proxy({} as LocalClient, {
    get() {
      throw new Error(`localClient is not configured: set ${missing} and build again.`);
    },
  });
}
