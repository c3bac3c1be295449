\set id random(1, 100000)
\startpipeline
select set_config('search_path', '"public", "public", "extensions"', true), set_config('transaction_read_only', 'on', true), set_config('role', 'authenticated', true), set_config('request.jwt.claims', :claims, true), set_config('request.method', 'GET', true), set_config('request.path', '/items', true), set_config('request.headers', :headers, true), set_config('request.cookies', '{}', true);
SELECT NULL, count(*), coalesce(json_agg(_postgrest_t), '[]'), nullif(current_setting('response.headers', true), ''), nullif(current_setting('response.status', true), '') FROM (SELECT "public"."items".* FROM "public"."items" WHERE "public"."items"."id" = :id) AS _postgrest_t;
\endpipeline
