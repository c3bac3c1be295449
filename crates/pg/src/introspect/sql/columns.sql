-- Columns of the exposed namespaces. A default may be an expression, or the sequence of an
-- identity column; what PostgreSQL generates is no default, since nobody can ask for it.
select
  a.attrelid,
  a.attnum,
  a.attname::text,
  a.atttypid,
  a.atttypmod,
  a.attnotnull,
  a.attacl is not null,
  case
    when a.attidentity = 'd' then (
      select pg_catalog.format('nextval(%L)', s.objid::regclass)
      from pg_catalog.pg_depend s
      where s.refclassid = 'pg_catalog.pg_class'::regclass
        and s.refobjid = a.attrelid
        and s.refobjsubid = a.attnum
        and s.classid = 'pg_catalog.pg_class'::regclass
        and s.deptype = 'i'
      limit 1
    )
    when a.attgenerated = '' then pg_catalog.pg_get_expr(d.adbin, d.adrelid)
  end,
  d.oid is not null
from pg_catalog.pg_class c
join pg_catalog.pg_attribute a on a.attrelid = c.oid
left join pg_catalog.pg_attrdef d on d.adrelid = a.attrelid and d.adnum = a.attnum
where c.relnamespace = any ($1)
  and c.relkind in ('r', 'v', 'm', 'f', 'p')
  and not c.relispartition
  and a.attnum > 0
  and not a.attisdropped
