-- Unique indexes of relations of the exposed namespaces from which PostgreSQL infers conflicts: the
-- numbers of their key columns, the texts of those that are expressions, the predicate, and of a
-- partial one the roles that may insert, which may be told of it.
select
  i.indrelid,
  c.relname::text,
  (i.indkey::int2[])[0:i.indnkeyatts - 1],
  case
    when i.indexprs is null then '{}'
    else array(
      select case when i.indkey[n - 1] = 0 then pg_catalog.pg_get_indexdef(i.indexrelid, n, false) end
      from pg_catalog.generate_series(1, i.indnkeyatts) as n
      order by n
    )
  end,
  pg_catalog.pg_get_expr(i.indpred, i.indrelid),
  case
    when i.indpred is null then '{}'
    else array(
      select w.rolname::text
      from pg_catalog.pg_roles w
      where pg_catalog.pg_has_role(w.oid, 'member')
        and not pg_catalog.starts_with(w.rolname, 'pg_')
        and pg_catalog.has_any_column_privilege(w.oid, r.oid, 'insert')
    )
  end
from pg_catalog.pg_class r
join pg_catalog.pg_index i on i.indrelid = r.oid
join pg_catalog.pg_class c on c.oid = i.indexrelid
where r.relnamespace = any ($1)
  and r.relkind in ('r', 'p')
  and not r.relispartition
  and i.indisunique
  and i.indimmediate
  and i.indisvalid
order by i.indrelid, c.relname
