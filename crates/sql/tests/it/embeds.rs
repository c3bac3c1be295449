//! Embedded relations in all their shapes.

use crate::{Request, golden};

pub(crate) const REQUESTS: &[Request] = &[
    ("/projects?select=id,clients(name)", ""),
    ("/clients?select=name,projects(id,tasks(name))&order=id", ""),
    (
        "/clients?select=*,projects(*)&projects.order=id.desc&projects.limit=1&limit=2",
        "",
    ),
    (
        "/projects?select=id,clients!inner(name)&clients.name=eq.Ada",
        "",
    ),
    ("/clients?select=id,projects!inner(id)&projects.id=gt.2", ""),
    ("/clients?select=id,projects!inner()&projects.id=lt.3", ""),
    ("/clients?select=id,projects()&projects=is.null", ""),
    (
        "/clients?select=id,projects(id)&or=(projects.not.is.null,id.eq.3)",
        "",
    ),
    ("/projects?select=id,clients()&clients=not.is.null", ""),
    (
        "/projects?select=id,clients(name)&order=clients(name).desc.nullslast,id",
        "",
    ),
    ("/projects?select=id,clients()&clients=is.null&limit=3", ""),
    ("/projects?select=tasks!inner()&limit=1", ""),
    ("/projects?select=id,...clients(*)&limit=1", ""),
    ("/users?select=name,tasks(name)&tasks.order=id", ""),
    (
        "/users?select=name,tasks!inner(name,projects(name))&tasks.hours=gt.4",
        "",
    ),
    (
        "/projects?select=id,longest_task(name),open_tasks(id)&open_tasks.order=id",
        "",
    ),
    (
        "/tasks?select=id,projects(id,longest_task(id))&order=id",
        "",
    ),
];

pub(crate) const SPREADS: &[Request] = &[
    ("/projects?select=id,...clients(client:name)", ""),
    ("/projects?select=id,...clients(*)", ""),
    (
        "/clients?select=id,...projects(project_ids:id,names:name)&projects.order=name.desc",
        "",
    ),
    (
        "/clients?select=id,...projects!inner(id2:id,tasks(name))&order=id",
        "",
    ),
    (
        "/users?select=name,...tasks(tasks:name,...projects(projects:name))&tasks.order=id",
        "",
    ),
    (
        "/projects?select=...clients(client:name),id.count()&id=eq.1",
        "",
    ),
    (
        "/tasks?select=...projects(name,...clients(client_id:id.max()))&project_id=eq.1",
        "",
    ),
    (
        "/projects?select=clients(name),tasks(name),id.sum()&id=eq.1",
        "",
    ),
];

#[test]
fn objects_and_arrays() {
    insta::assert_snapshot!(golden(REQUESTS), @r#"
    -- /projects?select=id,clients(name)
    SELECT NULL, count(*), coalesce(json_agg(_postgrest_t), '[]'), nullif(current_setting('response.headers', true), ''), nullif(current_setting('response.status', true), '') FROM (SELECT "test"."projects"."id", to_jsonb("clients_1".*) AS "clients" FROM "test"."projects" LEFT JOIN LATERAL (SELECT "clients_2"."name" FROM "test"."clients" AS "clients_2" WHERE "test"."projects"."client_id" = "clients_2"."id") AS "clients_1" ON TRUE) AS _postgrest_t

    -- /clients?select=name,projects(id,tasks(name))&order=id
    SELECT NULL, count(*), coalesce(json_agg(_postgrest_t), '[]'), nullif(current_setting('response.headers', true), ''), nullif(current_setting('response.status', true), '') FROM (SELECT "test"."clients"."name", coalesce((SELECT jsonb_agg("projects_1".*) AS "projects_1" FROM (SELECT "projects_2"."id", coalesce((SELECT jsonb_agg("tasks_3".*) AS "tasks_3" FROM (SELECT "tasks_4"."name" FROM "test"."tasks" AS "tasks_4" WHERE "projects_2"."id" = "tasks_4"."project_id") AS "tasks_3"), '[]') AS "tasks" FROM "test"."projects" AS "projects_2" WHERE "test"."clients"."id" = "projects_2"."client_id") AS "projects_1"), '[]') AS "projects" FROM "test"."clients" ORDER BY "test"."clients"."id") AS _postgrest_t

    -- /clients?select=*,projects(*)&projects.order=id.desc&projects.limit=1&limit=2
    SELECT NULL, count(*), coalesce(json_agg(_postgrest_t), '[]'), nullif(current_setting('response.headers', true), ''), nullif(current_setting('response.status', true), '') FROM (SELECT * FROM (SELECT "test"."clients".*, coalesce((SELECT jsonb_agg("projects_1".*) AS "projects_1" FROM (SELECT * FROM (SELECT "projects_2".* FROM "test"."projects" AS "projects_2" WHERE "test"."clients"."id" = "projects_2"."client_id" ORDER BY "projects_2"."id" DESC LIMIT 16) AS page LIMIT $1) AS "projects_1"), '[]') AS "projects" FROM "test"."clients" LIMIT 16) AS page LIMIT $2) AS _postgrest_t
      $1 = 1
      $2 = 2

    -- /projects?select=id,clients!inner(name)&clients.name=eq.Ada
    SELECT NULL, count(*), coalesce(json_agg(_postgrest_t), '[]'), nullif(current_setting('response.headers', true), ''), nullif(current_setting('response.status', true), '') FROM (SELECT "test"."projects"."id", to_jsonb("clients_1".*) AS "clients" FROM "test"."projects" INNER JOIN LATERAL (SELECT "clients_2"."name" FROM "test"."clients" AS "clients_2" WHERE "clients_2"."name" = $1 AND "test"."projects"."client_id" = "clients_2"."id") AS "clients_1" ON TRUE) AS _postgrest_t
      $1 = Ada

    -- /clients?select=id,projects!inner(id)&projects.id=gt.2
    SELECT NULL, count(*), coalesce(json_agg(_postgrest_t), '[]'), nullif(current_setting('response.headers', true), ''), nullif(current_setting('response.status', true), '') FROM (SELECT "test"."clients"."id", coalesce("projects_1"."projects_1", '[]') AS "projects" FROM "test"."clients" INNER JOIN LATERAL (SELECT jsonb_agg("projects_1".*) AS "projects_1" FROM (SELECT "projects_2"."id" FROM "test"."projects" AS "projects_2" WHERE "projects_2"."id" > $1 AND "test"."clients"."id" = "projects_2"."client_id") AS "projects_1") AS "projects_1" ON "projects_1"."projects_1" IS NOT NULL) AS _postgrest_t
      $1 = 2

    -- /clients?select=id,projects!inner()&projects.id=lt.3
    SELECT NULL, count(*), coalesce(json_agg(_postgrest_t), '[]'), nullif(current_setting('response.headers', true), ''), nullif(current_setting('response.status', true), '') FROM (SELECT "test"."clients"."id" FROM "test"."clients" INNER JOIN LATERAL (SELECT 1 AS "projects_1" FROM (SELECT "projects_2".* FROM "test"."projects" AS "projects_2" WHERE "projects_2"."id" < $1 AND "test"."clients"."id" = "projects_2"."client_id") AS "projects_1" LIMIT 1) AS "projects_1" ON TRUE) AS _postgrest_t
      $1 = 3

    -- /clients?select=id,projects()&projects=is.null
    SELECT NULL, count(*), coalesce(json_agg(_postgrest_t), '[]'), nullif(current_setting('response.headers', true), ''), nullif(current_setting('response.status', true), '') FROM (SELECT "test"."clients"."id" FROM "test"."clients" LEFT JOIN LATERAL (SELECT 1 AS "projects_1" FROM (SELECT "projects_2".* FROM "test"."projects" AS "projects_2" WHERE "test"."clients"."id" = "projects_2"."client_id") AS "projects_1" LIMIT 1) AS "projects_1" ON TRUE WHERE "projects_1"."projects_1" IS NULL) AS _postgrest_t

    -- /clients?select=id,projects(id)&or=(projects.not.is.null,id.eq.3)
    SELECT NULL, count(*), coalesce(json_agg(_postgrest_t), '[]'), nullif(current_setting('response.headers', true), ''), nullif(current_setting('response.status', true), '') FROM (SELECT "test"."clients"."id", coalesce("projects_1"."projects_1", '[]') AS "projects" FROM "test"."clients" LEFT JOIN LATERAL (SELECT jsonb_agg("projects_1".*) AS "projects_1" FROM (SELECT "projects_2"."id" FROM "test"."projects" AS "projects_2" WHERE "test"."clients"."id" = "projects_2"."client_id") AS "projects_1") AS "projects_1" ON TRUE WHERE ("projects_1"."projects_1" IS NOT NULL OR "test"."clients"."id" = $1)) AS _postgrest_t
      $1 = 3

    -- /projects?select=id,clients()&clients=not.is.null
    SELECT NULL, count(*), coalesce(json_agg(_postgrest_t), '[]'), nullif(current_setting('response.headers', true), ''), nullif(current_setting('response.status', true), '') FROM (SELECT "test"."projects"."id" FROM "test"."projects" LEFT JOIN LATERAL (SELECT "clients_2".* FROM "test"."clients" AS "clients_2" WHERE "test"."projects"."client_id" = "clients_2"."id") AS "clients_1" ON TRUE WHERE "clients_1".* IS DISTINCT FROM NULL) AS _postgrest_t

    -- /projects?select=id,clients(name)&order=clients(name).desc.nullslast,id
    SELECT NULL, count(*), coalesce(json_agg(_postgrest_t), '[]'), nullif(current_setting('response.headers', true), ''), nullif(current_setting('response.status', true), '') FROM (SELECT "test"."projects"."id", to_jsonb("clients_1".*) AS "clients" FROM "test"."projects" LEFT JOIN LATERAL (SELECT "clients_2"."name" FROM "test"."clients" AS "clients_2" WHERE "test"."projects"."client_id" = "clients_2"."id") AS "clients_1" ON TRUE ORDER BY "clients_1"."name" DESC NULLS LAST, "test"."projects"."id") AS _postgrest_t

    -- /projects?select=id,clients()&clients=is.null&limit=3
    SELECT NULL, count(*), coalesce(json_agg(_postgrest_t), '[]'), nullif(current_setting('response.headers', true), ''), nullif(current_setting('response.status', true), '') FROM (SELECT * FROM (SELECT "test"."projects"."id" FROM "test"."projects" LEFT JOIN LATERAL (SELECT "clients_2".* FROM "test"."clients" AS "clients_2" WHERE "test"."projects"."client_id" = "clients_2"."id") AS "clients_1" ON TRUE WHERE "clients_1".* IS NOT DISTINCT FROM NULL LIMIT 16) AS page LIMIT $1) AS _postgrest_t
      $1 = 3

    -- /projects?select=tasks!inner()&limit=1
    SELECT NULL, count(*), coalesce(json_agg(_postgrest_t), '[]'), nullif(current_setting('response.headers', true), ''), nullif(current_setting('response.status', true), '') FROM (SELECT * FROM (SELECT FROM "test"."projects" INNER JOIN LATERAL (SELECT 1 AS "tasks_1" FROM (SELECT "tasks_2".* FROM "test"."tasks" AS "tasks_2" WHERE "test"."projects"."id" = "tasks_2"."project_id") AS "tasks_1" LIMIT 1) AS "tasks_1" ON TRUE LIMIT 16) AS page LIMIT $1) AS _postgrest_t
      $1 = 1

    -- /projects?select=id,...clients(*)&limit=1
    SELECT NULL, count(*), coalesce(json_agg(_postgrest_t), '[]'), nullif(current_setting('response.headers', true), ''), nullif(current_setting('response.status', true), '') FROM (SELECT * FROM (SELECT "test"."projects"."id", "clients_1".* FROM "test"."projects" LEFT JOIN LATERAL (SELECT "clients_2".* FROM "test"."clients" AS "clients_2" WHERE "test"."projects"."client_id" = "clients_2"."id") AS "clients_1" ON TRUE LIMIT 16) AS page LIMIT $1) AS _postgrest_t
      $1 = 1

    -- /users?select=name,tasks(name)&tasks.order=id
    SELECT NULL, count(*), coalesce(json_agg(_postgrest_t), '[]'), nullif(current_setting('response.headers', true), ''), nullif(current_setting('response.status', true), '') FROM (SELECT "test"."users"."name", coalesce((SELECT jsonb_agg("tasks_1".*) AS "tasks_1" FROM (SELECT "tasks_2"."name" FROM "test"."tasks" AS "tasks_2" CROSS JOIN "test"."users_tasks" AS "users_tasks_3" WHERE "tasks_2"."id" = "users_tasks_3"."task_id" AND "test"."users"."id" = "users_tasks_3"."user_id" ORDER BY "tasks_2"."id") AS "tasks_1"), '[]') AS "tasks" FROM "test"."users") AS _postgrest_t

    -- /users?select=name,tasks!inner(name,projects(name))&tasks.hours=gt.4
    SELECT NULL, count(*), coalesce(json_agg(_postgrest_t), '[]'), nullif(current_setting('response.headers', true), ''), nullif(current_setting('response.status', true), '') FROM (SELECT "test"."users"."name", coalesce("tasks_1"."tasks_1", '[]') AS "tasks" FROM "test"."users" INNER JOIN LATERAL (SELECT jsonb_agg("tasks_1".*) AS "tasks_1" FROM (SELECT "tasks_2"."name", to_jsonb("projects_4".*) AS "projects" FROM "test"."tasks" AS "tasks_2" CROSS JOIN "test"."users_tasks" AS "users_tasks_3" LEFT JOIN LATERAL (SELECT "projects_5"."name" FROM "test"."projects" AS "projects_5" WHERE "tasks_2"."project_id" = "projects_5"."id") AS "projects_4" ON TRUE WHERE "tasks_2"."hours" > $1 AND "tasks_2"."id" = "users_tasks_3"."task_id" AND "test"."users"."id" = "users_tasks_3"."user_id") AS "tasks_1") AS "tasks_1" ON "tasks_1"."tasks_1" IS NOT NULL) AS _postgrest_t
      $1 = 4

    -- /projects?select=id,longest_task(name),open_tasks(id)&open_tasks.order=id
    SELECT NULL, count(*), coalesce(json_agg(_postgrest_t), '[]'), nullif(current_setting('response.headers', true), ''), nullif(current_setting('response.status', true), '') FROM (SELECT "test"."projects"."id", to_jsonb("longest_task_1".*) AS "longest_task", coalesce((SELECT jsonb_agg("open_tasks_3".*) AS "open_tasks_3" FROM (SELECT "tasks_4"."id" FROM "test"."open_tasks"("projects"::"test"."projects") AS "tasks_4" ORDER BY "tasks_4"."id") AS "open_tasks_3"), '[]') AS "open_tasks" FROM "test"."projects" LEFT JOIN LATERAL (SELECT "tasks_2"."name" FROM "test"."longest_task"("projects"::"test"."projects") AS "tasks_2") AS "longest_task_1" ON TRUE) AS _postgrest_t

    -- /tasks?select=id,projects(id,longest_task(id))&order=id
    SELECT NULL, count(*), coalesce(json_agg(_postgrest_t), '[]'), nullif(current_setting('response.headers', true), ''), nullif(current_setting('response.status', true), '') FROM (SELECT "test"."tasks"."id", to_jsonb("projects_1".*) AS "projects" FROM "test"."tasks" LEFT JOIN LATERAL (SELECT "projects_2"."id", to_jsonb("longest_task_3".*) AS "longest_task" FROM "test"."projects" AS "projects_2" LEFT JOIN LATERAL (SELECT "tasks_4"."id" FROM "test"."longest_task"("projects_2"::"test"."projects") AS "tasks_4") AS "longest_task_3" ON TRUE WHERE "test"."tasks"."project_id" = "projects_2"."id") AS "projects_1" ON TRUE ORDER BY "test"."tasks"."id") AS _postgrest_t
    "#);
}

#[test]
fn spreads() {
    insta::assert_snapshot!(golden(SPREADS), @r#"
    -- /projects?select=id,...clients(client:name)
    SELECT NULL, count(*), coalesce(json_agg(_postgrest_t), '[]'), nullif(current_setting('response.headers', true), ''), nullif(current_setting('response.status', true), '') FROM (SELECT "test"."projects"."id", "clients_1"."client" FROM "test"."projects" LEFT JOIN LATERAL (SELECT "clients_2"."name" AS "client" FROM "test"."clients" AS "clients_2" WHERE "test"."projects"."client_id" = "clients_2"."id") AS "clients_1" ON TRUE) AS _postgrest_t

    -- /projects?select=id,...clients(*)
    SELECT NULL, count(*), coalesce(json_agg(_postgrest_t), '[]'), nullif(current_setting('response.headers', true), ''), nullif(current_setting('response.status', true), '') FROM (SELECT "test"."projects"."id", "clients_1".* FROM "test"."projects" LEFT JOIN LATERAL (SELECT "clients_2".* FROM "test"."clients" AS "clients_2" WHERE "test"."projects"."client_id" = "clients_2"."id") AS "clients_1" ON TRUE) AS _postgrest_t

    -- /clients?select=id,...projects(project_ids:id,names:name)&projects.order=name.desc
    SELECT NULL, count(*), coalesce(json_agg(_postgrest_t), '[]'), nullif(current_setting('response.headers', true), ''), nullif(current_setting('response.status', true), '') FROM (SELECT "test"."clients"."id", "projects_1"."project_ids", "projects_1"."names" FROM "test"."clients" LEFT JOIN LATERAL (SELECT nullif(count(*), 0) AS "projects_1", coalesce(jsonb_agg("projects_1"."project_ids" ORDER BY "projects_1"."order_3" DESC), '[]') AS "project_ids", coalesce(jsonb_agg("projects_1"."names" ORDER BY "projects_1"."order_3" DESC), '[]') AS "names" FROM (SELECT "projects_2"."id" AS "project_ids", "projects_2"."name" AS "names", "projects_2"."name" AS "order_3" FROM "test"."projects" AS "projects_2" WHERE "test"."clients"."id" = "projects_2"."client_id") AS "projects_1") AS "projects_1" ON TRUE) AS _postgrest_t

    -- /clients?select=id,...projects!inner(id2:id,tasks(name))&order=id
    SELECT NULL, count(*), coalesce(json_agg(_postgrest_t), '[]'), nullif(current_setting('response.headers', true), ''), nullif(current_setting('response.status', true), '') FROM (SELECT "test"."clients"."id", "projects_1"."id2", "projects_1"."tasks" FROM "test"."clients" INNER JOIN LATERAL (SELECT nullif(count(*), 0) AS "projects_1", coalesce(jsonb_agg("projects_1"."id2"), '[]') AS "id2", coalesce(jsonb_agg("projects_1"."tasks"), '[]') AS "tasks" FROM (SELECT "projects_2"."id" AS "id2", coalesce((SELECT jsonb_agg("tasks_3".*) AS "tasks_3" FROM (SELECT "tasks_4"."name" FROM "test"."tasks" AS "tasks_4" WHERE "projects_2"."id" = "tasks_4"."project_id") AS "tasks_3"), '[]') AS "tasks" FROM "test"."projects" AS "projects_2" WHERE "test"."clients"."id" = "projects_2"."client_id") AS "projects_1") AS "projects_1" ON "projects_1"."projects_1" IS NOT NULL ORDER BY "test"."clients"."id") AS _postgrest_t

    -- /users?select=name,...tasks(tasks:name,...projects(projects:name))&tasks.order=id
    SELECT NULL, count(*), coalesce(json_agg(_postgrest_t), '[]'), nullif(current_setting('response.headers', true), ''), nullif(current_setting('response.status', true), '') FROM (SELECT "test"."users"."name", "tasks_1"."tasks", "tasks_1"."projects" FROM "test"."users" LEFT JOIN LATERAL (SELECT nullif(count(*), 0) AS "tasks_1", coalesce(jsonb_agg("tasks_1"."tasks" ORDER BY "tasks_1"."order_6"), '[]') AS "tasks", coalesce(jsonb_agg("tasks_1"."projects" ORDER BY "tasks_1"."order_6"), '[]') AS "projects" FROM (SELECT "tasks_2"."name" AS "tasks", "tasks_2"."id" AS "order_6", "projects_4"."projects" FROM "test"."tasks" AS "tasks_2" CROSS JOIN "test"."users_tasks" AS "users_tasks_3" LEFT JOIN LATERAL (SELECT "projects_5"."name" AS "projects" FROM "test"."projects" AS "projects_5" WHERE "tasks_2"."project_id" = "projects_5"."id") AS "projects_4" ON TRUE WHERE "tasks_2"."id" = "users_tasks_3"."task_id" AND "test"."users"."id" = "users_tasks_3"."user_id") AS "tasks_1") AS "tasks_1" ON TRUE) AS _postgrest_t

    -- /projects?select=...clients(client:name),id.count()&id=eq.1
    SELECT NULL, count(*), coalesce(json_agg(_postgrest_t), '[]'), nullif(current_setting('response.headers', true), ''), nullif(current_setting('response.status', true), '') FROM (SELECT count("test"."projects"."id"), "clients_1"."client" FROM "test"."projects" LEFT JOIN LATERAL (SELECT "clients_2"."name" AS "client" FROM "test"."clients" AS "clients_2" WHERE "test"."projects"."client_id" = "clients_2"."id") AS "clients_1" ON TRUE WHERE "test"."projects"."id" = $1 GROUP BY "clients_1"."client") AS _postgrest_t
      $1 = 1

    -- /tasks?select=...projects(name,...clients(client_id:id.max()))&project_id=eq.1
    SELECT NULL, count(*), coalesce(json_agg(_postgrest_t), '[]'), nullif(current_setting('response.headers', true), ''), nullif(current_setting('response.status', true), '') FROM (SELECT "projects_1"."name", max("projects_1"."client_id") AS "client_id" FROM "test"."tasks" LEFT JOIN LATERAL (SELECT "projects_2"."name", "clients_3"."client_id" FROM "test"."projects" AS "projects_2" LEFT JOIN LATERAL (SELECT "clients_4"."id" AS "client_id" FROM "test"."clients" AS "clients_4" WHERE "projects_2"."client_id" = "clients_4"."id") AS "clients_3" ON TRUE WHERE "test"."tasks"."project_id" = "projects_2"."id") AS "projects_1" ON TRUE WHERE "test"."tasks"."project_id" = $1 GROUP BY "projects_1"."name") AS _postgrest_t
      $1 = 1

    -- /projects?select=clients(name),tasks(name),id.sum()&id=eq.1
    SELECT NULL, count(*), coalesce(json_agg(_postgrest_t), '[]'), nullif(current_setting('response.headers', true), ''), nullif(current_setting('response.status', true), '') FROM (SELECT sum("test"."projects"."id"), to_jsonb("clients_1".*) AS "clients", coalesce("tasks_3"."tasks_3", '[]') AS "tasks" FROM "test"."projects" LEFT JOIN LATERAL (SELECT "clients_2"."name" FROM "test"."clients" AS "clients_2" WHERE "test"."projects"."client_id" = "clients_2"."id") AS "clients_1" ON TRUE LEFT JOIN LATERAL (SELECT jsonb_agg("tasks_3".*) AS "tasks_3" FROM (SELECT "tasks_4"."name" FROM "test"."tasks" AS "tasks_4" WHERE "test"."projects"."id" = "tasks_4"."project_id") AS "tasks_3") AS "tasks_3" ON TRUE WHERE "test"."projects"."id" = $1 GROUP BY "clients", "tasks") AS _postgrest_t
      $1 = 1
    "#);
}
