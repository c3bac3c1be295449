-- Which of these parameters the connecting role may set though only superusers can.
select parameter
from pg_catalog.unnest($1::text[]) as parameter
where pg_catalog.has_parameter_privilege(parameter, 'set')
