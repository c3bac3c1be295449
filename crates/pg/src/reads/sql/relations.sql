-- Relations of users, and whether their changes are followed.
select
  c.oid,
  n.nspname::text,
  c.relname::text,
  c.relkind::text,
  c.relpersistence::text,
  exists (
    select from pg_catalog.pg_publication_rel r
    join pg_catalog.pg_publication p on p.oid = r.prpubid
    where p.pubname = 'passerelle' and r.prrelid = c.oid
  ) and exists (
    select from pg_catalog.pg_trigger t
    where t.tgrelid = c.oid and t.tgname = 'passerelle_touch' and t.tgenabled in ('O', 'A')
  ) as followed
from pg_catalog.pg_class c
join pg_catalog.pg_namespace n on n.oid = c.relnamespace
where c.relkind in ('r', 'p', 'v', 'm', 'f')
  and n.nspname not in ('pg_catalog', 'information_schema')
  and n.nspname not like 'pg\_toast%'
  and n.nspname not like 'pg\_temp%'
