-- Parents and children, partitions included.
select inhparent, inhrelid from pg_catalog.pg_inherits
