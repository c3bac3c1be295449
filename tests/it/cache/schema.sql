-- Policies that look at other tables, through SQL that can be looked into and through PL/pgSQL; cascades; triggers that
-- write elsewhere, at once and at the end of the transaction.
create function caller() returns text language sql stable
  return current_setting('request.jwt.claims', true)::jsonb ->> 'sub';

create table sentinel (id int primary key);
insert into sentinel values (1);

create table teams (
  id int primary key, name text not null, views int not null default 0, notes int not null default 0,
  made timestamptz not null default '2024-01-01'
);
create table moderators (caller text primary key);
create table members (
  team int references teams on delete cascade, caller text, primary key (team, caller)
);
create table notes (
  id int primary key, team int references teams on delete cascade, body text not null, hidden boolean not null default false
);
create table tags (name text primary key, used int not null default 0);
create table plain (id int primary key);
create table murky (id int primary key);
create table fleeting (id int primary key, until timestamptz not null default 'infinity');
create table lagging (id int primary key, value int not null);
create table registers (id int primary key, value int not null);
create table journal (id bigint generated always as identity primary key, register int not null, value int not null);

create function is_moderator() returns boolean language plpgsql stable security definer set search_path = public as $$
begin
  return exists (select from moderators m where m.caller = caller());
end $$;
create function unknown() returns boolean language plpgsql stable as $$ begin return true; end $$;
create function my_teams() returns setof int language sql stable security definer
begin atomic
  select m.team from members m where m.caller = caller();
end;

alter table notes enable row level security;
create policy shown on notes for select to anon, authenticated using (not hidden);
create policy hidden_ones on notes for select to authenticated using (hidden and team in (select my_teams()) or is_moderator());
create policy written on notes for all to service_role using (true) with check (true);
alter table murky enable row level security;
create policy murky on murky for select using (unknown());
alter table fleeting enable row level security;
create policy fleeting on fleeting for select using (until > now());

create view summary with (security_invoker = on) as
  select t.id, t.name, count(n.id)::int as notes from teams t left join notes n on n.team = t.id group by t.id;

create function team_notes(wanted int) returns table (id int, body text) language sql stable
begin atomic
  select n.id, n.body from notes n where n.team = wanted order by n.id;
end;

-- A table that is written because another one is.
create function count_notes() returns trigger language plpgsql security definer set search_path = public as $$
begin
  update teams t set notes = (select count(*) from notes n where n.team = t.id)
  where t.id in (new.team, old.team) and t.notes <> (select count(*) from notes n where n.team = t.id);
  return null;
end $$;
create trigger count_notes after insert or update or delete on notes for each row execute function count_notes();
-- At the end of the transaction.
create function use_tag() returns trigger language plpgsql security definer set search_path = public as $$
begin
  update tags set used = used + 1 where name = 'x';
  return null;
end $$;
create constraint trigger use_tag after insert on members deferrable initially deferred
  for each row execute function use_tag();
create function keep_journal() returns trigger language plpgsql security definer set search_path = public as $$
begin
  insert into registers values (new.register, new.value) on conflict (id) do update set value = excluded.value;
  return null;
end $$;
create constraint trigger keep_journal after insert on journal deferrable initially deferred
  for each row execute function keep_journal();

create function move_notes(from_team int, to_team int) returns void language sql volatile security definer
  set search_path = public
begin atomic
  update notes set team = to_team where team = from_team;
end;

insert into teams (id, name) select n, 'team ' || n from generate_series(1, 4) n;
insert into tags values ('x'), ('y');
insert into notes (id, team, body, hidden) select n, 1 + n % 4, 'note ' || n, n % 3 = 0 from generate_series(1, 24) n;
insert into members values (1, 'user-1'), (2, 'user-1'), (3, 'user-2');
insert into registers select n, 0 from generate_series(1, 8) n;
insert into murky values (1);
insert into lagging values (1, 0);
insert into fleeting values (1);
grant usage on schema public to anon, authenticated, service_role;
grant select on all tables in schema public to anon, authenticated;
grant all on all tables in schema public to service_role;
