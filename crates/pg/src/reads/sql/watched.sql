-- Whether changes of definitions are told at all.
select count(*) = 2
from pg_catalog.pg_event_trigger
where evtname in ('passerelle_definitions', 'passerelle_drops') and evtenabled in ('O', 'A')
