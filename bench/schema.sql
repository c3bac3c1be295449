-- 100,000 rows under row policies, with two levels to embed. Deterministic.
drop table if exists public.items, public.authors, public.teams;

create table public.teams (
  id   int primary key,
  name text not null
);
create table public.authors (
  id      int primary key,
  team_id int not null references public.teams (id),
  name    text not null
);
create table public.items (
  id         int primary key,
  author_id  int not null references public.authors (id),
  owner_id   uuid not null,
  visibility text not null,
  title      text not null,
  body       text not null,
  score      numeric(6, 2) not null,
  created_at timestamptz not null
);

insert into public.teams select n, 'Team ' || n from generate_series(1, 50) n;
insert into public.authors select n, 1 + n % 50, 'Author ' || n from generate_series(1, 1000) n;
insert into public.items
select n, 1 + n % 1000, md5((n % 5000)::text)::uuid,
       case when n % 10 = 0 then 'private' else 'public' end,
       'Title of item ' || n, repeat('Some words of item ' || n || '. ', 4),
       (n % 10000) / 100.0, timestamptz '2026-01-01 00:00:00+00' + n * interval '1 minute'
from generate_series(1, 100000) n;
create index on public.items (author_id);
create index on public.items (owner_id);
create index on public.items (created_at);

alter table public.teams enable row level security;
alter table public.authors enable row level security;
alter table public.items enable row level security;
create policy read on public.teams for select using (true);
create policy read on public.authors for select using (true);
create policy read on public.items for select using (
  visibility = 'public' or owner_id = (select (nullif(current_setting('request.jwt.claims', true), '')::jsonb ->> 'sub')::uuid)
);
grant select on public.items, public.authors, public.teams to anon, authenticated, service_role;
vacuum analyze public.teams, public.authors, public.items;

drop table if exists public.notes;
create table public.notes (
  id       bigint generated always as identity primary key,
  owner_id uuid not null,
  body     text not null
);
alter table public.notes enable row level security;
create policy own on public.notes using (
  owner_id = (select (nullif(current_setting('request.jwt.claims', true), '')::jsonb ->> 'sub')::uuid)
);
grant select, insert, update, delete on public.notes to authenticated;

drop table if exists public.counters;
create table public.counters (id int primary key, value int not null);
insert into public.counters select n, 0 from generate_series(1, 100000) n;
alter table public.counters enable row level security;
create policy signed_in on public.counters using ((select current_setting('request.jwt.claims', true)) <> '');
grant select, insert, update on public.counters to authenticated;
vacuum analyze public.counters;

create or replace function public.add_up(a int, b int) returns int language sql immutable as 'select a + b';

-- A body that is too long for a parameter of pgbench; `rows` and `user` are given.
create schema if not exists bench;
drop table if exists bench.bodies;
create table bench.bodies (rows int primary key, body text not null);
insert into bench.bodies
select :rows, json_agg(json_build_object('owner_id', :'user', 'body', format('Note %s, as long as short notes are.', n)))::text
from generate_series(0, :rows - 1) n;
grant usage on schema bench to authenticated;
grant select on bench.bodies to authenticated;
