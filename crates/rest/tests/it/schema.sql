create schema api;
grant usage on schema api to anon, authenticated;

create table api.clients (id int primary key, name text not null);
create table api.projects (
  id int primary key,
  name text not null,
  client_id int references api.clients,
  backup_client_id int references api.clients
);
create table api.tasks (id int primary key, title text, project_id int references api.projects);
create table api.secrets (id int primary key);
create table api.numbers (id int primary key);

insert into api.clients values (1, 'Microsoft'), (2, 'Apple');
insert into api.projects values
  (1, 'Windows 7', 1, 2), (2, 'Windows 10', 1, null), (3, 'IOS', 2, null), (4, 'OSX', 2, null);
insert into api.tasks values (1, 'Design', 1), (2, 'Code', 1);
insert into api.numbers select * from generate_series(1, 1000);
analyze api.numbers;

grant select on api.clients, api.projects, api.tasks, api.numbers to anon, authenticated;

create view api.caller as
  select
    current_user::text as role,
    current_setting('request.jwt.claims', true)::json as claims,
    current_setting('request.method', true) as method,
    current_setting('request.path', true) as path,
    current_setting('request.headers', true)::json as headers,
    current_setting('request.cookies', true)::json as cookies,
    current_setting('app.settings.greeting', true) as greeting,
    current_setting('timezone') as timezone,
    current_setting('transaction_isolation') as isolation,
    current_setting('transaction_read_only') as read_only,
    current_setting('search_path') as search_path;
grant select on api.caller to anon, authenticated;

create function api.failing() returns int language plpgsql as $$
begin
  raise sqlstate 'PT402' using message = 'Payment Required', detail = 'Quota exceeded', hint = 'Pay';
end $$;
create function api.raising() returns int language plpgsql as $$
begin
  raise sqlstate 'PGRST' using
    message = '{"code":"123","message":"ABC","details":"DEF","hint":"XYZ"}',
    detail = '{"status":332,"headers":{"X-Header":"str"}}';
end $$;
create function api.garbled() returns int language plpgsql as $$
begin
  raise sqlstate 'PGRST' using message = 'nonsense', detail = '{}';
end $$;
create view api.failures as select api.failing() as id;
create view api.raised as select api.raising() as id;
create view api.garble as select api.garbled() as id;
grant select on api.failures, api.raised, api.garble to anon;

create function api.pre_request() returns void language plpgsql as $$
declare
  wanted json := current_setting('request.headers', true)::json;
begin
  perform set_config('response.status', coalesce(wanted->>'x-status', ''), true);
  perform set_config('response.headers', coalesce(wanted->>'x-headers', ''), true);
  if wanted->>'x-refuse' is not null then
    raise insufficient_privilege using message = 'refused before the statement';
  end if;
end $$;

create domain "image/x-dots" as bytea;
create function api.draw(state "image/x-dots", next anyelement) returns "image/x-dots"
  language sql as $$ select (state || '\x00ff'::bytea)::"image/x-dots" $$;
create aggregate api.drawn(anyelement) (
  sfunc = api.draw, stype = "image/x-dots", initcond = ''
);
