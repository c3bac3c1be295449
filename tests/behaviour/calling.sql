-- Functions of the record, beside those of schema.sql.

create domain api.rating as int check (value between 1 and 10);
create type api.spot as (x int, y int);
create type hidden.secret_spot as (x int, y int, z int);

-- Results.
create function api.rate(v api.rating) returns api.rating language sql immutable as $$ select v $$;
create function api.a_spot() returns api.spot language sql immutable as $$ select (10, 5)::api.spot $$;
create function api.no_spot() returns api.spot language sql immutable as $$ select null::api.spot $$;
create function api.some_spots() returns setof api.spot language sql immutable as $$ values (1, 2), (3, 4) $$;
create function api.grade_of(g api.grade) returns api.grade language sql immutable as $$ select g $$;
create function api.range_of(low int, up int) returns int4range language sql immutable as $$ select int4range(low, up) $$;
create function api.some_words() returns setof text language sql immutable as $$ values ('one'), (null), ('"three"') $$;
create function api.some_arrays() returns setof int[] language sql immutable as $$ values (array[1, 2]), (array[3]) $$;
create function api.some_json() returns setof json language sql immutable as $$ values ('{"a": 1}'::json), ('[2]') $$;
create function api.no_rows() returns setof api.massifs language sql stable as $$ select * from api.massifs where false $$;
create function api.one_column() returns table (a text) language sql immutable as $$ select 'A' $$;
create function api.same_name() returns table (same_name text, value int) language sql immutable as $$ select 'hello', 1 $$;
create function api.a_record() returns record language sql stable as $$ select * from api.massifs where id = 1 $$;
create function api.some_records() returns setof record language sql stable as $$ select * from api.massifs where id < 3 $$;
create function api.one_inout(inout n int) language sql immutable as $$ select n + 1 $$;
create function api.many_out(out doc json, out num int, out word text) language sql immutable as
  $$ select '{"a": 1}'::json, 3, 'four' $$;
create function api.many_inout(inout n int, inout word text, inout flag boolean default true) language sql immutable as
  $$ select n, word, flag $$;
create function api.all_massifs() returns setof api.massifs language sql stable as $$ select * from api.massifs $$;
create function api.all_climbers() returns setof api.climbers language sql stable as $$ select * from api.climbers $$;
create function api.raw_json() returns json language sql immutable as $$ select '{"b":  2,   "a": null}'::json $$;
create function api.flag_colour(c api.colour) returns api.colour language sql immutable as $$ select c $$;

-- Arguments.
create function api.of_every_kind(
  "double" float8, "varchar" varchar, "boolean" boolean, "date" date, enum api.grade, arr text[], "integer" int,
  "json" json default '{}', "jsonb" jsonb default '{}'
) returns json language sql immutable as $$
  select json_build_object('double', $1, 'varchar', $2, 'boolean', $3, 'date', $4, 'enum', $5, 'arr', $6, 'integer', $7,
    'json', $8, 'jsonb', $9) $$;
create function api.json_kind(v json) returns text language sql immutable as $$ select json_typeof(v) $$;
create function api.three_defaults(a int default 1, b int default 2, c int default 3) returns int language sql immutable as
  $$ select a + b + c $$;
create function api."Quoted Function"("user" text, "fullName" text) returns json language sql immutable as
  $$ select json_build_object('user', "user", 'fullName', "fullName") $$;
create function api.words(variadic v text[] default '{}') returns text[] language sql immutable as $$ select v $$;
create function api.greet_all(name text, variadic v text[] default '{}') returns text language sql immutable as
  $$ select 'Hello ' || name || ' and ' || cardinality(v) $$;
create function api.char_of(c char(5), codes char(3)[]) returns table (c varchar, codes varchar[]) language sql immutable as
  $$ select c, codes $$;
create function api.constants() returns int language sql immutable as $$ select 42 $$;
create function api.below(id int) returns setof api.massifs language sql stable as
  $$ select * from api.massifs m where m.id < below.id $$;
create function api.only_named(doc json) returns json language sql immutable as $$ select doc $$;
create function api.only_int(int) returns int language sql immutable as $$ select $1 $$;
create function api.body(x int, y int) returns int language sql immutable as $$ select x + y $$;
create function api.body() returns int language sql immutable as $$ select 1 $$;
create function api.body(json) returns json language sql immutable as $$ select $1 $$;
create function api.body(text) returns text language sql immutable as $$ select 'text ' || $1 $$;
create function api.body(bytea) returns text language sql immutable as $$ select 'bytes ' || length($1) $$;
create function api.two_bodies(json) returns json language sql immutable as $$ select $1 $$;
create function api.two_bodies(jsonb) returns jsonb language sql immutable as $$ select $1 $$;
create function api.markup(xml) returns xml language sql immutable as $$ select $1 $$;

create function api.all_letters() returns setof api.letters language sql stable as $$ select * from api.letters $$;
create function api.join_letters("key" text, "value" text, "row" text, r text) returns text language sql immutable as
  $$ select "key" || "value" || "row" || r $$;

-- Volatility and settings.
create sequence hidden.ticks;
create function api.tick() returns bigint language sql volatile security definer as $$ select nextval('hidden.ticks') $$;
create function api.mode() returns text language sql volatile as $$ select current_setting('transaction_read_only') $$;
create function api.stable_mode() returns text language sql stable as $$ select current_setting('transaction_read_only') $$;
create function api.short_nap() returns int language plpgsql stable set statement_timeout = '50ms' as
  $$ begin perform pg_sleep(5); return 1; end $$;
create function api.delete_massifs(above int) returns setof api.massifs language sql volatile as
  $$ delete from api.massifs where id > above returning * $$;
create function api.rename_massifs(low int, high int, name text) returns setof api.massifs language sql volatile as
  $$ update api.massifs m set name = rename_massifs.name || m.id where m.id between low and high returning * $$;
create function api.touched(wanted int) returns boolean language sql stable security definer as
  $$ select exists (select from api.vault where id = wanted) $$;
create function api.untouch() returns void language sql volatile security definer as $$ delete from api.vault $$;
create function api.touch_and_fail(new_id int) returns int language plpgsql volatile as
  $$ begin perform api.touch(new_id); return 1 / 0; end $$;
create function api.bad_header(value text) returns text language plpgsql stable as $$ begin
  perform set_config('response.headers', value, true); return 'ok'; end $$;
create function api.status_and_body() returns json language plpgsql stable as $$ begin
  perform set_config('response.status', '403', true); return '{"message": "no"}'; end $$;
create function api.app_setting(name text) returns text language sql stable as
  $$ select current_setting('app.settings.' || name, true) $$;
create function api.void_headers() returns void language plpgsql stable as $$ begin
  perform set_config('response.headers', '[{"X-Void": "yes"}]', true); end $$;

-- Media types.
create domain api."text/html" as text;
create domain api."text/plain" as text;
create domain api."text/xml" as xml;
create domain api."image/png" as bytea;
create domain api."application/vnd.names" as text;
create domain api."application/vnd.count" as bytea;
create domain api."*/*" as bytea;
create function api.page() returns api."text/html" language sql immutable as $$ select '<h1>Peaks</h1>'::api."text/html" $$;
create function api.plain() returns api."text/plain" language sql immutable as $$ select 'just text'::api."text/plain" $$;
create function api.no_plain() returns api."text/plain" language sql immutable as $$ select null::api."text/plain" $$;
create function api.tag() returns api."text/xml" language sql immutable as $$ select '<peak/>'::xml::api."text/xml" $$;
create function api.icon() returns api."image/png" language sql immutable as $$ select 'PNG'::bytea::api."image/png" $$;
create function api.plain_twice() returns setof api."text/plain" language sql immutable as
  $$ values ('a'::api."text/plain"), ('b') $$;
create function api.anything() returns api."*/*" language sql immutable as $$ select 'any'::bytea::api."*/*" $$;
create function api.chosen() returns api."*/*" language plpgsql stable as $$
declare wanted text := current_setting('request.headers', true)::json ->> 'accept';
begin
  if wanted = 'app/other' then raise sqlstate 'PT406' using message = 'Not Acceptable'; end if;
  perform set_config('response.headers',
    json_build_array(json_build_object('Content-Type', case wanted when '*/*' then 'app/default' else wanted end))::text, true);
  return wanted::bytea;
end $$;
create function api.add_name(state api."application/vnd.names", next api.massifs) returns api."application/vnd.names"
  language sql immutable as $$ select (state || next.name || E'\n')::api."application/vnd.names" $$;
create aggregate api.names_of(api.massifs) (sfunc = api.add_name, stype = api."application/vnd.names", initcond = '');
create function api.add_one(state api."application/vnd.count", next anyelement) returns api."application/vnd.count"
  language sql immutable as $$ select (state || '.'::bytea)::api."application/vnd.count" $$;
create aggregate api.count_of(anyelement) (sfunc = api.add_one, stype = api."application/vnd.count", initcond = '');

-- What goes wrong by itself, without being raised.
create function api.too_deep(n int) returns int language plpgsql stable as $$ begin return api.too_deep(n + 1); end $$;
create function api.ends_itself() returns int language plpgsql volatile as $$ begin commit; return 1; end $$;
create function api.late_isolation() returns int language plpgsql volatile as
  $$ begin set transaction isolation level serializable; return 1; end $$;
create function api.no_value_yet() returns bigint language sql stable security definer as $$ select currval('hidden.ticks') $$;
create function api.no_file() returns text language plpgsql stable security definer as
  $$ begin return pg_read_file('no such file'); end $$;
create function api.no_data() returns int language plpgsql stable as
  $$ declare n int; begin select id into strict n from api.massifs where id = 99; return n; end $$;
create function api.too_much_data() returns int language plpgsql stable as
  $$ declare n int; begin select id into strict n from api.massifs; return n; end $$;
create function api.asserts() returns int language plpgsql stable as $$ begin assert false, 'not so'; return 1; end $$;
create function api.grants_badly() returns int language plpgsql volatile security definer as
  $$ begin grant select on api.massifs to public with grant option; return 1; end $$;
create function api.fills_disk() returns bigint language sql stable security definer set temp_file_limit = '1kB' as
  $$ select count(*) from generate_series('-infinity'::timestamp, 'epoch'::timestamp, interval '1 day') $$;
create function api.huge_array() returns int language sql stable as $$ select cardinality(array_fill(1, array[2000000000])) $$;
create function api.null_argument() returns void language plpgsql stable as
  $$ begin raise sqlstate '22004' using message = 'no null here'; end $$;
create function api.does_not_return() returns int language plpgsql stable as $$ begin null; end $$;
create function api.bad_regex(pattern text) returns boolean language sql stable as $$ select 'x' ~ pattern $$;

-- Called before each request, where that is configured: it does what headers ask for.
create function hidden.check_request() returns void language plpgsql as $$
declare
  asked json := current_setting('request.headers', true)::json;
  told jsonb := jsonb_build_array(
    jsonb_build_object('X-Checked', 'yes'),
    jsonb_build_object('X-Seen', current_setting('request.method', true) || ' ' || current_setting('request.path', true)));
begin
  if asked ->> 'x-refuse' is not null then
    raise exception using errcode = asked ->> 'x-refuse', message = 'not you';
  end if;
  if asked ->> 'x-type' is not null then
    told := told || jsonb_build_object('Content-Type', asked ->> 'x-type');
  end if;
  if asked ->> 'x-vary' is not null then
    told := told || jsonb_build_object('Vary', asked ->> 'x-vary');
  end if;
  perform set_config('response.headers', told::text, true);
  perform set_config('response.status', coalesce(asked ->> 'x-status', ''), true);
  if asked ->> 'x-role' is not null then
    perform set_config('role', asked ->> 'x-role', true);
  end if;
end $$;
create function api.root_spec() returns json language sql stable as
  $$ select '{"swagger": "2.0", "info": {"title": "Peaks"}}'::json $$;
