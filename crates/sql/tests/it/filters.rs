//! Operators, values and logic trees.

use crate::{Request, golden};

pub(crate) const REQUESTS: &[Request] = &[
    (
        "/projects?select=id&id=eq.1&name=neq.x&id=gt.0&id=gte.1&id=lt.9&id=lte.8",
        "",
    ),
    (
        "/projects?select=id&name=like.a*&name=ilike.*A*&name=match.^a&name=imatch.^A",
        "",
    ),
    (
        "/projects?select=id&id=eq(any).{1,2}&name=like(all).{a*,*a}&id=lt(all).{7,8}",
        "",
    ),
    ("/projects?select=id&id=in.(1,2,3)", ""),
    (
        "/projects?select=id&name=in.(%22a,b%22,%22c\\%22d%22,e)",
        "",
    ),
    ("/projects?select=id&id=in.()", ""),
    (
        "/projects?select=id&name=is.null&name=is.not_null&name=isdistinct.x",
        "",
    ),
    (
        "/projects?select=id&name=not.is.null&id=not.in.(1,2)&name=not.eq.x",
        "",
    ),
    (
        "/projects?select=id&tags=cs.{x}&tags=cd.{x,y}&tags=ov.{x}",
        "",
    ),
    (
        "/projects?select=id&period=sl.[2024-01-01,2025-01-01)&period=sr.(,2020-01-01]",
        "",
    ),
    (
        "/projects?select=id&period=nxr.[2024-01-01,)&period=nxl.(,)&period=adj.[2024-02-01,)",
        "",
    ),
    (
        "/projects?select=id&name=fts.alpha&name=plfts(english).or%20so&name=not.wfts.x",
        "",
    ),
    (
        "/projects?select=id&name=phfts(simple).or%20so&data=cs.{%22n%22:7}",
        "",
    ),
    (
        "/projects?select=id&data->>n=eq.7&data->a->b->0=eq.1&tags->>0=eq.x",
        "",
    ),
    (
        "/widgets?select=id&color=eq.%230000ff&color=in.(%230000ff,%2300ff00)&color=in.()",
        "",
    ),
    (
        "/projects?select=id&or=(id.eq.1,and(name.like.g*,not.or(id.lt.2,id.gt.9)))",
        "",
    ),
    (
        "/projects?select=id&not.and=(id.eq.1,name.in.(a,b))&id=lt.9",
        "",
    ),
];

#[test]
fn operators_and_logic() {
    insta::assert_snapshot!(golden(REQUESTS), @r##"
    -- /projects?select=id&id=eq.1&name=neq.x&id=gt.0&id=gte.1&id=lt.9&id=lte.8
    SELECT NULL, count(*), coalesce(json_agg(_postgrest_t), '[]'), nullif(current_setting('response.headers', true), ''), nullif(current_setting('response.status', true), '') FROM (SELECT "test"."projects"."id" FROM "test"."projects" WHERE "test"."projects"."id" = $1 AND "test"."projects"."name" <> $2 AND "test"."projects"."id" > $3 AND "test"."projects"."id" >= $4 AND "test"."projects"."id" < $5 AND "test"."projects"."id" <= $6) AS _postgrest_t
      $1 = 1
      $2 = x
      $3 = 0
      $4 = 1
      $5 = 9
      $6 = 8

    -- /projects?select=id&name=like.a*&name=ilike.*A*&name=match.^a&name=imatch.^A
    SELECT NULL, count(*), coalesce(json_agg(_postgrest_t), '[]'), nullif(current_setting('response.headers', true), ''), nullif(current_setting('response.status', true), '') FROM (SELECT "test"."projects"."id" FROM "test"."projects" WHERE "test"."projects"."name" LIKE $1 AND "test"."projects"."name" ILIKE $2 AND "test"."projects"."name" ~ $3 AND "test"."projects"."name" ~* $4) AS _postgrest_t
      $1 = a%
      $2 = %A%
      $3 = ^a
      $4 = ^A

    -- /projects?select=id&id=eq(any).{1,2}&name=like(all).{a*,*a}&id=lt(all).{7,8}
    SELECT NULL, count(*), coalesce(json_agg(_postgrest_t), '[]'), nullif(current_setting('response.headers', true), ''), nullif(current_setting('response.status', true), '') FROM (SELECT "test"."projects"."id" FROM "test"."projects" WHERE "test"."projects"."id" = ANY ($1) AND "test"."projects"."name" LIKE ALL ($2) AND "test"."projects"."id" < ALL ($3)) AS _postgrest_t
      $1 = {1,2}
      $2 = {a%,%a}
      $3 = {7,8}

    -- /projects?select=id&id=in.(1,2,3)
    SELECT NULL, count(*), coalesce(json_agg(_postgrest_t), '[]'), nullif(current_setting('response.headers', true), ''), nullif(current_setting('response.status', true), '') FROM (SELECT "test"."projects"."id" FROM "test"."projects" WHERE "test"."projects"."id" = ANY ($1)) AS _postgrest_t
      $1 = {"1","2","3"}

    -- /projects?select=id&name=in.(%22a,b%22,%22c\%22d%22,e)
    SELECT NULL, count(*), coalesce(json_agg(_postgrest_t), '[]'), nullif(current_setting('response.headers', true), ''), nullif(current_setting('response.status', true), '') FROM (SELECT "test"."projects"."id" FROM "test"."projects" WHERE "test"."projects"."name" = ANY ($1)) AS _postgrest_t
      $1 = {"a,b","c\"d","e"}

    -- /projects?select=id&id=in.()
    SELECT NULL, count(*), coalesce(json_agg(_postgrest_t), '[]'), nullif(current_setting('response.headers', true), ''), nullif(current_setting('response.status', true), '') FROM (SELECT "test"."projects"."id" FROM "test"."projects" WHERE "test"."projects"."id" = ANY ($1)) AS _postgrest_t
      $1 = {}

    -- /projects?select=id&name=is.null&name=is.not_null&name=isdistinct.x
    SELECT NULL, count(*), coalesce(json_agg(_postgrest_t), '[]'), nullif(current_setting('response.headers', true), ''), nullif(current_setting('response.status', true), '') FROM (SELECT "test"."projects"."id" FROM "test"."projects" WHERE "test"."projects"."name" IS NULL AND "test"."projects"."name" IS NOT NULL AND "test"."projects"."name" IS DISTINCT FROM $1) AS _postgrest_t
      $1 = x

    -- /projects?select=id&name=not.is.null&id=not.in.(1,2)&name=not.eq.x
    SELECT NULL, count(*), coalesce(json_agg(_postgrest_t), '[]'), nullif(current_setting('response.headers', true), ''), nullif(current_setting('response.status', true), '') FROM (SELECT "test"."projects"."id" FROM "test"."projects" WHERE NOT "test"."projects"."name" IS NULL AND NOT "test"."projects"."id" = ANY ($1) AND NOT "test"."projects"."name" = $2) AS _postgrest_t
      $1 = {"1","2"}
      $2 = x

    -- /projects?select=id&tags=cs.{x}&tags=cd.{x,y}&tags=ov.{x}
    SELECT NULL, count(*), coalesce(json_agg(_postgrest_t), '[]'), nullif(current_setting('response.headers', true), ''), nullif(current_setting('response.status', true), '') FROM (SELECT "test"."projects"."id" FROM "test"."projects" WHERE "test"."projects"."tags" @> $1 AND "test"."projects"."tags" <@ $2 AND "test"."projects"."tags" && $3) AS _postgrest_t
      $1 = {x}
      $2 = {x,y}
      $3 = {x}

    -- /projects?select=id&period=sl.[2024-01-01,2025-01-01)&period=sr.(,2020-01-01]
    SELECT NULL, count(*), coalesce(json_agg(_postgrest_t), '[]'), nullif(current_setting('response.headers', true), ''), nullif(current_setting('response.status', true), '') FROM (SELECT "test"."projects"."id" FROM "test"."projects" WHERE "test"."projects"."period" << $1 AND "test"."projects"."period" >> $2) AS _postgrest_t
      $1 = [2024-01-01,2025-01-01)
      $2 = (,2020-01-01]

    -- /projects?select=id&period=nxr.[2024-01-01,)&period=nxl.(,)&period=adj.[2024-02-01,)
    SELECT NULL, count(*), coalesce(json_agg(_postgrest_t), '[]'), nullif(current_setting('response.headers', true), ''), nullif(current_setting('response.status', true), '') FROM (SELECT "test"."projects"."id" FROM "test"."projects" WHERE "test"."projects"."period" &< $1 AND "test"."projects"."period" &> $2 AND "test"."projects"."period" -|- $3) AS _postgrest_t
      $1 = [2024-01-01,)
      $2 = (,)
      $3 = [2024-02-01,)

    -- /projects?select=id&name=fts.alpha&name=plfts(english).or%20so&name=not.wfts.x
    SELECT NULL, count(*), coalesce(json_agg(_postgrest_t), '[]'), nullif(current_setting('response.headers', true), ''), nullif(current_setting('response.status', true), '') FROM (SELECT "test"."projects"."id" FROM "test"."projects" WHERE to_tsvector("test"."projects"."name") @@ to_tsquery($1) AND to_tsvector($2, "test"."projects"."name") @@ plainto_tsquery($3, $4) AND NOT to_tsvector("test"."projects"."name") @@ websearch_to_tsquery($5)) AS _postgrest_t
      $1 = alpha
      $2 = english
      $3 = english
      $4 = or so
      $5 = x

    -- /projects?select=id&name=phfts(simple).or%20so&data=cs.{%22n%22:7}
    SELECT NULL, count(*), coalesce(json_agg(_postgrest_t), '[]'), nullif(current_setting('response.headers', true), ''), nullif(current_setting('response.status', true), '') FROM (SELECT "test"."projects"."id" FROM "test"."projects" WHERE to_tsvector($1, "test"."projects"."name") @@ phraseto_tsquery($2, $3) AND "test"."projects"."data" @> $4) AS _postgrest_t
      $1 = simple
      $2 = simple
      $3 = or so
      $4 = {"n":7}

    -- /projects?select=id&data->>n=eq.7&data->a->b->0=eq.1&tags->>0=eq.x
    SELECT NULL, count(*), coalesce(json_agg(_postgrest_t), '[]'), nullif(current_setting('response.headers', true), ''), nullif(current_setting('response.status', true), '') FROM (SELECT "test"."projects"."id" FROM "test"."projects" WHERE "test"."projects"."data"->>$1 = $2 AND "test"."projects"."data"->$3->$4->$5::int = $6 AND to_jsonb("test"."projects"."tags")->>$7::int = $8) AS _postgrest_t
      $1 = n
      $2 = 7
      $3 = a
      $4 = b
      $5 = 0
      $6 = 1
      $7 = 0
      $8 = x

    -- /widgets?select=id&color=eq.%230000ff&color=in.(%230000ff,%2300ff00)&color=in.()
    SELECT NULL, count(*), coalesce(json_agg(_postgrest_t), '[]'), nullif(current_setting('response.headers', true), ''), nullif(current_setting('response.status', true), '') FROM (SELECT "test"."widgets"."id" FROM "test"."widgets" WHERE "test"."widgets"."color" = "test"."color_from_text"($1) AND "test"."widgets"."color" = ANY (SELECT "test"."color_from_text"(unnest($2::text[]))) AND "test"."widgets"."color" = ANY (SELECT "test"."color_from_text"(unnest($3::text[])))) AS _postgrest_t
      $1 = #0000ff
      $2 = {"#0000ff","#00ff00"}
      $3 = {}

    -- /projects?select=id&or=(id.eq.1,and(name.like.g*,not.or(id.lt.2,id.gt.9)))
    SELECT NULL, count(*), coalesce(json_agg(_postgrest_t), '[]'), nullif(current_setting('response.headers', true), ''), nullif(current_setting('response.status', true), '') FROM (SELECT "test"."projects"."id" FROM "test"."projects" WHERE ("test"."projects"."id" = $1 OR ("test"."projects"."name" LIKE $2 AND NOT ("test"."projects"."id" < $3 OR "test"."projects"."id" > $4)))) AS _postgrest_t
      $1 = 1
      $2 = g%
      $3 = 2
      $4 = 9

    -- /projects?select=id&not.and=(id.eq.1,name.in.(a,b))&id=lt.9
    SELECT NULL, count(*), coalesce(json_agg(_postgrest_t), '[]'), nullif(current_setting('response.headers', true), ''), nullif(current_setting('response.status', true), '') FROM (SELECT "test"."projects"."id" FROM "test"."projects" WHERE "test"."projects"."id" < $1 AND NOT ("test"."projects"."id" = $2 AND "test"."projects"."name" = ANY ($3))) AS _postgrest_t
      $1 = 9
      $2 = 1
      $3 = {"a","b"}
    "##);
}
