-- Types ($1) with the modifiers ($2) that columns give them. A domain leads down to the type
-- below all domains. Elements are compared by the operator class of their type, or of one that
-- they stand for as they are; those of row types are not, since their columns may have none.
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
),
element_chain(type, base) as (
  select distinct t.typelem, t.typelem
  from chain
  join pg_catalog.pg_type t on t.oid = chain.base
  where t.typelem <> 0
  union all
  select element_chain.type, t.typbasetype
  from element_chain
  join pg_catalog.pg_type t on t.oid = element_chain.base
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
  case when t.typtype = 'd' then pg_catalog.pg_get_expr(t.typdefaultbin, 0) end,
  case
    when base.typsubscript <> 'pg_catalog.array_subscript_handler'::regproc then false
    when element.typtype in ('e', 'r', 'm') then true
    else exists (
      select
      from pg_catalog.pg_opclass o
      join pg_catalog.pg_am m on m.oid = o.opcmethod and m.amname in ('btree', 'hash')
      where o.opcdefault
        and (
          o.opcintype = element.oid
          or exists (
            select
            from pg_catalog.pg_cast k
            where k.castsource = element.oid
              and k.casttarget = o.opcintype
              and k.castmethod = 'b'
              and k.castcontext = 'i'
          )
        )
    )
  end
from used
join pg_catalog.pg_type t on t.oid = used.type
join chain on chain.type = used.type
join pg_catalog.pg_type base on base.oid = chain.base and base.typbasetype = 0
left join (
  element_chain
  join pg_catalog.pg_type element on element.oid = element_chain.base and element.typbasetype = 0
) on element_chain.type = base.typelem
