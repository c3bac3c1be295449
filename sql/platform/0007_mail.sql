-- Links and codes that are sent by mail. What is kept of them makes none of them: a code and a link are computed from the id of
-- their row and a key of the gateway; `token_hash` is the digest of the link.

-- The mail is a job of its own, recorded in the transaction that makes the token. Mails to one address are sent in their order.
create or replace function passerelle.send_mail(mail jsonb) returns void
  language sql security definer set search_path = ''
begin atomic
  insert into passerelle.jobs (job, key, payload) values ('passerelle.mail', mail ->> 'to', mail);
end;
comment on function passerelle.send_mail(jsonb) is 'Has a mail sent after the transaction.';
revoke execute on function passerelle.send_mail(jsonb) from public;
grant execute on function passerelle.send_mail(jsonb) to supabase_auth_admin;

-- The token of a kind takes the place of the one before. With a challenge, what the link leads to is a code for whoever can
-- answer it (RFC 7636).
create or replace function passerelle.issue_token(
  owner auth.users, kind auth.one_time_token_type, sent_to text, token uuid, digest text, challenge text, challenge_method text,
  method text
) returns void
  language plpgsql
as $$
begin
  delete from auth.flow_state f
  using auth.one_time_tokens o
  where o.user_id = owner.id and o.token_type = kind and f.id = o.id and f.auth_code is null;
  insert into auth.one_time_tokens as o (id, user_id, token_type, token_hash, relates_to, created_at, updated_at)
  values (token, owner.id, kind, digest, sent_to, clock_timestamp() at time zone 'UTC', clock_timestamp() at time zone 'UTC')
  on conflict (user_id, token_type) do update
  set id = excluded.id, token_hash = excluded.token_hash, relates_to = excluded.relates_to, created_at = excluded.created_at,
    updated_at = excluded.updated_at;
  if challenge is not null then
    insert into auth.flow_state (
      id, user_id, auth_code, code_challenge_method, code_challenge, provider_type, created_at, updated_at, authentication_method
    )
    values (
      token, owner.id, null, challenge_method::auth.code_challenge_method, challenge, 'email', clock_timestamp(),
      clock_timestamp(), method
    );
  end if;
end
$$;
comment on function passerelle.issue_token(auth.users, auth.one_time_token_type, text, uuid, text, text, text, text) is
  'Makes the one-time token of an account.';

-- `wish`: `signup` (confirm an address), `magiclink`, `recovery`, `invite`, `reauthentication`. Nobody learns whether there is such an
-- account: the verdict is for the gateway alone.
create or replace function passerelle.request_mail(
  wish text, wanted_email text, token uuid, digest text, challenge text, challenge_method text, redirect_to text, may_create boolean,
  data jsonb, mail_language text, address text,
  out verdict text, out account jsonb
)
  language plpgsql
as $$
declare
  owner auth.users;
  template text := wish;
  kind auth.one_time_token_type;
begin
  select u.* into owner
  from auth.users u
  where u.email = wanted_email and not u.is_sso_user and u.deleted_at is null
  for update;
  if owner.id is null and may_create and wish in ('magiclink', 'invite') then
    perform passerelle.sign_up(wanted_email, null, null, data, false, address);
    select u.* into owner from auth.users u where u.email = wanted_email and not u.is_sso_user for update;
  elsif owner.id is not null and wish = 'invite' and owner.email_confirmed_at is not null then
    verdict := 'exists';
    return;
  end if;
  if owner.id is null or owner.banned_until > clock_timestamp() or (wish = 'signup' and owner.email_confirmed_at is not null) then
    verdict := 'silent';
    return;
  end if;
  -- Who asks for a link did not choose the password that somebody signed up with before: their link makes it void.
  if wish = 'magiclink' and owner.email_confirmed_at is null and coalesce(owner.encrypted_password, '') = '' then
    template := 'signup';
  end if;
  kind := case template when 'signup' then 'confirmation_token' when 'invite' then 'confirmation_token'
    when 'reauthentication' then 'reauthentication_token' else 'recovery_token' end;
  perform passerelle.issue_token(owner, kind, wanted_email, token, digest, challenge, challenge_method, template);
  update auth.users u
  set confirmation_sent_at = case when kind = 'confirmation_token' then clock_timestamp() else u.confirmation_sent_at end,
    recovery_sent_at = case when kind = 'recovery_token' then clock_timestamp() else u.recovery_sent_at end,
    reauthentication_sent_at = case when kind = 'reauthentication_token' then clock_timestamp() else u.reauthentication_sent_at end,
    invited_at = case when wish = 'invite' then clock_timestamp() else u.invited_at end,
    encrypted_password = case when wish = 'invite' then '' else u.encrypted_password end
  where u.id = owner.id
  returning u.* into owner;
  perform passerelle.send_mail(jsonb_build_object(
    'template', template, 'to', wanted_email, 'token', token, 'redirect_to', redirect_to,
    'language', coalesce(owner.raw_user_meta_data ->> 'language', mail_language), 'email', wanted_email
  ));
  perform passerelle.note_action(owner, case template when 'invite' then 'user_invited' when 'recovery' then 'user_recovery_requested'
    when 'reauthentication' then 'user_reauthenticate_requested' else 'user_confirmation_requested' end, 'user', address);
  verdict := 'sent';
  account := passerelle.account(owner);
end
$$;
comment on function passerelle.request_mail(text, text, uuid, text, text, text, text, boolean, jsonb, text, text) is
  'Has a link and a code sent to an account, if there is one that may have them.';

-- Both addresses have to agree if `is_double`.
create or replace function passerelle.request_email_change(
  account_id uuid, wanted_email text, token uuid, digest text, second_token uuid, second_digest text, challenge text,
  challenge_method text, redirect_to text, is_double boolean, mail_language text, address text
) returns void
  language plpgsql
as $$
declare
  owner auth.users;
begin
  update auth.users u
  set email_change = wanted_email, email_change_sent_at = clock_timestamp(), email_change_confirm_status = 0
  where u.id = account_id
  returning u.* into owner;
  perform passerelle.issue_token(owner, 'email_change_token_new', wanted_email, token, digest, challenge, challenge_method, 'email_change');
  perform passerelle.send_mail(jsonb_build_object(
    'template', 'email_change', 'to', wanted_email, 'token', token, 'redirect_to', redirect_to,
    'language', coalesce(owner.raw_user_meta_data ->> 'language', mail_language), 'email', coalesce(owner.email, ''), 'new_email', wanted_email
  ));
  if is_double and coalesce(owner.email, '') <> '' then
    perform passerelle.issue_token(owner, 'email_change_token_current', owner.email, second_token, second_digest, challenge,
      challenge_method, 'email_change');
    perform passerelle.send_mail(jsonb_build_object(
      'template', 'email_change', 'to', owner.email, 'token', second_token, 'redirect_to', redirect_to,
      'language', coalesce(owner.raw_user_meta_data ->> 'language', mail_language), 'email', owner.email, 'new_email', wanted_email
    ));
  else
    delete from auth.one_time_tokens o where o.user_id = account_id and o.token_type = 'email_change_token_current';
  end if;
  perform passerelle.note_action(owner, 'user_modified', 'user', address);
end
$$;
comment on function passerelle.request_email_change(uuid, text, uuid, text, uuid, text, text, text, text, boolean, text, text) is
  'Has another address of an account confirmed.';

-- Each token is good once: whoever deletes its row has redeemed it. The account may sign in afterwards, unless the verdict is `half`.
create or replace function passerelle.redeem_token(
  token uuid, is_double boolean, address text,
  out verdict text, out account_id uuid, out is_challenged boolean
)
  language plpgsql
as $$
declare
  redeemed auth.one_time_tokens;
  owner auth.users;
begin
  delete from auth.one_time_tokens o where o.id = token returning o.* into redeemed;
  if redeemed.id is null then
    verdict := 'gone';
    return;
  end if;
  select u.* into owner from auth.users u where u.id = redeemed.user_id for update;
  if owner.banned_until > clock_timestamp() then
    verdict := 'banned';
    return;
  end if;
  account_id := owner.id;
  is_challenged := exists (select from auth.flow_state f where f.id = token);
  if redeemed.token_type in ('email_change_token_new', 'email_change_token_current') then
    -- 1: the new address has agreed, 2: the one before has. Without the new one nothing changes.
    if redeemed.token_type = 'email_change_token_new' and is_double and coalesce(owner.email, '') <> ''
      and owner.email_change_confirm_status <> 2 then
      update auth.users u set email_change_confirm_status = 1 where u.id = owner.id;
      verdict := 'half';
      return;
    elsif redeemed.token_type = 'email_change_token_current' and owner.email_change_confirm_status <> 1 then
      update auth.users u set email_change_confirm_status = 2 where u.id = owner.id;
      verdict := 'half';
      return;
    elsif redeemed.token_type = 'email_change_token_new' and redeemed.relates_to <> owner.email_change then
      verdict := 'gone';
      return;
    end if;
    if exists (select from auth.users u where u.email = owner.email_change and u.id <> owner.id and not u.is_sso_user) then
      verdict := 'taken';
      return;
    end if;
    insert into auth.identities (provider_id, user_id, identity_data, provider, last_sign_in_at, created_at, updated_at)
    values (
      owner.id::text, owner.id, jsonb_build_object('sub', owner.id, 'email', owner.email_change, 'email_verified', true), 'email',
      clock_timestamp(), clock_timestamp(), clock_timestamp()
    )
    on conflict (provider_id, provider) do update
    set identity_data = auth.identities.identity_data || excluded.identity_data, updated_at = clock_timestamp();
    update auth.users u
    set email = u.email_change, email_change = '', email_change_confirm_status = 0, email_confirmed_at = clock_timestamp(),
      is_anonymous = false,
      raw_app_meta_data = case when u.is_anonymous
        then coalesce(u.raw_app_meta_data, '{}') || '{"provider": "email", "providers": ["email"]}' else u.raw_app_meta_data end,
      updated_at = clock_timestamp()
    where u.id = owner.id;
    perform passerelle.note_action(owner, 'user_modified', 'user', address);
  elsif owner.email_confirmed_at is null then
    update auth.users u
    set email_confirmed_at = clock_timestamp(), updated_at = clock_timestamp(),
      -- Who asked for a link did not choose the password that somebody signed up with before.
      encrypted_password = case when redeemed.token_type = 'recovery_token' then '' else u.encrypted_password end
    where u.id = owner.id;
    update auth.identities i
    set identity_data = i.identity_data || '{"email_verified": true}', updated_at = clock_timestamp()
    where i.user_id = owner.id and i.provider = 'email';
    perform passerelle.note_action(owner, 'user_signedup', 'team', address, '{"provider": "email"}');
  end if;
  verdict := 'redeemed';
end
$$;
comment on function passerelle.redeem_token(uuid, boolean, text) is 'Redeems a one-time token.';

revoke execute on function
  passerelle.issue_token(auth.users, auth.one_time_token_type, text, uuid, text, text, text, text),
  passerelle.request_mail(text, text, uuid, text, text, text, text, boolean, jsonb, text, text),
  passerelle.request_email_change(uuid, text, uuid, text, uuid, text, text, text, text, boolean, text, text),
  passerelle.redeem_token(uuid, boolean, text)
from public;
grant execute on function
  passerelle.issue_token(auth.users, auth.one_time_token_type, text, uuid, text, text, text, text),
  passerelle.request_mail(text, text, uuid, text, text, text, text, boolean, jsonb, text, text),
  passerelle.request_email_change(uuid, text, uuid, text, uuid, text, text, text, text, boolean, text, text),
  passerelle.redeem_token(uuid, boolean, text)
to supabase_auth_admin;

-- What somebody sees who signs up with the address of an account that there is.
create or replace function passerelle.stranger(email text, data jsonb) returns jsonb
  language sql volatile
begin atomic
  select jsonb_build_object(
    'id', s.id, 'aud', 'authenticated', 'role', 'authenticated', 'email', stranger.email, 'phone', '',
    'app_metadata', '{"provider": "email", "providers": ["email"]}'::jsonb, 'user_metadata', data, 'is_anonymous', false,
    'created_at', s.now, 'updated_at', s.now, 'confirmation_sent_at', s.now,
    'identities', jsonb_build_array(jsonb_build_object(
      'identity_id', gen_random_uuid(), 'id', s.id, 'user_id', s.id, 'provider', 'email', 'email', stranger.email,
      'identity_data', data || jsonb_build_object('sub', s.id, 'email', stranger.email, 'email_verified', false, 'phone_verified', false),
      'last_sign_in_at', s.now, 'created_at', s.now, 'updated_at', s.now
    ))
  )
  from (select gen_random_uuid() as id, passerelle.rfc3339(clock_timestamp()) as now) s;
end;
comment on function passerelle.stranger(text, jsonb) is 'An account that there is not, as a client would see it.';
revoke execute on function passerelle.stranger(text, jsonb) from public;
grant execute on function passerelle.stranger(text, jsonb) to supabase_auth_admin;
