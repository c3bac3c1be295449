-- What administrators do with accounts: callers with the role service_role.

-- Metadata are merged; null takes a key away.
create or replace function passerelle.merged(kept jsonb, given jsonb) returns jsonb
  language sql immutable
begin atomic
  select (coalesce(kept, '{}') || coalesce((select jsonb_object_agg(d.key, d.value) from jsonb_each(given) d where d.value <> 'null'), '{}'))
    - coalesce((select array_agg(d.key) from jsonb_each(given) d where d.value = 'null'), '{}');
end;
comment on function passerelle.merged(jsonb, jsonb) is 'Metadata with those that are given.';

-- `wanted`: email, phone, email_confirm, phone_confirm, user_metadata, app_metadata, role, aud, ban_seconds; what is absent stays.
create or replace function passerelle.save_account(
  account_id uuid, is_new boolean, wanted jsonb, password_hash text, address text, out verdict text, out account jsonb
)
  language plpgsql
as $$
declare
  owner auth.users;
  known uuid := coalesce(account_id, gen_random_uuid());
  wanted_email text := nullif(lower(wanted ->> 'email'), '');
  wanted_phone text := nullif(wanted ->> 'phone', '');
begin
  if wanted_email is not null and exists (
    select from auth.users u where u.email = wanted_email and u.id <> known and not u.is_sso_user
  ) then
    verdict := 'email_exists';
    return;
  elsif wanted_phone is not null and exists (select from auth.users u where u.phone = wanted_phone and u.id <> known) then
    verdict := 'phone_exists';
    return;
  end if;
  if is_new then
    insert into auth.users (
      instance_id, id, aud, role, email, phone, encrypted_password, raw_app_meta_data, raw_user_meta_data, created_at, updated_at,
      confirmation_token, recovery_token, email_change, email_change_token_new
    )
    values (
      '00000000-0000-0000-0000-000000000000', known, coalesce(nullif(wanted ->> 'aud', ''), 'authenticated'),
      coalesce(nullif(wanted ->> 'role', ''), 'authenticated'), wanted_email, wanted_phone, coalesce(password_hash, ''),
      jsonb_build_object(
        'provider', case when wanted_email is not null then 'email' else 'phone' end,
        'providers', to_jsonb(array_remove(array[
          case when wanted_email is not null then 'email' end, case when wanted_phone is not null then 'phone' end
        ], null))
      ) || passerelle.merged('{}', coalesce(wanted -> 'app_metadata', '{}')),
      passerelle.merged('{}', coalesce(wanted -> 'user_metadata', '{}')), clock_timestamp(), clock_timestamp(), '', '', '', ''
    )
    on conflict do nothing
    returning * into owner;
    if owner.id is null then
      verdict := 'conflict';
      return;
    end if;
  else
    update auth.users u
    set email = coalesce(wanted_email, u.email), phone = coalesce(wanted_phone, u.phone),
      encrypted_password = coalesce(password_hash, u.encrypted_password), role = coalesce(nullif(wanted ->> 'role', ''), u.role),
      raw_app_meta_data = passerelle.merged(u.raw_app_meta_data, coalesce(wanted -> 'app_metadata', '{}')),
      raw_user_meta_data = passerelle.merged(u.raw_user_meta_data, coalesce(wanted -> 'user_metadata', '{}')),
      is_anonymous = u.is_anonymous and wanted_email is null and wanted_phone is null, updated_at = clock_timestamp()
    where u.id = known and u.deleted_at is null
    returning u.* into owner;
    if owner.id is null then
      verdict := 'not_found';
      return;
    end if;
  end if;
  update auth.users u
  set email_confirmed_at = case when (wanted ->> 'email_confirm')::boolean then coalesce(u.email_confirmed_at, clock_timestamp())
      else u.email_confirmed_at end,
    phone_confirmed_at = case when (wanted ->> 'phone_confirm')::boolean then coalesce(u.phone_confirmed_at, clock_timestamp())
      else u.phone_confirmed_at end,
    banned_until = case when wanted ? 'ban_seconds'
      then case when (wanted ->> 'ban_seconds')::double precision > 0
        then clock_timestamp() + make_interval(secs => (wanted ->> 'ban_seconds')::double precision) end
      else u.banned_until end
  where u.id = known
  returning u.* into owner;
  insert into auth.identities as i (provider_id, user_id, identity_data, provider, last_sign_in_at, created_at, updated_at)
  select known::text, known,
    jsonb_build_object('sub', known, way.name, way.value, way.name || '_verified', way.is_confirmed), way.name, clock_timestamp(),
    clock_timestamp(), clock_timestamp()
  from (values
    ('email', wanted_email, owner.email_confirmed_at is not null), ('phone', wanted_phone, owner.phone_confirmed_at is not null)
  ) as way(name, value, is_confirmed)
  where way.value is not null
  on conflict (provider_id, provider) do update
  set identity_data = i.identity_data || excluded.identity_data, updated_at = clock_timestamp();
  -- Whoever knew the password before is out.
  if password_hash is not null and not is_new then
    delete from auth.sessions s where s.user_id = known;
  end if;
  select u.* into owner from auth.users u where u.id = known;
  perform passerelle.note_action(owner, case when is_new then 'user_signedup' else 'user_modified' end, 'team', address);
  verdict := 'saved';
  account := passerelle.account(owner);
end
$$;
comment on function passerelle.save_account(uuid, boolean, jsonb, text, text) is 'Creates or changes an account, as an administrator does.';

create or replace function passerelle.delete_account(account_id uuid, is_soft boolean, address text) returns boolean
  language plpgsql
as $$
declare
  owner auth.users;
begin
  select u.* into owner from auth.users u where u.id = account_id and u.deleted_at is null for update;
  if owner.id is null then
    return false;
  end if;
  perform passerelle.note_action(owner, 'user_deleted', 'team', address);
  if not is_soft then
    delete from auth.users u where u.id = account_id;
    return true;
  end if;
  -- Only that there was somebody stays, for what refers to them.
  delete from auth.identities i where i.user_id = account_id;
  delete from auth.mfa_factors f where f.user_id = account_id;
  delete from auth.one_time_tokens o where o.user_id = account_id;
  delete from auth.flow_state f where f.user_id = account_id;
  update auth.users u
  set deleted_at = clock_timestamp(), email = encode(sha256(convert_to(account_id || u.email, 'UTF8')), 'hex'),
    phone = left(encode(sha256(convert_to(account_id || u.phone, 'UTF8')), 'hex'), 15), encrypted_password = '', email_change = '',
    phone_change = '', raw_app_meta_data = '{}', raw_user_meta_data = '{}', updated_at = clock_timestamp()
  where u.id = account_id;
  return true;
end
$$;
comment on function passerelle.delete_account(uuid, boolean, text) is 'Deletes an account, or all that is known of its person.';

-- The same links as by mail, for administrators who send them by themselves.
create or replace function passerelle.generate_link(
  wish text, wanted_email text, new_email text, token uuid, digest text, password_hash text, data jsonb, address text,
  out verdict text, out verification text, out account jsonb
)
  language plpgsql
as $$
declare
  owner auth.users;
begin
  select u.* into owner
  from auth.users u
  where u.email = wanted_email and not u.is_sso_user and u.deleted_at is null
  for update;
  verification := wish;
  if owner.id is null and wish in ('signup', 'invite', 'magiclink') then
    perform passerelle.sign_up(wanted_email, null, password_hash, data, false, address);
    select u.* into owner from auth.users u where u.email = wanted_email and not u.is_sso_user for update;
    verification := case wish when 'magiclink' then 'signup' else wish end;
  elsif owner.id is null then
    verdict := 'not_found';
    return;
  elsif wish in ('signup', 'invite') and owner.email_confirmed_at is not null then
    verdict := 'exists';
    return;
  end if;
  if wish in ('email_change_current', 'email_change_new') then
    if exists (select from auth.users u where u.email = new_email and not u.is_sso_user) then
      verdict := 'exists';
      return;
    end if;
    update auth.users u
    set email_change = new_email, email_change_sent_at = clock_timestamp(),
      email_change_confirm_status = case when u.email_change = new_email then u.email_change_confirm_status else 0 end
    where u.id = owner.id
    returning u.* into owner;
    verification := 'email_change';
  end if;
  perform passerelle.issue_token(
    owner,
    case wish when 'email_change_current' then 'email_change_token_current' when 'email_change_new' then 'email_change_token_new'
      else case verification when 'signup' then 'confirmation_token' when 'invite' then 'confirmation_token' else 'recovery_token' end
    end::auth.one_time_token_type,
    case wish when 'email_change_new' then new_email else wanted_email end, token, digest, null, null, wish
  );
  update auth.users u
  set invited_at = case when wish = 'invite' then clock_timestamp() else u.invited_at end,
    encrypted_password = case when wish = 'invite' then '' else u.encrypted_password end,
    confirmation_sent_at = case when verification in ('signup', 'invite') then clock_timestamp() else u.confirmation_sent_at end,
    recovery_sent_at = case when verification in ('magiclink', 'recovery') then clock_timestamp() else u.recovery_sent_at end
  where u.id = owner.id
  returning u.* into owner;
  verdict := 'made';
  account := passerelle.account(owner);
end
$$;
comment on function passerelle.generate_link(text, text, text, uuid, text, text, jsonb, text) is 'Makes a link without sending it.';

revoke execute on function
  passerelle.merged(jsonb, jsonb), passerelle.save_account(uuid, boolean, jsonb, text, text),
  passerelle.delete_account(uuid, boolean, text), passerelle.generate_link(text, text, text, uuid, text, text, jsonb, text)
from public;
grant execute on function
  passerelle.merged(jsonb, jsonb), passerelle.save_account(uuid, boolean, jsonb, text, text),
  passerelle.delete_account(uuid, boolean, text), passerelle.generate_link(text, text, text, uuid, text, text, jsonb, text)
to supabase_auth_admin;
