select d.objoid, d.objsubid, d.description
from pg_catalog.pg_description d
join pg_catalog.pg_class c on c.oid = d.objoid
where d.classoid = 'pg_catalog.pg_class'::regclass
  and d.objsubid > 0
  and c.relnamespace = any ($1)
