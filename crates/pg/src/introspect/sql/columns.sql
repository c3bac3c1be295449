-- Columns of the exposed namespaces. What PostgreSQL generates is no default, since nobody can
-- ask for it. A default refers to no column, so it is printed without its table, which is much
-- faster.
select
  a.attrelid,
  a.attnum,
  a.attname::text,
  a.atttypid,
  a.atttypmod,
  a.attnotnull,
  a.attacl is not null,
  case when a.attgenerated = '' then pg_catalog.pg_get_expr(d.adbin, 0) end,
  a.attgenerated <> '' or a.attidentity = 'a'
from pg_catalog.pg_class c
join pg_catalog.pg_attribute a on a.attrelid = c.oid
left join pg_catalog.pg_attrdef d on d.adrelid = a.attrelid and d.adnum = a.attnum
where c.relnamespace = any ($1)
  and c.relkind in ('r', 'v', 'm', 'f', 'p')
  and not c.relispartition
  and a.attnum > 0
  and not a.attisdropped
