-- 10,000 tables, each of which refers to the one before it, the first to the last. In pieces, since a transaction cannot
-- lock so many.
do $$
begin
  for n in 1..10000 loop
    execute format('create table public.t%s (id int primary key, name text, parent_id int)', n);
    if n % 500 = 0 then commit; end if;
  end loop;
  for n in 1..10000 loop
    execute format('alter table public.t%s add foreign key (parent_id) references public.t%s (id)', n, case n when 1 then 10000 else n - 1 end);
    if n % 500 = 0 then commit; end if;
  end loop;
end
$$;
grant select on all tables in schema public to anon;
analyze pg_catalog.pg_class, pg_catalog.pg_attribute, pg_catalog.pg_constraint;
