-- The rest of the tables of Supabase Auth, so that the dump of a whole project loads. Nothing reads them yet: they keep what came
-- along for what is not there (SAML, passkeys, being a provider oneself).

create table if not exists auth.instances (
  id uuid not null primary key, uuid uuid, raw_base_config text, created_at timestamptz, updated_at timestamptz
);
create table if not exists auth.schema_migrations (version varchar(255) not null primary key);
create table if not exists auth.sso_providers (
  id uuid not null primary key, resource_id text, created_at timestamptz, updated_at timestamptz, disabled boolean
);
create table if not exists auth.sso_domains (
  id uuid not null primary key, sso_provider_id uuid not null references auth.sso_providers on delete cascade, domain text not null,
  created_at timestamptz, updated_at timestamptz
);
create table if not exists auth.saml_providers (
  id uuid not null primary key, sso_provider_id uuid not null references auth.sso_providers on delete cascade,
  entity_id text not null unique, metadata_xml text not null, metadata_url text, attribute_mapping jsonb, created_at timestamptz,
  updated_at timestamptz, name_id_format text
);
create table if not exists auth.saml_relay_states (
  id uuid not null primary key, sso_provider_id uuid not null references auth.sso_providers on delete cascade, request_id text not null,
  for_email text, redirect_to text, created_at timestamptz, updated_at timestamptz,
  flow_state_id uuid references auth.flow_state on delete cascade
);
create table if not exists auth.oauth_clients (
  id uuid not null primary key, client_secret_hash text, registration_type text not null, redirect_uris text not null,
  grant_types text not null, client_name text, client_uri text, logo_uri text, created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(), deleted_at timestamptz, client_type text not null default 'confidential',
  token_endpoint_auth_method text not null
);
create table if not exists auth.oauth_authorizations (
  id uuid not null primary key, authorization_id text not null unique, client_id uuid not null references auth.oauth_clients on delete cascade,
  user_id uuid references auth.users on delete cascade, redirect_uri text not null, scope text not null, state text, resource text,
  code_challenge text, code_challenge_method auth.code_challenge_method, response_type text not null default 'code',
  status text not null default 'pending', authorization_code text unique, created_at timestamptz not null default now(),
  expires_at timestamptz not null default now() + interval '3 minutes', approved_at timestamptz, nonce text
);
create table if not exists auth.oauth_consents (
  id uuid not null primary key, user_id uuid not null references auth.users on delete cascade,
  client_id uuid not null references auth.oauth_clients on delete cascade, scopes text not null, granted_at timestamptz not null default now(),
  revoked_at timestamptz, unique (user_id, client_id)
);
create table if not exists auth.oauth_client_states (
  id uuid not null primary key, provider_type text not null, code_verifier text, created_at timestamptz not null
);
create table if not exists auth.custom_oauth_providers (
  id uuid not null default gen_random_uuid() primary key, provider_type text not null, identifier text not null unique, name text not null,
  client_id text not null, client_secret text not null, acceptable_client_ids text[] not null default '{}', scopes text[] not null default '{}',
  pkce_enabled boolean not null default true, attribute_mapping jsonb not null default '{}', authorization_params jsonb not null default '{}',
  enabled boolean not null default true, email_optional boolean not null default false, issuer text, discovery_url text,
  skip_nonce_check boolean not null default false, cached_discovery jsonb, discovery_cached_at timestamptz, authorization_url text,
  token_url text, userinfo_url text, jwks_uri text, created_at timestamptz not null default now(), updated_at timestamptz not null default now(),
  custom_claims_allowlist text[] not null default '{}'
);
create table if not exists auth.webauthn_credentials (
  id uuid not null default gen_random_uuid() primary key, user_id uuid not null references auth.users on delete cascade,
  credential_id bytea not null unique, public_key bytea not null, attestation_type text not null default '', aaguid uuid,
  sign_count bigint not null default 0, transports jsonb not null default '[]', backup_eligible boolean not null default false,
  backed_up boolean not null default false, friendly_name text not null default '', created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(), last_used_at timestamptz
);
create table if not exists auth.webauthn_challenges (
  id uuid not null default gen_random_uuid() primary key, user_id uuid references auth.users on delete cascade, challenge_type text not null,
  session_data jsonb not null, created_at timestamptz not null default now(), expires_at timestamptz not null
);

-- Where the tables themselves came along, row security came with them, and the gateway is not their owner.
do $$
declare
  name text;
begin
  foreach name in array array[
    'users', 'identities', 'sessions', 'refresh_tokens', 'mfa_factors', 'mfa_challenges', 'mfa_amr_claims', 'one_time_tokens', 'flow_state',
    'audit_log_entries'
  ]
  loop
    if not exists (
      select
      from pg_catalog.pg_policy p
      where p.polrelid = to_regclass('auth.' || name) and p.polname = 'passerelle'
    ) then
      execute format('create policy passerelle on auth.%I to supabase_auth_admin using (true) with check (true)', name);
    end if;
  end loop;
end
$$;
