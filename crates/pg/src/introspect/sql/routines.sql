-- Functions of the exposed namespaces that have no trigger's signature. Modes and names cover
-- all arguments; `types` is in the same order.
with recursive
functions as materialized (
  select p.*
  from pg_catalog.pg_proc p
  where p.pronamespace = any ($1)
    and p.prokind = 'f'
),
chain(type, base) as (
  select distinct prorettype, prorettype from functions
  union all
  select chain.type, t.typbasetype
  from chain
  join pg_catalog.pg_type t on t.oid = chain.base
  where t.typbasetype <> 0
)
select
  p.pronamespace,
  p.proname::text,
  d.description,
  p.proargnames,
  p.proargmodes::text[],
  coalesce(p.proallargtypes, p.proargtypes::oid[]),
  (p.pronargs - p.pronargdefaults)::int4,
  returned_schema.nspname::text,
  coalesce(relation.relname, returned.typname)::text,
  p.proretset,
  returned.typtype = 'c' or coalesce(p.proargmodes::text[] && '{t,b,o}', false),
  p.prorettype <> returned.oid,
  p.provolatile::text,
  p.provariadic <> 0,
  p.proconfig,
  p.oid
from functions p
join chain on chain.type = p.prorettype
join pg_catalog.pg_type returned on returned.oid = chain.base and returned.typbasetype = 0
join pg_catalog.pg_namespace returned_schema on returned_schema.oid = returned.typnamespace
left join pg_catalog.pg_class relation on relation.oid = returned.typrelid
left join pg_catalog.pg_description d
  on d.objoid = p.oid and d.classoid = 'pg_catalog.pg_proc'::regclass and d.objsubid = 0
where returned.oid <> 'pg_catalog.trigger'::regtype
