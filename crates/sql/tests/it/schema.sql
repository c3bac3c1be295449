create schema test;

create domain test.color as integer;
create function test.color_json(test.color) returns json language sql immutable
    as $$ select to_json('#' || lpad(to_hex($1), 6, '0')) $$;
create function test.color_from_text(text) returns test.color language sql immutable
    as $$ select ('x' || lpad(ltrim($1, '#'), 8, '0'))::bit(32)::int::test.color $$;

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
