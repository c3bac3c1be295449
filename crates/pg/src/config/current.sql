-- What these settings are now.
select wanted.name, pg_catalog.current_setting('pgrst.' || wanted.name, true)
from pg_catalog.unnest($1) as wanted(name)
where pg_catalog.current_setting('pgrst.' || wanted.name, true) <> ''
