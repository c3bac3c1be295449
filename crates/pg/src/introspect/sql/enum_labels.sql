select enumtypid, enumlabel::text
from pg_catalog.pg_enum
order by enumtypid, enumsortorder
