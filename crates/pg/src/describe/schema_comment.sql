select pg_catalog.obj_description(n.oid, 'pg_namespace')
from pg_catalog.pg_namespace n
where n.nspname = $1::text
