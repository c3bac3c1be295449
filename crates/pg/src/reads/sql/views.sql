-- Queries of views.
select r.ev_class, r.ev_action::text
from pg_catalog.pg_rewrite r
join pg_catalog.pg_class c on c.oid = r.ev_class and c.relkind = 'v'
join pg_catalog.pg_namespace n on n.oid = c.relnamespace
where r.rulename = '_RETURN' and n.nspname not in ('pg_catalog', 'information_schema')
