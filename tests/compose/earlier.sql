-- A Hub-Lib database as an earlier version left it: no platform, no row policies, fewer tables, extensions in `public`.
create extension "uuid-ossp";
create extension pg_trgm;
create type app_role as enum ('admin', 'user');
create type resource_type as enum ('file_upload', 'external_link', 'github_repo');
create type resource_visibility as enum ('public', 'private', 'shared_users', 'shared_groups');
create table profiles (
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
create table user_roles (
  id uuid primary key default uuid_generate_v4(),
  user_id uuid not null unique references profiles (user_id) on delete cascade,
  role app_role not null default 'user',
  created_at timestamptz default now()
);
create table resources (
  id uuid primary key default uuid_generate_v4(),
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
  average_rating numeric(3, 2) default 0 check (average_rating between 0 and 5),
  ratings_count integer default 0 check (ratings_count >= 0),
  downloads_count integer default 0 check (downloads_count >= 0),
  views_count integer default 0 check (views_count >= 0),
  user_id uuid not null references profiles (user_id) on delete cascade,
  created_at timestamptz default now(),
  updated_at timestamptz default now()
);
create function update_updated_at_column() returns trigger language plpgsql as
  $$ begin new.updated_at = now(); return new; end $$;
create trigger update_resources_updated_at before update on resources
  for each row execute function update_updated_at_column();
insert into profiles (user_id, email, username) values ('11111111-1111-4111-8111-111111111111', 'grace@example.com', 'grace');
insert into resources (title, description, user_id)
  values ('Earlier', 'from before', '11111111-1111-4111-8111-111111111111');
