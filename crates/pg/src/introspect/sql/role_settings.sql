-- Settings of the roles that the connecting role can take, as far as it may make them itself.
-- Before PostgreSQL 15 there are no privileges on single parameters.
with settings as materialized (
  select
    r.rolname::text as role,
    pg_catalog.split_part(s.setting, '=', 1) as name,
    pg_catalog.substr(s.setting, pg_catalog.strpos(s.setting, '=') + 1) as value
  from pg_catalog.pg_db_role_setting d
  join pg_catalog.pg_roles r on r.oid = d.setrole
  cross join pg_catalog.unnest(d.setconfig) as s(setting)
  where d.setdatabase = 0
    and pg_catalog.pg_has_role(r.oid, 'member')
)
select s.role, s.name, s.value, p.context = 'user'
from settings s
join pg_catalog.pg_settings p on p.name = s.name
where p.context in ('user', 'superuser')
order by s.role, s.name
