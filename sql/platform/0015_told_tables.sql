-- Partitions are told of as the tables they are of, and more is known of what policies depend on.

do $$
begin
  set local client_min_messages = error;
  alter publication supabase_realtime set (publish_via_partition_root = true);
exception
  when insufficient_privilege then
    raise warning 'the publication supabase_realtime belongs to somebody else: its owner should set publish_via_partition_root';
end
$$;

-- The table that a partition is of in the end; any other table itself.
create or replace function passerelle.whole_table(part oid) returns oid
  language sql stable set search_path = ''
  return coalesce((select pg_partition_root(c.oid)::oid from pg_class c where c.oid = part and c.relispartition), part);
comment on function passerelle.whole_table(oid) is 'The table that a partition is of; any other table itself.';

-- What a domain is over in the end; any other type itself.
create or replace function passerelle.base_type(kind oid) returns oid
  language sql stable set search_path = ''
begin atomic
  with recursive over(kind, next) as (
    select t.oid, t.typbasetype from pg_type t where t.oid = base_type.kind
    union all
    select t.oid, t.typbasetype from over o join pg_type t on t.oid = o.next
  )
  select o.kind from over o where o.next = 0;
end;
comment on function passerelle.base_type(oid) is 'The type that a domain is over; any other type itself.';

-- Gateways of an earlier version go on with passerelle.told_table and passerelle.told_role.
create or replace function passerelle.followed_table(wanted oid)
  returns table (
    id oid, schema_name text, table_name text, is_guarded boolean, is_full boolean, is_watched boolean, columns jsonb, policies jsonb
  )
  language sql stable security definer set search_path = ''
begin atomic
  select c.oid, n.nspname::text, c.relname::text, c.relrowsecurity, c.relreplident = 'f',
    -- Without event triggers nobody is told when definitions change.
    (
      select count(*) = 2 from pg_event_trigger where evtname in ('passerelle_definitions', 'passerelle_drops') and evtenabled in ('O', 'A')
    ),
    coalesce((
      select jsonb_agg(jsonb_build_object(
        'name', a.attname, 'type', t.typname, 'number', a.attnum, 'primary', exists (
          select from pg_index x where x.indrelid = c.oid and x.indisprimary and a.attnum = any (x.indkey::smallint[])
        ),
        'base', b.typname, 'of', quote_ident(s.nspname) || '.' || quote_ident(b.typname), 'is_enum', b.typtype = 'e'
      ) order by a.attnum)
      from pg_attribute a
      join pg_type t on t.oid = a.atttypid
      join pg_type b on b.oid = passerelle.base_type(t.oid)
      join pg_namespace s on s.oid = b.typnamespace
      where a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
    ), '[]'),
    coalesce((
      select jsonb_agg(jsonb_build_object(
        'command', p.polcmd, 'permissive', p.polpermissive, 'roles', p.polroles::oid[],
        'using', pg_get_expr(p.polqual, p.polrelid), 'check', pg_get_expr(p.polwithcheck, p.polrelid),
        'columns', coalesce((
          select jsonb_agg(distinct a.attnum)
          from pg_depend d
          join pg_attribute a on a.attrelid = d.refobjid and a.attnum > 0 and a.attnum = d.refobjsubid
          where d.classid = 'pg_policy'::regclass and d.objid = p.oid and d.refobjid = p.polrelid and d.deptype = 'n'
        ), '[]'),
        -- A row as a whole depends on no column in the catalogue: its expression has the number zero.
        'whole', coalesce(p.polqual::text ~ ':varattno 0\M', false) or coalesce(p.polwithcheck::text ~ ':varattno 0\M', false),
        'functions', coalesce((
          select jsonb_agg(distinct d.refobjid::regprocedure::text)
          from pg_depend d
          where d.classid = 'pg_policy'::regclass and d.objid = p.oid and d.refclassid = 'pg_proc'::regclass
        ), '[]'),
        -- Tables, and operators that are somebody's own functions.
        'others', exists (
          select
          from pg_depend d
          where d.classid = 'pg_policy'::regclass and d.objid = p.oid
            and (d.refclassid = 'pg_class'::regclass and d.refobjid <> p.polrelid or d.refclassid = 'pg_operator'::regclass)
        )
      ) order by p.polname)
      from pg_policy p
      where p.polrelid = c.oid
    ), '[]')
  from pg_class c
  join pg_namespace n on n.oid = c.relnamespace
  where c.oid = passerelle.whole_table(wanted);
end;
comment on function passerelle.followed_table(oid) is 'A table, its columns and policies, for those who tell of its changes.';

create or replace function passerelle.followed_role(wanted_table oid, wanted_role text)
  returns table (is_above boolean, may_add boolean, roles oid[], columns smallint[])
  language sql stable security definer set search_path = ''
begin atomic
  select
    r.rolsuper or r.rolbypassrls or (pg_has_role(r.oid, c.relowner, 'USAGE') and not c.relforcerowsecurity),
    has_schema_privilege(r.oid, c.relnamespace, 'USAGE') and has_any_column_privilege(r.oid, c.oid, 'INSERT'),
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
comment on function passerelle.followed_role(oid, text) is 'What a role may see of a table, and whether it may add to it.';

-- Tables of the publication, for those who ask for their changes.
create or replace function passerelle.told_tables(wanted_schema text, wanted_table text) returns oid[]
  language sql stable security definer set search_path = ''
begin atomic
  select array(
    select distinct w.oid
    from pg_publication_tables t
    join pg_namespace m on m.nspname = t.schemaname
    join pg_class c on c.relname = t.tablename and c.relnamespace = m.oid
    join pg_class w on w.oid = passerelle.whole_table(c.oid)
    join pg_namespace n on n.oid = w.relnamespace
    where t.pubname = 'supabase_realtime' and (wanted_schema is null or n.nspname = wanted_schema)
      and (wanted_table is null or w.relname = wanted_table)
  );
end;

revoke execute on function
  passerelle.whole_table(oid), passerelle.base_type(oid), passerelle.followed_table(oid), passerelle.followed_role(oid, text)
from public;
grant execute on function passerelle.followed_table(oid), passerelle.followed_role(oid, text) to authenticator;
