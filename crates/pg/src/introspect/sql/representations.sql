-- Implicit casts by function between a domain and json or text.
select
  k.castsource::regtype::text,
  k.casttarget::regtype::text,
  k.castfunc::regproc::text
from pg_catalog.pg_cast k
join pg_catalog.pg_type source on source.oid = k.castsource
join pg_catalog.pg_type target on target.oid = k.casttarget
where k.castcontext = 'i'
  and k.castmethod = 'f'
  and (
    source.typtype = 'd' and k.casttarget in ('pg_catalog.json'::regtype, 'pg_catalog.text'::regtype)
    or target.typtype = 'd' and k.castsource in ('pg_catalog.json'::regtype, 'pg_catalog.text'::regtype)
  )
  and pg_catalog.has_function_privilege(k.castfunc, 'execute')
