//! What the rows become.

use crate::{Request, golden};

pub(crate) const REQUESTS: &[Request] = &[
    ("/projects?select=id,name&id=lt.3", ""),
    (
        "/projects?select=id,name",
        "accept: application/vnd.pgrst.array+json;nulls=stripped",
    ),
    (
        "/projects?select=id,name&id=eq.1",
        "accept: application/vnd.pgrst.object+json",
    ),
    (
        "/projects?select=id,name&id=eq.4",
        "accept: application/vnd.pgrst.object+json;nulls=stripped",
    ),
    (
        "/projects?select=id,name,tags,client_id",
        "accept: text/csv",
    ),
    ("/projects?select=id&id=gt.100", "accept: text/csv"),
    ("/projects?select=id,name", "accept: application/geo+json"),
    ("/projects?order=id&limit=3", "accept: text/names"),
    ("/clients?select=id,name", "accept: text/rows"),
    ("HEAD /projects?limit=2", ""),
];

#[test]
fn handlers() {
    insta::assert_snapshot!(golden(REQUESTS), @r#"
    -- /projects?select=id,name&id=lt.3
    SELECT NULL, count(*), coalesce(json_agg(_postgrest_t), '[]'), nullif(current_setting('response.headers', true), ''), nullif(current_setting('response.status', true), '') FROM (SELECT "test"."projects"."id", "test"."projects"."name" FROM "test"."projects" WHERE "test"."projects"."id" < $1) AS _postgrest_t
      $1 = 3

    -- /projects?select=id,name  accept: application/vnd.pgrst.array+json;nulls=stripped
    SELECT NULL, count(*), coalesce(json_strip_nulls(json_agg(_postgrest_t)), '[]'), nullif(current_setting('response.headers', true), ''), nullif(current_setting('response.status', true), '') FROM (SELECT "test"."projects"."id", "test"."projects"."name" FROM "test"."projects") AS _postgrest_t

    -- /projects?select=id,name&id=eq.1  accept: application/vnd.pgrst.object+json
    SELECT NULL, count(*), coalesce((array_agg(row_to_json(_postgrest_t)))[1], 'null'), nullif(current_setting('response.headers', true), ''), nullif(current_setting('response.status', true), '') FROM (SELECT "test"."projects"."id", "test"."projects"."name" FROM "test"."projects" WHERE "test"."projects"."id" = $1) AS _postgrest_t
      $1 = 1

    -- /projects?select=id,name&id=eq.4  accept: application/vnd.pgrst.object+json;nulls=stripped
    SELECT NULL, count(*), coalesce(json_strip_nulls((array_agg(row_to_json(_postgrest_t)))[1]), 'null'), nullif(current_setting('response.headers', true), ''), nullif(current_setting('response.status', true), '') FROM (SELECT "test"."projects"."id", "test"."projects"."name" FROM "test"."projects" WHERE "test"."projects"."id" = $1) AS _postgrest_t
      $1 = 4

    -- /projects?select=id,name,tags,client_id  accept: text/csv
    WITH pgrst_rows AS (SELECT "test"."projects"."id", "test"."projects"."name", "test"."projects"."tags", "test"."projects"."client_id" FROM "test"."projects") SELECT NULL, count(*), coalesce((SELECT string_agg(k, ',') FROM json_object_keys((SELECT row_to_json(h.*) FROM pgrst_rows AS h LIMIT 1)) AS k), '') || E'\n' || coalesce(string_agg(left(substr(_postgrest_t::text, 2), -1), E'\n'), ''), nullif(current_setting('response.headers', true), ''), nullif(current_setting('response.status', true), '') FROM pgrst_rows AS _postgrest_t

    -- /projects?select=id&id=gt.100  accept: text/csv
    WITH pgrst_rows AS (SELECT "test"."projects"."id" FROM "test"."projects" WHERE "test"."projects"."id" > $1) SELECT NULL, count(*), coalesce((SELECT string_agg(k, ',') FROM json_object_keys((SELECT row_to_json(h.*) FROM pgrst_rows AS h LIMIT 1)) AS k), '') || E'\n' || coalesce(string_agg(left(substr(_postgrest_t::text, 2), -1), E'\n'), ''), nullif(current_setting('response.headers', true), ''), nullif(current_setting('response.status', true), '') FROM pgrst_rows AS _postgrest_t
      $1 = 100

    -- /projects?select=id,name  accept: application/geo+json
    SELECT NULL, count(*), json_build_object('type', 'FeatureCollection', 'features', coalesce(json_agg(ST_AsGeoJSON(_postgrest_t)::json), '[]')), nullif(current_setting('response.headers', true), ''), nullif(current_setting('response.status', true), '') FROM (SELECT "test"."projects"."id", "test"."projects"."name" FROM "test"."projects") AS _postgrest_t

    -- /projects?order=id&limit=3  accept: text/names
    SELECT NULL, count(*), "test"."names"(_postgrest_t::"test"."projects"), nullif(current_setting('response.headers', true), ''), nullif(current_setting('response.status', true), '') FROM (SELECT * FROM (SELECT "test"."projects".* FROM "test"."projects" ORDER BY "test"."projects"."id" LIMIT 16) AS page LIMIT $1) AS _postgrest_t
      $1 = 3

    -- /clients?select=id,name  accept: text/rows
    SELECT NULL, count(*), "test"."any_rows"(_postgrest_t), nullif(current_setting('response.headers', true), ''), nullif(current_setting('response.status', true), '') FROM (SELECT "test"."clients"."id", "test"."clients"."name" FROM "test"."clients") AS _postgrest_t

    -- HEAD /projects?limit=2
    SELECT NULL, count(*), '', nullif(current_setting('response.headers', true), ''), nullif(current_setting('response.status', true), '') FROM (SELECT * FROM (SELECT "test"."projects".* FROM "test"."projects" LIMIT 16) AS page LIMIT $1) AS _postgrest_t
      $1 = 2
    "#);
}
