select p.oid
from pg_catalog.pg_namespace n
join pg_catalog.pg_proc p on p.pronamespace = n.oid
where n.nspname = $1::text
  and p.prokind = 'f'
  and pg_catalog.has_function_privilege(p.oid, 'execute')
