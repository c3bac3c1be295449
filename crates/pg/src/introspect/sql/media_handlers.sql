-- Aggregates over rows, and functions, whose result is a domain that is named as a media type.
with media_types as materialized (
  select t.oid, pg_catalog.lower(t.typname) as name, t.typnamespace
  from pg_catalog.pg_type t
  where t.typtype = 'd'
    and (t.typname = '*/*' or t.typname ~ '^[A-Za-z0-9.-]+/[A-Za-z0-9.+-]+$')
),
functions as materialized (
  select p.pronamespace, p.proname, p.prokind, p.pronargs, p.proretset, p.proargtypes[0] as argument, p.prorettype
  from pg_catalog.pg_proc p
  where p.pronamespace = any ($1)
    and p.prorettype = any (array(select m.oid from media_types m))
)
select
  m.name,
  handler.nspname::text,
  f.proname::text,
  case when argument.typname <> 'anyelement' then target.nspname::text end,
  argument.typname::text
from functions f
join media_types m on m.oid = f.prorettype
join pg_catalog.pg_namespace handler on handler.oid = f.pronamespace
join pg_catalog.pg_type argument on argument.oid = f.argument
join pg_catalog.pg_namespace target on target.oid = argument.typnamespace
left join pg_catalog.pg_class c on c.oid = argument.typrelid
where f.prokind = 'a'
  and f.pronargs = 1
  and (argument.oid = 'pg_catalog.anyelement'::regtype or c.relkind in ('r', 'v', 'm', 'f', 'p'))
union all
select m.name, domain.nspname::text, m.name, target.nspname::text, f.proname::text
from functions f
join media_types m on m.oid = f.prorettype
join pg_catalog.pg_namespace domain on domain.oid = m.typnamespace
join pg_catalog.pg_namespace target on target.oid = f.pronamespace
where f.prokind = 'f'
  and not f.proretset
order by 1, 2, 3, 4, 5
