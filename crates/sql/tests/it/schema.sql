create schema test;

create domain test.color as integer;
create function test.color_json(test.color) returns json language sql immutable
    as $$ select to_json('#' || lpad(to_hex($1), 6, '0')) $$;
create function test.color_from_text(text) returns test.color language sql immutable
    as $$ select ('x' || lpad(ltrim($1, '#'), 8, '0'))::bit(32)::int::test.color $$;

create function test.color_from_json(json) returns test.color language sql immutable
    as $$ select test.color_from_text($1 #>> '{}') $$;

create table test.clients (id integer primary key, name text);
create table test.projects (
    id integer primary key,
    name text,
    client_id integer constraint projects_client_id_fkey references test.clients,
    data jsonb,
    tags text[],
    period daterange
);
create table test.tasks (
    id integer primary key,
    name text,
    project_id integer constraint tasks_project_id_fkey references test.projects,
    hours integer
);
create table test.users (id integer primary key, name text);
create table test.users_tasks (
    user_id integer constraint users_tasks_user_id_fkey references test.users,
    task_id integer constraint users_tasks_task_id_fkey references test.tasks,
    primary key (user_id, task_id)
);
create table test.widgets (id integer primary key, color test.color, "od""d" text);

create sequence test.stock_ids start 100;
create table test.stock (
    id integer primary key default nextval('test.stock_ids'),
    name character varying(8) not null default 'none',
    amount numeric(6,2) default 1.5,
    tags text[],
    data json,
    color test.color default 0,
    project_id integer constraint stock_project_id_fkey references test.projects
);
create function test.label(test.stock) returns text language sql stable
    as $$ select $1.id || ':' || $1.name $$;
create table test.places (note text, at timestamp, "it's\" integer, primary key ("it's\", at));

create table test.handles (
    id integer primary key,
    name text,
    region text,
    active boolean not null default true,
    constraint handles_name_region unique (name, region)
);
create unique index handles_active on test.handles (name) where active;
create unique index handles_lower on test.handles (lower(name), (region || '!')) where region is not null;
create unique index handles_region_on on test.handles (region) where active;
create unique index handles_region_off on test.handles (region) where not active;

create function test.add_them(a integer, b integer default 10) returns integer language sql immutable
    as $$ select a + b $$;
create function test.first_letters(word character) returns text language sql immutable
    as $$ select 'got ' || word $$;
create function test.sum_all(variadic numbers integer[]) returns bigint language sql immutable
    as $$ select sum(n) from unnest(numbers) n $$;
create function test.join_all(separator text, variadic words text[]) returns text language sql immutable
    as $$ select array_to_string(words, separator) $$;
create function test.nothing(wanted text default null) returns void language sql volatile
    as $$ select null $$;
create function test.numbers(upto integer) returns setof integer language sql immutable
    as $$ select generate_series(1, upto) $$;
create function test.null_text() returns text language sql immutable as $$ select null::text $$;
create function test.one_client(wanted integer) returns test.clients language sql stable
    as $$ select * from test.clients where id = wanted $$;
create function test.clients_from(lowest integer) returns setof test.clients language sql stable
    as $$ select * from test.clients where id >= lowest $$;
create function test.rename_clients(suffix text) returns setof test.clients language sql volatile
    as $$ update test.clients set name = name || suffix returning * $$;
create function test.pair(a integer, out twice integer, out word text) language sql immutable
    as $$ select a * 2, 'w' || a $$;
create function test.echo_json(json) returns json language sql immutable as $$ select $1 $$;
create function test.echo_jsonb(jsonb) returns jsonb language sql immutable as $$ select $1 $$;
create function test.echo_text(text) returns text language sql immutable as $$ select $1 $$;
create function test.echo_bytes(bytea) returns text language sql immutable
    as $$ select encode($1, 'hex') $$;
create function test.echo_xml(xml) returns text language sql immutable as $$ select $1::text $$;
create function test.reply() returns text language sql volatile as $$
    select set_config('response.status', '418', true)
        || set_config('response.headers', '[{"x-kind": "pot"}]', true) $$;
create domain test."text/html" as text;
create function test.page(title text) returns test."text/html" language sql immutable
    as $$ select '<h1>' || title || '</h1>' $$;

create function test.longest_task(test.projects) returns setof test.tasks rows 1 language sql stable
    as $$ select * from test.tasks where project_id = $1.id order by hours desc, id limit 1 $$;
create function test.open_tasks(test.projects) returns setof test.tasks language sql stable
    as $$ select * from test.tasks where project_id = $1.id and hours > 0 $$;

-- Stands in for PostGIS.
create function public.st_asgeojson(record) returns text language plpgsql immutable
    as $$ begin return json_build_object('type', 'Feature', 'properties', row_to_json($1)); end $$;

create function test.append_name(state text, project test.projects) returns text language sql
    as $$ select state || coalesce(project.name, '') || ';' $$;
create aggregate test.names(test.projects) (sfunc = test.append_name, stype = text, initcond = '');
create function test.append_any(state text, anyelement) returns text language sql
    as $$ select state || $2::text || ';' $$;
create aggregate test.any_rows(anyelement) (sfunc = test.append_any, stype = text, initcond = '');

insert into test.clients values (1, 'Ada'), (2, 'Bob "B"'), (3, null);
insert into test.projects values
    (1, 'alpha', 1, '{"a": {"b": [1, 2]}, "n": 7}', '{x,y}', '[2024-01-01,2024-02-01)'),
    (2, 'beta, or so', 1, null, '{}', null),
    (3, 'gamma', 2, '{"n": 5}', null, '[2024-03-01,)'),
    (4, null, null, null, null, null);
insert into test.tasks values (1, 'plan', 1, 3), (2, 'build', 1, 5), (3, 'ship', 2, 0), (4, null, 3, null);
insert into test.users values (1, 'Eve'), (2, 'Dan');
insert into test.users_tasks values (1, 1), (1, 2), (2, 2), (2, 3);
insert into test.widgets values (1, 255, 'q"uote'), (2, 65280, '*');
insert into test.handles values (1, 'ada', 'n', true), (2, 'ada', 's', false);
insert into test.stock values
    (1, 'one', 1, '{a,b}', '{"k": 1}', 255, 1),
    (2, 'two', 2.25, null, null, null, 2);
