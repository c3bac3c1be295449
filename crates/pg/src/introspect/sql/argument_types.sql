-- Names of the types that arguments of the exposed functions have, and the name of the type that
-- takes values of any length where these would be cut.
select
  t.type,
  pg_catalog.format_type(t.type, null),
  case t.type
    when 'pg_catalog.bit'::regtype then 'bit varying'
    when 'pg_catalog.bit[]'::regtype then 'bit varying[]'
    when 'pg_catalog.bpchar'::regtype then 'character varying'
    when 'pg_catalog.bpchar[]'::regtype then 'character varying[]'
    else pg_catalog.format_type(t.type, null)
  end
from (
  select distinct unnest(coalesce(p.proallargtypes, p.proargtypes::oid[])) as type
  from pg_catalog.pg_proc p
  where p.pronamespace = any ($1)
    and p.prokind = 'f'
) as t
