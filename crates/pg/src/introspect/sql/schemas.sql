-- Where we are: version, and the namespaces that are exposed ($1) or searched as well ($2).
select
  current_setting('server_version_num')::int4,
  n.oid,
  n.nspname::text,
  n.nspname = any ($1)
from (select) as always
left join pg_catalog.pg_namespace n on n.nspname = any ($1 || $2)
