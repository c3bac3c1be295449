-- Accounts and sessions, in the tables of Supabase Auth: same names, columns and types, so that a dump of a Supabase project
-- loads and triggers on auth.users run. What exists is left alone.
--
-- The gateway reaches them as `supabase_auth_admin`, in transactions of their own; no role of a client has any right to them.

do $$
begin
  if not exists (select from pg_catalog.pg_roles where rolname = 'supabase_auth_admin') then
    create role supabase_auth_admin nologin noinherit;
  end if;
exception
  -- A neighbour database was faster.
  when duplicate_object or unique_violation then
    null;
end
$$;

do $$
begin
  if not exists (
    select
    from pg_catalog.pg_auth_members m
    where m.roleid = 'supabase_auth_admin'::regrole and m.member = 'authenticator'::regrole
  ) then
    grant supabase_auth_admin to authenticator;
  end if;
exception
  when unique_violation or internal_error then
    null;
end
$$;

do $$
declare
  wanted record;
begin
  for wanted in
    select *
    from (values
      ('aal_level', array['aal1', 'aal2', 'aal3']),
      ('factor_type', array['totp', 'webauthn', 'phone']),
      ('factor_status', array['unverified', 'verified']),
      ('code_challenge_method', array['s256', 'plain']),
      ('one_time_token_type', array[
        'confirmation_token', 'reauthentication_token', 'recovery_token', 'email_change_token_new',
        'email_change_token_current', 'phone_change_token'
      ])
    ) as types(name, labels)
  loop
    if to_regtype('auth.' || wanted.name) is null then
      execute format('create type auth.%I as enum (%s)', wanted.name,
        (select string_agg(quote_literal(label), ', ') from unnest(wanted.labels) label));
    end if;
  end loop;
end
$$;

create table if not exists auth.users (
  instance_id                 uuid,
  id                          uuid not null primary key,
  aud                         varchar(255),
  role                        varchar(255),
  email                       varchar(255),
  encrypted_password          varchar(255),
  email_confirmed_at          timestamptz,
  invited_at                  timestamptz,
  confirmation_token          varchar(255),
  confirmation_sent_at        timestamptz,
  recovery_token              varchar(255),
  recovery_sent_at            timestamptz,
  email_change_token_new      varchar(255),
  email_change                varchar(255),
  email_change_sent_at        timestamptz,
  last_sign_in_at             timestamptz,
  raw_app_meta_data           jsonb,
  raw_user_meta_data          jsonb,
  is_super_admin              boolean,
  created_at                  timestamptz,
  updated_at                  timestamptz,
  phone                       text unique default null,
  phone_confirmed_at          timestamptz,
  phone_change                text default '',
  phone_change_token          varchar(255) default '',
  phone_change_sent_at        timestamptz,
  confirmed_at                timestamptz generated always as (least(email_confirmed_at, phone_confirmed_at)) stored,
  email_change_token_current  varchar(255) default '',
  email_change_confirm_status smallint default 0 check (email_change_confirm_status between 0 and 2),
  banned_until                timestamptz,
  reauthentication_token      varchar(255) default '',
  reauthentication_sent_at    timestamptz,
  is_sso_user                 boolean not null default false,
  deleted_at                  timestamptz,
  is_anonymous                boolean not null default false
);
comment on table auth.users is 'Accounts.';
create unique index if not exists users_email_partial_key on auth.users (email) where is_sso_user = false;
create index if not exists users_instance_id_email_idx on auth.users (instance_id, lower(email::text));
create index if not exists users_instance_id_idx on auth.users (instance_id);
create index if not exists users_is_anonymous_idx on auth.users (is_anonymous);
create index if not exists users_created_at_idx on auth.users (created_at desc);

create table if not exists auth.identities (
  provider_id     text not null,
  user_id         uuid not null references auth.users on delete cascade,
  identity_data   jsonb not null,
  provider        text not null,
  last_sign_in_at timestamptz,
  created_at      timestamptz,
  updated_at      timestamptz,
  email           text generated always as (lower(identity_data ->> 'email')) stored,
  id              uuid not null default gen_random_uuid() primary key,
  constraint identities_provider_id_provider_unique unique (provider_id, provider)
);
comment on table auth.identities is 'Ways to sign in that belong to an account.';
create index if not exists identities_email_idx on auth.identities (email text_pattern_ops);
create index if not exists identities_user_id_idx on auth.identities (user_id);

create table if not exists auth.sessions (
  id                     uuid not null primary key,
  user_id                uuid not null references auth.users on delete cascade,
  created_at             timestamptz,
  updated_at             timestamptz,
  factor_id              uuid,
  aal                    auth.aal_level,
  not_after              timestamptz,
  refreshed_at           timestamp,
  user_agent             text,
  ip                     inet,
  tag                    text,
  oauth_client_id        uuid,
  refresh_token_hmac_key text,
  refresh_token_counter  bigint,
  scopes                 text
);
comment on table auth.sessions is 'Sessions that have not ended.';
comment on column auth.sessions.refresh_token_counter is
  'Number of the refresh token that was issued last; the tokens themselves are not stored.';
create index if not exists sessions_not_after_idx on auth.sessions (not_after desc);
create index if not exists sessions_user_id_idx on auth.sessions (user_id);
create index if not exists user_id_created_at_idx on auth.sessions (user_id, created_at);

create table if not exists auth.refresh_tokens (
  instance_id uuid,
  id          bigserial primary key,
  token       varchar(255),
  user_id     varchar(255),
  revoked     boolean,
  created_at  timestamptz,
  updated_at  timestamptz,
  parent      varchar(255),
  session_id  uuid references auth.sessions on delete cascade,
  constraint refresh_tokens_token_unique unique (token)
);
comment on table auth.refresh_tokens is 'Refresh tokens of sessions that were brought along from Supabase; the gateway adds none.';
create index if not exists refresh_tokens_session_id_revoked_idx on auth.refresh_tokens (session_id, revoked);
create index if not exists refresh_tokens_parent_idx on auth.refresh_tokens (parent);

create table if not exists auth.mfa_factors (
  id                           uuid not null primary key,
  user_id                      uuid not null references auth.users on delete cascade,
  friendly_name                text,
  factor_type                  auth.factor_type not null,
  status                       auth.factor_status not null,
  created_at                   timestamptz not null,
  updated_at                   timestamptz not null,
  secret                       text,
  phone                        text,
  last_challenged_at           timestamptz unique default null,
  web_authn_credential         jsonb,
  web_authn_aaguid             uuid,
  last_webauthn_challenge_data jsonb
);
create index if not exists mfa_factors_user_id_idx on auth.mfa_factors (user_id);
create unique index if not exists mfa_factors_user_friendly_name_unique on auth.mfa_factors (friendly_name, user_id)
  where trim(friendly_name) <> '';
create unique index if not exists unique_phone_factor_per_user on auth.mfa_factors (user_id, phone);

create table if not exists auth.mfa_challenges (
  id                     uuid not null primary key,
  factor_id              uuid not null references auth.mfa_factors on delete cascade,
  created_at             timestamptz not null,
  verified_at            timestamptz,
  ip_address             inet not null,
  otp_code               text,
  web_authn_session_data jsonb
);
create index if not exists mfa_challenge_created_at_idx on auth.mfa_challenges (created_at desc);

create table if not exists auth.mfa_amr_claims (
  session_id            uuid not null references auth.sessions on delete cascade,
  created_at            timestamptz not null,
  updated_at            timestamptz not null,
  authentication_method text not null,
  id                    uuid not null constraint amr_id_pk primary key,
  constraint mfa_amr_claims_session_id_authentication_method_pkey unique (session_id, authentication_method)
);

create table if not exists auth.one_time_tokens (
  id         uuid not null primary key,
  user_id    uuid not null references auth.users on delete cascade,
  token_type auth.one_time_token_type not null,
  token_hash text not null check (char_length(token_hash) > 0),
  relates_to text not null,
  created_at timestamp not null default now(),
  updated_at timestamp not null default now()
);
create index if not exists one_time_tokens_token_hash_hash_idx on auth.one_time_tokens using hash (token_hash);
create index if not exists one_time_tokens_relates_to_hash_idx on auth.one_time_tokens using hash (relates_to);
create unique index if not exists one_time_tokens_user_id_token_type_key on auth.one_time_tokens (user_id, token_type);

create table if not exists auth.flow_state (
  id                      uuid not null primary key,
  user_id                 uuid,
  auth_code               text,
  code_challenge_method   auth.code_challenge_method,
  code_challenge          text,
  provider_type           text not null,
  provider_access_token   text,
  provider_refresh_token  text,
  created_at              timestamptz,
  updated_at              timestamptz,
  authentication_method   text not null,
  auth_code_issued_at     timestamptz,
  invite_token            text,
  referrer                text,
  oauth_client_state_id   uuid,
  linking_target_id       uuid,
  email_optional          boolean not null default false
);
create index if not exists idx_auth_code on auth.flow_state (auth_code);
create index if not exists idx_user_id_auth_method on auth.flow_state (user_id, authentication_method);
create index if not exists flow_state_created_at_idx on auth.flow_state (created_at desc);

create table if not exists auth.audit_log_entries (
  instance_id uuid,
  id          uuid not null primary key,
  payload     json,
  created_at  timestamptz,
  ip_address  varchar(64) not null default ''
);
comment on table auth.audit_log_entries is 'What was done with accounts.';
create index if not exists audit_logs_instance_id_idx on auth.audit_log_entries (instance_id);

grant usage on schema auth, passerelle to supabase_auth_admin;
grant select, insert, update, delete on
  auth.users, auth.identities, auth.sessions, auth.refresh_tokens, auth.mfa_factors, auth.mfa_challenges,
  auth.mfa_amr_claims, auth.one_time_tokens, auth.flow_state, auth.audit_log_entries
to supabase_auth_admin;
grant usage, select on sequence auth.refresh_tokens_id_seq to supabase_auth_admin;


-- Sessions that have ended while access tokens of theirs may still be good. Gateways read what is new by the transaction
-- that wrote it, so that one that commits late is not passed by.
create table if not exists passerelle.ended_sessions (
  session_id uuid not null primary key,
  ended_at   timestamptz not null default pg_catalog.clock_timestamp(),
  xid        xid8 not null default pg_catalog.pg_current_xact_id()
);
comment on table passerelle.ended_sessions is 'Sessions that have ended lately: access tokens of theirs are refused.';
create index if not exists ended_sessions_xid on passerelle.ended_sessions (xid);
create index if not exists ended_sessions_ended_at on passerelle.ended_sessions (ended_at);

create or replace function passerelle.note_end_of_session() returns trigger
  language plpgsql security definer set search_path = ''
as $$
begin
  insert into passerelle.ended_sessions (session_id) values (old.id) on conflict do nothing;
  return null;
end
$$;
comment on function passerelle.note_end_of_session() is 'Trigger: a session has ended, whoever ended it.';

create or replace function passerelle.end_sessions_of_banned() returns trigger
  language plpgsql security definer set search_path = ''
as $$
begin
  delete from auth.sessions where user_id = new.id;
  return null;
end
$$;
comment on function passerelle.end_sessions_of_banned() is 'Trigger: who is banned or deleted has no sessions.';

create or replace trigger passerelle_note_end after delete on auth.sessions
  for each row execute function passerelle.note_end_of_session();
create or replace trigger passerelle_end_sessions after update of banned_until, deleted_at on auth.users
  for each row
  when (
    (new.banned_until > pg_catalog.now() and new.banned_until is distinct from old.banned_until)
    or (new.deleted_at is not null and old.deleted_at is null)
  )
  execute function passerelle.end_sessions_of_banned();

revoke execute on function passerelle.note_end_of_session(), passerelle.end_sessions_of_banned() from public;
grant select, delete on passerelle.ended_sessions to supabase_auth_admin;


-- What the gateway asks. These run with the rights of supabase_auth_admin, their caller.

create or replace function passerelle.rfc3339(moment timestamptz) returns text
  language sql stable
  return pg_catalog.to_char(moment at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"');

-- In PL/pgSQL, whose plans are kept: what a function in SQL asks is planned each time.
create or replace function passerelle.account(u auth.users) returns jsonb
  language plpgsql stable set search_path = ''
as $$
begin
  return jsonb_build_object(
      'id', u.id, 'aud', coalesce(u.aud, ''), 'role', coalesce(u.role, ''), 'email', coalesce(u.email, ''),
      'phone', coalesce(u.phone, ''), 'app_metadata', coalesce(u.raw_app_meta_data, '{}'),
      'user_metadata', coalesce(u.raw_user_meta_data, '{}'), 'is_anonymous', u.is_anonymous,
      'identities', coalesce((
        select jsonb_agg(jsonb_build_object(
          'identity_id', i.id, 'id', i.provider_id, 'user_id', i.user_id, 'identity_data', i.identity_data,
          'provider', i.provider, 'last_sign_in_at', passerelle.rfc3339(i.last_sign_in_at),
          'created_at', passerelle.rfc3339(i.created_at), 'updated_at', passerelle.rfc3339(i.updated_at)
        ) || case when i.email is null then '{}' else jsonb_build_object('email', i.email) end order by i.created_at, i.id)
        from auth.identities i
        where i.user_id = u.id
      ), '[]')
    )
    || jsonb_strip_nulls(jsonb_build_object(
      'email_confirmed_at', passerelle.rfc3339(u.email_confirmed_at),
      'phone_confirmed_at', passerelle.rfc3339(u.phone_confirmed_at),
      'confirmed_at', passerelle.rfc3339(u.confirmed_at), 'invited_at', passerelle.rfc3339(u.invited_at),
      'confirmation_sent_at', passerelle.rfc3339(u.confirmation_sent_at),
      'recovery_sent_at', passerelle.rfc3339(u.recovery_sent_at),
      'new_email', nullif(u.email_change, ''), 'email_change_sent_at', passerelle.rfc3339(u.email_change_sent_at),
      'new_phone', nullif(u.phone_change, ''), 'phone_change_sent_at', passerelle.rfc3339(u.phone_change_sent_at),
      'reauthentication_sent_at', passerelle.rfc3339(u.reauthentication_sent_at),
      'last_sign_in_at', passerelle.rfc3339(u.last_sign_in_at),
      'created_at', passerelle.rfc3339(u.created_at), 'updated_at', passerelle.rfc3339(u.updated_at),
      'banned_until', passerelle.rfc3339(u.banned_until), 'deleted_at', passerelle.rfc3339(u.deleted_at),
      'factors', (
        select jsonb_agg(jsonb_strip_nulls(jsonb_build_object(
          'id', f.id, 'friendly_name', nullif(f.friendly_name, ''), 'factor_type', f.factor_type, 'status', f.status,
          'phone', nullif(f.phone, ''), 'created_at', passerelle.rfc3339(f.created_at),
          'updated_at', passerelle.rfc3339(f.updated_at)
        )) order by f.created_at, f.id)
        from auth.mfa_factors f
        where f.user_id = u.id
      )
    ));
end
$$;
comment on function passerelle.account(auth.users) is 'An account as clients see it.';

create or replace function passerelle.note_action(actor auth.users, action text, log_type text, ip text, traits jsonb default '{}')
  returns void
  language sql
begin atomic
  insert into auth.audit_log_entries (instance_id, id, payload, created_at, ip_address)
  values (
    '00000000-0000-0000-0000-000000000000', gen_random_uuid(),
    json_build_object(
      'action', action, 'actor_id', actor.id, 'actor_username', coalesce(nullif(actor.email, ''), actor.phone, ''),
      'actor_via_sso', actor.is_sso_user, 'log_type', log_type, 'traits', traits
    ),
    clock_timestamp(), coalesce(ip, '')
  );
end;
comment on function passerelle.note_action(auth.users, text, text, text, jsonb) is 'Writes an entry of the audit log.';

-- What an access token says, and what goes to the client with it.
create or replace function passerelle.grant_of(session uuid, out session_id uuid, out counter bigint, out claims jsonb, out account jsonb)
  language plpgsql stable set search_path = ''
as $$
begin
  select s.id, s.refresh_token_counter,
    jsonb_build_object(
      'sub', u.id, 'aud', coalesce(u.aud, ''), 'role', coalesce(u.role, ''), 'email', coalesce(u.email, ''),
      'phone', coalesce(u.phone, ''), 'app_metadata', coalesce(u.raw_app_meta_data, '{}'),
      'user_metadata', coalesce(u.raw_user_meta_data, '{}'), 'is_anonymous', u.is_anonymous,
      'session_id', s.id, 'aal', coalesce(s.aal, 'aal1'),
      'amr', coalesce((
        select jsonb_agg(jsonb_build_object(
          'method', a.authentication_method, 'timestamp', floor(extract(epoch from a.updated_at))::bigint
        ) order by a.updated_at desc)
        from auth.mfa_amr_claims a
        where a.session_id = s.id
      ), '[]')
    ),
    passerelle.account(u)
  into grant_of.session_id, grant_of.counter, grant_of.claims, grant_of.account
  from auth.sessions s
  join auth.users u on u.id = s.user_id
  where s.id = session;
end
$$;
comment on function passerelle.grant_of(uuid) is 'Claims and account of a session, and the number of its last refresh token.';

create or replace function passerelle.open_session(
  account_id uuid, method text, agent text, address text, is_single boolean,
  out session_id uuid, out counter bigint, out claims jsonb, out account jsonb
)
  language plpgsql
as $$
declare
  opened uuid := gen_random_uuid();
  owner auth.users;
begin
  update auth.users u set last_sign_in_at = clock_timestamp(), updated_at = clock_timestamp()
  where u.id = account_id
  returning u.* into owner;
  if is_single then
    delete from auth.sessions s where s.user_id = account_id;
  end if;
  insert into auth.sessions (id, user_id, created_at, updated_at, aal, user_agent, ip, refresh_token_counter)
  values (opened, account_id, clock_timestamp(), clock_timestamp(), 'aal1', left(agent, 1000), address::inet, 0);
  insert into auth.mfa_amr_claims (id, session_id, created_at, updated_at, authentication_method)
  values (gen_random_uuid(), opened, clock_timestamp(), clock_timestamp(), method);
  update auth.identities i set last_sign_in_at = clock_timestamp(), updated_at = clock_timestamp()
  where i.user_id = account_id and i.provider = case when method = 'password' and owner.email is not null then 'email' else method end;
  perform passerelle.note_action(owner, 'login', 'account', address, jsonb_build_object('provider_type', method));
  select g.session_id, g.counter, g.claims, g.account
  into open_session.session_id, open_session.counter, open_session.claims, open_session.account
  from passerelle.grant_of(opened) g;
end
$$;
comment on function passerelle.open_session(uuid, text, text, text, boolean) is 'Signs an account in.';

-- `number` is that of the token; null stands for one that came along from Supabase, which is older than all of ours.
create or replace function passerelle.refresh_session(
  session uuid, number bigint, reuse_seconds integer, most_seconds integer, idle_seconds integer, agent text, address text,
  out verdict text, out session_id uuid, out counter bigint, out claims jsonb, out account jsonb
)
  language plpgsql
as $$
declare
  found_session auth.sessions;
  owner auth.users;
  used timestamptz;
  behind bigint;
begin
  select * into found_session from auth.sessions s where s.id = session for update;
  if not found then
    verdict := 'not_found';
    return;
  end if;
  select * into owner from auth.users u where u.id = found_session.user_id;
  used := coalesce(found_session.refreshed_at at time zone 'UTC', found_session.created_at);
  if owner.banned_until > clock_timestamp() then
    verdict := 'banned';
    return;
  elsif found_session.not_after < clock_timestamp()
    or (most_seconds > 0 and found_session.created_at + make_interval(secs => most_seconds) < clock_timestamp()) then
    verdict := 'expired';
    return;
  elsif idle_seconds > 0 and used + make_interval(secs => idle_seconds) < clock_timestamp() then
    verdict := 'inactive';
    return;
  end if;
  behind := coalesce(found_session.refresh_token_counter, -1) - coalesce(number, -1);
  if behind < 0 then
    verdict := 'ahead';
    return;
  elsif behind = 0 then
    update auth.sessions s
    set refresh_token_counter = coalesce(s.refresh_token_counter, -1) + 1, refreshed_at = clock_timestamp() at time zone 'UTC',
      updated_at = clock_timestamp(), user_agent = left(agent, 1000), ip = address::inet
    where s.id = session;
  elsif behind > 1 and used + make_interval(secs => reuse_seconds) < clock_timestamp() then
    -- Somebody else has the token.
    delete from auth.sessions s where s.id = session;
    perform passerelle.note_action(owner, 'token_revoked', 'token', address);
    verdict := 'reused';
    return;
  end if;
  verdict := 'granted';
  select g.session_id, g.counter, g.claims, g.account
  into refresh_session.session_id, refresh_session.counter, refresh_session.claims, refresh_session.account
  from passerelle.grant_of(session) g;
end
$$;
comment on function passerelle.refresh_session(uuid, bigint, integer, integer, integer, text, text) is
  'Exchanges a refresh token whose signature is right, or says why not.';

create or replace function passerelle.sign_up(
  wanted_email text, wanted_phone text, password_hash text, data jsonb, is_confirmed boolean, address text,
  out verdict text, out account_id uuid, out account jsonb
)
  language plpgsql
as $$
declare
  owner auth.users;
  way text := case when wanted_email is not null then 'email' when wanted_phone is not null then 'phone' end;
  is_new boolean := false;
begin
  if way is not null then
    select u.* into owner
    from auth.users u
    where (u.email = wanted_email and not u.is_sso_user) or u.phone = wanted_phone
    for update;
  end if;
  if owner.id is not null and (
    (way = 'email' and owner.email_confirmed_at is not null) or (way = 'phone' and owner.phone_confirmed_at is not null)
  ) then
    perform passerelle.note_action(owner, 'user_repeated_signup', 'user', address, jsonb_build_object('provider', way));
    verdict := 'exists';
    return;
  end if;
  if owner.id is null then
    is_new := true;
    insert into auth.users (
      instance_id, id, aud, role, email, phone, encrypted_password, raw_app_meta_data, raw_user_meta_data, created_at, updated_at,
      is_anonymous, confirmation_token, recovery_token, email_change, email_change_token_new
    )
    values (
      '00000000-0000-0000-0000-000000000000', gen_random_uuid(), 'authenticated', 'authenticated', wanted_email, wanted_phone,
      coalesce(password_hash, ''),
      case when way is null then '{}' else jsonb_build_object('provider', way, 'providers', jsonb_build_array(way)) end,
      coalesce(data, '{}'), clock_timestamp(), clock_timestamp(), way is null, '', '', '', ''
    )
    on conflict do nothing
    returning * into owner;
    if owner.id is null then
      -- Somebody was faster by a moment.
      verdict := 'exists';
      return;
    end if;
    if way is not null then
      insert into auth.identities (provider_id, user_id, identity_data, provider, last_sign_in_at, created_at, updated_at)
      values (
        owner.id::text, owner.id,
        coalesce(data, '{}') || jsonb_strip_nulls(jsonb_build_object(
          'sub', owner.id, 'email', wanted_email, 'phone', wanted_phone, 'email_verified', false, 'phone_verified', false
        )),
        way, clock_timestamp(), clock_timestamp(), clock_timestamp()
      );
    end if;
  end if;
  if is_confirmed and way is not null and is_new then
    update auth.users u
    set email_confirmed_at = case when way = 'email' then clock_timestamp() end,
      phone_confirmed_at = case when way = 'phone' then clock_timestamp() end
    where u.id = owner.id;
  end if;
  select u.* into owner from auth.users u where u.id = owner.id;
  if is_new then
    perform passerelle.note_action(owner, 'user_signedup', 'team', address, jsonb_build_object('provider', coalesce(way, 'anonymous')));
  end if;
  verdict := case when is_new then 'created' else 'unconfirmed' end;
  account_id := owner.id;
  account := passerelle.account(owner);
end
$$;
comment on function passerelle.sign_up(text, text, text, jsonb, boolean, text) is 'Creates an account, or says that there is one.';

revoke execute on function
  passerelle.rfc3339(timestamptz), passerelle.account(auth.users), passerelle.note_action(auth.users, text, text, text, jsonb),
  passerelle.grant_of(uuid), passerelle.open_session(uuid, text, text, text, boolean),
  passerelle.refresh_session(uuid, bigint, integer, integer, integer, text, text),
  passerelle.sign_up(text, text, text, jsonb, boolean, text)
from public;
grant execute on function
  passerelle.rfc3339(timestamptz), passerelle.account(auth.users), passerelle.note_action(auth.users, text, text, text, jsonb),
  passerelle.grant_of(uuid), passerelle.open_session(uuid, text, text, text, boolean),
  passerelle.refresh_session(uuid, bigint, integer, integer, integer, text, text),
  passerelle.sign_up(text, text, text, jsonb, boolean, text)
to supabase_auth_admin;


-- What each gateway asks several times a second, without a role.

create or replace function passerelle.ended_since(since xid8, out next xid8, out sessions uuid[])
  language sql stable security definer set search_path = ''
begin atomic
  select pg_snapshot_xmin(pg_current_snapshot()),
    array(select e.session_id from passerelle.ended_sessions e where e.xid >= since);
end;
comment on function passerelle.ended_since(xid8) is
  'Sessions that have ended since a transaction, and where to begin next time: what is not yet committed comes again.';

create or replace function passerelle.has_ended(session uuid) returns boolean
  language sql stable security definer set search_path = ''
begin atomic
  select exists (select from passerelle.ended_sessions e where e.session_id = session);
end;
comment on function passerelle.has_ended(uuid) is 'Whether a session has ended lately.';

-- Access tokens do not last as long, nor do flows and challenges.
create or replace function passerelle.forget_ended() returns void
  language sql security definer set search_path = ''
begin atomic
  delete from passerelle.ended_sessions e where e.ended_at < now() - interval '25 hours';
  delete from auth.flow_state f where f.created_at < now() - interval '1 day';
  delete from auth.mfa_challenges c where c.created_at < now() - interval '1 day';
end;
comment on function passerelle.forget_ended() is
  'Removes sessions whose access tokens have all expired, and flows and challenges that nobody came back to.';

revoke execute on function passerelle.ended_since(xid8), passerelle.has_ended(uuid), passerelle.forget_ended() from public;
grant execute on function passerelle.ended_since(xid8), passerelle.has_ended(uuid), passerelle.forget_ended() to authenticator;
