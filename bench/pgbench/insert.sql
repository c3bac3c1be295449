\startpipeline
select set_config('search_path', '"public", "public", "extensions"', true), set_config('role', 'authenticated', true), set_config('request.jwt.claims', :claims, true), set_config('request.method', 'POST', true), set_config('request.path', '/notes', true), set_config('request.headers', :headers, true), set_config('request.cookies', '{}', true);
WITH pgrst_source AS (INSERT INTO "public"."notes" ("body", "owner_id") SELECT pgrst_body."body", pgrst_body."owner_id" FROM json_to_record(:body::json) AS pgrst_body("body" text, "owner_id" uuid) RETURNING 1) SELECT count(*), '', nullif(current_setting('response.headers', true), ''), nullif(current_setting('response.status', true), ''), NULL, NULL FROM pgrst_source AS _postgrest_t;
\endpipeline
