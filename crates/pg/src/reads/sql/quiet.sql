-- Tables whose writes can change nothing else that is followed: nobody follows them, and nothing that runs when they are
-- written is code of a user. (What PostgreSQL depends on by itself, such as its own functions, is not in pg_depend.)
select c.oid
from pg_catalog.pg_class c
where c.relkind = 'r' and c.oid >= 16384
  and not c.relispartition and not c.relhasrules
  and not exists (select from pg_catalog.pg_trigger t where t.tgrelid = c.oid and not t.tgisinternal)
  and not exists (select from pg_catalog.pg_inherits i where c.oid in (i.inhparent, i.inhrelid))
  and not exists (
    select from pg_catalog.pg_constraint f
    where f.confrelid = c.oid and (f.confupdtype in ('c', 'n', 'd') or f.confdeltype in ('c', 'n', 'd'))
  )
  and not exists (
    select from pg_catalog.pg_attribute a
    join pg_catalog.pg_type t on t.oid = a.atttypid
    where a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped and t.typtype = 'd'
  )
  and not exists (
    select from pg_catalog.pg_depend d
    where d.refclassid = 'pg_catalog.pg_proc'::pg_catalog.regclass
      and (d.classid, d.objid) in (
        select 'pg_catalog.pg_attrdef'::pg_catalog.regclass::pg_catalog.oid, x.oid
        from pg_catalog.pg_attrdef x where x.adrelid = c.oid
        union all
        select 'pg_catalog.pg_constraint'::pg_catalog.regclass, x.oid
        from pg_catalog.pg_constraint x where x.conrelid = c.oid
        union all
        select 'pg_catalog.pg_policy'::pg_catalog.regclass, x.oid
        from pg_catalog.pg_policy x where x.polrelid = c.oid
        union all
        select 'pg_catalog.pg_class'::pg_catalog.regclass, x.indexrelid
        from pg_catalog.pg_index x where x.indrelid = c.oid
      )
  )
