-- Types ($1) with the modifiers ($2) that columns give them. A domain leads down to the type
-- below all domains.
with recursive used as materialized (
  select u.type, u.modifier
  from unnest($1, $2) as u(type, modifier)
),
chain(type, base) as (
  select distinct type, type from used
  union all
  select chain.type, t.typbasetype
  from chain
  join pg_catalog.pg_type t on t.oid = chain.base
  where t.typbasetype <> 0
)
select
  used.type,
  used.modifier,
  base.oid,
  case
    when (case when t.typtype = 'd' then base.typnamespace else t.typnamespace end)
      = 'pg_catalog'::regnamespace
    then pg_catalog.format_type(base.oid, null)
    else pg_catalog.format_type(used.type, used.modifier)
  end,
  pg_catalog.format_type(used.type, used.modifier),
  t.typtype = 'd' and t.typnotnull,
  case when t.typtype = 'd' then t.typbasetype else t.oid end,
  case when t.typtype = 'd' then t.typtypmod else used.modifier end,
  case when t.typtype = 'd' then pg_catalog.pg_get_expr(t.typdefaultbin, 0) end
from used
join pg_catalog.pg_type t on t.oid = used.type
join chain on chain.type = used.type
join pg_catalog.pg_type base on base.oid = chain.base and base.typbasetype = 0
