-- 10,000 tables, each of which refers to the one before it. In pieces, since a transaction cannot lock so many; without
-- event triggers, which would say after each that the schema has changed.
set session_replication_role = replica;
set client_min_messages = warning;
create table public.t0 (id int primary key);
do $$
begin
  for n in 1..10000 loop
    execute format('create table public.t%s (id int primary key, name text, parent_id int references public.t%s)', n, n - 1);
    if n % 500 = 0 then commit; end if;
  end loop;
end
$$;
grant select on all tables in schema public to anon;
analyze pg_catalog.pg_class, pg_catalog.pg_attribute, pg_catalog.pg_constraint;
