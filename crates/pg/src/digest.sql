-- What the catalogue and the prelude take from the cluster and no event trigger reports.
select pg_catalog.md5(pg_catalog.concat_ws(
  ';',
  pg_catalog.current_setting('server_version_num'),
  (select pg_catalog.string_agg(r::text, ',' order by r.oid) from pg_catalog.pg_roles r),
  (
    select pg_catalog.string_agg(m::text, ',' order by m.roleid, m.member, m.grantor)
    from pg_catalog.pg_auth_members m
  ),
  (
    select pg_catalog.string_agg(s::text, ',' order by s.setrole, s.setdatabase)
    from pg_catalog.pg_db_role_setting s
  )
))
