-- Hub-Lib: who may do what.
--
-- Apply after init.sql; can be applied again at any time. This file owns every policy and every grant to anon,
-- authenticated and service_role on the tables of Hub-Lib: it takes away all of them and gives what follows.
--
-- Reading never fails for want of a right, it finds nothing; an INSERT that is not allowed fails with 42501; UPDATE and
-- DELETE touch the rows that a policy lets through, perhaps none, without an error. Hence anon holds the rights of
-- authenticated to SELECT, UPDATE and DELETE while nearly all policies are for authenticated alone.
--
-- `(select f())` is evaluated once per statement; `f(column)` stands only where few rows meet it.

set search_path = public, extensions;
set client_min_messages = warning;


-- Everything closed

do $$
declare
  relation text;
  stale record;
begin
  foreach relation in array array[
    'profiles', 'user_roles', 'auth_profiles', 'oauth_accounts', 'api_tokens', 'resources', 'saved_resources',
    'resource_ratings', 'resource_comments', 'resource_versions', 'resource_templates', 'groups', 'group_members',
    'resource_shares', 'collections', 'collection_resources', 'category_tag_suggestions', 'suggestion_votes',
    'admin_configs', 'category_hierarchy', 'category_filters', 'notifications', 'analytics_events'
  ] loop
    execute format('alter table public.%I enable row level security', relation);
    for stale in select polname from pg_policy where polrelid = ('public.' || quote_ident(relation))::regclass loop
      execute format('drop policy %I on public.%I', stale.polname, relation);
    end loop;
    execute format('revoke all on public.%I from public, anon, authenticated', relation);
    -- A column grant outlives the revocation of its table's.
    execute (
      select format('revoke all (%s) on public.%I from public, anon, authenticated',
                    string_agg(quote_ident(attname), ', ' order by attnum), relation)
      from pg_attribute
      where attrelid = ('public.' || quote_ident(relation))::regclass and attnum > 0 and not attisdropped
    );
    execute format('grant all on public.%I to service_role', relation);
  end loop;
end
$$;

-- What an earlier version of this file called.
drop function if exists hub_lib.is_last_admin(uuid);

revoke all on admin_config from public, anon, authenticated;
grant all on admin_config to service_role;

revoke execute on all functions in schema hub_lib from public, anon, authenticated;
revoke execute on function
  update_updated_at_column(), update_collection_resources_count(), update_resource_rating_stats(),
  update_suggestion_votes_count(), increment_resource_views(uuid), increment_resource_downloads(uuid),
  increment_template_usage(uuid), has_role(uuid, app_role), profile_addresses(uuid[]), preferred_layout(),
  copy_resource(uuid, text)
from public, anon, authenticated;


-- Functions

grant usage on schema hub_lib to anon, authenticated, service_role;

-- What policies of authenticated and guards call.
grant execute on function
  hub_lib.is_admin(), hub_lib.my_group_ids(), hub_lib.my_administered_group_ids(), hub_lib.is_group_member(uuid),
  hub_lib.is_group_admin(uuid), hub_lib.is_group_owner(uuid, uuid), hub_lib.shared_resource_ids(permission_type),
  hub_lib.can_read(uuid), hub_lib.can_write(uuid), hub_lib.comment_resource(uuid), hub_lib.latest_version(uuid),
  hub_lib.setting_as_json(text)
to anon, authenticated, service_role;
grant execute on all functions in schema hub_lib to service_role;

grant execute on function increment_resource_views(uuid), increment_resource_downloads(uuid), has_role(uuid, app_role),
  increment_template_usage(uuid), preferred_layout()
to anon, authenticated, service_role;
grant execute on function copy_resource(uuid, text), profile_addresses(uuid[]) to authenticated, service_role;


-- Tables

-- auth_profiles, oauth_accounts and api_tokens stay closed: no grant, no policy.
grant select on
  user_roles, resources, saved_resources, resource_ratings, resource_comments, resource_versions, resource_templates,
  groups, group_members, resource_shares, collections, collection_resources, category_tag_suggestions, suggestion_votes,
  admin_configs, admin_config, category_hierarchy, category_filters, notifications, analytics_events
to anon, authenticated;

-- `email` and `preferred_layout` are missing on purpose.
grant select (id, user_id, username, full_name, bio, avatar_url, github_username, created_at, updated_at)
on profiles to anon, authenticated;

grant insert on
  profiles, user_roles, resources, saved_resources, resource_ratings, resource_comments, resource_versions,
  resource_templates, groups, group_members, resource_shares, collections, collection_resources,
  category_tag_suggestions, suggestion_votes, admin_configs, admin_config, category_hierarchy, category_filters
to authenticated;
grant insert on analytics_events to anon, authenticated;

grant update on
  user_roles, resources, saved_resources, resource_ratings, resource_versions, resource_templates, collections,
  collection_resources, category_tag_suggestions, suggestion_votes, admin_configs, admin_config, category_hierarchy,
  category_filters, analytics_events
to anon, authenticated;

-- What else these tables hold never changes by a client. updated_at is here because clients send it; a trigger decides.
grant update (username, full_name, bio, avatar_url, github_username, preferred_layout, updated_at) on profiles
to anon, authenticated;
grant update (content, updated_at) on resource_comments to anon, authenticated;
grant update (name, description, updated_at) on groups to anon, authenticated;
grant update (role) on group_members to anon, authenticated;
grant update (permission, expires_at) on resource_shares to anon, authenticated;
grant update (is_read) on notifications to anon, authenticated;

grant delete on
  profiles, user_roles, resources, saved_resources, resource_ratings, resource_comments, resource_versions,
  resource_templates, groups, group_members, resource_shares, collections, collection_resources,
  category_tag_suggestions, suggestion_votes, admin_configs, admin_config, category_hierarchy, category_filters,
  notifications, analytics_events
to anon, authenticated;


-- People

create policy profiles_read on profiles for select to anon, authenticated using (true);
comment on policy profiles_read on profiles is
  'Everybody sees everybody; the columns that are granted leave out the address and the layout.';

create policy profiles_insert on profiles for insert to authenticated with check (
  user_id = (select auth.uid()) and id = user_id and lower(email) = lower((select auth.email()))
);
comment on policy profiles_insert on profiles is
  'One''s own profile, where signing up has not made it, under one''s own address: nobody reserves that of another.';

create policy profiles_update on profiles for update to authenticated
  using (user_id = (select auth.uid()) or (select hub_lib.is_admin()))
  with check (user_id = (select auth.uid()) or (select hub_lib.is_admin()));
comment on policy profiles_update on profiles is
  'One''s own, or anybody''s as an administrator; the grants name the columns.';

create policy profiles_delete on profiles for delete to authenticated using ((select hub_lib.is_admin()));
comment on policy profiles_delete on profiles is 'Administrators; a trigger keeps the last of them.';

create policy user_roles_read on user_roles for select to authenticated
  using (user_id = (select auth.uid()) or (select hub_lib.is_admin()));
comment on policy user_roles_read on user_roles is 'One''s own role, or all as an administrator.';

create policy user_roles_insert on user_roles for insert to authenticated with check ((select hub_lib.is_admin()));
comment on policy user_roles_insert on user_roles is 'Administrators give roles.';

create policy user_roles_update on user_roles for update to authenticated
  using ((select hub_lib.is_admin())) with check ((select hub_lib.is_admin()));
comment on policy user_roles_update on user_roles is 'Administrators change roles; a trigger keeps the last of them.';

create policy user_roles_delete on user_roles for delete to authenticated using ((select hub_lib.is_admin()));
comment on policy user_roles_delete on user_roles is
  'Administrators take roles away; a trigger keeps the last of them.';


-- Resources
--
-- The SELECT policy is the one place that says who reads a resource; tables below ask it by looking into resources.

create policy resources_read_public on resources for select to anon using (visibility = 'public');
comment on policy resources_read_public on resources is 'Who is not signed in reads what is public.';

create policy resources_read on resources for select to authenticated using (
  visibility = 'public'
  or user_id = (select auth.uid())
  or (visibility <> 'private' and id in (select hub_lib.shared_resource_ids('read')))
  or (select hub_lib.is_admin())
);
comment on policy resources_read on resources is
  'Public, one''s own, shared with one or one''s group and neither private nor expired, or all as an administrator.';

create policy resources_insert on resources for insert to authenticated with check (user_id = (select auth.uid()));
comment on policy resources_insert on resources is 'In one''s own name; counters start at zero by a trigger.';

create policy resources_update on resources for update to authenticated
  using (
    user_id = (select auth.uid())
    or (visibility <> 'private' and id in (select hub_lib.shared_resource_ids('write')))
    or (select hub_lib.is_admin())
  )
  with check (
    user_id = (select auth.uid())
    or (visibility <> 'private' and id in (select hub_lib.shared_resource_ids('write')))
    or (select hub_lib.is_admin())
  );
comment on policy resources_update on resources is
  'One''s own, shared for writing and neither private nor expired, or all as an administrator; a trigger keeps owner, visibility and counters.';

create policy resources_delete on resources for delete to authenticated
  using (user_id = (select auth.uid()) or (select hub_lib.is_admin()));
comment on policy resources_delete on resources is 'One''s own, or all as an administrator.';

create policy saved_resources_read on saved_resources for select to authenticated using (user_id = (select auth.uid()));
comment on policy saved_resources_read on saved_resources is 'One''s own bookmarks.';

create policy saved_resources_insert on saved_resources for insert to authenticated
  with check (user_id = (select auth.uid()) and hub_lib.can_read(resource_id));
comment on policy saved_resources_insert on saved_resources is 'What one can read, for oneself.';

create policy saved_resources_delete on saved_resources for delete to authenticated
  using (user_id = (select auth.uid()));
comment on policy saved_resources_delete on saved_resources is 'One''s own bookmarks.';

create policy resource_ratings_read on resource_ratings for select to authenticated
  using (user_id = (select auth.uid()) or (select hub_lib.is_admin()));
comment on policy resource_ratings_read on resource_ratings is
  'One''s own ratings, or all as an administrator; the averages are on resources.';

create policy resource_ratings_insert on resource_ratings for insert to authenticated
  with check (user_id = (select auth.uid()) and hub_lib.can_read(resource_id));
comment on policy resource_ratings_insert on resource_ratings is 'What one can read, in one''s own name.';

create policy resource_ratings_update on resource_ratings for update to authenticated
  using (user_id = (select auth.uid())) with check (user_id = (select auth.uid()));
comment on policy resource_ratings_update on resource_ratings is 'One''s own; a trigger keeps whose it is and of what.';

create policy resource_ratings_delete on resource_ratings for delete to authenticated
  using (user_id = (select auth.uid()) or (select hub_lib.is_admin()));
comment on policy resource_ratings_delete on resource_ratings is 'One''s own, or all as an administrator.';

create policy resource_comments_read on resource_comments for select to anon, authenticated
  using (exists (select from resources r where r.id = resource_id));
comment on policy resource_comments_read on resource_comments is 'Whoever reads the resource reads its comments.';

create policy resource_comments_insert on resource_comments for insert to authenticated with check (
  user_id = (select auth.uid())
  and hub_lib.can_read(resource_id)
  and (parent_id is null or hub_lib.comment_resource(parent_id) = resource_id)
);
comment on policy resource_comments_insert on resource_comments is
  'Under what one can read, in one''s own name; a reply stands under the resource of what it answers.';

create policy resource_comments_update on resource_comments for update to authenticated
  using (user_id = (select auth.uid()) or (select hub_lib.is_admin()))
  with check (user_id = (select auth.uid()) or (select hub_lib.is_admin()));
comment on policy resource_comments_update on resource_comments is
  'One''s own, or all as an administrator; the grants name the columns.';

create policy resource_comments_delete on resource_comments for delete to authenticated
  using (user_id = (select auth.uid()) or (select hub_lib.is_admin()));
comment on policy resource_comments_delete on resource_comments is
  'One''s own, or all as an administrator; replies go along.';

create policy resource_versions_read on resource_versions for select to anon, authenticated
  using (exists (select from resources r where r.id = resource_id));
comment on policy resource_versions_read on resource_versions is 'Whoever reads the resource reads its versions.';

create policy resource_versions_insert on resource_versions for insert to authenticated
  with check (created_by = (select auth.uid()) and hub_lib.can_write(resource_id));
comment on policy resource_versions_insert on resource_versions is 'Whoever may write the resource, in their own name.';

-- CASE, so that only versions that one might remove are compared with the latest.
create policy resource_versions_delete on resource_versions for delete to authenticated using (
  case
    when (select hub_lib.is_admin())
      or exists (select from resources r where r.id = resource_id and r.user_id = (select auth.uid()))
    then version_number < hub_lib.latest_version(resource_id)
    else false
  end
);
comment on policy resource_versions_delete on resource_versions is
  'The owner of the resource and administrators, never the latest.';

create policy resource_templates_read_public on resource_templates for select to anon using (is_public);
comment on policy resource_templates_read_public on resource_templates is 'Who is not signed in reads what is public.';

create policy resource_templates_read on resource_templates for select to authenticated
  using (is_public or created_by = (select auth.uid()) or (select hub_lib.is_admin()));
comment on policy resource_templates_read on resource_templates is 'Public, one''s own, or all as an administrator.';

create policy resource_templates_insert on resource_templates for insert to authenticated
  with check (created_by = (select auth.uid()));
comment on policy resource_templates_insert on resource_templates is 'In one''s own name.';

create policy resource_templates_update on resource_templates for update to authenticated
  using (created_by = (select auth.uid())) with check (created_by = (select auth.uid()));
comment on policy resource_templates_update on resource_templates is
  'One''s own; triggers keep whose it is and how often it was used.';

create policy resource_templates_delete on resource_templates for delete to authenticated
  using (created_by = (select auth.uid()) or (select hub_lib.is_admin()));
comment on policy resource_templates_delete on resource_templates is 'One''s own, or all as an administrator.';


-- Groups and shares

create policy groups_read on groups for select to authenticated using (
  owner_id = (select auth.uid()) or id in (select hub_lib.my_group_ids()) or (select hub_lib.is_admin())
);
comment on policy groups_read on groups is 'Groups one owns or belongs to, or all as an administrator.';

create policy groups_insert on groups for insert to authenticated with check (owner_id = (select auth.uid()));
comment on policy groups_insert on groups is 'One''s own; a trigger makes the owner its first administrator.';

create policy groups_update on groups for update to authenticated
  using (id in (select hub_lib.my_administered_group_ids()) or (select hub_lib.is_admin()))
  with check (id in (select hub_lib.my_administered_group_ids()) or (select hub_lib.is_admin()));
comment on policy groups_update on groups is
  'Administrators of the group, or of the application; the grants name the columns.';

create policy groups_delete on groups for delete to authenticated
  using (owner_id = (select auth.uid()) or (select hub_lib.is_admin()));
comment on policy groups_delete on groups is 'The owner, or administrators of the application.';

create policy group_members_read on group_members for select to authenticated
  using (group_id in (select hub_lib.my_group_ids()) or (select hub_lib.is_admin()));
comment on policy group_members_read on group_members is 'Members of one''s groups, or all as an administrator.';

create policy group_members_insert on group_members for insert to authenticated with check (
  user_id <> (select auth.uid())
  and (hub_lib.is_group_admin(group_id) or (select hub_lib.is_admin()))
);
comment on policy group_members_insert on group_members is
  'Administrators of the group, or of the application, add others; nobody adds themselves.';

create policy group_members_update on group_members for update to authenticated
  using (
    (group_id in (select hub_lib.my_administered_group_ids()) or (select hub_lib.is_admin()))
    and not hub_lib.is_group_owner(group_id, user_id)
  );
comment on policy group_members_update on group_members is
  'Administrators of the group, or of the application, change roles; the owner''s stays.';

create policy group_members_delete on group_members for delete to authenticated using (
  (
    user_id = (select auth.uid())
    or group_id in (select hub_lib.my_administered_group_ids())
    or (select hub_lib.is_admin())
  )
  and not hub_lib.is_group_owner(group_id, user_id)
);
comment on policy group_members_delete on group_members is
  'Administrators of the group, or of the application, and whoever leaves; the owner stays.';

create policy resource_shares_read on resource_shares for select to authenticated using (
  shared_with_user_id = (select auth.uid())
  or shared_with_group_id in (select hub_lib.my_group_ids())
  or exists (select from resources r where r.id = resource_id and r.user_id = (select auth.uid()))
  or (select hub_lib.is_admin())
);
comment on policy resource_shares_read on resource_shares is
  'With oneself or one''s groups, of one''s own resources, or all as an administrator.';

create policy resource_shares_insert on resource_shares for insert to authenticated with check (
  (
    exists (select from resources r where r.id = resource_id and r.user_id = (select auth.uid()))
    or (select hub_lib.is_admin())
  )
  and shared_with_user_id is distinct from (select auth.uid())
  and (shared_with_group_id is null or hub_lib.is_group_member(shared_with_group_id))
);
comment on policy resource_shares_insert on resource_shares is
  'The owner of the resource, or an administrator, with somebody else or a group they belong to.';

create policy resource_shares_update on resource_shares for update to authenticated
  using (
    exists (select from resources r where r.id = resource_id and r.user_id = (select auth.uid()))
    or (select hub_lib.is_admin())
  );
comment on policy resource_shares_update on resource_shares is
  'The owner of the resource, or an administrator; the grants name the columns.';

create policy resource_shares_delete on resource_shares for delete to authenticated using (
  exists (select from resources r where r.id = resource_id and r.user_id = (select auth.uid()))
  or (select hub_lib.is_admin())
);
comment on policy resource_shares_delete on resource_shares is 'The owner of the resource, or an administrator.';


-- Collections

create policy collections_read_public on collections for select to anon using (is_public);
comment on policy collections_read_public on collections is 'Who is not signed in reads what is public.';

create policy collections_read on collections for select to authenticated
  using (is_public or user_id = (select auth.uid()) or (select hub_lib.is_admin()));
comment on policy collections_read on collections is 'Public, one''s own, or all as an administrator.';

create policy collections_insert on collections for insert to authenticated with check (user_id = (select auth.uid()));
comment on policy collections_insert on collections is 'In one''s own name.';

create policy collections_update on collections for update to authenticated
  using (user_id = (select auth.uid()) or (select hub_lib.is_admin()))
  with check (user_id = (select auth.uid()) or (select hub_lib.is_admin()));
comment on policy collections_update on collections is
  'One''s own, or all as an administrator; triggers keep whose it is and how many it holds.';

create policy collections_delete on collections for delete to authenticated
  using (user_id = (select auth.uid()) or (select hub_lib.is_admin()));
comment on policy collections_delete on collections is 'One''s own, or all as an administrator.';

create policy collection_resources_read on collection_resources for select to anon, authenticated using (
  exists (select from collections c where c.id = collection_id)
  and exists (select from resources r where r.id = resource_id)
);
comment on policy collection_resources_read on collection_resources is
  'Whoever reads both the collection and the resource.';

create policy collection_resources_insert on collection_resources for insert to authenticated with check (
  exists (select from collections c where c.id = collection_id and c.user_id = (select auth.uid()))
  and hub_lib.can_read(resource_id)
);
comment on policy collection_resources_insert on collection_resources is
  'What one can read, into one''s own collection.';

create policy collection_resources_update on collection_resources for update to authenticated
  using (
    exists (select from collections c where c.id = collection_id and c.user_id = (select auth.uid()))
    and exists (select from resources r where r.id = resource_id)
  );
comment on policy collection_resources_update on collection_resources is
  'In one''s own collections, to what one can read; what one can no longer read stays as it is.';

create policy collection_resources_delete on collection_resources for delete to authenticated
  using (exists (select from collections c where c.id = collection_id and c.user_id = (select auth.uid())));
comment on policy collection_resources_delete on collection_resources is 'From one''s own collections.';


-- Suggestions

create policy category_tag_suggestions_read on category_tag_suggestions for select to anon, authenticated using (true);
comment on policy category_tag_suggestions_read on category_tag_suggestions is 'Everybody.';

create policy category_tag_suggestions_insert on category_tag_suggestions for insert to authenticated with check (
  (suggested_by = (select auth.uid()) and status = 'pending' and votes_count = 0
    and reviewed_by is null and reviewed_at is null)
  or (select hub_lib.is_admin())
);
comment on policy category_tag_suggestions_insert on category_tag_suggestions is
  'One''s own and pending, as a trigger makes it, or any as an administrator.';

create policy category_tag_suggestions_update on category_tag_suggestions for update to authenticated
  using ((select hub_lib.is_admin())) with check ((select hub_lib.is_admin()));
comment on policy category_tag_suggestions_update on category_tag_suggestions is
  'Administrators; the score stays that of the votes.';

create policy category_tag_suggestions_delete on category_tag_suggestions for delete to authenticated
  using ((select hub_lib.is_admin()));
comment on policy category_tag_suggestions_delete on category_tag_suggestions is 'Administrators.';

create policy suggestion_votes_read on suggestion_votes for select to anon, authenticated using (true);
comment on policy suggestion_votes_read on suggestion_votes is 'Everybody: the interface shows who voted how.';

create policy suggestion_votes_insert on suggestion_votes for insert to authenticated
  with check (user_id = (select auth.uid()));
comment on policy suggestion_votes_insert on suggestion_votes is
  'In one''s own name; a unique key leaves one for each.';

create policy suggestion_votes_update on suggestion_votes for update to authenticated
  using (user_id = (select auth.uid())) with check (user_id = (select auth.uid()));
comment on policy suggestion_votes_update on suggestion_votes is 'One''s own; a trigger keeps all but the direction.';

create policy suggestion_votes_delete on suggestion_votes for delete to authenticated
  using (user_id = (select auth.uid()) or (select hub_lib.is_admin()));
comment on policy suggestion_votes_delete on suggestion_votes is 'One''s own, or all as an administrator.';


-- Settings, categories, notifications, events

create policy admin_configs_read on admin_configs for select to authenticated using (true);
comment on policy admin_configs_read on admin_configs is
  'Whoever is signed in: every voter''s browser reads the thresholds.';

create policy admin_configs_insert on admin_configs for insert to authenticated with check ((select hub_lib.is_admin()));
comment on policy admin_configs_insert on admin_configs is 'Administrators.';

create policy admin_configs_update on admin_configs for update to authenticated
  using ((select hub_lib.is_admin())) with check ((select hub_lib.is_admin()));
comment on policy admin_configs_update on admin_configs is 'Administrators.';

create policy admin_configs_delete on admin_configs for delete to authenticated using ((select hub_lib.is_admin()));
comment on policy admin_configs_delete on admin_configs is 'Administrators.';

create policy category_hierarchy_read_active on category_hierarchy for select to anon using (is_active);
comment on policy category_hierarchy_read_active on category_hierarchy is 'Who is not signed in reads what is active.';

create policy category_hierarchy_read on category_hierarchy for select to authenticated
  using (is_active or (select hub_lib.is_admin()));
comment on policy category_hierarchy_read on category_hierarchy is 'Active ones, or all as an administrator.';

create policy category_hierarchy_insert on category_hierarchy for insert to authenticated
  with check ((select hub_lib.is_admin()));
comment on policy category_hierarchy_insert on category_hierarchy is 'Administrators.';

create policy category_hierarchy_update on category_hierarchy for update to authenticated
  using ((select hub_lib.is_admin())) with check ((select hub_lib.is_admin()));
comment on policy category_hierarchy_update on category_hierarchy is 'Administrators.';

create policy category_hierarchy_delete on category_hierarchy for delete to authenticated
  using ((select hub_lib.is_admin()));
comment on policy category_hierarchy_delete on category_hierarchy is 'Administrators.';

create policy category_filters_read on category_filters for select to anon, authenticated using (true);
comment on policy category_filters_read on category_filters is 'Everybody.';

create policy category_filters_insert on category_filters for insert to authenticated
  with check ((select hub_lib.is_admin()));
comment on policy category_filters_insert on category_filters is 'Administrators.';

create policy category_filters_update on category_filters for update to authenticated
  using ((select hub_lib.is_admin())) with check ((select hub_lib.is_admin()));
comment on policy category_filters_update on category_filters is 'Administrators.';

create policy category_filters_delete on category_filters for delete to authenticated
  using ((select hub_lib.is_admin()));
comment on policy category_filters_delete on category_filters is 'Administrators.';

-- No INSERT policy: triggers write notifications.
create policy notifications_read on notifications for select to authenticated using (user_id = (select auth.uid()));
comment on policy notifications_read on notifications is 'One''s own.';

create policy notifications_update on notifications for update to authenticated
  using (user_id = (select auth.uid())) with check (user_id = (select auth.uid()));
comment on policy notifications_update on notifications is 'One''s own; the grants name the column.';

create policy notifications_delete on notifications for delete to authenticated using (user_id = (select auth.uid()));
comment on policy notifications_delete on notifications is 'One''s own.';

create policy analytics_events_read on analytics_events for select to authenticated using ((select hub_lib.is_admin()));
comment on policy analytics_events_read on analytics_events is 'Administrators.';

create policy analytics_events_insert on analytics_events for insert to anon, authenticated
  with check (user_id is null or user_id = (select auth.uid()));
comment on policy analytics_events_insert on analytics_events is 'One''s own or nobody''s, also without signing in.';

create policy analytics_events_delete on analytics_events for delete to authenticated
  using ((select hub_lib.is_admin()));
comment on policy analytics_events_delete on analytics_events is 'Administrators.';

reset client_min_messages;
reset search_path;
