\set id random(1, 100000)
\startpipeline
select set_config('search_path', '"public", "public", "extensions"', true), set_config('role', 'authenticated', true), set_config('request.jwt.claims', :claims, true), set_config('request.method', 'PATCH', true), set_config('request.path', '/counters', true), set_config('request.headers', :headers, true), set_config('request.cookies', '{}', true);
WITH pgrst_source AS (UPDATE "public"."counters" SET "value" = pgrst_body."value" FROM json_to_record(:body::json) AS pgrst_body("value" integer) WHERE "public"."counters"."id" = :id RETURNING 1) SELECT count(*), '', nullif(current_setting('response.headers', true), ''), nullif(current_setting('response.status', true), ''), NULL, NULL FROM pgrst_source AS _postgrest_t;
\endpipeline
