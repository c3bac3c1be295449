-- What the realtime surface needs: messages from the database, who may hear and say what on private channels, and which tables'
-- changes are told. Names are Supabase's, so that policies and functions of a project run as they are.

create schema if not exists realtime;
grant usage on schema realtime to anon, authenticated, service_role;

-- Messages to channels. Nobody reads it as a table: its row policies say who may read from a channel (select) and write to it
-- (insert), with `realtime.topic()` as the channel's name.
create table if not exists realtime.messages (
  topic          text not null,
  extension      text not null,
  payload        jsonb,
  event          text,
  private        boolean default false,
  updated_at     timestamp not null default now(),
  inserted_at    timestamp not null default now(),
  id             uuid not null default gen_random_uuid(),
  binary_payload bytea,
  primary key (id, inserted_at),
  constraint messages_payload_exclusive check (payload is null or binary_payload is null)
) partition by range (inserted_at);
comment on table realtime.messages is 'Messages from the database to channels, kept for three days; its policies guard private channels.';
create index if not exists messages_inserted_at_topic_index on realtime.messages (inserted_at desc, topic)
  where extension = 'broadcast' and private;
alter table realtime.messages enable row level security;
grant select, insert on realtime.messages to anon, authenticated, service_role;

create or replace function realtime.topic() returns text
  language sql stable
  return nullif(pg_catalog.current_setting('realtime.topic', true), '');
comment on function realtime.topic() is 'The channel that somebody wants to hear or to say something on.';

create or replace function realtime.send(payload jsonb, event text, topic text, private boolean default true) returns void
  language plpgsql security definer set search_path = ''
as $$
declare
  new_id uuid := gen_random_uuid();
begin
  insert into realtime.messages (id, payload, event, topic, private, extension)
  values (
    new_id, case when jsonb_typeof(payload) = 'object' and not payload ? 'id' then payload || jsonb_build_object('id', new_id) else payload end,
    event, topic, private, 'broadcast'
  );
exception
  when others then
    -- Whoever tells others of a change does not lose it because they cannot be told.
    raise warning 'realtime.send: %', sqlerrm;
end
$$;
comment on function realtime.send(jsonb, text, text, boolean) is 'Says something on a channel when the transaction is committed.';

create or replace function realtime.send_binary(payload bytea, event text, topic text, private boolean default true) returns void
  language plpgsql security definer set search_path = ''
as $$
begin
  insert into realtime.messages (binary_payload, event, topic, private, extension)
  values (payload, event, topic, private, 'broadcast');
exception
  when others then
    raise warning 'realtime.send_binary: %', sqlerrm;
end
$$;
comment on function realtime.send_binary(bytea, text, text, boolean) is 'Says something that is no JSON on a channel.';

create or replace function realtime.broadcast_changes(
  topic_name text, event_name text, operation text, table_name text, table_schema text, new record, old record, level text default 'ROW'
) returns void
  language plpgsql set search_path = ''
as $$
begin
  if level = 'STATEMENT' then
    raise exception 'function can only be triggered for each row, not for each statement';
  end if;
  if operation not in ('INSERT', 'UPDATE', 'DELETE') then
    raise exception 'unexpected operation type: %', operation;
  end if;
  perform realtime.send(
    jsonb_build_object(
      'operation', operation, 'schema', table_schema, 'table', table_name,
      'record', case when operation <> 'DELETE' then to_jsonb(new) end, 'old_record', case when operation <> 'INSERT' then to_jsonb(old) end
    ), event_name, topic_name
  );
end
$$;
comment on function realtime.broadcast_changes(text, text, text, text, text, record, record, text) is
  'For triggers: says on a channel what has become of a row.';
-- Clients do not call these: they say what they have to say by the gateway, which asks the policies.
revoke execute on function
  realtime.send(jsonb, text, text, boolean), realtime.send_binary(bytea, text, text, boolean),
  realtime.broadcast_changes(text, text, text, text, text, record, record, text)
from public;
grant execute on function
  realtime.send(jsonb, text, text, boolean), realtime.send_binary(bytea, text, text, boolean),
  realtime.broadcast_changes(text, text, text, text, text, record, record, text)
to service_role;

-- A partition for each day from yesterday to the day after tomorrow; those older than three days go.
create or replace function passerelle.keep_messages() returns void
  language plpgsql security definer set search_path = ''
as $$
declare
  day date;
  name text;
begin
  perform pg_advisory_xact_lock(1346454099, 2);
  for day in select generate_series(current_date - 1, current_date + 2, interval '1 day')::date loop
    name := 'messages_' || to_char(day, 'YYYY_MM_DD');
    if to_regclass('realtime.' || name) is null then
      execute format('create table realtime.%I partition of realtime.messages for values from (%L) to (%L)', name, day, day + 1);
    end if;
  end loop;
  for name in
    select c.relname
    from pg_inherits i
    join pg_class c on c.oid = i.inhrelid
    where i.inhparent = 'realtime.messages'::regclass and c.relname < 'messages_' || to_char(current_date - 3, 'YYYY_MM_DD')
      and c.relname ~ '^messages_\d{4}_\d\d_\d\d$'
  loop
    execute format('drop table realtime.%I', name);
  end loop;
end
$$;
comment on function passerelle.keep_messages() is 'Makes room for messages of the next days, and removes old ones.';
revoke execute on function passerelle.keep_messages() from public;
grant execute on function passerelle.keep_messages() to authenticator;
select passerelle.keep_messages();

-- Tables whose changes are told are added by whoever owns them: alter publication supabase_realtime add table …
do $$
begin
  set local client_min_messages = error;
  if not exists (select from pg_catalog.pg_publication where pubname = 'supabase_realtime') then
    create publication supabase_realtime with (publish_via_partition_root = true);
  end if;
  if not exists (select from pg_catalog.pg_publication where pubname = 'supabase_realtime_messages_publication') then
    create publication supabase_realtime_messages_publication for table realtime.messages
      with (publish = 'insert', publish_via_partition_root = true);
  end if;
end
$$;

-- What the gateway has to know of a table to tell who may see its changes. It asks without a role.
create or replace function passerelle.told_table(wanted oid)
  returns table (
    schema_name text, table_name text, is_guarded boolean, is_full boolean, columns jsonb, policies jsonb
  )
  language sql stable security definer set search_path = ''
begin atomic
  select n.nspname::text, c.relname::text, c.relrowsecurity, c.relreplident = 'f',
    (
      select jsonb_agg(jsonb_build_object(
        'name', a.attname, 'type', t.typname, 'number', a.attnum, 'primary', exists (
          select from pg_index x where x.indrelid = c.oid and x.indisprimary and a.attnum = any (x.indkey::smallint[])
        ),
        'base', coalesce((select b.typname from pg_type b where t.typtype = 'd' and b.oid = t.typbasetype), t.typname)
      ) order by a.attnum)
      from pg_attribute a
      join pg_type t on t.oid = a.atttypid
      where a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
    ),
    coalesce((
      select jsonb_agg(jsonb_build_object(
        'command', p.polcmd, 'permissive', p.polpermissive, 'roles', p.polroles::oid[],
        'using', pg_get_expr(p.polqual, p.polrelid), 'check', pg_get_expr(p.polwithcheck, p.polrelid),
        -- A row as a whole is all its columns.
        'columns', coalesce((
          select jsonb_agg(distinct a.attnum)
          from pg_depend d
          join pg_attribute a on a.attrelid = d.refobjid and a.attnum > 0 and d.refobjsubid in (a.attnum, 0)
          where d.classid = 'pg_policy'::regclass and d.objid = p.oid and d.refobjid = p.polrelid and d.deptype = 'n'
        ), '[]'),
        'functions', coalesce((
          select jsonb_agg(distinct d.refobjid::regprocedure::text)
          from pg_depend d
          where d.classid = 'pg_policy'::regclass and d.objid = p.oid and d.refclassid = 'pg_proc'::regclass
        ), '[]'),
        'others', exists (
          select
          from pg_depend d
          where d.classid = 'pg_policy'::regclass and d.objid = p.oid and d.refclassid = 'pg_class'::regclass and d.refobjid <> p.polrelid
        )
      ) order by p.polname)
      from pg_policy p
      where p.polrelid = c.oid
    ), '[]')
  from pg_class c
  join pg_namespace n on n.oid = c.relnamespace
  where c.oid = wanted;
end;
comment on function passerelle.told_table(oid) is 'A table, its columns and policies, for those who tell of its changes.';

create or replace function passerelle.told_role(wanted_table oid, wanted_role text)
  returns table (is_above boolean, roles oid[], columns smallint[])
  language sql stable security definer set search_path = ''
begin atomic
  select
    r.rolsuper or r.rolbypassrls or (pg_has_role(r.oid, c.relowner, 'USAGE') and not c.relforcerowsecurity),
    array(select m.oid from pg_roles m where pg_has_role(r.oid, m.oid, 'USAGE')),
    array(
      select a.attnum
      from pg_attribute a
      where a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped and has_schema_privilege(r.oid, c.relnamespace, 'USAGE')
        and has_column_privilege(r.oid, c.oid, a.attnum, 'SELECT')
      order by a.attnum
    )
  from pg_class c, pg_roles r
  where c.oid = wanted_table and r.rolname = wanted_role;
end;
comment on function passerelle.told_role(oid, text) is 'What a role may see of a table.';

-- Tables of the publication, for those who ask for their changes.
create or replace function passerelle.told_tables(wanted_schema text, wanted_table text) returns oid[]
  language sql stable security definer set search_path = ''
begin atomic
  select array(
    select c.oid
    from pg_publication_tables t
    join pg_namespace n on n.nspname = t.schemaname
    join pg_class c on c.relname = t.tablename and c.relnamespace = n.oid
    where t.pubname = 'supabase_realtime' and (wanted_schema is null or t.schemaname = wanted_schema)
      and (wanted_table is null or t.tablename = wanted_table)
  );
end;
comment on function passerelle.told_tables(text, text) is 'Tables whose changes are told.';

create or replace function passerelle.old_messages(wanted_topic text, since timestamp, most integer)
  returns table (id uuid, event text, payload text)
  language sql stable security definer set search_path = ''
begin atomic
  select m.id, m.event, m.payload::text
  from (
    select o.id, o.event, o.payload, o.inserted_at
    from realtime.messages o
    where o.topic = wanted_topic and o.extension = 'broadcast' and o.private and o.payload is not null and o.inserted_at > since
    order by o.inserted_at desc
    limit most
  ) m
  order by m.inserted_at;
end;
comment on function passerelle.old_messages(text, timestamp, integer) is 'What was said on a private channel from the database.';

revoke execute on function
  passerelle.told_table(oid), passerelle.told_role(oid, text), passerelle.told_tables(text, text),
  passerelle.old_messages(text, timestamp, integer)
from public;
grant execute on function
  passerelle.told_table(oid), passerelle.told_role(oid, text), passerelle.told_tables(text, text),
  passerelle.old_messages(text, timestamp, integer)
to authenticator;
