-- Who is calling, for row policies and functions: auth.jwt(), auth.uid(), auth.role(), auth.email().
--
-- The gateway sets `request.jwt.claims` for each transaction; `request.jwt.claim.<name>` is the older form with one setting
-- per claim, which wins where somebody still sets it. A pooled connection may leave a setting behind as an empty string,
-- which counts as absent. Each function is one SQL expression, so that the planner can inline it.
--
-- A function that exists is kept: a database that came from Supabase has its own, owned by another role.

do $migration$
begin
  if to_regprocedure('auth.jwt()') is null then
    create function auth.jwt() returns jsonb
      language sql stable
      return coalesce(
        nullif(current_setting('request.jwt.claim', true), ''),
        nullif(current_setting('request.jwt.claims', true), '')
      )::jsonb;
    comment on function auth.jwt() is 'All claims of the caller''s token; null without a token.';
  end if;

  if to_regprocedure('auth.uid()') is null then
    create function auth.uid() returns uuid
      language sql stable
      return coalesce(
        nullif(current_setting('request.jwt.claim.sub', true), ''),
        nullif(nullif(current_setting('request.jwt.claims', true), '')::jsonb ->> 'sub', '')
      )::uuid;
    comment on function auth.uid() is 'User id of the caller (claim sub); null when the token names no user.';
  end if;

  if to_regprocedure('auth.role()') is null then
    create function auth.role() returns text
      language sql stable
      return coalesce(
        nullif(current_setting('request.jwt.claim.role', true), ''),
        nullif(current_setting('request.jwt.claims', true), '')::jsonb ->> 'role'
      );
    comment on function auth.role() is 'Role that the caller''s token asks for (claim role); null without a token.';
  end if;

  if to_regprocedure('auth.email()') is null then
    create function auth.email() returns text
      language sql stable
      return coalesce(
        nullif(current_setting('request.jwt.claim.email', true), ''),
        nullif(nullif(current_setting('request.jwt.claims', true), '')::jsonb ->> 'email', '')
      );
    comment on function auth.email() is 'Address of the caller (claim email); null when the token holds none.';
  end if;
end
$migration$;

grant execute on function auth.jwt(), auth.uid(), auth.role(), auth.email() to anon, authenticated, service_role;
