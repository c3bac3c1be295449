-- What the reply cache needs to know of the database: which tables a transaction has written, told to the gateway that ran
-- it (a setting of the transaction) and to all gateways (logical decoding of the publication `passerelle`).
--
-- Tables are followed one by one: `select passerelle.follow('public.posts')`; `passerelle migrate` does it for all that the
-- configuration of the cache needs.

create schema if not exists passerelle;

-- Reads the changes. Its password is set by whoever deploys.
do $$
begin
  if not exists (select from pg_catalog.pg_roles where rolname = 'passerelle_feed') then
    create role passerelle_feed login replication;
  end if;
exception
  when duplicate_object or unique_violation then
    null;
  when insufficient_privilege then
    raise warning 'role passerelle_feed was not created: replies are not cached until a superuser runs'
      ' "create role passerelle_feed login replication"';
end
$$;

do $$
begin
  if not exists (select from pg_catalog.pg_publication where pubname = 'passerelle') then
    set local client_min_messages = error;
    create publication passerelle;
  end if;
end
$$;

-- The setting holds identifiers of tables between commas; `*` stands for definitions. It belongs to the transaction, so what
-- is rolled back, to a savepoint as well, takes its note along. All names are qualified: it runs as whoever writes.
create or replace function passerelle.touch() returns trigger
  language plpgsql
as $$
declare
  noted text := pg_catalog.concat(pg_catalog.current_setting('passerelle.touched', true), ',');
  mark text := pg_catalog.concat(',', tg_relid, ',');
begin
  if pg_catalog.strpos(noted, mark) operator(pg_catalog.=) 0 then
    perform pg_catalog.set_config('passerelle.touched', pg_catalog.concat(noted, tg_relid, ','), true);
  end if;
  return null;
end
$$;
comment on function passerelle.touch() is 'Notes that the transaction has written the table.';

-- For tables with columns that do not count. The arguments of the trigger are their names.
create or replace function passerelle.touch_unless_counters() returns trigger
  language plpgsql
as $$
declare
  noted text := pg_catalog.concat(pg_catalog.current_setting('passerelle.touched', true), ',');
  mark text := pg_catalog.concat(',', tg_relid, ',');
begin
  if pg_catalog.strpos(noted, mark) operator(pg_catalog.=) 0
    and (pg_catalog.to_jsonb(old) operator(pg_catalog.-) tg_argv::text[])
      operator(pg_catalog.<>) (pg_catalog.to_jsonb(new) operator(pg_catalog.-) tg_argv::text[])
  then
    perform pg_catalog.set_config('passerelle.touched', pg_catalog.concat(noted, tg_relid, ','), true);
  end if;
  return null;
end
$$;
comment on function passerelle.touch_unless_counters() is
  'Notes that the transaction has changed more of a row than the columns named in the arguments.';

create or replace function passerelle.unfollow(relation regclass) returns void
  language plpgsql set search_path = ''
as $$
declare
  named record;
begin
  for named in
    select tgname from pg_catalog.pg_trigger
    where tgrelid = relation and tgname in ('passerelle_touch', 'passerelle_touch_update')
      and not tgisinternal and tgparentid = 0
  loop
    execute format('drop trigger %I on %s', named.tgname, relation);
  end loop;
  if exists (
    select from pg_catalog.pg_publication_rel r
    join pg_catalog.pg_publication p on p.oid = r.prpubid
    where p.pubname = 'passerelle' and r.prrelid = relation
  ) then
    execute format('alter publication passerelle drop table only %s', relation);
  end if;
end
$$;
comment on function passerelle.unfollow(regclass) is 'Ends what passerelle.follow has begun.';

create or replace function passerelle.follow(relation regclass, counters text[] default '{}') returns void
  language plpgsql set search_path = ''
as $$
declare
  it pg_catalog.pg_class;
  wanted text := array_to_string(counters, ', ');
begin
  select * into strict it from pg_catalog.pg_class where oid = relation;
  if it.relkind not in ('r', 'p') or it.relpersistence <> 'p' then
    raise exception '% cannot be followed', relation
      using hint = 'Only tables that are written to the WAL are: no views, no foreign, unlogged or temporary tables.';
  end if;
  if it.relkind = 'r' and it.relreplident = 'n' or it.relreplident = 'd' and not exists (
    select from pg_catalog.pg_index where indrelid = relation and indisprimary
  ) then
    raise exception '% cannot be followed', relation
      using hint = 'It has no replica identity: give it a primary key, or ALTER TABLE … REPLICA IDENTITY.';
  end if;
  if exists (
    select from pg_catalog.pg_description
    where classoid = 'pg_catalog.pg_trigger'::pg_catalog.regclass
      and description = 'Followed by Passerelle. Counters: ' || wanted
      and objoid = (
        select oid from pg_catalog.pg_trigger
        where tgrelid = relation and tgname = 'passerelle_touch' and tgenabled <> 'D'
      )
  ) and exists (
    select from pg_catalog.pg_publication_rel r
    join pg_catalog.pg_publication p on p.oid = r.prpubid
    where p.pubname = 'passerelle' and r.prrelid = relation
  ) then
    return;
  end if;

  perform passerelle.unfollow(relation);
  if cardinality(counters) = 0 then
    execute format(
      'create trigger passerelle_touch after insert or update or delete or truncate on %s'
      ' for each statement execute function passerelle.touch()', relation
    );
  else
    -- Which columns an update has changed is known only with the whole old row.
    execute format('alter table %s replica identity full', relation);
    execute format(
      'create trigger passerelle_touch after insert or delete or truncate on %s'
      ' for each statement execute function passerelle.touch()', relation
    );
    execute format(
      'create trigger passerelle_touch_update after update on %s for each row when (old.* is distinct from new.*)'
      ' execute function passerelle.touch_unless_counters(%s)',
      relation, (select string_agg(quote_literal(name), ', ') from unnest(counters) as name)
    );
  end if;
  execute format('comment on trigger passerelle_touch on %s is %L', relation, 'Followed by Passerelle. Counters: ' || wanted);
  execute format('alter publication passerelle add table only %s', relation);
end
$$;
comment on function passerelle.follow(regclass, text[]) is
  'Makes the writes of a table known to gateways; changes of the counters alone are not told.';
revoke execute on function passerelle.follow(regclass, text[]), passerelle.unfollow(regclass) from public;

-- Changes of what tables are and who may read them. Temporary objects are nobody else's business.
create or replace function passerelle.note_definitions() returns event_trigger
  language plpgsql set search_path = ''
as $$
declare
  temporary boolean;
begin
  if tg_event = 'sql_drop' then
    select pg_catalog.bool_and(is_temporary) into temporary from pg_catalog.pg_event_trigger_dropped_objects();
  else
    select pg_catalog.bool_and(schema_name is not distinct from 'pg_temp') into temporary
    from pg_catalog.pg_event_trigger_ddl_commands();
  end if;
  -- What a drop has dropped is told by the other event.
  if temporary or temporary is null and tg_event = 'ddl_command_end' and tg_tag like 'DROP %' and tg_tag <> 'DROP OWNED' then
    return;
  end if;
  perform pg_catalog.set_config(
    'passerelle.touched', pg_catalog.concat(pg_catalog.current_setting('passerelle.touched', true), ',*,'), true
  );
  perform pg_catalog.pg_logical_emit_message(true, 'passerelle.definitions', '');
end
$$;
comment on function passerelle.note_definitions() is 'Tells gateways that tables, policies, functions or grants have changed.';
revoke execute on function passerelle.note_definitions() from public;

do $$
begin
  if not exists (select from pg_catalog.pg_event_trigger where evtname = 'passerelle_definitions') then
    create event trigger passerelle_definitions on ddl_command_end execute function passerelle.note_definitions();
  end if;
  if not exists (select from pg_catalog.pg_event_trigger where evtname = 'passerelle_drops') then
    create event trigger passerelle_drops on sql_drop execute function passerelle.note_definitions();
  end if;
exception
  when insufficient_privilege then
    raise warning 'changes of definitions are not followed, so replies are not cached: event triggers need a superuser';
end
$$;
