-- Hub-Lib: types, tables, indexes, functions, triggers and the rows that are present from the start.
--
-- Needs PostgreSQL 15 or later (views that run with the rights of their reader) and the platform migrations before it.
-- Can be applied again at any time: what exists is kept, and tables of an earlier Hub-Lib database are completed in place.
-- policies.sql, applied after this file, decides who may do what.

set search_path = public, extensions;
set client_min_messages = warning;

create schema if not exists extensions;
create extension if not exists "uuid-ossp" with schema extensions;
create extension if not exists pg_trgm with schema extensions;

create schema if not exists hub_lib;
comment on schema hub_lib is 'Predicates and trigger functions of Hub-Lib. Not exposed by the REST surface.';


-- Types

do $$
declare
  wanted record;
begin
  for wanted in
    select *
    from (values
      ('app_role',            array['admin', 'user']),
      ('resource_type',       array['file_upload', 'external_link', 'github_repo']),
      ('resource_visibility', array['public', 'private', 'shared_users', 'shared_groups']),
      ('suggestion_status',   array['pending', 'approved', 'rejected']),
      ('suggestion_type',     array['category', 'tag', 'resource_type', 'filter']),
      ('vote_type',           array['upvote', 'downvote']),
      ('permission_type',     array['read', 'write']),
      ('group_role',          array['admin', 'member'])
    ) as enums(name, labels)
  loop
    if to_regtype('public.' || wanted.name) is null then
      execute format(
        'create type public.%I as enum (%s)',
        wanted.name,
        (select string_agg(quote_literal(label), ', ' order by position)
         from unnest(wanted.labels) with ordinality as labels(label, position))
      );
    end if;
  end loop;
end
$$;


-- People

create table if not exists profiles (
  id uuid primary key default uuid_generate_v4(),
  user_id uuid not null unique,
  email varchar(255) not null unique,
  username varchar(255) unique,
  full_name varchar(255),
  bio text,
  avatar_url text,
  github_username varchar(255),
  preferred_layout varchar(50),
  created_at timestamptz default now(),
  updated_at timestamptz default now()
);
comment on table profiles is 'A person as others see them. Every reference to a user points at user_id.';
comment on column profiles.id is 'Always equal to user_id: clients look profiles up by either.';
comment on column profiles.email is 'Never readable through the API; administrators call profile_addresses().';

create table if not exists user_roles (
  id uuid primary key default uuid_generate_v4(),
  user_id uuid not null unique references profiles(user_id) on delete cascade,
  role app_role not null default 'user',
  created_at timestamptz default now()
);
comment on table user_roles is 'Application role of a person; one row each.';

create table if not exists auth_profiles (
  id uuid primary key default uuid_generate_v4(),
  user_id uuid not null unique references profiles(user_id) on delete cascade,
  password_hash varchar(255) not null,
  created_at timestamptz default now(),
  updated_at timestamptz default now()
);
comment on table auth_profiles is 'Credentials of an earlier installation, kept for import. Not reachable through the API.';

create table if not exists oauth_accounts (
  id uuid primary key default uuid_generate_v4(),
  user_id uuid not null references profiles(user_id) on delete cascade,
  provider varchar(50) not null,
  provider_user_id varchar(255) not null,
  provider_email varchar(255),
  access_token text not null,
  refresh_token text,
  token_expires_at timestamptz,
  scope text[],
  metadata jsonb,
  is_primary boolean default false,
  created_at timestamptz default now(),
  updated_at timestamptz default now(),
  unique (user_id, provider, provider_user_id)
);
comment on table oauth_accounts is 'Accounts at identity providers. Not reachable through the API.';

create table if not exists api_tokens (
  id uuid primary key default uuid_generate_v4(),
  user_id uuid not null references profiles(user_id) on delete cascade,
  token varchar(255) not null unique,
  name varchar(255) not null,
  last_used_at timestamptz,
  expires_at timestamptz,
  created_at timestamptz default now()
);
comment on table api_tokens is 'Tokens for programs. Not reachable through the API.';


-- Resources

create table if not exists resources (
  id uuid primary key default uuid_generate_v4(),
  user_id uuid not null references profiles(user_id) on delete cascade,
  title varchar(500) not null,
  description text not null,
  category varchar(255),
  tags text[],
  resource_type resource_type not null default 'external_link',
  visibility resource_visibility not null default 'public',
  github_url text,
  external_url text,
  file_path text,
  file_url text,
  file_size varchar(50),
  language varchar(100),
  license varchar(100),
  readme text,
  average_rating numeric(3,2) default 0 check (average_rating >= 0 and average_rating <= 5),
  ratings_count integer default 0 check (ratings_count >= 0),
  downloads_count integer default 0 check (downloads_count >= 0),
  views_count integer default 0 check (views_count >= 0),
  created_at timestamptz default now(),
  updated_at timestamptz default now()
);
comment on table resources is 'What people share. Ratings and counters are kept by the database, never written by clients.';
comment on column resources.visibility is 'private hides a resource even from those it was shared with earlier.';
comment on column resources.file_url is 'Address of the file, or the file itself as a data URL of up to about 14 MB.';

create table if not exists saved_resources (
  id uuid primary key default uuid_generate_v4(),
  user_id uuid not null references profiles(user_id) on delete cascade,
  resource_id uuid not null references resources(id) on delete cascade,
  created_at timestamptz default now(),
  unique (user_id, resource_id)
);
comment on table saved_resources is 'Bookmarks, visible to their owner alone.';

create table if not exists resource_ratings (
  id uuid primary key default uuid_generate_v4(),
  user_id uuid not null references profiles(user_id) on delete cascade,
  resource_id uuid not null references resources(id) on delete cascade,
  rating integer not null check (rating >= 1 and rating <= 5),
  created_at timestamptz default now(),
  updated_at timestamptz default now(),
  unique (user_id, resource_id)
);
comment on table resource_ratings is 'One rating from 1 to 5 per person and resource; everybody sees the average on resources.';

create table if not exists resource_comments (
  id uuid primary key default uuid_generate_v4(),
  resource_id uuid not null references resources(id) on delete cascade,
  user_id uuid not null references profiles(user_id) on delete cascade,
  parent_id uuid references resource_comments(id) on delete cascade,
  content text not null check (length(content) > 0),
  created_at timestamptz default now(),
  updated_at timestamptz default now()
);
comment on table resource_comments is 'Comments and, through parent_id, replies to them.';

create table if not exists resource_versions (
  id uuid primary key default uuid_generate_v4(),
  resource_id uuid not null references resources(id) on delete cascade,
  version_number integer not null check (version_number > 0),
  title varchar(500) not null,
  description text not null,
  category varchar(255),
  tags text[],
  github_url text,
  external_url text,
  language varchar(100),
  readme text,
  file_path text,
  file_url text,
  file_size varchar(50),
  created_by uuid not null references profiles(user_id) on delete cascade,
  change_summary text,
  created_at timestamptz default now(),
  unique (resource_id, version_number)
);
comment on table resource_versions is 'Earlier states of a resource; never changed once written.';

create table if not exists resource_templates (
  id uuid primary key default uuid_generate_v4(),
  name varchar(255) not null,
  description text not null,
  category varchar(255) not null,
  tags text[] not null,
  language varchar(100),
  readme text,
  icon varchar(255),
  preview text,
  is_public boolean default false,
  created_by uuid references profiles(user_id) on delete set null,
  usage_count integer default 0 check (usage_count >= 0),
  template_data jsonb not null,
  created_at timestamptz default now(),
  updated_at timestamptz default now()
);
comment on table resource_templates is 'Forms to start a resource from. usage_count moves by increment_template_usage().';


-- Groups and shares

create table if not exists groups (
  id uuid primary key default uuid_generate_v4(),
  name varchar(255) not null,
  description text,
  owner_id uuid not null references profiles(user_id) on delete cascade,
  created_at timestamptz default now(),
  updated_at timestamptz default now()
);
comment on table groups is 'Groups of people. The owner is a member with role admin from the start.';

create table if not exists group_members (
  id uuid primary key default uuid_generate_v4(),
  group_id uuid not null references groups(id) on delete cascade,
  user_id uuid not null references profiles(user_id) on delete cascade,
  role group_role not null default 'member',
  added_at timestamptz default now(),
  unique (group_id, user_id)
);
comment on table group_members is 'Who belongs to a group, and who administers it.';

create table if not exists resource_shares (
  id uuid primary key default uuid_generate_v4(),
  resource_id uuid not null references resources(id) on delete cascade,
  shared_with_user_id uuid references profiles(user_id) on delete cascade,
  shared_with_group_id uuid references groups(id) on delete cascade,
  permission permission_type not null default 'read',
  expires_at timestamptz,
  created_at timestamptz default now(),
  check (num_nonnulls(shared_with_user_id, shared_with_group_id) = 1)
);
comment on table resource_shares is
  'A resource opened to one person or one group; without effect while the resource is private.';
comment on column resource_shares.expires_at is 'The share counts until this instant; null means without end.';


-- Collections

create table if not exists collections (
  id uuid primary key default uuid_generate_v4(),
  name varchar(255) not null,
  description text,
  user_id uuid not null references profiles(user_id) on delete cascade,
  is_public boolean default false,
  cover_image_url text,
  resources_count integer default 0 check (resources_count >= 0),
  created_at timestamptz default now(),
  updated_at timestamptz default now()
);
comment on table collections is 'Lists of resources that a person puts together.';

create table if not exists collection_resources (
  id uuid primary key default uuid_generate_v4(),
  collection_id uuid not null references collections(id) on delete cascade,
  resource_id uuid not null references resources(id) on delete cascade,
  added_at timestamptz default now(),
  order_index integer default 0,
  unique (collection_id, resource_id)
);
-- Two names for one place in the list: older clients read, write and sort by "order". A real column serves both names in
-- filters, embeds, upserts and change events; a view would lose the last, a generated column could not be written.
alter table collection_resources add column if not exists "order" integer;
comment on table collection_resources is 'Which resources a collection holds, in which order.';
comment on column collection_resources."order" is 'Always equal to order_index; either may be written.';


-- Suggestions

create table if not exists category_tag_suggestions (
  id uuid primary key default uuid_generate_v4(),
  name varchar(255) not null,
  description text,
  type suggestion_type not null,
  status suggestion_status not null default 'pending',
  action varchar(50) not null default 'add' check (action = 'add'),
  votes_count integer default 0,
  suggested_by uuid references profiles(user_id) on delete set null,
  reviewed_by uuid references profiles(user_id) on delete set null,
  reviewed_at timestamptz,
  created_at timestamptz default now(),
  updated_at timestamptz default now(),
  unique (name, type)
);
-- A net score can be negative; an earlier schema refused that.
alter table category_tag_suggestions drop constraint if exists category_tag_suggestions_votes_count_check;
comment on table category_tag_suggestions is
  'Categories, tags, resource types and filters: approved ones are in use, pending ones are put to the vote.';
comment on column category_tag_suggestions.votes_count is
  'Net score, upvotes less downvotes; kept by the database, may be negative.';
comment on column category_tag_suggestions.reviewed_by is 'Null when the vote decided.';

create table if not exists suggestion_votes (
  id uuid primary key default uuid_generate_v4(),
  suggestion_id uuid not null references category_tag_suggestions(id) on delete cascade,
  user_id uuid not null references profiles(user_id) on delete cascade,
  vote_type vote_type not null,
  created_at timestamptz default now(),
  unique (suggestion_id, user_id)
);
comment on table suggestion_votes is 'One vote per person and suggestion.';


-- Settings, categories, notifications, events

create table if not exists admin_configs (
  id uuid primary key default uuid_generate_v4(),
  key varchar(255) not null unique,
  value jsonb not null,
  description text,
  created_at timestamptz default now(),
  updated_at timestamptz default now()
);
alter table admin_configs add column if not exists value_text text;
comment on table admin_configs is
  'Settings that administrators change; the values are JSON. The view admin_config shows the same rows as text.';
comment on column admin_configs.value_text is
  'The value as text (a JSON string without its quotes); follows value, and value follows it.';

create table if not exists category_hierarchy (
  id uuid primary key default uuid_generate_v4(),
  name varchar(255) not null,
  parent_id uuid references category_hierarchy(id) on delete cascade,
  description text,
  order_index integer default 0,
  is_active boolean default true,
  created_at timestamptz default now(),
  updated_at timestamptz default now()
);
comment on table category_hierarchy is 'Tree of categories; inactive ones are shown to administrators alone.';

create table if not exists category_filters (
  id uuid primary key default uuid_generate_v4(),
  category_id uuid not null references category_hierarchy(id) on delete cascade,
  filter_key varchar(255) not null,
  filter_type varchar(50) not null
    check (filter_type in ('text', 'select', 'multiselect', 'boolean', 'checkbox', 'radio', 'number', 'date', 'range')),
  filter_label varchar(255) not null,
  filter_options text[],
  is_required boolean default false,
  order_index integer default 0,
  created_at timestamptz default now(),
  updated_at timestamptz default now()
);
comment on table category_filters is 'Filters that a category offers.';

create table if not exists notifications (
  id uuid primary key default uuid_generate_v4(),
  user_id uuid not null references profiles(user_id) on delete cascade,
  type varchar(50) not null,
  title varchar(255) not null,
  message text not null,
  resource_id uuid references resources(id) on delete cascade,
  group_id uuid references groups(id) on delete cascade,
  is_read boolean default false,
  created_at timestamptz default now()
);
comment on table notifications is
  'Messages to one person, written by the database when somebody shares, comments, invites or approves.';

create table if not exists analytics_events (
  id uuid primary key default uuid_generate_v4(),
  event varchar(255) not null,
  user_id uuid references profiles(user_id) on delete set null,
  resource_id uuid references resources(id) on delete set null,
  metadata jsonb,
  created_at timestamptz default now()
);
comment on table analytics_events is 'What happened in the interface; anybody may add, administrators read.';


-- Indexes

create index if not exists idx_analytics_events_created_at on analytics_events (created_at);
create index if not exists idx_analytics_events_event on analytics_events (event);
create index if not exists idx_analytics_events_event_created_at on analytics_events (event, created_at);
create index if not exists idx_analytics_events_resource_id on analytics_events (resource_id);
create index if not exists idx_analytics_events_user_id on analytics_events (user_id);
create index if not exists idx_api_tokens_expires_at on api_tokens (expires_at);
create index if not exists idx_api_tokens_token on api_tokens (token);
create index if not exists idx_api_tokens_user_id on api_tokens (user_id);
create index if not exists idx_auth_profiles_user_id on auth_profiles (user_id);
create index if not exists idx_category_filters_category_id on category_filters (category_id);
create index if not exists idx_category_hierarchy_is_active on category_hierarchy (is_active);
create index if not exists idx_category_hierarchy_parent_id on category_hierarchy (parent_id);
create index if not exists idx_category_tag_suggestions_status on category_tag_suggestions (status);
create index if not exists idx_category_tag_suggestions_suggested_by on category_tag_suggestions (suggested_by);
create index if not exists idx_category_tag_suggestions_type on category_tag_suggestions (type);
create index if not exists idx_category_tag_suggestions_votes_count on category_tag_suggestions (votes_count);
create index if not exists idx_collection_resources_collection_id on collection_resources (collection_id);
create index if not exists idx_collection_resources_resource_id on collection_resources (resource_id);
create index if not exists idx_collections_created_at on collections (created_at);
create index if not exists idx_collections_is_public on collections (is_public);
create index if not exists idx_collections_user_id on collections (user_id);
create index if not exists idx_group_members_group_id on group_members (group_id);
create index if not exists idx_group_members_user_id on group_members (user_id);
create index if not exists idx_groups_created_at on groups (created_at);
create index if not exists idx_groups_owner_id on groups (owner_id);
create index if not exists idx_notifications_created_at on notifications (created_at);
create index if not exists idx_notifications_is_read on notifications (is_read);
create index if not exists idx_notifications_user_id on notifications (user_id);
create index if not exists idx_notifications_user_id_is_read on notifications (user_id, is_read);
create index if not exists idx_oauth_accounts_primary on oauth_accounts (user_id, provider, is_primary) where is_primary = true;
create index if not exists idx_oauth_accounts_provider on oauth_accounts (provider);
create index if not exists idx_oauth_accounts_provider_user_id on oauth_accounts (provider, provider_user_id);
create index if not exists idx_oauth_accounts_user_id on oauth_accounts (user_id);
create index if not exists idx_profiles_email on profiles (email);
create index if not exists idx_profiles_user_id on profiles (user_id);
create index if not exists idx_profiles_username on profiles (username);
create index if not exists idx_resource_comments_created_at on resource_comments (created_at);
create index if not exists idx_resource_comments_parent_id on resource_comments (parent_id);
create index if not exists idx_resource_comments_resource_id on resource_comments (resource_id);
create index if not exists idx_resource_comments_user_id on resource_comments (user_id);
create index if not exists idx_resource_ratings_rating on resource_ratings (rating);
create index if not exists idx_resource_ratings_resource_id on resource_ratings (resource_id);
create index if not exists idx_resource_ratings_user_id on resource_ratings (user_id);
create index if not exists idx_resource_shares_group_id on resource_shares (shared_with_group_id);
create index if not exists idx_resource_shares_resource_id on resource_shares (resource_id);
create index if not exists idx_resource_shares_user_id on resource_shares (shared_with_user_id);
create index if not exists idx_resource_versions_created_by on resource_versions (created_by);
create index if not exists idx_resource_versions_resource_id on resource_versions (resource_id);
create index if not exists idx_resource_versions_resource_id_version on resource_versions (resource_id, version_number);
create index if not exists idx_resources_category on resources (category);
create index if not exists idx_resources_created_at on resources (created_at);
create index if not exists idx_resources_description_trgm on resources using gin (description gin_trgm_ops);
create index if not exists idx_resources_resource_type on resources (resource_type);
create index if not exists idx_resources_tags on resources using gin (tags);
create index if not exists idx_resources_title_trgm on resources using gin (title gin_trgm_ops);
create index if not exists idx_resources_user_id on resources (user_id);
create index if not exists idx_resources_visibility on resources (visibility);
create index if not exists idx_saved_resources_resource_id on saved_resources (resource_id);
create index if not exists idx_saved_resources_user_id on saved_resources (user_id);
create index if not exists idx_suggestion_votes_suggestion_id on suggestion_votes (suggestion_id);
create index if not exists idx_suggestion_votes_user_id on suggestion_votes (user_id);

-- Lists the interface asks for, in the order it asks for them.
create index if not exists idx_resources_visibility_created_at on resources (visibility, created_at desc);
create index if not exists idx_resources_visibility_views_count on resources (visibility, views_count desc);
create index if not exists idx_resources_user_id_created_at on resources (user_id, created_at desc);
create index if not exists idx_resource_comments_resource_id_created_at on resource_comments (resource_id, created_at);
create index if not exists idx_notifications_user_id_created_at on notifications (user_id, created_at desc);
create index if not exists idx_saved_resources_user_id_created_at on saved_resources (user_id, created_at desc);
create index if not exists idx_collections_user_id_updated_at on collections (user_id, updated_at desc);
create index if not exists idx_collections_public_updated_at on collections (updated_at desc) where is_public;
create index if not exists idx_collection_resources_collection_id_order on collection_resources (collection_id, "order");
create index if not exists idx_category_tag_suggestions_type_votes on category_tag_suggestions (type, votes_count desc);

-- Text search with ilike.
create index if not exists idx_resources_readme_trgm on resources using gin (readme gin_trgm_ops);
create index if not exists idx_collections_name_trgm on collections using gin (name gin_trgm_ops);
create index if not exists idx_collections_description_trgm on collections using gin (description gin_trgm_ops);
create index if not exists idx_profiles_username_trgm on profiles using gin (username gin_trgm_ops);
create index if not exists idx_profiles_full_name_trgm on profiles using gin (full_name gin_trgm_ops);

-- Foreign keys that a deletion follows, and what the row policies look up.
create index if not exists idx_category_tag_suggestions_reviewed_by on category_tag_suggestions (reviewed_by);
create index if not exists idx_notifications_resource_id on notifications (resource_id);
create index if not exists idx_notifications_group_id on notifications (group_id);
create index if not exists idx_resource_templates_created_by on resource_templates (created_by);
create index if not exists idx_resource_templates_is_public on resource_templates (is_public);
create index if not exists idx_user_roles_admins on user_roles (user_id) where role = 'admin';


-- Predicates
--
-- SECURITY DEFINER, because a policy that read a table with policies of its own would run in circles (42P17) or see too
-- little. They answer for the caller (auth.uid()), or about one row whose id is given; the schema is not exposed, so that
-- only policies and guards ask them. The sets are
-- meant for `id in (select …)`: evaluated once per statement, not once per row. PL/pgSQL keeps the plans of its queries for
-- the session, where an SQL function that cannot be inlined would plan them again at every call.

create or replace function hub_lib.is_admin() returns boolean
  language plpgsql stable security definer set search_path = ''
as $$
begin
  return exists (select from public.user_roles r where r.user_id = auth.uid() and r.role = 'admin');
end
$$;
comment on function hub_lib.is_admin() is 'Whether the caller has the application role admin.';

create or replace function hub_lib.my_group_ids() returns setof uuid
  language plpgsql stable security definer rows 20 set search_path = ''
as $$
declare
  me constant uuid := auth.uid();
begin
  return query
    select g.id from public.groups g where g.owner_id = me
    union
    select m.group_id from public.group_members m where m.user_id = me;
end
$$;
comment on function hub_lib.my_group_ids() is 'Groups that the caller owns or belongs to.';

create or replace function hub_lib.my_administered_group_ids() returns setof uuid
  language plpgsql stable security definer rows 20 set search_path = ''
as $$
declare
  me constant uuid := auth.uid();
begin
  return query
    select g.id from public.groups g where g.owner_id = me
    union
    select m.group_id from public.group_members m where m.user_id = me and m.role = 'admin';
end
$$;
comment on function hub_lib.my_administered_group_ids() is 'Groups that the caller owns or administers.';

create or replace function hub_lib.is_group_member(group_id uuid) returns boolean
  language plpgsql stable security definer set search_path = ''
as $$
declare
  me constant uuid := auth.uid();
begin
  return exists (select from public.groups g where g.id = $1 and g.owner_id = me)
    or exists (select from public.group_members m where m.group_id = $1 and m.user_id = me);
end
$$;
comment on function hub_lib.is_group_member(uuid) is 'Whether the caller owns the group or belongs to it.';

create or replace function hub_lib.is_group_admin(group_id uuid) returns boolean
  language plpgsql stable security definer set search_path = ''
as $$
declare
  me constant uuid := auth.uid();
begin
  return exists (select from public.groups g where g.id = $1 and g.owner_id = me)
    or exists (select from public.group_members m where m.group_id = $1 and m.user_id = me and m.role = 'admin');
end
$$;
comment on function hub_lib.is_group_admin(uuid) is 'Whether the caller owns the group or is a member with role admin.';

create or replace function hub_lib.is_group_owner(group_id uuid, user_id uuid) returns boolean
  language plpgsql stable security definer set search_path = ''
as $$
begin
  return exists (select from public.groups g where g.id = $1 and g.owner_id = $2);
end
$$;
comment on function hub_lib.is_group_owner(uuid, uuid) is 'Whether this person owns the group.';

create or replace function hub_lib.shared_resource_ids(needed permission_type) returns setof uuid
  language plpgsql stable security definer rows 100 set search_path = ''
as $$
declare
  me constant uuid := auth.uid();
  my_groups uuid[];
begin
  if me is null then
    return;
  end if;
  my_groups := array(
    select g.id from public.groups g where g.owner_id = me
    union
    select m.group_id from public.group_members m where m.user_id = me
  );
  return query
    select s.resource_id
    from public.resource_shares s
    where (s.shared_with_user_id = me or s.shared_with_group_id = any (my_groups))
      and (needed = 'read' or s.permission = 'write')
      and (s.expires_at is null or s.expires_at > now());
end
$$;
comment on function hub_lib.shared_resource_ids(permission_type) is
  'Resources with a live share, to the caller or to a group of theirs, that gives at least this permission.';

create or replace function hub_lib.can_read(resource_id uuid) returns boolean
  language plpgsql stable security definer set search_path = ''
as $$
declare
  r record;
begin
  select x.visibility, x.user_id into r from public.resources x where x.id = $1;
  return found and (
    r.visibility = 'public'
    or r.user_id is not distinct from auth.uid()
    or (r.visibility <> 'private' and $1 in (select hub_lib.shared_resource_ids('read')))
    or hub_lib.is_admin()
  );
end
$$;
comment on function hub_lib.can_read(uuid) is
  'Whether the caller may read the resource: public, own, shared and not private, or administrator.';

create or replace function hub_lib.can_write(resource_id uuid) returns boolean
  language plpgsql stable security definer set search_path = ''
as $$
declare
  r record;
begin
  select x.visibility, x.user_id into r from public.resources x where x.id = $1;
  return found and (
    r.user_id is not distinct from auth.uid()
    or (r.visibility <> 'private' and $1 in (select hub_lib.shared_resource_ids('write')))
    or hub_lib.is_admin()
  );
end
$$;
comment on function hub_lib.can_write(uuid) is
  'Whether the caller may edit the resource: own, shared for writing and not private, or administrator.';

create or replace function hub_lib.comment_resource(comment_id uuid) returns uuid
  language sql stable security definer set search_path = ''
as $$
  select c.resource_id from public.resource_comments c where c.id = $1
$$;
comment on function hub_lib.comment_resource(uuid) is 'Resource that a comment belongs to.';

create or replace function hub_lib.latest_version(resource_id uuid) returns integer
  language sql stable security definer set search_path = ''
as $$
  select max(v.version_number) from public.resource_versions v where v.resource_id = $1
$$;
comment on function hub_lib.latest_version(uuid) is 'Highest version number of a resource.';



-- Settings as text

create or replace function hub_lib.setting_as_json(value text) returns jsonb
  language plpgsql immutable set search_path = ''
as $$
declare
  parsed jsonb := to_jsonb(value);
begin
  begin
    parsed := value::jsonb;
  exception
    when invalid_text_representation or untranslatable_character then
      null;
  end;
  -- Whatever would read differently from what was written (`1e3`, `"a"`, `null`) stays a JSON string.
  if parsed #>> '{}' is distinct from value or jsonb_typeof(parsed) = 'null' then
    parsed := to_jsonb(value);
  end if;
  return parsed;
end
$$;
comment on function hub_lib.setting_as_json(text) is
  'JSON whose text is exactly the given one: a boolean or number where possible, else a string.';

create or replace function hub_lib.sync_setting() returns trigger
  language plpgsql set search_path = ''
as $$
begin
  if (tg_op = 'INSERT' and new.value is null)
    or (tg_op = 'UPDATE' and new.value is not distinct from old.value and new.value_text is distinct from old.value_text)
  then
    new.value := hub_lib.setting_as_json(new.value_text);
  end if;
  new.value_text := new.value #>> '{}';
  return new;
end
$$;
comment on function hub_lib.sync_setting() is 'Trigger: value and value_text of a setting say the same, whichever was written.';

update admin_configs set value_text = value #>> '{}' where value_text is distinct from value #>> '{}';
create or replace trigger sync_setting before insert or update on admin_configs
  for each row execute function hub_lib.sync_setting();

-- Both sides are plain columns, so INSERT … ON CONFLICT (key) DO UPDATE works through the view.
create or replace view admin_config with (security_invoker = true) as
  select id, key, value_text as value, description, created_at, updated_at from admin_configs;
comment on view admin_config is 'admin_configs with its values as text (true, 5), readable and writable.';


-- The place in a collection, under both of its names

create or replace function hub_lib.sync_collection_order() returns trigger
  language plpgsql set search_path = ''
as $$
begin
  if tg_op = 'INSERT' then
    new.order_index := coalesce(new."order", new.order_index);
  elsif new."order" is distinct from old."order" then
    new.order_index := new."order";
  end if;
  new."order" := new.order_index;
  return new;
end
$$;
comment on function hub_lib.sync_collection_order() is
  'Trigger: order and order_index of an entry say the same, whichever was written.';

update collection_resources set "order" = order_index where "order" is distinct from order_index;
create or replace trigger sync_collection_order before insert or update on collection_resources
  for each row execute function hub_lib.sync_collection_order();


-- Modification times
--
-- The triggers name the columns that people write. Counters are not among them, so that neither a view nor a vote nor a
-- client that sends its own count moves updated_at.

create or replace function update_updated_at_column() returns trigger
  language plpgsql set search_path = ''
as $$
begin
  new.updated_at := now();
  return new;
end
$$;
comment on function update_updated_at_column() is 'Trigger: sets updated_at to the time of the change.';

do $$
declare
  target record;
begin
  -- Triggers of an earlier schema fire on every column, or would count a second time.
  for target in
    select t.tgname, t.tgrelid::regclass as relation
    from pg_trigger t
    join pg_proc f on f.oid = t.tgfoid
    where f.pronamespace = 'public'::regnamespace
      and f.proname in ('update_updated_at_column', 'update_collection_resources_count',
                        'update_resource_rating_stats', 'update_suggestion_votes_count')
      and not t.tgisinternal
      and t.tgname not in ('set_updated_at', 'count_inserted', 'count_updated', 'count_deleted')
  loop
    execute format('drop trigger %I on %s', target.tgname, target.relation);
  end loop;

  for target in
    select c.relname,
           (select string_agg(quote_ident(a.attname), ', ' order by a.attnum)
            from pg_attribute a
            where a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
              and a.attname not in ('average_rating', 'ratings_count', 'downloads_count', 'views_count',
                                    'resources_count', 'votes_count', 'usage_count')) as columns
    from pg_class c
    where c.oid in ('profiles'::regclass, 'auth_profiles'::regclass, 'resources'::regclass,
                    'resource_ratings'::regclass, 'resource_comments'::regclass, 'groups'::regclass,
                    'category_tag_suggestions'::regclass, 'admin_configs'::regclass,
                    'resource_templates'::regclass, 'collections'::regclass, 'category_hierarchy'::regclass,
                    'category_filters'::regclass, 'oauth_accounts'::regclass)
  loop
    execute format(
      'create or replace trigger set_updated_at before update of %s on public.%I
         for each row execute function public.update_updated_at_column()',
      target.columns, target.relname
    );
  end loop;
end
$$;


-- Counters
--
-- SECURITY DEFINER: whoever rates, votes or views has no right to write the row that counts. Parents are locked in the order
-- of their ids, and FOR NO KEY UPDATE, because FOR UPDATE would wait for the key locks of concurrent children and they for it.

create or replace function update_resource_rating_stats() returns trigger
  language plpgsql security definer set search_path = ''
as $$
declare
  touched uuid[];
begin
  if tg_op = 'INSERT' then
    select array_agg(distinct resource_id) into touched from new_rows;
  elsif tg_op = 'DELETE' then
    select array_agg(distinct resource_id) into touched from old_rows;
  else
    select array_agg(resource_id) into touched
    from (select resource_id from new_rows union select resource_id from old_rows) as both_rows;
  end if;

  perform from public.resources r where r.id = any (touched) order by r.id for no key update;
  update public.resources r
  set average_rating = stats.average, ratings_count = stats.total
  from (
    select parent.id, coalesce(round(avg(c.rating), 2), 0) as average, count(c.id)::integer as total
    from unnest(touched) as parent(id)
    left join public.resource_ratings c on c.resource_id = parent.id
    group by parent.id
  ) as stats
  where r.id = stats.id
    and (r.average_rating, r.ratings_count) is distinct from (stats.average, stats.total);
  return null;
end
$$;
comment on function update_resource_rating_stats() is 'Trigger: keeps average_rating and ratings_count of resources.';

create or replace function update_collection_resources_count() returns trigger
  language plpgsql security definer set search_path = ''
as $$
declare
  touched uuid[];
begin
  if tg_op = 'INSERT' then
    select array_agg(distinct collection_id) into touched from new_rows;
  elsif tg_op = 'DELETE' then
    select array_agg(distinct collection_id) into touched from old_rows;
  else
    select array_agg(collection_id) into touched
    from (select collection_id from new_rows union select collection_id from old_rows) as both_rows;
  end if;

  perform from public.collections p where p.id = any (touched) order by p.id for no key update;
  update public.collections p
  set resources_count = stats.total
  from (
    select parent.id, count(c.id)::integer as total
    from unnest(touched) as parent(id)
    left join public.collection_resources c on c.collection_id = parent.id
    group by parent.id
  ) as stats
  where p.id = stats.id and p.resources_count is distinct from stats.total;
  return null;
end
$$;
comment on function update_collection_resources_count() is 'Trigger: keeps resources_count of collections.';

create or replace function hub_lib.setting(key text, fallback text) returns text
  language sql stable security definer set search_path = ''
as $$
  select coalesce((select c.value_text from public.admin_configs c where c.key = $1), fallback)
$$;
comment on function hub_lib.setting(text, text) is 'A setting as text, or the fallback when it is not there.';

create or replace function hub_lib.threshold(key text, fallback integer) returns integer
  language sql stable security definer set search_path = ''
as $$
  select case when s.value ~ '^[0-9]{1,6}$' then s.value::integer else fallback end
  from hub_lib.setting($1, fallback::text) as s(value)
$$;
comment on function hub_lib.threshold(text, integer) is 'A setting as a count of votes; the fallback when it is not a number.';

create or replace function hub_lib.decide_suggestions(suggestion_ids uuid[]) returns void
  language sql security definer set search_path = ''
as $$
  with standing as (
    select s.id, s.type::text as type, count(v.id) filter (where v.vote_type = 'downvote') as down,
           count(v.id) filter (where v.vote_type = 'upvote') as up
    from public.category_tag_suggestions s
    left join public.suggestion_votes v on v.suggestion_id = s.id
    where s.id = any (suggestion_ids)
      and s.status = 'pending'
      and hub_lib.setting('auto_approval_enabled', 'true') <> 'false'
    group by s.id
  ), verdict as (
    select standing.id,
           case
             when up - case when heeded then down else 0 end
                  >= hub_lib.threshold('auto_approval_vote_threshold_' || type, 5)
               then 'approved'
             when heeded and up < down
                  and down >= hub_lib.threshold('auto_rejection_downvote_threshold_' || type, 3)
               then 'rejected'
           end::public.suggestion_status as status
    from standing, (select hub_lib.setting('consider_downvotes', 'true') <> 'false') as downvotes(heeded)
  )
  update public.category_tag_suggestions s
  set status = verdict.status, reviewed_at = now(), reviewed_by = null
  from verdict
  where s.id = verdict.id and verdict.status is not null
$$;
comment on function hub_lib.decide_suggestions(uuid[]) is
  'Approves or rejects pending suggestions whose votes reached the thresholds of admin_configs.';

create or replace function update_suggestion_votes_count() returns trigger
  language plpgsql security definer set search_path = ''
as $$
declare
  touched uuid[];
begin
  if tg_op = 'INSERT' then
    select array_agg(distinct suggestion_id) into touched from new_rows;
  elsif tg_op = 'DELETE' then
    select array_agg(distinct suggestion_id) into touched from old_rows;
  else
    select array_agg(suggestion_id) into touched
    from (select suggestion_id from new_rows union select suggestion_id from old_rows) as both_rows;
  end if;

  perform from public.category_tag_suggestions s where s.id = any (touched) order by s.id for no key update;
  update public.category_tag_suggestions s
  set votes_count = stats.score
  from (
    select parent.id,
           (count(*) filter (where v.vote_type = 'upvote') - count(*) filter (where v.vote_type = 'downvote'))::integer
             as score
    from unnest(touched) as parent(id)
    left join public.suggestion_votes v on v.suggestion_id = parent.id
    group by parent.id
  ) as stats
  where s.id = stats.id and s.votes_count is distinct from stats.score;

  if tg_op <> 'DELETE' then
    perform hub_lib.decide_suggestions(touched);
  end if;
  return null;
end
$$;
comment on function update_suggestion_votes_count() is
  'Trigger: keeps votes_count (net score) of suggestions and lets the vote decide pending ones.';

do $$
declare
  counter record;
begin
  for counter in
    select *
    from (values
      ('resource_ratings',     'update_resource_rating_stats'),
      ('collection_resources', 'update_collection_resources_count'),
      ('suggestion_votes',     'update_suggestion_votes_count')
    ) as counters(relation, function)
  loop
    execute format(
      'create or replace trigger count_inserted after insert on public.%I
         referencing new table as new_rows for each statement execute function public.%I()',
      counter.relation, counter.function);
    execute format(
      'create or replace trigger count_updated after update on public.%I
         referencing old table as old_rows new table as new_rows for each statement execute function public.%I()',
      counter.relation, counter.function);
    execute format(
      'create or replace trigger count_deleted after delete on public.%I
         referencing old table as old_rows for each statement execute function public.%I()',
      counter.relation, counter.function);
  end loop;
end
$$;


-- Guards: what a client may send but not decide
--
-- row_security_active() is true for whoever policies apply to, hence for clients, and false for the owner of the tables,
-- for SECURITY DEFINER functions and for service_role.

create or replace function hub_lib.refuse_change() returns trigger
  language plpgsql set search_path = ''
as $$
begin
  raise exception 'permission denied: % of table % cannot be changed', tg_argv[0], tg_table_name
    using errcode = 'insufficient_privilege';
end
$$;
comment on function hub_lib.refuse_change() is 'Trigger: refuses the change; its argument names the columns.';

create or replace trigger refuse_change before update on collections
  for each row when (row_security_active('public.collections') and (old.id, old.user_id) is distinct from (new.id, new.user_id))
  execute function hub_lib.refuse_change('id, user_id');
create or replace trigger refuse_change before update on resource_ratings
  for each row when (row_security_active('public.resource_ratings')
    and (old.id, old.user_id, old.resource_id) is distinct from (new.id, new.user_id, new.resource_id))
  execute function hub_lib.refuse_change('id, user_id, resource_id');
create or replace trigger refuse_change before update on suggestion_votes
  for each row when (row_security_active('public.suggestion_votes')
    and (old.id, old.user_id, old.suggestion_id, old.created_at)
      is distinct from (new.id, new.user_id, new.suggestion_id, new.created_at))
  execute function hub_lib.refuse_change('id, user_id, suggestion_id, created_at');
create or replace trigger refuse_change before update on resource_templates
  for each row when (row_security_active('public.resource_templates')
    and (old.id, old.created_by) is distinct from (new.id, new.created_by))
  execute function hub_lib.refuse_change('id, created_by');

create or replace function hub_lib.guard_resource() returns trigger
  language plpgsql set search_path = ''
as $$
begin
  if tg_op = 'INSERT' then
    new.average_rating := 0;
    new.ratings_count := 0;
    new.downloads_count := 0;
    new.views_count := 0;
    return new;
  end if;

  new.average_rating := old.average_rating;
  new.ratings_count := old.ratings_count;
  new.downloads_count := old.downloads_count;
  new.views_count := old.views_count;
  if new.id <> old.id then
    raise exception 'permission denied: the id of a resource cannot be changed' using errcode = 'insufficient_privilege';
  end if;
  if new.user_id is distinct from old.user_id and not hub_lib.is_admin() then
    raise exception 'permission denied: only an administrator gives a resource another owner'
      using errcode = 'insufficient_privilege';
  end if;
  if new.visibility <> old.visibility and old.user_id is distinct from auth.uid() and not hub_lib.is_admin() then
    raise exception 'permission denied: only the owner changes the visibility of a resource'
      using errcode = 'insufficient_privilege';
  end if;
  return new;
end
$$;
comment on function hub_lib.guard_resource() is
  'Trigger: keeps counters as they are, the owner unless an administrator asks, the visibility unless the owner asks.';
create or replace trigger guard_resource before insert or update on resources
  for each row when (row_security_active('public.resources')) execute function hub_lib.guard_resource();

create or replace function hub_lib.guard_count() returns trigger
  language plpgsql set search_path = ''
as $$
begin
  if tg_table_name = 'collections' then
    new.resources_count := case when tg_op = 'INSERT' then 0 else old.resources_count end;
  elsif tg_table_name = 'resource_templates' then
    new.usage_count := case when tg_op = 'INSERT' then 0 else old.usage_count end;
  end if;
  return new;
end
$$;
comment on function hub_lib.guard_count() is 'Trigger: ignores a count that a client sends.';
create or replace trigger guard_count before insert or update on collections
  for each row when (row_security_active('public.collections')) execute function hub_lib.guard_count();
create or replace trigger guard_count before insert or update on resource_templates
  for each row when (row_security_active('public.resource_templates')) execute function hub_lib.guard_count();

create or replace function hub_lib.guard_suggestion() returns trigger
  language plpgsql set search_path = ''
as $$
begin
  if tg_op = 'UPDATE' then
    new.votes_count := old.votes_count;
  elsif not hub_lib.is_admin() then
    new.status := 'pending';
    new.votes_count := 0;
    new.suggested_by := auth.uid();
    new.reviewed_by := null;
    new.reviewed_at := null;
  end if;
  return new;
end
$$;
comment on function hub_lib.guard_suggestion() is
  'Trigger: what ordinary people suggest is stored as their own pending suggestion; a sent score is ignored.';
create or replace trigger guard_suggestion before insert or update on category_tag_suggestions
  for each row when (row_security_active('public.category_tag_suggestions')) execute function hub_lib.guard_suggestion();

-- Two administrators who demote or remove each other at the same time take turns: before a statement locks any row, so
-- that they cannot wait for each other, and what the second one then sees is what the first one has left.
create or replace function hub_lib.take_turns() returns trigger
  language plpgsql set search_path = ''
as $$
begin
  if hub_lib.is_admin() then
    perform pg_catalog.pg_advisory_xact_lock(pg_catalog.hashtextextended('hub_lib.keep_an_admin', 0));
  end if;
  return null;
end
$$;
comment on function hub_lib.take_turns() is 'Trigger: administrators who may end each other''s rights do so one after the other.';
create or replace trigger take_turns before update or delete on user_roles
  for each statement when (row_security_active('public.user_roles')) execute function hub_lib.take_turns();
create or replace trigger take_turns before delete on profiles
  for each statement when (row_security_active('public.profiles')) execute function hub_lib.take_turns();

create or replace function hub_lib.keep_an_admin() returns trigger
  language plpgsql security definer set search_path = ''
as $$
begin
  if tg_table_name = 'profiles' then
    -- The cascade would come after the last row of the statement, too late to count who is left.
    delete from public.user_roles r where r.user_id = old.user_id and r.role = 'admin';
    if not found then
      return old;
    end if;
  end if;
  -- The lock makes a transaction fail whose snapshot is older than the turn it waited for.
  perform from public.user_roles r where r.role = 'admin' and r.user_id <> old.user_id limit 1 for no key update;
  if not found then
    raise exception 'permission denied: the last administrator stays' using errcode = 'insufficient_privilege';
  end if;
  return coalesce(new, old);
end
$$;
comment on function hub_lib.keep_an_admin() is 'Trigger: refuses to leave the application without an administrator.';
create or replace trigger keep_an_admin before update on user_roles
  for each row when (row_security_active('public.user_roles') and old.role = 'admin'
    and (new.role <> 'admin' or new.user_id <> old.user_id))
  execute function hub_lib.keep_an_admin();
create or replace trigger keep_an_admin_on_delete before delete on user_roles
  for each row when (row_security_active('public.user_roles') and old.role = 'admin')
  execute function hub_lib.keep_an_admin();
create or replace trigger keep_an_admin before delete on profiles
  for each row when (row_security_active('public.profiles')) execute function hub_lib.keep_an_admin();

create or replace function hub_lib.profile_ids() returns trigger
  language plpgsql set search_path = ''
as $$
begin
  -- A default has already filled id when only user_id was sent, so user_id decides.
  new.user_id := coalesce(new.user_id, new.id);
  new.id := new.user_id;
  return new;
end
$$;
comment on function hub_lib.profile_ids() is 'Trigger: id and user_id of a profile are one value.';
update profiles set id = user_id where id <> user_id;
create or replace trigger profile_ids before insert or update of id, user_id on profiles
  for each row execute function hub_lib.profile_ids();

create or replace function hub_lib.add_group_owner() returns trigger
  language plpgsql security definer set search_path = ''
as $$
begin
  insert into public.group_members (group_id, user_id, role)
  values (new.id, new.owner_id, 'admin')
  on conflict (group_id, user_id) do update set role = 'admin';
  return null;
end
$$;
comment on function hub_lib.add_group_owner() is 'Trigger: makes the owner of a group a member with role admin.';
create or replace trigger add_group_owner after insert or update of owner_id on groups
  for each row execute function hub_lib.add_group_owner();


-- Groups of an earlier schema, whose owners nobody had added.
insert into group_members (group_id, user_id, role, added_at)
select g.id, g.owner_id, 'admin', g.created_at
from groups g
on conflict (group_id, user_id) do nothing;


-- Notifications
--
-- They follow what a person does (auth.uid()); imports, seeds and services write silently.

create or replace function hub_lib.notify_share() returns trigger
  language plpgsql security definer set search_path = ''
as $$
begin
  insert into public.notifications (user_id, type, title, message, resource_id, group_id)
  select recipient.user_id, 'resource_shared', 'Ressource partagée',
         format('« %s » a été partagée avec vous.', r.title), r.id, new.shared_with_group_id
  from public.resources r,
       (select new.shared_with_user_id as user_id where new.shared_with_user_id is not null
        union
        select m.user_id from public.group_members m where m.group_id = new.shared_with_group_id) as recipient
  where r.id = new.resource_id
    and recipient.user_id not in (r.user_id, auth.uid());
  return null;
end
$$;
comment on function hub_lib.notify_share() is
  'Trigger: tells a recipient, or the members of a group, about a resource shared with them.';
create or replace trigger notify_share after insert on resource_shares
  for each row when (auth.uid() is not null) execute function hub_lib.notify_share();

create or replace function hub_lib.notify_comment() returns trigger
  language plpgsql security definer set search_path = ''
as $$
begin
  insert into public.notifications (user_id, type, title, message, resource_id)
  select r.user_id, 'new_comment', 'Nouveau commentaire',
         format('%s a commenté « %s ».', coalesce(p.full_name, p.username, 'Quelqu''un'), r.title), r.id
  from public.resources r, public.profiles p
  where r.id = new.resource_id and p.user_id = new.user_id and r.user_id <> new.user_id;
  return null;
end
$$;
comment on function hub_lib.notify_comment() is 'Trigger: tells the owner of a resource about a comment by somebody else.';
create or replace trigger notify_comment after insert on resource_comments
  for each row when (auth.uid() is not null) execute function hub_lib.notify_comment();

create or replace function hub_lib.notify_invitation() returns trigger
  language plpgsql security definer set search_path = ''
as $$
begin
  insert into public.notifications (user_id, type, title, message, group_id)
  select new.user_id, 'group_invitation', 'Invitation à un groupe',
         format('Vous avez été ajouté au groupe « %s ».', g.name), g.id
  from public.groups g
  where g.id = new.group_id;
  return null;
end
$$;
comment on function hub_lib.notify_invitation() is 'Trigger: tells a person that somebody else added them to a group.';
create or replace trigger notify_invitation after insert on group_members
  for each row when (auth.uid() is not null and new.user_id <> auth.uid()) execute function hub_lib.notify_invitation();

create or replace function hub_lib.notify_approval() returns trigger
  language plpgsql security definer set search_path = ''
as $$
begin
  insert into public.notifications (user_id, type, title, message)
  values (new.suggested_by, 'suggestion_approved', 'Suggestion approuvée',
          format('Votre suggestion « %s » a été approuvée.', new.name));
  return null;
end
$$;
comment on function hub_lib.notify_approval() is 'Trigger: tells a person that their suggestion was approved.';
create or replace trigger notify_approval after update of status on category_tag_suggestions
  for each row when (auth.uid() is not null and new.suggested_by is not null
    and new.status = 'approved' and old.status <> 'approved')
  execute function hub_lib.notify_approval();

-- Done every night by the gateway (app.toml).
create or replace function hub_lib.remove_old_notifications(payload jsonb) returns void
  language sql security definer set search_path = ''
as $$
  delete from public.notifications n where n.is_read and n.created_at < now() - interval '90 days'
$$;
comment on function hub_lib.remove_old_notifications(jsonb) is 'Removes notifications that were read and are older than 90 days.';
revoke execute on function hub_lib.remove_old_notifications(jsonb) from public;
grant execute on function hub_lib.remove_old_notifications(jsonb) to service_role;

-- Change events, where a publication for them exists already.
do $$
declare
  followed regclass;
begin
  -- Notifications reach their owner, votes and decisions everybody who looks.
  foreach followed in array array['notifications', 'category_tag_suggestions']::regclass[]
  loop
    if exists (select from pg_publication where pubname = 'supabase_realtime' and not puballtables)
      and not exists (
        select
        from pg_publication_rel r
        join pg_publication p on p.oid = r.prpubid
        where p.pubname = 'supabase_realtime' and r.prrelid = followed)
    then
      execute format('alter publication supabase_realtime add table %s', followed);
    end if;
  end loop;
end
$$;


-- Functions that clients call

create or replace function increment_resource_views(resource_id uuid) returns void
  language sql security definer set search_path = ''
as $$
  update public.resources r set views_count = coalesce(r.views_count, 0) + 1 where r.id = $1 and hub_lib.can_read($1)
$$;
comment on function increment_resource_views(uuid) is
  'Counts a view of a resource that the caller may read; does nothing otherwise.';

create or replace function increment_resource_downloads(resource_id uuid) returns void
  language sql security definer set search_path = ''
as $$
  update public.resources r set downloads_count = coalesce(r.downloads_count, 0) + 1 where r.id = $1 and hub_lib.can_read($1)
$$;
comment on function increment_resource_downloads(uuid) is
  'Counts a download of a resource that the caller may read; does nothing otherwise.';

create or replace function increment_template_usage(template_id uuid) returns void
  language sql security definer set search_path = ''
as $$
  update public.resource_templates t
  set usage_count = coalesce(t.usage_count, 0) + 1
  where t.id = $1 and (t.is_public or t.created_by = (select auth.uid()) or (select hub_lib.is_admin()))
$$;
comment on function increment_template_usage(uuid) is
  'Counts a use of a template that the caller may read; does nothing otherwise.';

create or replace function has_role(_user_id uuid, _role app_role) returns boolean
  language sql stable security invoker set search_path = ''
as $$
  select exists (select from public.user_roles r where r.user_id = _user_id and r.role = _role)
$$;
comment on function has_role(uuid, app_role) is
  'Whether a person has a role, as far as the caller may see: their own, anybody''s for administrators. Policies use hub_lib.is_admin().';

create or replace function profile_addresses(user_ids uuid[] default null)
  returns table (user_id uuid, username text, email text)
  language plpgsql stable security definer set search_path = ''
as $$
begin
  if not hub_lib.is_admin() and auth.role() is distinct from 'service_role' then
    raise exception 'permission denied: addresses are for administrators' using errcode = 'insufficient_privilege';
  end if;
  return query
    select p.user_id, p.username::text, p.email::text
    from public.profiles p
    where user_ids is null or p.user_id = any (user_ids)
    order by p.email;
end
$$;
comment on function profile_addresses(uuid[]) is 'Mail addresses of these people, or of all: for administrators and services.';

create or replace function preferred_layout() returns text
  language sql stable security definer set search_path = ''
as $$
  select p.preferred_layout::text from public.profiles p where p.user_id = (select auth.uid())
$$;
comment on function preferred_layout() is 'The caller''s own layout; the column of profiles is not readable.';

create or replace function copy_resource(resource_id uuid, title text default null) returns setof resources
  language sql volatile security invoker rows 1 set search_path = ''
as $$
  insert into public.resources (
    user_id, title, description, category, tags, resource_type, visibility, github_url, external_url, file_path, file_url,
    file_size, language, license, readme
  )
  select auth.uid(), coalesce(copy_resource.title, r.title), r.description, r.category, r.tags, r.resource_type,
         case r.visibility when 'public' then r.visibility else 'private' end, r.github_url, r.external_url, r.file_path,
         r.file_url, r.file_size, r.language, r.license, r.readme
  from public.resources r
  where r.id = $1
  returning *
$$;
comment on function copy_resource(uuid, text) is
  'Copies a resource that the caller may read into their own; a copy of one that is not public is private.';


-- Sign-up

create or replace function hub_lib.create_profile(user_id uuid, email text, full_name text default null, avatar_url text default null)
  returns void
  language plpgsql security definer set search_path = ''
as $$
declare
  local_part text := left(split_part(lower(email), '@', 1), 200);
  attempt integer := 1;
  candidate text := local_part;
  violated text;
begin
  if not exists (select from public.profiles p where p.user_id = $1) then
    loop
      begin
        insert into public.profiles (id, user_id, email, username, full_name, avatar_url)
        values ($1, $1, lower($2), candidate, coalesce(nullif($3, ''), local_part), nullif($4, ''));
        exit;
      exception
        when unique_violation then
          get stacked diagnostics violated = constraint_name;
          if violated <> 'profiles_username_key' or attempt >= 1000 then
            raise;
          end if;
      end;
      attempt := attempt + 1;
      candidate := local_part || '-' || attempt;
    end loop;
  end if;
  insert into public.user_roles (user_id, role) values ($1, 'user') on conflict do nothing;
end
$$;
comment on function hub_lib.create_profile(uuid, text, text, text) is
  'Profile and role of a new account. Two addresses with one local part get different usernames (ada, ada-2).';

create or replace function hub_lib.welcome_user() returns trigger
  language plpgsql security definer set search_path = ''
as $$
declare
  account jsonb := to_jsonb(new);
begin
  perform hub_lib.create_profile(
    (account ->> 'id')::uuid,
    account ->> 'email',
    account -> 'raw_user_meta_data' ->> 'full_name',
    account -> 'raw_user_meta_data' ->> 'avatar_url'
  );
  return null;
end
$$;
comment on function hub_lib.welcome_user() is 'Trigger: gives a new account its profile and role.';

do $$
begin
  if to_regclass('auth.users') is not null then
    -- An anonymous or phone account has no address and hence no profile.
    create or replace trigger hub_lib_welcome_user after insert on auth.users
      for each row when (nullif(new.email::text, '') is not null) execute function hub_lib.welcome_user();
  end if;
end
$$;


-- Rows that are present from the start

-- Only into an empty table: what an administrator deleted stays deleted.
insert into category_tag_suggestions (name, type, status, votes_count)
select entry.name, entry.type::suggestion_type, 'approved', entry.votes_count
from (
  select unnest(array['Développement', 'Design', 'Documentation', 'Outils', 'Templates', 'Médias', 'Données', 'Learning']),
         'category', 10
  union all
  select unnest(array['react', 'typescript', 'javascript', 'python', 'api', 'database', 'frontend', 'backend', 'mobile',
                      'devops', 'ui', 'ux', 'open-source', 'tutorial', 'library']),
         'tag', 8
  union all
  select unnest(array['github_repo', 'external_link', 'file_upload']), 'resource_type', 5
  union all
  select unnest(array['Popularité', 'Date', 'Note', 'Langue', 'Licence', 'Visibilité']), 'filter', 7
) as entry(name, type, votes_count)
where not exists (select from category_tag_suggestions)
on conflict (name, type) do nothing;

insert into admin_configs (key, value, description)
values
  ('auto_approval_enabled', 'true', 'Les votes approuvent ou rejettent les suggestions'),
  ('consider_downvotes', 'true', 'Les votes négatifs comptent'),
  ('auto_approval_vote_threshold_category', '5', 'Score qui approuve une catégorie'),
  ('auto_approval_vote_threshold_tag', '5', 'Score qui approuve un tag'),
  ('auto_approval_vote_threshold_resource_type', '5', 'Score qui approuve un type de ressource'),
  ('auto_approval_vote_threshold_filter', '5', 'Score qui approuve un filtre'),
  ('auto_rejection_downvote_threshold_category', '3', 'Votes négatifs qui rejettent une catégorie'),
  ('auto_rejection_downvote_threshold_tag', '3', 'Votes négatifs qui rejettent un tag'),
  ('auto_rejection_downvote_threshold_resource_type', '3', 'Votes négatifs qui rejettent un type de ressource'),
  ('auto_rejection_downvote_threshold_filter', '3', 'Votes négatifs qui rejettent un filtre')
on conflict (key) do nothing;

reset client_min_messages;
reset search_path;
