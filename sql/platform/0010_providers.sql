-- Signing in at somebody else's: identities of providers.

-- `wanted_email` is what the provider says, `is_verified` whether it has looked. An account is found by its identity, else by an address
-- that both have verified; with `link_to` the identity is added to that account.
create or replace function passerelle.sign_in_with(
  wanted_provider text, subject text, data jsonb, wanted_email text, is_verified boolean, may_create boolean, link_to uuid, address text,
  out verdict text, out account_id uuid
)
  language plpgsql set search_path = ''
as $$
declare
  known auth.identities;
  owner auth.users;
  told jsonb := data || jsonb_build_object('sub', subject, 'iss', data -> 'iss', 'provider_id', subject, 'email_verified', is_verified);
  told_email text := lower(nullif(wanted_email, ''));
begin
  select i.* into known
  from auth.identities i
  where i.provider = wanted_provider and i.provider_id = subject
  for update;
  if known.id is not null then
    if link_to is not null then
      verdict := case when known.user_id = link_to then 'known' else 'taken' end;
      account_id := known.user_id;
      return;
    end if;
    select u.* into owner from auth.users u where u.id = known.user_id and u.deleted_at is null for update;
    update auth.identities i
    set identity_data = i.identity_data || told, last_sign_in_at = clock_timestamp(), updated_at = clock_timestamp()
    where i.id = known.id;
  else
    if link_to is not null then
      select u.* into owner from auth.users u where u.id = link_to and u.deleted_at is null for update;
    else
      if told_email is null then
        verdict := 'no_email';
        return;
      elsif not is_verified then
        verdict := 'unverified';
        return;
      end if;
      select u.* into owner
      from auth.users u
      where u.email = told_email and not u.is_sso_user and u.deleted_at is null
      for update;
      if owner.id is null then
        if not may_create then
          verdict := 'disabled';
          return;
        end if;
        insert into auth.users (
          instance_id, id, aud, role, email, encrypted_password, email_confirmed_at, raw_app_meta_data, raw_user_meta_data, created_at,
          updated_at, confirmation_token, recovery_token, email_change, email_change_token_new
        )
        values (
          '00000000-0000-0000-0000-000000000000', gen_random_uuid(), 'authenticated', 'authenticated', told_email, '', clock_timestamp(),
          jsonb_build_object('provider', wanted_provider, 'providers', jsonb_build_array(wanted_provider)), told, clock_timestamp(),
          clock_timestamp(), '', '', '', ''
        )
        returning * into owner;
        perform passerelle.note_action(owner, 'user_signedup', 'team', address, jsonb_build_object('provider', wanted_provider));
      elsif owner.email_confirmed_at is null then
        -- Whoever signed up with this address before has not shown that it is theirs.
        delete from auth.identities i where i.user_id = owner.id;
        delete from auth.one_time_tokens o where o.user_id = owner.id;
        update auth.users u
        set email_confirmed_at = clock_timestamp(), encrypted_password = '', raw_user_meta_data = '{}',
          raw_app_meta_data = jsonb_build_object('provider', wanted_provider, 'providers', '[]'::jsonb)
        where u.id = owner.id
        returning u.* into owner;
      end if;
    end if;
    if owner.id is null then
      verdict := 'gone';
      return;
    end if;
    insert into auth.identities (provider_id, user_id, identity_data, provider, last_sign_in_at, created_at, updated_at)
    values (subject, owner.id, told, wanted_provider, clock_timestamp(), clock_timestamp(), clock_timestamp());
    perform passerelle.note_action(owner, 'identity_linked', 'user', address, jsonb_build_object('provider', wanted_provider));
  end if;
  if owner.id is null or owner.banned_until > clock_timestamp() then
    verdict := case when owner.id is null then 'gone' else 'banned' end;
    return;
  end if;
  update auth.users u
  set raw_user_meta_data = coalesce(u.raw_user_meta_data, '{}') || told, updated_at = clock_timestamp(),
    is_anonymous = u.is_anonymous and told_email is null,
    email = coalesce(u.email, case when is_verified and not exists (
      select from auth.users o where o.email = told_email and not o.is_sso_user) then told_email end),
    email_confirmed_at = case when u.email is null and is_verified and told_email is not null then clock_timestamp()
      else u.email_confirmed_at end,
    raw_app_meta_data = coalesce(u.raw_app_meta_data, '{}') || jsonb_build_object(
      'provider', coalesce(u.raw_app_meta_data ->> 'provider', wanted_provider),
      'providers', (select jsonb_agg(distinct i.provider) from auth.identities i where i.user_id = u.id)
    )
  where u.id = owner.id;
  account_id := owner.id;
  verdict := 'found';
end
$$;
comment on function passerelle.sign_in_with(text, text, jsonb, text, boolean, boolean, uuid, text) is
  'The account of an identity at a provider.';

create or replace function passerelle.unlink_identity(account_id uuid, identity uuid, address text) returns text
  language plpgsql set search_path = ''
as $$
declare
  owner auth.users;
  kept auth.identities;
begin
  select u.* into owner from auth.users u where u.id = account_id for update;
  select i.* into kept from auth.identities i where i.id = identity and i.user_id = account_id;
  if kept.id is null then
    return 'gone';
  elsif (select count(*) from auth.identities i where i.user_id = account_id) < 2 then
    return 'last';
  end if;
  delete from auth.identities i where i.id = identity;
  update auth.users u
  set raw_app_meta_data = coalesce(u.raw_app_meta_data, '{}') || jsonb_build_object(
      'providers', (select jsonb_agg(distinct i.provider) from auth.identities i where i.user_id = u.id),
      'provider', (select i.provider from auth.identities i where i.user_id = u.id order by i.created_at limit 1)
    ), updated_at = clock_timestamp()
  where u.id = account_id;
  perform passerelle.note_action(owner, 'identity_unlinked', 'user', address, jsonb_build_object('provider', kept.provider));
  return 'unlinked';
end
$$;
comment on function passerelle.unlink_identity(uuid, uuid, text) is 'Takes a way to sign in away from an account that has another.';

revoke execute on function
  passerelle.sign_in_with(text, text, jsonb, text, boolean, boolean, uuid, text), passerelle.unlink_identity(uuid, uuid, text)
from public;
grant execute on function
  passerelle.sign_in_with(text, text, jsonb, text, boolean, boolean, uuid, text), passerelle.unlink_identity(uuid, uuid, text)
to supabase_auth_admin;
