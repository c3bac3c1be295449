-- Primary and unique keys of all namespaces: views show the keys of hidden tables, too.
select k.conrelid, k.contype = 'p', k.conkey
from pg_catalog.pg_constraint k
where k.contype in ('p', 'u')
  and k.connamespace <> 'pg_catalog'::regnamespace
order by k.conrelid, k.conname
