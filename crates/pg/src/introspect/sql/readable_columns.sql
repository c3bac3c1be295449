-- Columns that roles may read of relations ($1) that they may not read as a whole.
select a.attrelid, r.rolname::text, pg_catalog.array_agg(a.attnum)
from pg_catalog.pg_roles r
cross join pg_catalog.unnest($1) as relation(oid)
join pg_catalog.pg_attribute a on a.attrelid = relation.oid
where pg_catalog.pg_has_role(r.oid, 'member')
  and not r.rolsuper
  and not pg_catalog.starts_with(r.rolname, 'pg_')
  and a.attnum > 0
  and not a.attisdropped
  and not pg_catalog.has_table_privilege(r.oid, relation.oid, 'select')
  and pg_catalog.has_column_privilege(r.oid, relation.oid, a.attnum, 'select')
group by a.attrelid, r.rolname
