-- Settings of the connecting role with these names; those for this database come last.
select wanted.name, pg_catalog.substr(s.setting, pg_catalog.strpos(s.setting, '=') + 1)
from pg_catalog.pg_db_role_setting d
join pg_catalog.pg_roles r on r.oid = d.setrole and r.rolname = current_user
cross join pg_catalog.unnest(d.setconfig) as s(setting)
join pg_catalog.unnest($1) as wanted(name)
  on pg_catalog.split_part(s.setting, '=', 1) = 'pgrst.' || wanted.name
where d.setdatabase in (
  0,
  (select b.oid from pg_catalog.pg_database b where b.datname = pg_catalog.current_database())
)
order by d.setdatabase
