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
  a.attgenerated <> '' or a.attidentity = 'a',
  case when o.oid is not null then pg_catalog.format('%I.%I', n.nspname, o.collname) end
from pg_catalog.pg_class c
join pg_catalog.pg_attribute a on a.attrelid = c.oid
left join pg_catalog.pg_attrdef d on d.adrelid = a.attrelid and d.adnum = a.attnum
left join pg_catalog.pg_collation o on o.oid = a.attcollation and not o.collisdeterministic
left join pg_catalog.pg_namespace n on n.oid = o.collnamespace
where c.relnamespace = any ($1)
  and c.relkind in ('r', 'v', 'm', 'f', 'p')
  and not c.relispartition
  and a.attnum > 0
  and not a.attisdropped
