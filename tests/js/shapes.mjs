// Every GET of the application's query inventory: the supabase-js call, and SQL that says in plain
// joins what its rows are. `order` names the column that decides, `limit` cuts.

const READABLE_PROFILE = 'id, user_id, username, full_name, bio, avatar_url, github_username, created_at, updated_at';
const P3 = '*, profiles!inner(username, full_name, avatar_url)';
const PA = '*, profiles(*)';
const short = (table) => `select r.*, (select to_json(x) from (select p.username, p.full_name, p.avatar_url) x) as profiles from ${table} r join profiles p on p.user_id = r.user_id`;
const whole = (table) => `select r.*, (select to_json(x) from (select ${READABLE_PROFILE} from profiles where user_id = r.user_id) x) as profiles from ${table} r`;
const listed = short('resources');
const full = whole('resources');
const words = (list) => list.flatMap((word) => ['title', 'description', 'readme'].map((column) => `${column}.ilike.%${word}%`)).join(',');

const resources = [
  { id: 'R1', call: (c) => c.from('resources').select(P3).order('created_at', { ascending: false }), sql: `${listed} order by r.created_at desc`, order: 'created_at' },
  { id: 'R1 searched', call: (c, f) => c.from('resources').select(P3).or(`title.ilike.%${f.word}%,description.ilike.%${f.word}%`).in('category', f.categories).overlaps('tags', f.tags).order('created_at', { ascending: false }), sql: `${listed} where (r.title ilike '%' || $1 || '%' or r.description ilike '%' || $1 || '%') and r.category = any($2) and r.tags && $3 order by r.created_at desc`, params: (f) => [f.word, f.categories, f.tags], order: 'created_at' },
  { id: 'R2', one: true, call: (c, f) => c.from('resources').select(P3).eq('id', f.resource), sql: `${listed} where r.id = $1`, params: (f) => [f.resource] },
  { id: 'R2 private', one: true, call: (c, f) => c.from('resources').select(P3).eq('id', f.privateResource), sql: `${listed} where r.id = $1`, params: (f) => [f.privateResource] },
  { id: 'R3', one: true, call: (c, f) => c.from('resources').select('*').eq('id', f.resource), sql: 'select * from resources where id = $1', params: (f) => [f.resource] },
  { id: 'R4', limit: 12, call: (c) => c.from('resources').select(P3).eq('visibility', 'public').order('views_count', { ascending: false }).limit(12), sql: `${listed} where r.visibility = 'public' order by r.views_count desc`, order: 'views_count' },
  { id: 'R5', limit: 6, call: (c) => c.from('resources').select(P3).eq('visibility', 'public').order('created_at', { ascending: false }).limit(6), sql: `${listed} where r.visibility = 'public' order by r.created_at desc`, order: 'created_at' },
  { id: 'R6', call: (c, f) => c.from('resources').select(P3).eq('user_id', f.owner).order('created_at', { ascending: false }), sql: `${listed} where r.user_id = $1 order by r.created_at desc`, params: (f) => [f.owner], order: 'created_at' },
  { id: 'R7', call: (c, f) => c.from('resources').select(P3).eq('user_id', f.owner).eq('visibility', 'public').order('created_at', { ascending: false }), sql: `${listed} where r.user_id = $1 and r.visibility = 'public' order by r.created_at desc`, params: (f) => [f.owner], order: 'created_at' },
  { id: 'R8', call: (c, f) => c.from('resources').select(PA).or(words([f.word])).in('category', f.categories).overlaps('tags', f.tags).eq('visibility', 'public').gte('created_at', '2020-01-01').lte('created_at', '2030-01-01').order('created_at', { ascending: false }), sql: `${full} where (r.title ilike '%' || $1 || '%' or r.description ilike '%' || $1 || '%' or r.readme ilike '%' || $1 || '%') and r.category = any($2) and r.tags && $3 and r.visibility = 'public' and r.created_at between '2020-01-01' and '2030-01-01' order by r.created_at desc`, params: (f) => [f.word, f.categories, f.tags], order: 'created_at' },
  { id: 'R8 by author and language', call: (c, f) => c.from('resources').select(PA).or(words([f.word, 'a'])).eq('user_id', f.owner).eq('language', f.language), sql: `${full} where (r.title || ' ' || r.description || ' ' || coalesce(r.readme, '') ilike '%a%' or r.title ilike '%' || $1 || '%' or r.description ilike '%' || $1 || '%' or r.readme ilike '%' || $1 || '%') and r.user_id = $2 and r.language = $3`, params: (f) => [f.word, f.owner, f.language] },
  { id: 'R9', call: (c) => c.from('resources').select(PA), sql: full },
  { id: 'R10', one: true, call: (c, f) => c.from('resources').select(PA).eq('id', f.resource), sql: `${full} where r.id = $1`, params: (f) => [f.resource] },
  { id: 'R11', call: (c) => c.from('resources').select(PA).eq('visibility', 'public'), sql: `${full} where r.visibility = 'public'` },
  { id: 'R11 ordered', call: (c) => c.from('resources').select(PA).eq('visibility', 'public').order('created_at', { ascending: false }), sql: `${full} where r.visibility = 'public' order by r.created_at desc`, order: 'created_at' },
  { id: 'R12', call: (c, f) => c.from('resources').select(PA).in('id', f.someResources), sql: `${full} where r.id = any($1)`, params: (f) => [f.someResources] },
  { id: 'R13', one: true, call: (c, f) => c.from('resources').select('user_id').eq('id', f.resource), sql: 'select user_id from resources where id = $1', params: (f) => [f.resource] },
  { id: 'R14', call: (c) => c.from('resources').select('*'), sql: 'select * from resources' },
  { id: 'R15', limit: 20, call: (c, f) => c.from('resources').select('*').eq('user_id', f.owner).or(`title.ilike.%${f.word}%,description.ilike.%${f.word}%`).limit(20), sql: `select * from resources where user_id = $1 and (title ilike '%' || $2 || '%' or description ilike '%' || $2 || '%')`, params: (f) => [f.owner, f.word] },
  { id: 'R16', call: (c) => c.from('resources').select('category, visibility').not('category', 'is', null), sql: 'select category, visibility from resources where category is not null' },
  { id: 'R16 category', call: (c) => c.from('resources').select('category'), sql: 'select category from resources' },
  { id: 'R17', call: (c) => c.from('resources').select('tags, visibility').not('tags', 'is', null), sql: 'select tags, visibility from resources where tags is not null' },
  { id: 'R18', call: (c) => c.from('resources').select('resource_type, visibility').not('resource_type', 'is', null), sql: 'select resource_type, visibility from resources where resource_type is not null' },
  { id: 'R18 all', call: (c) => c.from('resources').select('resource_type, visibility'), sql: 'select resource_type, visibility from resources' },
  { id: 'R18 type', call: (c) => c.from('resources').select('resource_type'), sql: 'select resource_type from resources' },
  { id: 'R19', call: (c) => c.from('resources').select('id, tags'), sql: 'select id, tags from resources' },
  { id: 'R20', limit: 1, call: (c, f) => c.from('resources').select('id').eq('category', f.categories[0]).limit(1), sql: 'select id from resources where category = $1', params: (f) => [f.categories[0]] },
  { id: 'R21', call: (c) => c.from('resources').select('tags'), sql: 'select tags from resources' },
];

const resourceWithAuthor = `(select to_json(x) from (${listed} where r.id = s.resource_id) x)`;
const sharing = [
  { id: 'S1', call: (c) => c.from('saved_resources').select('resource_id, resources!inner(*, profiles!inner(username, full_name, avatar_url))').order('created_at', { ascending: false }), sql: `select resource_id, resources from (select s.resource_id, s.created_at, ${resourceWithAuthor} as resources from saved_resources s) s where resources is not null order by created_at desc` },
  { id: 'RT1', maybe: true, call: (c, f) => c.from('resource_ratings').select('rating').eq('resource_id', f.rated.resource_id).eq('user_id', f.rated.user_id), sql: 'select rating from resource_ratings where resource_id = $1 and user_id = $2', params: (f) => [f.rated.resource_id, f.rated.user_id] },
  { id: 'SH1', call: (c, f) => c.from('resource_shares').select('*').eq('resource_id', f.sharedResource), sql: 'select * from resource_shares where resource_id = $1', params: (f) => [f.sharedResource] },
  { id: 'SH2', call: (c, f) => c.from('resource_shares').select('resource_id, resources!inner(*, profiles!inner(username, full_name, avatar_url))').eq('shared_with_user_id', f.other), sql: `select * from (select s.resource_id, ${resourceWithAuthor} as resources from resource_shares s where s.shared_with_user_id = $1) s where resources is not null`, params: (f) => [f.other] },
  { id: 'SH3', call: (c) => c.from('resource_shares').select('resource_id, resources!inner(*, profiles!inner(username, full_name, avatar_url)), groups!inner(id, group_members!inner(user_id))').not('shared_with_group_id', 'is', null), sql: `select * from (select s.resource_id, ${resourceWithAuthor} as resources, (select to_json(x) from (select g.id, (select json_agg(json_build_object('user_id', m.user_id) order by m.user_id) from group_members m where m.group_id = g.id) as group_members from groups g where g.id = s.shared_with_group_id) x) as groups from resource_shares s where s.shared_with_group_id is not null) s where resources is not null and groups is not null and (groups -> 'group_members')::text <> 'null'` },
  { id: 'C1', call: (c, f) => c.from('resource_comments').select(P3).eq('resource_id', f.commentedResource).order('created_at', { ascending: true }), sql: `${short('resource_comments')} where r.resource_id = $1 order by r.created_at`, params: (f) => [f.commentedResource], order: 'created_at' },
  { id: 'C4', call: (c, f) => c.from('resource_comments').select('id').eq('parent_id', f.parentComment), sql: 'select id from resource_comments where parent_id = $1', params: (f) => [f.parentComment] },
  { id: 'G1', call: (c) => c.from('groups').select('*').order('created_at', { ascending: false }), sql: 'select * from groups order by created_at desc', order: 'created_at' },
  { id: 'GM1', call: (c, f) => c.from('group_members').select(P3).eq('group_id', f.group), sql: `${short('group_members')} where r.group_id = $1`, params: (f) => [f.group] },
  { id: 'N1', limit: 50, call: (c, f) => c.from('notifications').select('*').eq('user_id', f.owner).order('created_at', { ascending: false }).limit(50), sql: 'select * from notifications where user_id = $1 order by created_at desc', params: (f) => [f.owner], order: 'created_at' },
];

const suggestion = (filter) => `select * from category_tag_suggestions where ${filter} order by votes_count desc`;
const byVotes = (query) => query.order('votes_count', { ascending: false });
const suggestions = [
  ...['category', 'tag', 'resource_type'].map((type) => ({ id: `CT1 ${type}`, call: (c) => byVotes(c.from('category_tag_suggestions').select('name').eq('type', type).eq('status', 'approved').eq('action', 'add')), sql: `select name from category_tag_suggestions where type = '${type}' and status = 'approved' and action = 'add' order by votes_count desc` })),
  { id: 'CT2', call: (c) => c.from('category_tag_suggestions').select('name').eq('type', 'tag').eq('status', 'approved'), sql: "select name from category_tag_suggestions where type = 'tag' and status = 'approved'" },
  { id: 'CT3', limit: 5, call: (c) => byVotes(c.from('category_tag_suggestions').select('*').eq('type', 'tag').eq('status', 'pending')).limit(5), sql: suggestion("type = 'tag' and status = 'pending'"), order: 'votes_count' },
  { id: 'CT4', call: (c) => c.from('category_tag_suggestions').select('*').eq('type', 'category').order('created_at', { ascending: false }), sql: "select * from category_tag_suggestions where type = 'category' order by created_at desc", order: 'created_at' },
  { id: 'CT5', call: (c) => byVotes(c.from('category_tag_suggestions').select('*').eq('type', 'tag').eq('action', 'add')), sql: suggestion("type = 'tag' and action = 'add'"), order: 'votes_count' },
  { id: 'CT6', call: (c) => byVotes(c.from('category_tag_suggestions').select('*, suggestion_votes(user_id, vote_type)').eq('type', 'tag')), sql: "select s.*, coalesce((select json_agg(json_build_object('user_id', v.user_id, 'vote_type', v.vote_type)) from suggestion_votes v where v.suggestion_id = s.id), '[]') as suggestion_votes from category_tag_suggestions s where type = 'tag' order by votes_count desc", order: 'votes_count' },
  { id: 'CT7', one: true, call: (c, f) => c.from('category_tag_suggestions').select('*').eq('id', f.suggestion), sql: suggestion('id = $1'), params: (f) => [f.suggestion] },
  { id: 'CT8', one: true, call: (c) => c.from('category_tag_suggestions').select('id').eq('type', 'tag').eq('name', 'react').eq('status', 'approved').eq('action', 'add'), sql: "select id from category_tag_suggestions where type = 'tag' and name = 'react' and status = 'approved' and action = 'add'" },
  { id: 'CT8 absent', one: true, call: (c) => c.from('category_tag_suggestions').select('id').eq('type', 'tag').eq('name', 'no such tag').eq('status', 'approved').eq('action', 'add'), sql: "select id from category_tag_suggestions where name = 'no such tag'" },
  { id: 'CT9', limit: 1, call: (c) => c.from('category_tag_suggestions').select('id').limit(1), sql: 'select id from category_tag_suggestions' },
  { id: 'SV1', call: (c, f) => c.from('suggestion_votes').select('*').eq('suggestion_id', f.vote.suggestion_id).eq('user_id', f.vote.user_id), sql: 'select * from suggestion_votes where suggestion_id = $1 and user_id = $2', params: (f) => [f.vote.suggestion_id, f.vote.user_id] },
  { id: 'SV2', call: (c, f) => c.from('suggestion_votes').select('vote_type').eq('suggestion_id', f.vote.suggestion_id), sql: 'select vote_type from suggestion_votes where suggestion_id = $1', params: (f) => [f.vote.suggestion_id] },
  { id: 'SV3', call: (c, f) => c.from('suggestion_votes').select('user_id, vote_type').eq('suggestion_id', f.vote.suggestion_id), sql: 'select user_id, vote_type from suggestion_votes where suggestion_id = $1', params: (f) => [f.vote.suggestion_id] },
];

const people = [
  { id: 'PR1', one: true, call: (c, f) => c.from('profiles').select('*').eq('id', f.owner), sql: `select ${READABLE_PROFILE} from profiles where id = $1`, params: (f) => [f.owner] },
  { id: 'PR2', one: true, call: (c, f) => c.from('profiles').select('*').eq('username', f.username), sql: `select ${READABLE_PROFILE} from profiles where username = $1`, params: (f) => [f.username] },
  { id: 'PR3', one: true, call: (c, f) => c.from('profiles').select('username, full_name').eq('id', f.other), sql: 'select username, full_name from profiles where id = $1', params: (f) => [f.other] },
  { id: 'PR4', call: (c, f) => c.from('profiles').select('id, username, full_name, avatar_url').in('id', [f.owner, f.other]), sql: 'select id, username, full_name, avatar_url from profiles where id = any($1)', params: (f) => [[f.owner, f.other]] },
  { id: 'PR5', call: (c) => c.from('profiles').select('*'), sql: `select ${READABLE_PROFILE} from profiles` },
  { id: 'PR7', limit: 10, call: (c) => c.from('profiles').select('id, username, full_name, avatar_url').or('username.ilike.%a%,full_name.ilike.%a%').limit(10), sql: "select id, username, full_name, avatar_url from profiles where username ilike '%a%' or full_name ilike '%a%'" },
  { id: 'UR1', maybe: true, call: (c, f) => c.from('user_roles').select('role').eq('user_id', f.admin).eq('role', 'admin'), sql: "select role from user_roles where user_id = $1 and role = 'admin'", params: (f) => [f.admin] },
];

const collections = [
  { id: 'CO1', call: (c, f) => c.from('collections').select('*').eq('user_id', f.owner).order('updated_at', { ascending: false }), sql: 'select * from collections where user_id = $1 order by updated_at desc', params: (f) => [f.owner], order: 'updated_at' },
  { id: 'CO1 public', call: (c, f) => c.from('collections').select('*').eq('user_id', f.owner).eq('is_public', true).order('updated_at', { ascending: false }), sql: 'select * from collections where user_id = $1 and is_public order by updated_at desc', params: (f) => [f.owner], order: 'updated_at' },
  { id: 'CO2', limit: 8, call: (c) => c.from('collections').select('*').eq('is_public', true).order('updated_at', { ascending: false }).limit(8), sql: 'select * from collections where is_public order by updated_at desc', order: 'updated_at' },
  { id: 'CO3', one: true, call: (c, f) => c.from('collections').select('*').eq('id', f.collection), sql: 'select * from collections where id = $1', params: (f) => [f.collection] },
  { id: 'CO4', limit: 20, call: (c) => c.from('collections').select('*').eq('is_public', true).or('name.ilike.%a%,description.ilike.%a%').order('updated_at', { ascending: false }).limit(20), sql: "select * from collections where is_public and (name ilike '%a%' or description ilike '%a%') order by updated_at desc", order: 'updated_at' },
  { id: 'CR1', call: (c, f) => c.from('collection_resources').select('*').eq('collection_id', f.collection).order('order', { ascending: true }), sql: 'select * from collection_resources where collection_id = $1 order by "order"', params: (f) => [f.collection], order: 'order' },
  { id: 'V1', call: (c, f) => c.from('resource_versions').select('*').eq('resource_id', f.version.resource_id).order('version_number', { ascending: false }), sql: 'select * from resource_versions where resource_id = $1 order by version_number desc', params: (f) => [f.version.resource_id], order: 'version_number' },
  { id: 'V2', one: true, call: (c, f) => c.from('resource_versions').select('*').eq('id', f.version.id), sql: 'select * from resource_versions where id = $1', params: (f) => [f.version.id] },
  { id: 'A1', call: (c) => c.from('admin_config').select('*'), sql: 'select * from admin_config' },
];

const others = ['resource_templates', 'category_hierarchy', 'category_filters', 'analytics_events'].map((table) => ({
  id: table, call: (c) => c.from(table).select('*'), sql: `select * from ${table}`,
}));

export const shapes = [...resources, ...sharing, ...suggestions, ...people, ...collections, ...others];

/** Rows the shapes are about, chosen so that owner, other and stranger get different answers. */
export async function facts(database) {
  const first = async (sql, params = []) => (await database.query(sql, params)).rows[0];
  const admin = (await first("select user_id from user_roles where role = 'admin' order by user_id limit 1")).user_id;
  const owner = (await first(`select r.user_id from resources r join resource_shares s on s.resource_id = r.id and s.shared_with_user_id is not null
    where exists (select from resources p where p.user_id = r.user_id and p.visibility = 'private')
      and exists (select from collections c where c.user_id = r.user_id)
      and not exists (select from user_roles u where u.user_id = r.user_id and u.role = 'admin')
    group by 1 order by count(*) desc, 1 limit 1`)).user_id;
  const shared = await first(`select s.resource_id, s.shared_with_user_id from resource_shares s join resources r on r.id = s.resource_id
    where r.user_id = $1 and s.shared_with_user_id is not null and r.visibility = 'shared_users' and (s.expires_at is null or s.expires_at > now()) order by s.id limit 1`, [owner])
    ?? await first('select s.resource_id, s.shared_with_user_id from resource_shares s join resources r on r.id = s.resource_id where r.user_id = $1 and s.shared_with_user_id is not null order by s.id limit 1', [owner]);
  const popular = await first("select id, category, tags, language, split_part(title, ' ', 1) as word from resources where visibility = 'public' and category is not null and cardinality(tags) > 0 and language is not null order by id limit 1");
  return {
    admin,
    owner,
    other: shared.shared_with_user_id,
    sharedResource: shared.resource_id,
    resource: popular.id,
    word: popular.word,
    categories: [popular.category, 'Design'],
    tags: popular.tags,
    language: (await first('select language from resources where user_id = $1 and language is not null order by id limit 1', [owner]))?.language ?? popular.language,
    privateResource: (await first("select id from resources where user_id = $1 and visibility = 'private' order by id limit 1", [owner])).id,
    someResources: (await database.query('select id from resources order by id limit 9')).rows.map((row) => row.id),
    rated: await first('select resource_id, user_id from resource_ratings where user_id = $1 order by id limit 1', [owner]) ?? await first('select resource_id, user_id from resource_ratings order by id limit 1'),
    commentedResource: (await first('select resource_id from resource_comments group by 1 order by count(*) desc, 1 limit 1')).resource_id,
    parentComment: (await first('select parent_id from resource_comments where parent_id is not null order by id limit 1')).parent_id,
    group: (await first('select group_id from group_members group by 1 order by count(*) desc, 1 limit 1')).group_id,
    suggestion: (await first('select id from category_tag_suggestions order by id limit 1')).id,
    vote: await first('select suggestion_id, user_id from suggestion_votes order by id limit 1'),
    username: (await first('select username from profiles where user_id = $1', [owner])).username,
    collection: (await first('select collection_id from collection_resources join collections c on c.id = collection_id where c.user_id = $1 order by 1 limit 1', [owner]) ?? await first('select collection_id from collection_resources order by 1 limit 1')).collection_id,
    version: await first('select id, resource_id from resource_versions order by id limit 1'),
  };
}
