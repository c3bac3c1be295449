-- What the record writes to, beside the tables of schema.sql.

-- Partitions are no relations of their own.
create table api.pitches (
  climb text, number int, grade api.grade not null default 'fair', primary key (climb, number)
) partition by list (climb);
create table hidden.pitches_east partition of api.pitches for values in ('east');
create table hidden.pitches_rest partition of api.pitches default;
insert into api.pitches values ('east', 1, 'easy'), ('east', 2, 'fair');

create table api.only_keys (id int primary key);
insert into api.only_keys values (1), (2);
create table api."Camel Case" ("idOne" int primary key, "nameOne" text default 'none');
insert into api."Camel Case" values (1, 'one');
create table api.unique_pairs (a int, b int, value text, unique (a, b));
insert into api.unique_pairs values (1, 1, 'A');
create table api.narrow (id int primary key, bits bit(5), chars char(5), word varchar(5), small smallint);
insert into api.narrow values (1, '00000', 'aaaaa', 'five', 1);
create table api.documents (id int primary key, plain json, binary_form jsonb);
insert into api.documents values (1, '{"a": 1, "a": 2}', '{"b": [1, 2]}');
create table api.stays (id int primary key, during int4range, exclude using gist (during with &&));
insert into api.stays values (1, '[1,5)');

-- Defaults of domains, and of columns that have such a domain.
create domain api.lucky as int default 7;
create table api.tickets (number api.lucky, special api.lucky default 77, holder text);

-- A colour is a number inside and text outside.
create domain api.colour as int;
create function api.colour_shown(api.colour) returns json language sql immutable as
  $$ select to_json('#' || lpad(to_hex($1), 6, '0')) $$;
create function api.colour_of_text(text) returns api.colour language sql immutable as
  $$ select (('x' || lpad(substr($1, 2), 8, '0'))::bit(32)::int)::api.colour $$;
create function api.colour_of_json(json) returns api.colour language sql immutable as
  $$ select api.colour_of_text($1 #>> '{}') $$;
create cast (api.colour as json) with function api.colour_shown(api.colour) as implicit;
create cast (text as api.colour) with function api.colour_of_text(text) as implicit;
create cast (json as api.colour) with function api.colour_of_json(json) as implicit;
create table api.flags (id int primary key, label text, colour api.colour default 255);
insert into api.flags values (1, 'red', 16711680), (2, 'green', 65280);
create function api.stored_colour(flag int) returns int language sql stable as
  $$ select colour::int from api.flags where id = flag $$;
create view api.flag_shades as select id, label, colour, (colour / 2)::api.colour as darker from api.flags;

-- Views that can be written to, by themselves, by a trigger or by a rule, and one that cannot.
create view api.heavy_gear as select id, name, weight from api.gear where weight > 1000 with check option;
create view api.gear_owners as
  select g.id, g.name as item, c.name as owner from api.gear g join api.climbers c on c.id = g.owner_id;
create function hidden.write_gear_owner() returns trigger language plpgsql security definer as $$
begin
  if tg_op = 'DELETE' then
    delete from api.gear where id = old.id;
    return old;
  end if;
  if tg_op = 'UPDATE' then
    update api.gear set name = new.item where id = old.id;
    return new;
  end if;
  insert into api.gear (id, name, owner_id)
    values (new.id, new.item, (select id from api.climbers where name = new.owner));
  new.item := upper(new.item);
  return new;
end $$;
create trigger write instead of insert or update or delete on api.gear_owners
  for each row execute function hidden.write_gear_owner();
create table hidden.kept_notes (id int primary key, note text);
insert into hidden.kept_notes values (1, 'kept');
create view api.notes as select id, note from hidden.kept_notes;
create rule keep_lower as on insert to api.notes do instead
  insert into hidden.kept_notes values (new.id, lower(new.note)) returning id, note;
create rule never_delete as on delete to api.notes do instead nothing;

-- Triggers that answer for the server.
create table api.stuff (id int primary key, name text);
insert into api.stuff values (1, 'stuff 1');
create function hidden.tell_of_insert() returns trigger language plpgsql as $$ begin
  perform set_config('response.headers', json_build_array(json_build_object(
    'Location', '/stuff?id=eq.' || new.id || '&told=true'))::text, true);
  return new; end $$;
create function hidden.tell_of_update() returns trigger language plpgsql as $$ begin
  perform set_config('response.status', '205', true);
  return new; end $$;
create trigger tell_of_insert before insert on api.stuff for each row execute function hidden.tell_of_insert();
create trigger tell_of_update before update on api.stuff for each row execute function hidden.tell_of_update();

-- Names that a statement could have use for itself.
create table api.letters (
  id int primary key,
  "k" text, "h" text, "r" text, "s" text, "t" text, "a" text, "_" text, "x" text,
  "key" text unique, "value" text, "row" text, "element" text, "elem" text default 'E', "val" text, "pair" text, "page" text,
  "counted" text, "count" text, "body" text, "json_data" text, "data" text, "total" text, "rows" text, "total_result_set" text,
  "page_total" text, "response_status" text
);
insert into api.letters values
  (1, 'k1', 'h1', 'r1', 's1', 't1', 'a1', '_1', 'x1', 'key1', 'value1', 'row1', 'element1', 'elem1',
  'val1', 'pair1', 'page1', 'counted1', 'count1', 'body1', 'json_data1', 'data1', 'total1', 'rows1', 'total_result_set1', 'page_total1', 'response_status1');
create table api.letter_notes (
  id int primary key, key text, letter_id int references api.letters (id) on delete cascade,
  "a name that is as long as a name of a column can be in here ok" text
);
insert into api.letter_notes values (1, 'note', 1);

-- Rights: rows that can be written and not be read, and the other way round.
create table api.mailbox (id int generated by default as identity primary key, line text);
create table api.signed (id int primary key, author text default current_setting('request.jwt.claims', true)::json ->> 'sub', line text);
alter table api.signed enable row level security;
create policy everybody_reads on api.signed for select using (true);
create policy authors_insert on api.signed for insert with check (author = current_setting('request.jwt.claims', true)::json ->> 'sub');
create policy authors_change on api.signed for update using (author = current_setting('request.jwt.claims', true)::json ->> 'sub');
insert into api.signed values (1, 'ada', 'by ada'), (2, 'bo', 'by bo');
-- A policy that asks itself.
create table api.mirrors (id int primary key);
alter table api.mirrors enable row level security;
create policy endless on api.mirrors using (exists (select from api.mirrors));

grant usage on schema hidden to behaviour_anon, behaviour_user, behaviour_slow;
grant select, insert, update, delete on
  api.pitches, api.only_keys, api."Camel Case", api.unique_pairs, api.narrow, api.documents, api.stays, api.tickets, api.flags,
  api.flag_shades, api.heavy_gear, api.gear_owners, api.notes, api.stuff, api.signed, api.mirrors, api.letters, api.letter_notes, hidden.kept_notes
  to behaviour_anon, behaviour_user, behaviour_slow;
grant insert on api.mailbox to behaviour_anon;
