\set a 1
\set b 2
\startpipeline
select set_config('search_path', '"public", "public", "extensions"', true), set_config('transaction_read_only', 'on', true), set_config('role', 'authenticated', true), set_config('request.jwt.claims', :claims, true), set_config('request.method', 'GET', true), set_config('request.path', '/rpc/add_up', true), set_config('request.headers', :headers, true), set_config('request.cookies', '{}', true);
WITH pgrst_source AS (SELECT "public"."add_up"("a" := :a::integer, "b" := :b::integer) AS pgrst_scalar) SELECT NULL, 1, coalesce(to_json(_postgrest_t.pgrst_scalar), 'null'), nullif(current_setting('response.headers', true), ''), nullif(current_setting('response.status', true), '') FROM pgrst_source AS _postgrest_t;
\endpipeline
