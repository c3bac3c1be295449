import {
  createClient,
  type PostgrestError,
  type RealtimeChannel,
  type RealtimeChannelOptions,
  type RealtimeRemoveChannelResponse,
  type Session,
  type SupabaseClient,
  type SupabaseClientOptions,
  type User,
} from '@supabase/supabase-js';
import { executable, executableTable } from './executable.js';
import { ilikeAny } from './filters.js';
import { leftovers, type Leftovers } from './leftovers.js';
import type { LocalQuery, LocalTable } from './query.js';

type Any = any;

/** Who is signed in: `id`, `email`, `created_at`, and `user_metadata` with `full_name` and `avatar_url`. */
export type LocalUser = User;

/** A session. `expires_at` is in seconds, where the imitation had milliseconds. */
export type LocalSession = Session;

/** Somebody that `searchUsers` finds. */
export interface FoundUser {
  id: string;
  username: string | null;
  full_name: string | null;
  avatar_url: string | null;
}

/** Tables and functions of a schema. */
export interface LocalSchema {
  from<Row = Any>(table: string): LocalTable<Row>;
  rpc<Result = Any>(
    name: string,
    values?: Record<string, unknown>,
    options?: { head?: boolean; get?: boolean; count?: 'exact' | 'planned' | 'estimated' },
  ): LocalQuery<Result>;
}

/** supabase-js, whose queries also end in `.execute()`, and the rest of what Hub-Lib calls. */
export interface LocalClient extends LocalSchema, Leftovers, Pick<SupabaseClient, 'auth' | 'realtime' | 'storage' | 'functions'> {
  schema(name: string): LocalSchema;
  /**
   * A channel of one's own, also where another one has the name, so that two components can follow the same table.
   * With options it is the channel of supabase-js, which all who name it share, as broadcast and presence need it.
   */
  channel(name: string, options?: RealtimeChannelOptions): RealtimeChannel;
  getChannels(): RealtimeChannel[];
  /** Leaves a channel. Takes anything, as the imitation did. */
  removeChannel(channel?: unknown): Promise<RealtimeRemoveChannelResponse>;
  removeAllChannels(): Promise<RealtimeRemoveChannelResponse[]>;
  /** At most ten people whose username or full name contains the text; nobody for less than two characters. */
  searchUsers(text: string): Promise<{ data: FoundUser[]; error: PostgrestError | null }>;
}

/** A client for one gateway. Options are those of supabase-js. */
export function createLocalClient(url: string, anonKey: string, options?: SupabaseClientOptions<'public'>): LocalClient {
  const client = createClient<Any, 'public'>(url, anonKey, options);
  if (!options?.accessToken) nameNewcomers(client);
  const supabase = { channel: client.channel.bind(client), removeChannel: client.removeChannel.bind(client), schema: client.schema.bind(client) };
  const main = schemaOf({ from: client.from.bind(client), rpc: client.rpc.bind(client) });
  const local = {
    ...leftovers,
    ...main,
    schema: (name: string) => schemaOf(supabase.schema(name as 'public')),
    channel: (name: string, settings?: RealtimeChannelOptions) => supabase.channel(settings ? name : freeName(client, name), settings),
    removeChannel: async (channel?: unknown) =>
      client.getChannels().includes(channel as RealtimeChannel) ? supabase.removeChannel(channel as RealtimeChannel) : 'ok',
    searchUsers: (text: string) => searchUsers(main, text),
  };
  return Object.assign(client, local) as unknown as LocalClient;
}

type Schema = Pick<SupabaseClient<Any, 'public'>, 'from' | 'rpc'>;

const schemaOf = (schema: Schema): LocalSchema => ({
  from: (table) => executableTable(schema.from(table)),
  rpc: (name, values, options) => executable(schema.rpc(name, values as never, options)),
});

/** A name that no channel of the client has. */
function freeName(client: SupabaseClient<Any, 'public'>, name: string): string {
  const taken = new Set(client.getChannels().map((channel) => channel.subTopic));
  let free = name;
  for (let number = 2; taken.has(free); number += 1) free = `${name}:${number}`;
  return free;
}

async function searchUsers({ from }: LocalSchema, text: string): Promise<{ data: FoundUser[]; error: PostgrestError | null }> {
  const wanted = (text ?? '').trim();
  if (wanted.length < 2) return { data: [], error: null };
  const found = from<FoundUser>('profiles').select('id,username,full_name,avatar_url');
  const { data, error } = await found.or(ilikeAny(['username', 'full_name'], wanted)).limit(10).execute();
  return { data: data ?? [], error };
}

/** Gives those who sign up without a name the one that their address begins with, as the imitation did. */
function nameNewcomers({ auth }: SupabaseClient<Any, 'public'>): void {
  const signUp = auth.signUp.bind(auth);
  auth.signUp = (credentials) => {
    if (!('email' in credentials) || !credentials.email) return signUp(credentials);
    const name = credentials.email.trim().split('@')[0]?.toLowerCase();
    return signUp({ ...credentials, options: { ...credentials.options, data: { full_name: name, ...credentials.options?.data } } });
  };
}
