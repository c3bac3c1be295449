-- Relations of the exposed namespaces. The bits of `pg_relation_is_updatable` are numbered as
-- PostgreSQL's commands are: 2 UPDATE, 3 INSERT, 4 DELETE.
select
  c.oid,
  c.relnamespace,
  c.relname::text,
  c.relkind::text,
  case
    when c.relkind in ('r', 'p') then 28
    when c.relkind in ('v', 'f') then pg_catalog.pg_relation_is_updatable(c.oid, true)
    else 0
  end,
  d.description
from pg_catalog.pg_class c
left join pg_catalog.pg_description d
  on d.objoid = c.oid and d.classoid = 'pg_catalog.pg_class'::regclass and d.objsubid = 0
where c.relnamespace = any ($1)
  and c.relkind in ('r', 'v', 'm', 'f', 'p')
  and not c.relispartition
