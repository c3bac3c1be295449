-- The rows of every case: `{thing}` is an id of the case `c`. They are made anew for each, so that no attempt sees another's.

insert into profiles (id, user_id, email, username, full_name, preferred_layout)
select p.id, p.id, p.name || '-{n}@hidden.example', p.name || '-{n}', p.name, 'grid'
from matrix.cases c
cross join lateral (values
  ('owner', {owner}), ('author', {author}), ('other', {other}), ('reader', {reader}), ('writer', {writer}),
  ('member', {member}), ('group-admin', {group_admin}), ('admin', {admin}), ('stranger', {stranger})
) as p(name, id);

insert into user_roles (user_id, role)
select p.id, case p.id when {admin} then 'admin' else 'user' end::app_role
from matrix.cases c
cross join lateral (values
  ({owner}), ({author}), ({other}), ({reader}), ({writer}), ({member}), ({group_admin}), ({admin})
) as p(id);

insert into auth_profiles (user_id, password_hash) select {owner}, 'h' from matrix.cases c where c.relation = 'auth_profiles';
insert into oauth_accounts (user_id, provider, provider_user_id, access_token)
select {owner}, 'p', '{n}', 't' from matrix.cases c where c.relation = 'oauth_accounts';
insert into api_tokens (user_id, token, name) select {owner}, 'old-{n}', 'n' from matrix.cases c where c.relation = 'api_tokens';

insert into resources (id, user_id, title, description, visibility, updated_at)
select {resource}, {owner}, 'Findable ' || {resource}, {resource}::text,
       case c.state
         when 'users' then 'shared_users' when 'expired' then 'shared_users' when 'groups' then 'shared_groups'
         when 'private' then 'private' else 'public'
       end::resource_visibility,
       timestamptz '2001-01-01'
from matrix.cases c
union all
select {elsewhere}, {owner}, 'Elsewhere', 'd', 'public', '2001-01-01' from matrix.cases c
union all
select {hidden}, {stranger}, 'Hidden', 'd', 'private', '2001-01-01' from matrix.cases c;

insert into groups (id, name, owner_id)
select {group}, 'Group', {owner} from matrix.cases c
union all
select {foreign_group}, 'Foreign', {stranger} from matrix.cases c;
insert into group_members (group_id, user_id, role)
select {group}, {member}, 'member'::group_role from matrix.cases c
union all
select {group}, {group_admin}, 'admin' from matrix.cases c;

insert into resource_shares (id, resource_id, shared_with_user_id, shared_with_group_id, permission, expires_at)
select s.id, {resource}, s.person, s.team, s.permission::permission_type,
       case when c.state = 'expired' then now() - interval '1 minute' when s.name = 'writer' then now() + interval '1 hour' end
from matrix.cases c
cross join lateral (values
  ('reader', {reader_share}, {reader}, null::uuid, 'read'),
  ('writer', {writer_share}, {writer}, null, 'write'),
  ('group', {group_share}, null, {group}, case c.state when 'groups' then 'write' else 'read' end)
) as s(name, id, person, team, permission);

-- Of these a person has one, which would be in the way of another.
insert into saved_resources (id, user_id, resource_id)
select {saved}, {author}, {resource} from matrix.cases c where c.operation <> 'Add';
insert into resource_ratings (id, user_id, resource_id, rating)
select {rating}, {author}, {resource}, 3 from matrix.cases c where c.operation <> 'Add';

insert into resource_comments (id, user_id, resource_id, content, updated_at)
select {comment}, {author}, {resource}, 'Comment', '2001-01-01' from matrix.cases c;
insert into resource_comments (id, user_id, resource_id, content, parent_id)
select {reply}, {other}, {resource}, 'Reply', {comment} from matrix.cases c;

insert into resource_versions (id, resource_id, version_number, title, description, created_by)
select {version}, {resource}, 1, 't', 'd', {owner} from matrix.cases c
union all
select {latest_version}, {resource}, 2, 't', 'd', {owner} from matrix.cases c;

insert into resource_templates (id, name, description, category, tags, is_public, created_by, template_data)
select {template}, 't', 'd', 'c', '{}', c.state <> 'closed', {owner}, '{}' from matrix.cases c;

insert into collections (id, name, user_id, is_public)
select {collection}, 'c', {owner}, c.state <> 'closed' from matrix.cases c
union all
select {foreign_collection}, 'c', {stranger}, true from matrix.cases c;
insert into collection_resources (id, collection_id, resource_id)
select {entry}, {collection}, {resource} from matrix.cases c where c.operation <> 'Add'
union all
select {lost_entry}, {collection}, {hidden} from matrix.cases c where c.operation <> 'Add';

insert into category_tag_suggestions (id, name, type, suggested_by)
select {suggestion}, 'suggested-{n}', 'tag'::suggestion_type, {author} from matrix.cases c
union all
select {other_suggestion}, 'other-{n}', 'tag', {stranger} from matrix.cases c;
insert into suggestion_votes (id, suggestion_id, user_id, vote_type)
select {vote}, {suggestion}, {author}, 'upvote' from matrix.cases c where c.operation <> 'Add';

insert into admin_configs (id, key, value) select {setting}, 'key-{n}', '"v"' from matrix.cases c;
insert into category_hierarchy (id, name, is_active) select {category}, 'c', c.state <> 'closed' from matrix.cases c;
insert into category_filters (id, category_id, filter_key, filter_type, filter_label)
select {filter}, {category}, 'k', 'text', 'l' from matrix.cases c;

insert into notifications (id, user_id, type, title, message) select {notification}, {author}, 't', 't', 'm' from matrix.cases c;
insert into analytics_events (id, event, user_id) select {event}, 'e', {author} from matrix.cases c;

analyze;
