-- Settings of this transaction, the version, and the namespaces that are exposed ($1) or searched
-- as well ($2). Without a search path, names come out qualified; what takes milliseconds gains
-- nothing from compilation or workers.
select
  set_config('search_path', '', true),
  set_config('jit', 'off', true),
  set_config('max_parallel_workers_per_gather', '0', true),
  current_setting('server_version_num')::int4,
  n.oid,
  n.nspname::text,
  n.nspname = any ($1)
from (select) as always
left join pg_catalog.pg_namespace n on n.nspname = any ($1 || $2)
