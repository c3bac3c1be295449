-- Hub-Lib: example data for development and tests, in French and English. Not for production.
--
-- Apply after init.sql and policies.sql as the owner of the tables. The same rows come out every time, with the same ids
-- and times, on every server: everything is derived from counters and word lists. Applied again it changes nothing.

set search_path = public, extensions;
set client_min_messages = warning;

create or replace function pg_temp.seed_id(kind text, n bigint) returns uuid
  language sql immutable as $$ select uuid_generate_v5('5eed0000-0000-4000-8000-000000000000', kind || '/' || n) $$;

-- A number that looks arbitrary and never changes.
create or replace function pg_temp.mix(key text) returns integer
  language sql immutable as $$ select ('x' || left(md5(key), 7))::bit(28)::integer $$;

create or replace function pg_temp.pick(list text[], n bigint) returns text
  language sql immutable as $$ select list[1 + n % cardinality(list)] $$;

create or replace function pg_temp.days_ago(days numeric) returns timestamptz
  language sql immutable as $$ select timestamptz '2025-06-02 09:00:00+00' - days * interval '1 day' $$;


-- People: 1 and 2 administer, everybody else is an ordinary user.

insert into profiles (id, user_id, email, username, full_name, bio, avatar_url, github_username, preferred_layout, created_at, updated_at)
select pg_temp.seed_id('profile', n), pg_temp.seed_id('profile', n), handle || '@example.org', handle, name,
       pg_temp.pick(array[
         'Développeuse web, j''aime les interfaces sobres et les tests qui se lisent.',
         'Backend engineer. Databases, queues, and the quiet art of deleting code.',
         'Designer produit, passée par l''accessibilité et le design system.',
         'Data analyst who still believes in spreadsheets, up to a point.',
         'Formateur indépendant : Git, Docker et bonnes pratiques d''équipe.',
         'Open-source maintainer on weekends, SRE on weekdays.',
         'Étudiant en informatique, curieux de tout ce qui compile.',
         'Technical writer. If it is not documented, it does not exist.',
         'Cartographe et géomaticienne, adepte des données ouvertes.',
         'Mobile developer, mostly Flutter, sometimes Kotlin.'
       ], n),
       case when n % 3 = 0 then 'https://avatars.example.org/' || handle || '.png' end,
       case when n % 4 <> 0 then handle end,
       pg_temp.pick(array['grid', 'list', null], n),
       pg_temp.days_ago(720 - n * 9), pg_temp.days_ago(700 - n * 9)
from (
  select n, name,
         translate(lower(name), 'àâäçéèêëîïôöùûü ''', 'aaaceeeeiioouuu--') as handle
  from unnest(array[
    'Camille Laurent', 'Oliver Bennett', 'Chloé Marchand', 'James Whitaker', 'Léa Fontaine', 'Emily Carter',
    'Hugo Bertrand', 'Sophie Delaunay', 'Daniel O''Connor', 'Inès Benali', 'Thomas Girard', 'Grace Thompson',
    'Manon Lefèvre', 'Liam Fitzgerald', 'Zoé Perrin', 'Noah Sinclair', 'Jules Moreau', 'Amelia Brooks',
    'Nathan Roussel', 'Charlotte Hughes', 'Yasmine Haddad', 'Ethan Palmer', 'Clara Dubois', 'Lucas Meunier',
    'Isabella Reed', 'Mathis Chevalier', 'Hannah Collins', 'Élise Garnier', 'Samuel Turner', 'Anaïs Picard',
    'Benjamin Hayes', 'Louise Renard', 'Oscar Lindholm', 'Jeanne Barbier', 'Lucy Hamilton', 'Antoine Leclerc',
    'Maya Patel', 'Gabriel Noël', 'Ruby Anderson', 'Maxime Poirier', 'Ella Morrison', 'Sarah Cohen',
    'Victor Blanchard', 'Freya Johansson', 'Adrien Mercier', 'Megan Walsh', 'Alice Guérin', 'Kwame Mensah',
    'Juliette Caron', 'Patrick Doyle', 'Romane Faure', 'Priya Raman', 'Quentin Masson', 'Alexandra Stone',
    'Margaux Vidal', 'Henry Lawson', 'Fatou Diallo', 'Rebecca Price', 'Théo Lambert', 'Nora Kelly'
  ]) with ordinality as names(name, n)
) as people
on conflict do nothing;

insert into user_roles (id, user_id, role, created_at)
select pg_temp.seed_id('role', n), pg_temp.seed_id('profile', n),
       case when n <= 2 then 'admin' else 'user' end::app_role, pg_temp.days_ago(720 - n * 9)
from generate_series(1, 60) as n
on conflict do nothing;


-- Resources: 40 subjects in 10 forms

insert into resources (id, user_id, title, description, category, tags, resource_type, visibility, github_url, external_url,
                       file_path, file_url, file_size, language, license, readme, downloads_count, views_count,
                       created_at, updated_at)
select pg_temp.seed_id('resource', n), pg_temp.seed_id('profile', 1 + pg_temp.mix('owner' || n) % 60),
       format(title, subject), format(description, subject), coalesce(form_category, subject_category),
       string_to_array(subject_tags, ' ') || string_to_array(form_tag, ' '), type::resource_type,
       case when chance < 64 then 'public' when chance < 78 then 'private'
            when chance < 90 then 'shared_users' else 'shared_groups' end::resource_visibility,
       case when type = 'github_repo' then 'https://github.com/example-org/' || slug end,
       case when type = 'external_link' then 'https://www.example.org/' || slug end,
       case when type = 'file_upload' then 'uploads/' || slug || '.pdf' end,
       case when type = 'file_upload' then 'https://files.example.org/' || slug || '.pdf' end,
       case when type = 'file_upload' then (1 + chance) * 37 || ' KB' end,
       language, pg_temp.pick(array['MIT', 'Apache-2.0', 'CC BY 4.0', 'GPL-3.0', null], n),
       case when type = 'github_repo' then
         E'# ' || format(title, subject) || E'\n\n' || format(description, subject)
         || case when french then E'\n\n## Installation\n\nClonez le dépôt, puis suivez les étapes du fichier `INSTALL.md`.'
                 else E'\n\n## Getting started\n\nClone the repository and follow the steps in `INSTALL.md`.' end
       end,
       case when type = 'file_upload' then pg_temp.mix('downloads' || n) % 240 else 0 end,
       pg_temp.mix('views' || n) % 900,
       pg_temp.days_ago(age), pg_temp.days_ago(round(age * 0.6, 2))
from (
  select subject_number * 10 + form_number - 10 as n, subject, subject_category, subject_tags, language, form.*,
         lower(regexp_replace(subject, '[^A-Za-z0-9]+', '-', 'g')) || '-' || form_number as slug,
         pg_temp.mix('visibility' || subject_number || '/' || form_number) % 100 as chance,
         (pg_temp.mix('age' || subject_number || '/' || form_number) % 54000)::numeric / 100 as age
  from (values
    (1,  'PostgreSQL',     'Données',       'database backend',      'SQL'),
    (2,  'Redis',          'Données',       'database backend',      'C'),
    (3,  'React',          'Développement', 'react frontend',        'JavaScript'),
    (4,  'TypeScript',     'Développement', 'typescript frontend',   'TypeScript'),
    (5,  'Python',         'Développement', 'python backend',        'Python'),
    (6,  'Rust',           'Développement', 'rust backend',          'Rust'),
    (7,  'Docker',         'Outils',        'docker devops',         'Shell'),
    (8,  'Kubernetes',     'Outils',        'kubernetes devops',     'Go'),
    (9,  'Figma',          'Design',        'figma ui ux',           null),
    (10, 'Svelte',         'Développement', 'svelte frontend',       'JavaScript'),
    (11, 'Vue',            'Développement', 'vue frontend',          'JavaScript'),
    (12, 'Node.js',        'Développement', 'javascript backend',    'JavaScript'),
    (13, 'GraphQL',        'Développement', 'graphql api',           'TypeScript'),
    (14, 'OpenAPI',        'Documentation', 'api documentation',     'YAML'),
    (15, 'Terraform',      'Outils',        'terraform devops',      'HCL'),
    (16, 'Ansible',        'Outils',        'ansible devops',        'YAML'),
    (17, 'GitHub Actions', 'Outils',        'ci devops',             'YAML'),
    (18, 'Playwright',     'Outils',        'tests frontend',        'TypeScript'),
    (19, 'Vite',           'Outils',        'javascript frontend',   'JavaScript'),
    (20, 'Tailwind CSS',   'Design',        'css ui frontend',       'CSS'),
    (21, 'Django',         'Développement', 'python backend',        'Python'),
    (22, 'FastAPI',        'Développement', 'python api',            'Python'),
    (23, 'Flutter',        'Développement', 'flutter mobile',        'Dart'),
    (24, 'SwiftUI',        'Développement', 'swift mobile ui',       'Swift'),
    (25, 'Kotlin',         'Développement', 'kotlin mobile',         'Kotlin'),
    (26, 'Go',             'Développement', 'go backend',            'Go'),
    (27, 'Elixir',         'Développement', 'elixir backend',        'Elixir'),
    (28, 'pandas',         'Données',       'python data',           'Python'),
    (29, 'DuckDB',         'Données',       'database data',         'SQL'),
    (30, 'dbt',            'Données',       'data sql',              'SQL'),
    (31, 'Jupyter',        'Learning',      'python data',           'Python'),
    (32, 'Grafana',        'Outils',        'monitoring devops',     'TypeScript'),
    (33, 'Prometheus',     'Outils',        'monitoring devops',     'Go'),
    (34, 'Nginx',          'Outils',        'web devops',            'C'),
    (35, 'WebAssembly',    'Développement', 'wasm frontend',         'Rust'),
    (36, 'Storybook',      'Design',        'ui react documentation', 'TypeScript'),
    (37, 'Blender',        'Médias',        '3d video',              'Python'),
    (38, 'QGIS',           'Données',       'maps open-data',        'Python'),
    (39, 'LaTeX',          'Documentation', 'typography writing',    'TeX'),
    (40, 'Markdown',       'Documentation', 'writing documentation', 'Markdown')
  ) as subjects(subject_number, subject, subject_category, subject_tags, language)
  cross join (values
    (1, true, 'Guide pratique : %s', 'external_link', null, 'tutorial',
      'Un guide pas à pas pour prendre en main %s, de l''installation au premier projet, avec des exemples commentés.'),
    (2, false, '%s starter kit', 'github_repo', null, 'open-source',
      'A small, well-documented starting point for %s projects: formatting, tests and continuous integration are set up.'),
    (3, true, 'Aide-mémoire %s', 'file_upload', null, 'cheatsheet',
      'L''essentiel de %s en deux pages à imprimer : commandes courantes, pièges fréquents et raccourcis.'),
    (4, false, '%s in production: lessons learned', 'external_link', null, 'experience',
      'What a team of six learned after three years of running %s in production, including the mistakes.'),
    (5, true, 'Atelier %s : exercices corrigés', 'file_upload', 'Learning', 'tutorial',
      'Douze exercices progressifs autour de %s, avec corrigés détaillés, pensés pour une journée de formation.'),
    (6, false, 'Awesome %s', 'github_repo', null, 'open-source library',
      'A curated list of %s libraries, articles and talks, reviewed every quarter and free of dead links.'),
    (7, true, 'Adopter %s en équipe', 'external_link', 'Documentation', 'experience',
      'Retour d''expérience sur l''adoption de %s par une équipe de huit personnes : conventions, formation, premiers écueils.'),
    (8, false, '%s performance checklist', 'external_link', null, 'performance',
      'Twenty questions to ask before blaming %s: measurements first, quick wins second, rewrites last.'),
    (9, true, 'Modèles de documents pour %s', 'file_upload', 'Templates', 'templates',
      'Fiches de décision, comptes rendus et plans de test prêts à remplir pour les projets %s.'),
    (10, false, 'Talk: ten things nobody tells you about %s', 'external_link', 'Médias', 'video',
      'Recording of a forty-minute meetup talk on the less documented corners of %s, with slides and source code.')
  ) as form(form_number, french, title, type, form_category, form_tag, description)
) as catalogue
on conflict do nothing;

insert into resource_versions (id, resource_id, version_number, title, description, category, tags, github_url, external_url,
                               language, readme, file_path, file_url, file_size, created_by, change_summary, created_at)
select pg_temp.seed_id('version', n * 10 + version), r.id, version, r.title, r.description, r.category, r.tags, r.github_url,
       r.external_url, r.language, r.readme, r.file_path, r.file_url, r.file_size, r.user_id,
       pg_temp.pick(array['Première version', 'Links updated, typos fixed', 'Ajout d''une section sur la sécurité',
                          'Examples rewritten for the current release'], n + version),
       r.created_at + (version - 1) * interval '9 days'
from generate_series(1, 400) as n
join resources r on r.id = pg_temp.seed_id('resource', n)
cross join generate_series(1, 3) as version
where n % 5 = 0 and version <= 1 + n / 5 % 3
on conflict do nothing;


-- Groups and shares

insert into groups (id, name, description, owner_id, created_at, updated_at)
select pg_temp.seed_id('group', n), name, description, pg_temp.seed_id('profile', n * 5),
       pg_temp.days_ago(400 - n * 20), pg_temp.days_ago(390 - n * 20)
from (values
  (1, 'Équipe plateforme', 'Infrastructure, déploiement et astreintes.'),
  (2, 'Frontend guild', 'Weekly meeting on interfaces, accessibility and build tools.'),
  (3, 'Club de lecture technique', 'Un livre par mois, une discussion par semaine.'),
  (4, 'Data circle', 'Pipelines, notebooks and dashboards.'),
  (5, 'Design system', 'Composants partagés, jetons et règles d''usage.'),
  (6, 'Mobile developers', 'Flutter, Swift and Kotlin under one roof.'),
  (7, 'Formation continue', 'Supports de cours et retours des stagiaires.'),
  (8, 'Open-source Fridays', 'Maintainers who review each other''s pull requests.')
) as entries(n, name, description)
on conflict do nothing;

insert into group_members (id, group_id, user_id, role, added_at)
select pg_temp.seed_id('member', g * 100 + p), pg_temp.seed_id('group', g), pg_temp.seed_id('profile', p),
       case when pg_temp.mix('group-admin' || g || '/' || p) % 6 = 0 then 'admin' else 'member' end::group_role,
       pg_temp.days_ago(380 - g * 20)
from generate_series(1, 8) as g
cross join generate_series(1, 60) as p
where p <> g * 5 and pg_temp.mix('member' || g || '/' || p) % 7 = 0
on conflict do nothing;

-- The owners became members when their groups were inserted, with an id and a time of that moment.
update group_members m
set id = pg_temp.seed_id('member', g * 100 + g * 5), added_at = pg_temp.days_ago(400 - g * 20)
from generate_series(1, 8) as g
where m.group_id = pg_temp.seed_id('group', g)
  and m.user_id = pg_temp.seed_id('profile', g * 5)
  and m.id <> pg_temp.seed_id('member', g * 100 + g * 5);

-- One share in five has run out long ago, one in four allows editing.
insert into resource_shares (id, resource_id, shared_with_user_id, shared_with_group_id, permission, expires_at, created_at)
select pg_temp.seed_id('share', n * 10 + share), r.id,
       case when r.visibility = 'shared_users' then pg_temp.seed_id('profile', recipient) end,
       case when r.visibility = 'shared_groups' then pg_temp.seed_id('group', 1 + (n + share) % 8) end,
       case when (n + share) % 4 = 0 then 'write' else 'read' end::permission_type,
       case (n + share) % 5 when 0 then r.created_at + interval '30 days'
                            when 1 then timestamptz '2099-12-31 23:00:00+00' end,
       r.created_at + share * interval '3 hours'
from generate_series(1, 400) as n
join resources r on r.id = pg_temp.seed_id('resource', n)
cross join generate_series(1, 2) as share
cross join lateral (select 1 + pg_temp.mix('recipient' || n || '/' || share) % 60 as recipient) as chosen
where r.visibility in ('shared_users', 'shared_groups')
  and pg_temp.seed_id('profile', recipient) <> r.user_id
on conflict do nothing;


-- Ratings, comments, bookmarks

insert into resource_ratings (id, user_id, resource_id, rating, created_at, updated_at)
select pg_temp.seed_id('rating', n * 100 + p), pg_temp.seed_id('profile', p), r.id,
       (array[5, 4, 4, 5, 3, 4, 5, 2, 4, 5, 3, 1])[1 + pg_temp.mix('rating' || n || '/' || p) / 12 % 12],
       r.created_at + p * interval '5 hours', r.created_at + p * interval '5 hours'
from generate_series(1, 400) as n
join resources r on r.id = pg_temp.seed_id('resource', n)
cross join generate_series(1, 60) as p
where r.visibility = 'public'
  and pg_temp.mix('rating' || n || '/' || p) % 12 = 0
  and r.user_id <> pg_temp.seed_id('profile', p)
on conflict do nothing;

insert into resource_comments (id, resource_id, user_id, parent_id, content, created_at, updated_at)
select pg_temp.seed_id('comment', n * 10 + c), r.id, pg_temp.seed_id('profile', 1 + pg_temp.mix('author' || n || '/' || c) % 60),
       null,
       pg_temp.pick(array[
         'Merci pour le partage, les exemples m''ont fait gagner une demi-journée.',
         'Clear and to the point. The section on configuration could use a screenshot.',
         'Le lien vers la deuxième partie semble cassé chez moi, est-ce normal ?',
         'We use this during onboarding and new colleagues love it.',
         'Très bon support, je l''ai repris en formation la semaine dernière.',
         'Could you add a word about Windows? The paths differ slightly.',
         'Enfin une explication qui ne suppose pas qu''on sait déjà tout.',
         'Works as described, thank you. Tested with the current release.',
         'Il manque peut-être une partie sur les tests, sinon c''est complet.',
         'The checklist alone is worth the visit.'
       ], pg_temp.mix('comment' || n || '/' || c)),
       r.created_at + c * interval '26 hours', r.created_at + c * interval '26 hours'
from generate_series(1, 400) as n
join resources r on r.id = pg_temp.seed_id('resource', n)
cross join generate_series(1, 3) as c
where r.visibility <> 'private' and c <= pg_temp.mix('comments' || n) % 4
on conflict do nothing;

insert into resource_comments (id, resource_id, user_id, parent_id, content, created_at, updated_at)
select pg_temp.seed_id('reply', n * 10 + c), r.id, r.user_id, parent.id,
       pg_temp.pick(array[
         'Merci pour le retour, c''est corrigé.',
         'Good point, I will add it to the next version.',
         'Bonne idée, je m''en occupe cette semaine.',
         'Glad it helped! Feel free to open an issue for the rest.',
         'Je n''arrive pas à reproduire, peux-tu préciser ta version ?'
       ], n + c),
       parent.created_at + interval '7 hours', parent.created_at + interval '7 hours'
from generate_series(1, 400) as n
join resources r on r.id = pg_temp.seed_id('resource', n)
cross join generate_series(1, 3) as c
join resource_comments parent on parent.id = pg_temp.seed_id('comment', n * 10 + c)
where (n + c) % 3 = 0 and parent.user_id <> r.user_id
on conflict do nothing;

insert into saved_resources (id, user_id, resource_id, created_at)
select pg_temp.seed_id('saved', n * 100 + p), pg_temp.seed_id('profile', p), r.id, r.created_at + p * interval '11 hours'
from generate_series(1, 400) as n
join resources r on r.id = pg_temp.seed_id('resource', n)
cross join generate_series(1, 60) as p
where r.visibility = 'public' and pg_temp.mix('saved' || n || '/' || p) % 50 = 0
on conflict do nothing;


-- Collections

insert into collections (id, name, description, user_id, is_public, cover_image_url, created_at, updated_at)
select pg_temp.seed_id('collection', n), name, description, pg_temp.seed_id('profile', 1 + n * 7 % 60), n % 4 <> 0,
       case when n % 3 = 0 then 'https://images.example.org/covers/' || n || '.jpg' end,
       pg_temp.days_ago(300 - n * 9), pg_temp.days_ago(150 - n * 4)
from unnest(
  array['Démarrer un projet web', 'Reading list for new backend engineers', 'Accessibilité au quotidien', 'Data toolbox',
        'Ressources pour l''atelier de mars', 'Everything observability', 'Design system : références', 'Weekend experiments',
        'Bases de données sans peur', 'Talks worth the time', 'Supports de formation', 'Performance folder',
        'Cartographie et données ouvertes', 'Interview preparation', 'Automatiser les déploiements', 'Type systems',
        'Écrire une bonne documentation', 'Mobile starter pack', 'Veille du vendredi', 'Favourites of the year'],
  array['Tout ce qu''il faut pour partir d''un bon pied.', 'In the order in which they should be read.',
        'Guides, outils et exemples vérifiés.', 'What I open every morning.', 'À parcourir avant de venir.',
        'Metrics, logs, traces and the dashboards around them.', 'Ce qui nous inspire, ce que nous évitons.',
        'Half-finished ideas, kept for a rainy day.', 'Du premier SELECT à la réplication.', 'No filler, promised.',
        'Versions imprimables et corrigés.', 'Checklists before and after a release.',
        'Cartes, projections et jeux de données.', 'Questions, exercises, and honest answers.',
        'Moins de gestes manuels, moins de surprises.', 'From gradual typing to borrow checking.',
        'Pour celles et ceux qui lisent avant de demander.', 'First app in a week.', 'Sélection hebdomadaire de l''équipe.',
        'One per month, no more.']
) with ordinality as entries(name, description, n)
on conflict do nothing;

insert into collection_resources (id, collection_id, resource_id, added_at, order_index)
select pg_temp.seed_id('collected', c * 1000 + n), pg_temp.seed_id('collection', c), r.id,
       pg_temp.days_ago(140 - c * 4), (row_number() over (partition by c order by pg_temp.mix('place' || c || '/' || n)))::integer - 1
from generate_series(1, 20) as c
cross join generate_series(1, 400) as n
join resources r on r.id = pg_temp.seed_id('resource', n)
where r.visibility = 'public' and pg_temp.mix('collected' || c || '/' || n) % 36 = 0
on conflict do nothing;


-- Templates and categories

insert into resource_templates (id, name, description, category, tags, language, readme, icon, is_public, created_by,
                                usage_count, template_data, created_at, updated_at)
select pg_temp.seed_id('template', n), name, description, category, string_to_array(tags, ' '), language,
       E'# ' || name || E'\n\n' || description, icon, n % 5 <> 0, pg_temp.seed_id('profile', n * 3), n * 7 % 40,
       jsonb_build_object('title', name, 'resource_type', type, 'visibility', 'public', 'tags', string_to_array(tags, ' ')),
       pg_temp.days_ago(260 - n * 10), pg_temp.days_ago(200 - n * 8)
from (values
  (1, 'Bibliothèque TypeScript', 'Présenter une bibliothèque : installation, exemple, licence.', 'Développement', 'typescript library', 'TypeScript', 'package', 'github_repo'),
  (2, 'Conference talk', 'Abstract, recording, slides and source code of a talk.', 'Médias', 'video', null, 'video', 'external_link'),
  (3, 'Tutoriel pas à pas', 'Prérequis, étapes, résultat attendu, pour aller plus loin.', 'Learning', 'tutorial', null, 'book', 'external_link'),
  (4, 'REST API', 'Endpoints, authentication, limits and a first request.', 'Documentation', 'api backend', null, 'plug', 'external_link'),
  (5, 'Jeu de données', 'Origine, colonnes, licence et fréquence de mise à jour.', 'Données', 'data open-data', null, 'database', 'file_upload'),
  (6, 'Design kit', 'Components, tokens and usage notes.', 'Design', 'ui ux', null, 'palette', 'file_upload'),
  (7, 'Outil en ligne de commande', 'Installation, options courantes, exemples de session.', 'Outils', 'devops open-source', 'Shell', 'terminal', 'github_repo'),
  (8, 'Python package', 'Purpose, installation with pip, minimal example.', 'Développement', 'python library', 'Python', 'package', 'github_repo'),
  (9, 'Fiche de décision', 'Contexte, options étudiées, choix et conséquences.', 'Templates', 'templates', null, 'file-text', 'file_upload'),
  (10, 'Mobile app starter', 'Screens, navigation and build instructions.', 'Développement', 'mobile', 'Dart', 'smartphone', 'github_repo')
) as entries(n, name, description, category, tags, language, icon, type)
on conflict do nothing;

insert into category_hierarchy (id, name, parent_id, description, order_index, is_active, created_at, updated_at)
select pg_temp.seed_id('category', root * 10), name, null, description, root - 1, true, pg_temp.days_ago(500), pg_temp.days_ago(500)
from (values
  (1, 'Développement', 'Langages, cadres et bibliothèques'), (2, 'Design', 'Interfaces, expérience et identité'),
  (3, 'Documentation', 'Écrire et publier'), (4, 'Outils', 'Construire, déployer, surveiller'),
  (5, 'Templates', 'Documents prêts à remplir'), (6, 'Médias', 'Image, son et vidéo'),
  (7, 'Données', 'Stocker, analyser, représenter'), (8, 'Learning', 'Courses, workshops, exercises')
) as roots(root, name, description)
on conflict do nothing;

insert into category_hierarchy (id, name, parent_id, description, order_index, is_active, created_at, updated_at)
select pg_temp.seed_id('category', root * 10 + child), names[child], pg_temp.seed_id('category', root * 10), null, child - 1,
       names[child] <> all (array['Flash', 'Archives']), pg_temp.days_ago(490), pg_temp.days_ago(490)
from (values
  (1, array['Frontend', 'Backend', 'Mobile']), (2, array['UI', 'UX', 'Typographie']),
  (3, array['API', 'Guides', 'Archives']), (4, array['Conteneurs', 'Intégration continue', 'Observabilité']),
  (5, array['Projet', 'Équipe', 'Qualité']), (6, array['Vidéo', '3D', 'Flash']),
  (7, array['Bases de données', 'Analyse', 'Cartographie']), (8, array['Beginner', 'Intermediate', 'Advanced'])
) as branches(root, names)
cross join generate_series(1, 3) as child
on conflict do nothing;

insert into category_filters (id, category_id, filter_key, filter_type, filter_label, filter_options, is_required, order_index, created_at, updated_at)
select pg_temp.seed_id('filter', n), pg_temp.seed_id('category', root * 10), filter_key, type, label, options, required, n % 3,
       pg_temp.days_ago(480), pg_temp.days_ago(480)
from (values
  (1, 1, 'language', 'select', 'Langage', array['JavaScript', 'TypeScript', 'Python', 'Rust', 'Go'], false),
  (2, 1, 'license', 'multiselect', 'Licence', array['MIT', 'Apache-2.0', 'GPL-3.0'], false),
  (3, 2, 'format', 'select', 'Format', array['Figma', 'SVG', 'PDF'], true),
  (4, 3, 'audience', 'select', 'Public visé', array['débutant', 'confirmé'], false),
  (5, 4, 'self_hosted', 'boolean', 'Auto-hébergeable', null, false),
  (6, 6, 'duration', 'number', 'Duration in minutes', null, false),
  (7, 7, 'updated_after', 'date', 'Mis à jour après', null, false),
  (8, 7, 'source', 'text', 'Source', null, true),
  (9, 8, 'level', 'select', 'Level', array['beginner', 'intermediate', 'advanced'], true)
) as entries(n, root, filter_key, type, label, options, required)
on conflict do nothing;


-- Suggestions: those that are present from the start get the votes their score stands for, newer ones fewer than decide.

insert into category_tag_suggestions (id, name, description, type, status, votes_count, suggested_by, reviewed_by, reviewed_at, created_at, updated_at)
select pg_temp.seed_id('suggestion', n), name, description, type::suggestion_type, status::suggestion_status, 0,
       pg_temp.seed_id('profile', 3 + n * 4 % 57),
       case when status <> 'pending' then pg_temp.seed_id('profile', 1 + n % 2) end,
       case when status <> 'pending' then pg_temp.days_ago(40 - n) end,
       pg_temp.days_ago(60 - n), pg_temp.days_ago(40 - n)
from (values
  (1, 'rust', 'De plus en plus de dépôts en Rust', 'tag', 'approved'),
  (2, 'kubernetes', 'Orchestration de conteneurs', 'tag', 'approved'),
  (3, 'accessibility', 'Interfaces everybody can use', 'tag', 'pending'),
  (4, 'monitoring', 'Metrics, logs and traces', 'tag', 'pending'),
  (5, 'données-ouvertes', 'Jeux de données publics', 'tag', 'pending'),
  (6, 'css', null, 'tag', 'pending'),
  (7, 'misc', 'Tout le reste', 'tag', 'rejected'),
  (8, 'Sécurité', 'Audits, bonnes pratiques et outils de sécurité', 'category', 'pending'),
  (9, 'Cartographie', 'Cartes et géomatique', 'category', 'pending'),
  (10, 'Divers', null, 'category', 'rejected'),
  (11, 'podcast', 'Audio episodes', 'resource_type', 'pending'),
  (12, 'Difficulté', 'Filtrer par niveau', 'filter', 'pending'),
  (13, 'Durée', 'Temps de lecture ou de visionnage', 'filter', 'pending'),
  (14, 'Reading time', 'Same as Durée, in English', 'filter', 'rejected')
) as entries(n, name, description, type, status)
on conflict do nothing;

insert into suggestion_votes (id, suggestion_id, user_id, vote_type, created_at)
select pg_temp.seed_id('vote', pg_temp.mix(s.type || '/' || s.name)::bigint * 100 + p), s.id, pg_temp.seed_id('profile', p), 'upvote',
       pg_temp.days_ago(500 - p)
from category_tag_suggestions s
cross join generate_series(1, 10) as p
where s.suggested_by is null and s.status = 'approved'
  and p <= case s.type when 'category' then 10 when 'tag' then 8 when 'resource_type' then 5 else 7 end
  and s.name = any (array[
    'Développement', 'Design', 'Documentation', 'Outils', 'Templates', 'Médias', 'Données', 'Learning', 'react', 'typescript',
    'javascript', 'python', 'api', 'database', 'frontend', 'backend', 'mobile', 'devops', 'ui', 'ux', 'open-source', 'tutorial',
    'library', 'github_repo', 'external_link', 'file_upload', 'Popularité', 'Date', 'Note', 'Langue', 'Licence', 'Visibilité'])
on conflict do nothing;

insert into suggestion_votes (id, suggestion_id, user_id, vote_type, created_at)
select pg_temp.seed_id('new-vote', n * 100 + p), s.id, pg_temp.seed_id('profile', 10 + n + p * 3),
       case when s.status = 'rejected' or p > 3 then 'downvote' else 'upvote' end::vote_type, pg_temp.days_ago(30 - p)
from generate_series(1, 14) as n
join category_tag_suggestions s on s.id = pg_temp.seed_id('suggestion', n)
cross join generate_series(1, 5) as p
where p <= case s.status when 'approved' then 3 else 1 + n % 5 end
on conflict do nothing;


-- Notifications and events, told from what happened above

insert into notifications (id, user_id, type, title, message, resource_id, group_id, is_read, created_at)
select pg_temp.seed_id('notice-share', n * 10 + share), s.shared_with_user_id, 'resource_shared', 'Ressource partagée',
       format('« %s » a été partagée avec vous.', r.title), r.id, null, n % 3 <> 0, s.created_at
from generate_series(1, 400) as n
cross join generate_series(1, 2) as share
join resource_shares s on s.id = pg_temp.seed_id('share', n * 10 + share)
join resources r on r.id = s.resource_id
where s.shared_with_user_id is not null
on conflict do nothing;

insert into notifications (id, user_id, type, title, message, resource_id, group_id, is_read, created_at)
select pg_temp.seed_id('notice-comment', n), r.user_id, 'new_comment', 'Nouveau commentaire',
       format('%s a commenté « %s ».', p.full_name, r.title), r.id, null, n % 4 <> 0, c.created_at
from generate_series(1, 400) as n
join resource_comments c on c.id = pg_temp.seed_id('comment', n * 10 + 1)
join resources r on r.id = c.resource_id
join profiles p on p.user_id = c.user_id
where c.user_id <> r.user_id and n % 2 = 0
on conflict do nothing;

insert into notifications (id, user_id, type, title, message, resource_id, group_id, is_read, created_at)
select pg_temp.seed_id('notice-group', g * 100 + p), m.user_id, 'group_invitation', 'Invitation à un groupe',
       format('Vous avez été ajouté au groupe « %s ».', s.name), null, s.id, p % 5 <> 0, m.added_at
from generate_series(1, 8) as g
cross join generate_series(1, 60) as p
join group_members m on m.id = pg_temp.seed_id('member', g * 100 + p)
join groups s on s.id = m.group_id
where m.user_id <> s.owner_id
on conflict do nothing;

insert into analytics_events (id, event, user_id, resource_id, metadata, created_at)
select pg_temp.seed_id('event', n), event,
       case when n % 3 <> 0 then pg_temp.seed_id('profile', 1 + pg_temp.mix('visitor' || n) % 60) end,
       case when event <> 'search' then r.id end,
       case event when 'search' then jsonb_build_object('query', pg_temp.pick(array['postgres', 'guide', 'react', 'atelier'], n))
                  else jsonb_build_object('source', pg_temp.pick(array['home', 'search', 'collection', 'direct'], n)) end,
       pg_temp.days_ago(n::numeric / 10)
from generate_series(1, 600) as n
cross join lateral (select pg_temp.pick(array['resource_view', 'resource_view', 'resource_download', 'search'], n) as event) as kind
join resources r on r.id = pg_temp.seed_id('resource', 1 + pg_temp.mix('viewed' || n) % 400) and (r.visibility = 'public' or event = 'search')
on conflict do nothing;

reset client_min_messages;
reset search_path;
