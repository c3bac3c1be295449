// What the types promise; it is compiled and never run.

import type { PostgrestFilterBuilder, SupabaseClient } from '@supabase/supabase-js';
import {
  createLocalClient,
  ilikeAny,
  localClient,
  type LocalClient,
  type LocalQuery,
  type LocalSession,
  type LocalTable,
  type LocalUser,
} from '../dist/index.js';

type Nothing<T extends never> = T;
type Same<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : never;
const certain = <T>(value: T) => value;

/** Nothing that supabase-js can do with a query, a table or a client is missing. */
export type MissingOfQuery = Nothing<Exclude<keyof PostgrestFilterBuilder<any, any, any, any>, keyof LocalQuery<unknown>>>;
export type MissingOfClient = Nothing<Exclude<keyof SupabaseClient, keyof LocalClient>>;
export type MissingOfTable = Nothing<Exclude<'select' | 'insert' | 'upsert' | 'update' | 'delete', keyof LocalTable>>;

interface Resource {
  id: string;
  title: string;
}

export async function promised(client: LocalClient): Promise<void> {
  const list = await client.from<Resource>('resources').select('*').eq('id', undefined).order('title').execute();
  certain<Same<typeof list.data, Resource[] | null>>(true);
  const one = await client.from<Resource>('resources').select('*').single().execute();
  certain<Same<typeof one.data, Resource | null>>(true);
  const made = await client.from<Resource>('resources').insert({ title: 'A' }).select<Resource>().single().execute();
  certain<Same<typeof made.data, Resource | null>>(true);
  const awaited = await client.from<Resource>('resources').select('*').maybeSingle();
  certain<Same<typeof awaited.data, Resource | null>>(true);
  const saved = await client.from<Resource>('resources').upsert([{ title: 'A' }], { onConflict: 'id' }).execute();
  certain<Same<typeof saved.data, null>>(true);
  if (list.error) certain<string>(list.error.code);
  // @ts-expect-error a column that the row does not have
  client.from<Resource>('resources').update({ titel: 'A' });

  // As the application is written: rows of any type, chains that are built step by step.
  let query = client.from('resources').select('*, profiles!inner(username)').order('created_at', { ascending: false });
  query = query.or(ilikeAny(['title'], 'x')).in('category', ['a']).overlaps('tags', ['b']).gte('created_at', '2020').not('id', 'is', null);
  const { data, error } = await query.limit(3).execute();
  if (error) throw error;
  certain<string>(data.map((row) => row.title).join());
  await client.from('resources').update({ title: 'B' }).eq('id', 'x').execute();
  await client.from('resources').delete().eq('id', 'x').execute();
  await client.rpc('increment_resource_views', { resource_id: 'x' }).execute();
  await client.schema('public').from('resources').select().csv().execute();

  const { data: auth } = client.auth.onAuthStateChange((_event, session) => {
    const current: LocalSession | null = session;
    const user: LocalUser | null = session?.user ?? null;
    certain<string | undefined>(user?.email);
    certain<string | undefined>(user?.user_metadata.full_name ?? current?.access_token);
  });
  auth.subscription.unsubscribe();
  const channel = client.channel('notifications').on('postgres_changes', { event: 'INSERT', schema: 'public', table: 'notifications' }, () => {});
  channel.subscribe().unsubscribe();
  await client.removeChannel();
  const found = await client.searchUsers('ada');
  certain<string | null>(found.data[0]?.username ?? null);
  certain<string>(client.generateId());
  certain<unknown[]>(client.getTable('profiles'));
}

certain<LocalClient>(localClient);
certain<(url: string, key: string) => LocalClient>(createLocalClient);

/** A second supabase-js of the page has no `execute`. */
export const plain = (client: SupabaseClient) =>
  // @ts-expect-error it is a method of this package's queries alone
  client.from('resources').select().execute();
