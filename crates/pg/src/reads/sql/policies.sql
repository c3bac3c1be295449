-- What decides which rows are read, and for which roles: with all of whose memberships it holds for them, too.
select
  p.polrelid,
  p.polqual::text,
  case when 0 = any (p.polroles) then null else array(
    select r.rolname::text
    from pg_catalog.pg_roles r
    where exists (
      select from unnest(p.polroles) as named where pg_catalog.pg_has_role(r.oid, named, 'USAGE')
    )
  ) end as roles
from pg_catalog.pg_policy p
join pg_catalog.pg_class c on c.oid = p.polrelid and c.relrowsecurity
where p.polcmd in ('r', '*') and p.polqual is not null
