\startpipeline
begin;
select set_config('search_path', '"public", "extensions"', true), set_config('transaction_read_only', 'on', true), set_config('role', 'authenticated', true), set_config('request.jwt.claims', :claims, true), set_config('request.method', 'GET', true), set_config('request.path', '/items', true), set_config('request.headers', '{"host":"127.0.0.1","accept-profile":"public"}', true), set_config('request.cookies', '{}', true);
SELECT NULL, count(*), coalesce(json_agg(_postgrest_t), '[]'), nullif(current_setting('response.headers', true), ''), nullif(current_setting('response.status', true), '') FROM (SELECT * FROM (SELECT "public"."items"."id", "public"."items"."title", to_jsonb("authors_1".*) AS "authors" FROM "public"."items" LEFT JOIN LATERAL (SELECT "authors_2"."name", to_jsonb("teams_3".*) AS "teams" FROM "public"."authors" AS "authors_2" LEFT JOIN LATERAL (SELECT "teams_4"."name" FROM "public"."teams" AS "teams_4" WHERE "authors_2"."team_id" = "teams_4"."id") AS "teams_3" ON TRUE WHERE "public"."items"."author_id" = "authors_2"."id") AS "authors_1" ON TRUE ORDER BY "public"."items"."id" ASC LIMIT 64) AS page LIMIT :rows) AS _postgrest_t;
commit;
\endpipeline
