-- Foreign keys of all namespaces, without the copies that partitions have.
select f.conname::text, f.conrelid, f.confrelid, f.conkey, f.confkey
from pg_catalog.pg_constraint f
where f.contype = 'f'
  and f.conparentid = 0
order by f.conrelid, f.conname
