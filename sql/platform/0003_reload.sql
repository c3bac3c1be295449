-- Keeps the catalogue of running gateways fresh: every DDL command that can change what the REST surface shows sends
-- NOTIFY pgrst, 'reload schema'. Equal notifications of one transaction arrive as one.
--
-- Event triggers need a superuser (or a provider's substitute). Without one this migration says so and goes on: the
-- gateway then reloads when told, by the same NOTIFY or by signal.

create or replace function extensions.pgrst_ddl_watch() returns event_trigger
  language plpgsql set search_path = ''
as $$
begin
  -- Policies, indexes and statistics do not change the catalogue. Grants do: `*` stands for the columns a role may read.
  if exists (
    select
    from pg_catalog.pg_event_trigger_ddl_commands() as command
    where command.schema_name is distinct from 'pg_temp'
      and command.command_tag = any (array[
        'CREATE SCHEMA', 'ALTER SCHEMA', 'IMPORT FOREIGN SCHEMA',
        'CREATE EXTENSION', 'ALTER EXTENSION',
        'CREATE TABLE', 'CREATE TABLE AS', 'SELECT INTO', 'ALTER TABLE',
        'CREATE FOREIGN TABLE', 'ALTER FOREIGN TABLE',
        'CREATE VIEW', 'ALTER VIEW', 'CREATE MATERIALIZED VIEW', 'ALTER MATERIALIZED VIEW',
        'CREATE FUNCTION', 'ALTER FUNCTION', 'CREATE PROCEDURE', 'ALTER PROCEDURE',
        'CREATE AGGREGATE', 'ALTER AGGREGATE',
        'CREATE TYPE', 'ALTER TYPE', 'CREATE DOMAIN', 'ALTER DOMAIN', 'CREATE CAST',
        'CREATE TRIGGER', 'CREATE RULE', 'COMMENT', 'GRANT', 'REVOKE'
      ])
  ) then
    notify pgrst, 'reload schema';
  end if;
end
$$;

create or replace function extensions.pgrst_drop_watch() returns event_trigger
  language plpgsql set search_path = ''
as $$
begin
  if exists (
    select
    from pg_catalog.pg_event_trigger_dropped_objects() as dropped
    where not dropped.is_temporary
      and dropped.object_type = any (array[
        'schema', 'extension', 'table', 'table column', 'table constraint', 'foreign table', 'view', 'materialized view',
        'function', 'procedure', 'aggregate', 'type', 'domain', 'cast', 'trigger', 'rule'
      ])
  ) then
    notify pgrst, 'reload schema';
  end if;
end
$$;

comment on function extensions.pgrst_ddl_watch() is
  'Tells gateways to reload their catalogue after CREATE, ALTER, COMMENT, GRANT.';
comment on function extensions.pgrst_drop_watch() is 'Tells gateways to reload their catalogue after DROP.';
revoke execute on function extensions.pgrst_ddl_watch(), extensions.pgrst_drop_watch() from public;

do $$
begin
  if not exists (select from pg_catalog.pg_event_trigger where evtname = 'pgrst_ddl_watch') then
    create event trigger pgrst_ddl_watch on ddl_command_end execute function extensions.pgrst_ddl_watch();
  end if;
  if not exists (select from pg_catalog.pg_event_trigger where evtname = 'pgrst_drop_watch') then
    create event trigger pgrst_drop_watch on sql_drop execute function extensions.pgrst_drop_watch();
  end if;
exception
  when insufficient_privilege then
    raise notice 'no permission to create event triggers: after schema changes run NOTIFY pgrst, ''reload schema''';
end
$$;
