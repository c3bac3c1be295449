-- The queries of views as node trees; $1 is the exposed namespaces and those of the search path.
select r.ev_class, r.ev_action::text
from pg_catalog.pg_class c
join pg_catalog.pg_rewrite r on r.ev_class = c.oid
where c.relkind in ('v', 'm')
  and c.relnamespace = any ($1)
  and r.ev_type = '1'
