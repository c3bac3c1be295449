-- Roles and schemas of the gateway, with the names Supabase gives them.
--
-- Roles belong to the whole cluster and advisory locks to one database, so a neighbour database may be creating the same
-- role at this very moment, and a managed database brings them along: what exists is left alone.
-- The password of `authenticator` is set by whoever deploys, never here.

do $$
declare
  wanted record;
begin
  for wanted in
    select *
    from (values
      ('anon',          'nologin noinherit'),
      ('authenticated', 'nologin noinherit'),
      ('service_role',  'nologin noinherit bypassrls'),
      ('authenticator', 'login noinherit')
    ) as roles(name, options)
  loop
    if exists (select from pg_catalog.pg_roles where rolname = wanted.name) then
      continue;
    end if;
    begin
      execute format('create role %I %s', wanted.name, wanted.options);
    exception
      when duplicate_object or unique_violation then
        null;
      when insufficient_privilege then
        if wanted.name <> 'service_role' then
          raise;
        end if;
        execute format('create role %I nologin noinherit', wanted.name);
        raise warning 'role service_role was created without BYPASSRLS: row policies apply to it until a superuser runs'
          ' "alter role service_role bypassrls"';
    end;
  end loop;
end
$$;

do $$
declare
  member_of text;
begin
  foreach member_of in array array['anon', 'authenticated', 'service_role'] loop
    if exists (
      select
      from pg_catalog.pg_auth_members m
      where m.roleid = member_of::regrole and m.member = 'authenticator'::regrole
    ) then
      continue;
    end if;
    begin
      execute format('grant %I to authenticator', member_of);
    exception
      -- A neighbour database granted the same membership between the look and the grant.
      when unique_violation or internal_error then
        null;
    end;
  end loop;
end
$$;

create schema if not exists auth;
create schema if not exists storage;
create schema if not exists realtime;
create schema if not exists extensions;

comment on schema auth is 'Accounts and sessions of the gateway, and the functions that tell a row policy who is calling.';
comment on schema storage is 'Buckets and objects.';
comment on schema realtime is 'Messages and helper functions of realtime channels.';
comment on schema extensions is 'Extensions, kept out of the schema that the REST surface exposes.';

-- USAGE lets policies name functions in these schemas; the tables inside grant nothing by themselves.
grant usage on schema public, auth, storage, realtime, extensions to anon, authenticated, service_role;

-- What the migrating role creates in `public` later is reachable through the API at once; row policies decide about rows,
-- and an application that wants less revokes it. TRUNCATE, REFERENCES and TRIGGER pass by row policies, so clients never
-- get them.
alter default privileges in schema public
  grant select, insert, update, delete on tables to anon, authenticated;
alter default privileges in schema public
  grant usage, select on sequences to anon, authenticated;
alter default privileges in schema public
  grant execute on functions to anon, authenticated;
alter default privileges in schema public grant all on tables to service_role;
alter default privileges in schema public grant all on sequences to service_role;
alter default privileges in schema public grant all on functions to service_role;
