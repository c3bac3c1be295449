create schema if not exists passerelle;

create table if not exists passerelle.migrations (
  name text primary key,
  checksum text not null,
  applied_at timestamptz not null default now()
);
