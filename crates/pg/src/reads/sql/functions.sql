-- Functions of users, and those of PostgreSQL that may answer differently from one time to the next.
select
  f.oid,
  n.nspname::text,
  f.proname::text,
  l.lanname::text,
  f.provolatile::text,
  f.prosqlbody::text
from pg_catalog.pg_proc f
join pg_catalog.pg_namespace n on n.oid = f.pronamespace
join pg_catalog.pg_language l on l.oid = f.prolang
where n.nspname <> 'information_schema' and (n.nspname <> 'pg_catalog' or f.provolatile <> 'i' or l.lanname = 'sql')
