//! Columns, order, range and counts of one relation.

use crate::{Request, golden};

pub(crate) const REQUESTS: &[Request] = &[
    ("/projects", ""),
    ("/projects?id=eq.1", ""),
    ("/projects?select=id,title:name,client_id::text", ""),
    ("/projects?select=data->a->b->>0,n:data->n,tags->0", ""),
    ("/projects?select=data->>n::int", ""),
    ("/widgets?select=*", ""),
    (
        "/widgets?select=color,%22od%5C%22d%22&order=%22od%5C%22d%22",
        "",
    ),
    (
        "/projects?order=client_id.desc.nullslast,data->>n.asc,name.nullsfirst",
        "",
    ),
    ("/projects?limit=25", ""),
    ("/projects?limit=25&offset=50&order=id", ""),
    ("/projects?offset=2", ""),
    ("/projects?limit=0", ""),
    ("/projects?limit=100000", ""),
    (
        "/projects?select=client_id,count(),id.max()::text,total:id::numeric.sum()&order=client_id",
        "",
    ),
    ("/projects?select=client_id.count()", ""),
    ("/projects?select=kind:data->>n,id.avg()&id=eq.1", ""),
];

pub(crate) const COUNTS: &[Request] = &[
    ("/projects?id=gt.1", "prefer: count=exact"),
    ("/projects?id=gt.1&limit=2", "prefer: count=exact"),
    ("/projects?id=gt.1&limit=2", "prefer: count=planned"),
    ("/projects?id=gt.1", "prefer: count=estimated; x: max-rows"),
    (
        "/projects?select=id,clients!inner(name)&clients.name=eq.Ada&limit=1",
        "prefer: count=exact",
    ),
    (
        "/projects?select=id,tasks()&tasks=is.null&limit=1",
        "prefer: count=exact",
    ),
    (
        "/projects?select=id,clients()&clients=not.is.null&limit=1",
        "prefer: count=exact",
    ),
];

#[test]
fn columns_order_and_range() {
    insta::assert_snapshot!(golden(REQUESTS), @r#"
    -- /projects
    SELECT NULL, count(*), coalesce(json_agg(_postgrest_t), '[]'), nullif(current_setting('response.headers', true), ''), nullif(current_setting('response.status', true), '') FROM (SELECT "test"."projects".* FROM "test"."projects") AS _postgrest_t

    -- /projects?id=eq.1
    SELECT NULL, count(*), coalesce(json_agg(_postgrest_t), '[]'), nullif(current_setting('response.headers', true), ''), nullif(current_setting('response.status', true), '') FROM (SELECT "test"."projects".* FROM "test"."projects" WHERE "test"."projects"."id" = $1) AS _postgrest_t
      $1 = 1

    -- /projects?select=id,title:name,client_id::text
    SELECT NULL, count(*), coalesce(json_agg(_postgrest_t), '[]'), nullif(current_setting('response.headers', true), ''), nullif(current_setting('response.status', true), '') FROM (SELECT "test"."projects"."id", "test"."projects"."name" AS "title", CAST("test"."projects"."client_id" AS text) FROM "test"."projects") AS _postgrest_t

    -- /projects?select=data->a->b->>0,n:data->n,tags->0
    SELECT NULL, count(*), coalesce(json_agg(_postgrest_t), '[]'), nullif(current_setting('response.headers', true), ''), nullif(current_setting('response.status', true), '') FROM (SELECT "test"."projects"."data"->$1->$2->>$3::int AS "b", "test"."projects"."data"->$4 AS "n", to_jsonb("test"."projects"."tags")->$5::int AS "tags" FROM "test"."projects") AS _postgrest_t
      $1 = a
      $2 = b
      $3 = 0
      $4 = n
      $5 = 0

    -- /projects?select=data->>n::int
    SELECT NULL, count(*), coalesce(json_agg(_postgrest_t), '[]'), nullif(current_setting('response.headers', true), ''), nullif(current_setting('response.status', true), '') FROM (SELECT CAST("test"."projects"."data"->>$1 AS int) AS "n" FROM "test"."projects") AS _postgrest_t
      $1 = n

    -- /widgets?select=*
    SELECT NULL, count(*), coalesce(json_agg(_postgrest_t), '[]'), nullif(current_setting('response.headers', true), ''), nullif(current_setting('response.status', true), '') FROM (SELECT "test"."widgets"."id", "test"."color_json"("test"."widgets"."color") AS "color", "test"."widgets"."od""d" FROM "test"."widgets") AS _postgrest_t

    -- /widgets?select=color,%22od%5C%22d%22&order=%22od%5C%22d%22
    SELECT NULL, count(*), coalesce(json_agg(_postgrest_t), '[]'), nullif(current_setting('response.headers', true), ''), nullif(current_setting('response.status', true), '') FROM (SELECT "test"."color_json"("test"."widgets"."color") AS "color", "test"."widgets"."od""d" FROM "test"."widgets" ORDER BY "test"."widgets"."od""d") AS _postgrest_t

    -- /projects?order=client_id.desc.nullslast,data->>n.asc,name.nullsfirst
    SELECT NULL, count(*), coalesce(json_agg(_postgrest_t), '[]'), nullif(current_setting('response.headers', true), ''), nullif(current_setting('response.status', true), '') FROM (SELECT "test"."projects".* FROM "test"."projects" ORDER BY "test"."projects"."client_id" DESC NULLS LAST, "test"."projects"."data"->>$1 ASC, "test"."projects"."name" NULLS FIRST) AS _postgrest_t
      $1 = n

    -- /projects?limit=25
    SELECT NULL, count(*), coalesce(json_agg(_postgrest_t), '[]'), nullif(current_setting('response.headers', true), ''), nullif(current_setting('response.status', true), '') FROM (SELECT * FROM (SELECT "test"."projects".* FROM "test"."projects" LIMIT 64) AS page LIMIT $1) AS _postgrest_t
      $1 = 25

    -- /projects?limit=25&offset=50&order=id
    SELECT NULL, count(*), coalesce(json_agg(_postgrest_t), '[]'), nullif(current_setting('response.headers', true), ''), nullif(current_setting('response.status', true), '') FROM (SELECT * FROM (SELECT "test"."projects".* FROM "test"."projects" ORDER BY "test"."projects"."id" LIMIT 256) AS page LIMIT $1 OFFSET $2) AS _postgrest_t
      $1 = 25
      $2 = 50

    -- /projects?offset=2
    SELECT NULL, count(*), coalesce(json_agg(_postgrest_t), '[]'), nullif(current_setting('response.headers', true), ''), nullif(current_setting('response.status', true), '') FROM (SELECT "test"."projects".* FROM "test"."projects" OFFSET $1) AS _postgrest_t
      $1 = 2

    -- /projects?limit=0
    SELECT NULL, count(*), coalesce(json_agg(_postgrest_t), '[]'), nullif(current_setting('response.headers', true), ''), nullif(current_setting('response.status', true), '') FROM (SELECT * FROM (SELECT "test"."projects".* FROM "test"."projects" LIMIT 16) AS page LIMIT $1) AS _postgrest_t
      $1 = 0

    -- /projects?limit=100000
    SELECT NULL, count(*), coalesce(json_agg(_postgrest_t), '[]'), nullif(current_setting('response.headers', true), ''), nullif(current_setting('response.status', true), '') FROM (SELECT "test"."projects".* FROM "test"."projects" LIMIT $1) AS _postgrest_t
      $1 = 100000

    -- /projects?select=client_id,count(),id.max()::text,total:id::numeric.sum()&order=client_id
    SELECT NULL, count(*), coalesce(json_agg(_postgrest_t), '[]'), nullif(current_setting('response.headers', true), ''), nullif(current_setting('response.status', true), '') FROM (SELECT "test"."projects"."client_id", count(*), CAST(max("test"."projects"."id") AS text), sum(CAST("test"."projects"."id" AS numeric)) AS "total" FROM "test"."projects" GROUP BY "test"."projects"."client_id" ORDER BY "test"."projects"."client_id") AS _postgrest_t

    -- /projects?select=client_id.count()
    SELECT NULL, count(*), coalesce(json_agg(_postgrest_t), '[]'), nullif(current_setting('response.headers', true), ''), nullif(current_setting('response.status', true), '') FROM (SELECT count("test"."projects"."client_id") FROM "test"."projects") AS _postgrest_t

    -- /projects?select=kind:data->>n,id.avg()&id=eq.1
    SELECT NULL, count(*), coalesce(json_agg(_postgrest_t), '[]'), nullif(current_setting('response.headers', true), ''), nullif(current_setting('response.status', true), '') FROM (SELECT "test"."projects"."data"->>$1 AS "kind", avg("test"."projects"."id") FROM "test"."projects" WHERE "test"."projects"."id" = $2 GROUP BY "kind") AS _postgrest_t
      $1 = n
      $2 = 1
    "#);
}

#[test]
fn counts() {
    insta::assert_snapshot!(golden(COUNTS), @r#"
    -- /projects?id=gt.1  prefer: count=exact
    SELECT count(*), count(*), coalesce(json_agg(_postgrest_t), '[]'), nullif(current_setting('response.headers', true), ''), nullif(current_setting('response.status', true), '') FROM (SELECT "test"."projects".* FROM "test"."projects" WHERE "test"."projects"."id" > $1) AS _postgrest_t
      $1 = 1

    -- /projects?id=gt.1&limit=2  prefer: count=exact
    SELECT (SELECT count(*) FROM "test"."projects" WHERE "test"."projects"."id" > $1), count(*), coalesce(json_agg(_postgrest_t), '[]'), nullif(current_setting('response.headers', true), ''), nullif(current_setting('response.status', true), '') FROM (SELECT * FROM (SELECT "test"."projects".* FROM "test"."projects" WHERE "test"."projects"."id" > $2 LIMIT 16) AS page LIMIT $3) AS _postgrest_t
      $1 = 1
      $2 = 1
      $3 = 2

    -- /projects?id=gt.1&limit=2  prefer: count=planned
    SELECT NULL, count(*), coalesce(json_agg(_postgrest_t), '[]'), nullif(current_setting('response.headers', true), ''), nullif(current_setting('response.status', true), '') FROM (SELECT * FROM (SELECT "test"."projects".* FROM "test"."projects" WHERE "test"."projects"."id" > $1 LIMIT 16) AS page LIMIT $2) AS _postgrest_t
      $1 = 1
      $2 = 2
    EXPLAIN (FORMAT JSON) SELECT 1 FROM "test"."projects" WHERE "test"."projects"."id" > $1
      $1 = 1

    -- /projects?id=gt.1  prefer: count=estimated; x: max-rows
    SELECT (SELECT count(*) FROM (SELECT 1 FROM "test"."projects" WHERE "test"."projects"."id" > $1 LIMIT 1001) AS counted), count(*), coalesce(json_agg(_postgrest_t), '[]'), nullif(current_setting('response.headers', true), ''), nullif(current_setting('response.status', true), '') FROM (SELECT * FROM (SELECT "test"."projects".* FROM "test"."projects" WHERE "test"."projects"."id" > $2 LIMIT 1024) AS page LIMIT $3) AS _postgrest_t
      $1 = 1
      $2 = 1
      $3 = 1000
    EXPLAIN (FORMAT JSON) SELECT 1 FROM "test"."projects" WHERE "test"."projects"."id" > $1
      $1 = 1

    -- /projects?select=id,clients!inner(name)&clients.name=eq.Ada&limit=1  prefer: count=exact
    SELECT (SELECT count(*) FROM "test"."projects" WHERE EXISTS (SELECT 1 FROM "test"."clients" AS "clients_2" WHERE "clients_2"."name" = $1 AND "test"."projects"."client_id" = "clients_2"."id")), count(*), coalesce(json_agg(_postgrest_t), '[]'), nullif(current_setting('response.headers', true), ''), nullif(current_setting('response.status', true), '') FROM (SELECT * FROM (SELECT "test"."projects"."id", to_jsonb("clients_1".*) AS "clients" FROM "test"."projects" INNER JOIN LATERAL (SELECT "clients_2"."name" FROM "test"."clients" AS "clients_2" WHERE "clients_2"."name" = $2 AND "test"."projects"."client_id" = "clients_2"."id") AS "clients_1" ON TRUE LIMIT 16) AS page LIMIT $3) AS _postgrest_t
      $1 = Ada
      $2 = Ada
      $3 = 1

    -- /projects?select=id,tasks()&tasks=is.null&limit=1  prefer: count=exact
    SELECT (SELECT count(*) FROM "test"."projects" WHERE NOT EXISTS (SELECT 1 FROM "test"."tasks" AS "tasks_2" WHERE "test"."projects"."id" = "tasks_2"."project_id")), count(*), coalesce(json_agg(_postgrest_t), '[]'), nullif(current_setting('response.headers', true), ''), nullif(current_setting('response.status', true), '') FROM (SELECT * FROM (SELECT "test"."projects"."id" FROM "test"."projects" LEFT JOIN LATERAL (SELECT 1 AS "tasks_1" FROM (SELECT "tasks_2".* FROM "test"."tasks" AS "tasks_2" WHERE "test"."projects"."id" = "tasks_2"."project_id") AS "tasks_1" LIMIT 1) AS "tasks_1" ON TRUE WHERE "tasks_1"."tasks_1" IS NULL LIMIT 16) AS page LIMIT $1) AS _postgrest_t
      $1 = 1

    -- /projects?select=id,clients()&clients=not.is.null&limit=1  prefer: count=exact
    SELECT (SELECT count(*) FROM "test"."projects" WHERE EXISTS (SELECT 1 FROM "test"."clients" AS "clients_2" WHERE "test"."projects"."client_id" = "clients_2"."id")), count(*), coalesce(json_agg(_postgrest_t), '[]'), nullif(current_setting('response.headers', true), ''), nullif(current_setting('response.status', true), '') FROM (SELECT * FROM (SELECT "test"."projects"."id" FROM "test"."projects" LEFT JOIN LATERAL (SELECT "clients_2".* FROM "test"."clients" AS "clients_2" WHERE "test"."projects"."client_id" = "clients_2"."id") AS "clients_1" ON TRUE WHERE "clients_1".* IS DISTINCT FROM NULL LIMIT 16) AS page LIMIT $1) AS _postgrest_t
      $1 = 1
    "#);
}
