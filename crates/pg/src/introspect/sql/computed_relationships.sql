-- Functions of one argument that take a row of a relation and return rows of one.
select
  fn.nspname::text,
  p.proname::text,
  origin_schema.nspname::text,
  origin.typname::text,
  target_schema.nspname::text,
  target.typname::text,
  not p.proretset or p.prorows = 1
from pg_catalog.pg_proc p
join pg_catalog.pg_namespace fn on fn.oid = p.pronamespace
join pg_catalog.pg_type origin on origin.oid = p.proargtypes[0]
join pg_catalog.pg_class origin_class
  on origin_class.oid = origin.typrelid and origin_class.relkind in ('r', 'v', 'm', 'f', 'p')
join pg_catalog.pg_namespace origin_schema on origin_schema.oid = origin.typnamespace
join pg_catalog.pg_type target on target.oid = p.prorettype
join pg_catalog.pg_class target_class
  on target_class.oid = target.typrelid and target_class.relkind in ('r', 'v', 'm', 'f', 'p')
join pg_catalog.pg_namespace target_schema on target_schema.oid = target.typnamespace
where p.pronargs = 1
  and origin.typtype = 'c'
  and target.typtype = 'c'
  and p.pronamespace <> 'pg_catalog'::regnamespace
