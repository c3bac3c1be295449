-- Whether changes of definitions are told at all, and whether there are triggers of users that may run at the end of a
-- transaction.
select
  (
    select count(*) = 2
    from pg_catalog.pg_event_trigger
    where evtname in ('passerelle_definitions', 'passerelle_drops') and evtenabled in ('O', 'A')
  ),
  exists (select from pg_catalog.pg_trigger where tgdeferrable and not tgisinternal)
