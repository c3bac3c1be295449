select n.nspname::text, c.relname::text
from pg_catalog.pg_namespace n
join pg_catalog.pg_class c on c.relnamespace = n.oid
where n.nspname = $1::text
  and c.relkind in ('r', 'v', 'm', 'f', 'p')
  and not c.relispartition
  and (
    pg_catalog.pg_has_role(c.relowner, 'usage')
    or pg_catalog.has_table_privilege(
      c.oid, 'select, insert, update, delete, truncate, references, trigger'
    )
    or pg_catalog.has_any_column_privilege(c.oid, 'select, insert, update, references')
  )
