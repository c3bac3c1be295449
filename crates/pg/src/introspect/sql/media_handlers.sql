-- Aggregates over rows, and functions, whose result is a domain that is named as a media type.
with media_types as materialized (
  select t.oid, pg_catalog.lower(t.typname) as name, t.typnamespace
  from pg_catalog.pg_type t
  where t.typtype = 'd'
    and (t.typname = '*/*' or t.typname ~ '^[A-Za-z0-9.-]+/[A-Za-z0-9.+-]+$')
)
select
  m.name,
  handler.nspname::text,
  p.proname::text,
  nullif(target.nspname, case when argument.oid = 'pg_catalog.anyelement'::regtype then target.nspname end)::text,
  argument.typname::text
from media_types m
join pg_catalog.pg_proc p on p.prorettype = m.oid
join pg_catalog.pg_namespace handler on handler.oid = p.pronamespace
join pg_catalog.pg_type argument on argument.oid = p.proargtypes[0]
join pg_catalog.pg_namespace target on target.oid = argument.typnamespace
where p.prokind = 'a'
  and p.pronargs = 1
  and p.pronamespace = any ($1)
  and (
    argument.oid = 'pg_catalog.anyelement'::regtype
    or exists (
      select
      from pg_catalog.pg_class c
      where c.oid = argument.typrelid and c.relkind in ('r', 'v', 'm', 'f', 'p')
    )
  )
union all
select m.name, domain.nspname::text, m.name, target.nspname::text, p.proname::text
from media_types m
join pg_catalog.pg_namespace domain on domain.oid = m.typnamespace
join pg_catalog.pg_proc p on p.prorettype = m.oid
join pg_catalog.pg_namespace target on target.oid = p.pronamespace
where p.prokind = 'f'
  and not p.proretset
  and p.pronamespace = any ($1)
