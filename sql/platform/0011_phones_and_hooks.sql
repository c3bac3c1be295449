-- Phone numbers: codes by SMS, numbers that change, second factors.

-- The SMS is a job of its own, recorded in the transaction that makes the code. Those to one number are sent in their order.
create or replace function passerelle.send_sms(sms jsonb) returns void
  language sql security definer set search_path = ''
begin atomic
  insert into passerelle.jobs (job, key, payload) values ('passerelle.sms', sms ->> 'to', sms);
end;
comment on function passerelle.send_sms(jsonb) is 'Has an SMS sent after the transaction.';

-- `wish`: `signup` (confirm a number that somebody has signed up with), `sms` (a code to sign in with), `phone_change`,
-- `reauthentication`; the last two are of an account. Nobody learns whether there is such an account: the verdict is for the gateway alone.
create or replace function passerelle.request_sms(
  wish text, wanted_phone text, account_id uuid, token uuid, digest text, channel text, may_create boolean, data jsonb, sms_language text,
  address text,
  out verdict text, out account jsonb
)
  language plpgsql set search_path = ''
as $$
declare
  owner auth.users;
  kind auth.one_time_token_type := case wish when 'signup' then 'confirmation_token' when 'phone_change' then 'phone_change_token'
    when 'reauthentication' then 'reauthentication_token' else 'recovery_token' end;
begin
  select u.* into owner
  from auth.users u
  where (u.id = account_id or (account_id is null and u.phone = wanted_phone)) and u.deleted_at is null
  for update;
  if owner.id is null and may_create and wish = 'sms' then
    perform passerelle.sign_up(null, wanted_phone, null, data, false, address);
    select u.* into owner from auth.users u where u.phone = wanted_phone for update;
  end if;
  if owner.id is null or owner.banned_until > clock_timestamp() or (wish = 'signup' and owner.phone_confirmed_at is not null) then
    verdict := 'silent';
    return;
  end if;
  perform passerelle.issue_token(owner, kind, wanted_phone, token, digest, null, null, wish);
  update auth.users u
  set confirmation_sent_at = case when kind = 'confirmation_token' then clock_timestamp() else u.confirmation_sent_at end,
    recovery_sent_at = case when kind = 'recovery_token' then clock_timestamp() else u.recovery_sent_at end,
    reauthentication_sent_at = case when kind = 'reauthentication_token' then clock_timestamp() else u.reauthentication_sent_at end,
    phone_change = case when wish = 'phone_change' then wanted_phone else u.phone_change end,
    phone_change_sent_at = case when wish = 'phone_change' then clock_timestamp() else u.phone_change_sent_at end
  where u.id = owner.id
  returning u.* into owner;
  perform passerelle.send_sms(jsonb_build_object(
    'to', wanted_phone, 'account', owner.id, 'token', token, 'channel', channel,
    'language', coalesce(owner.raw_user_meta_data ->> 'language', sms_language)
  ));
  perform passerelle.note_action(owner, case wish when 'signup' then 'user_confirmation_requested'
    when 'reauthentication' then 'user_reauthenticate_requested' when 'phone_change' then 'user_modified' else 'user_recovery_requested' end,
    'user', address, jsonb_build_object('channel', channel));
  verdict := 'sent';
  account := passerelle.account(owner);
end
$$;
comment on function passerelle.request_sms(text, text, uuid, uuid, text, text, boolean, jsonb, text, text) is
  'Has a code sent to a number, if there is an account that may have it.';

create or replace function passerelle.change_phone(account_id uuid, wanted_phone text, address text) returns text
  language plpgsql set search_path = ''
as $$
declare
  owner auth.users;
begin
  if exists (select from auth.users u where u.phone = wanted_phone and u.id <> account_id) then
    return 'taken';
  end if;
  insert into auth.identities as i (provider_id, user_id, identity_data, provider, last_sign_in_at, created_at, updated_at)
  values (
    account_id::text, account_id, jsonb_build_object('sub', account_id, 'phone', wanted_phone, 'phone_verified', true), 'phone',
    clock_timestamp(), clock_timestamp(), clock_timestamp()
  )
  on conflict (provider_id, provider) do update
  set identity_data = i.identity_data || excluded.identity_data, updated_at = clock_timestamp();
  update auth.users u
  set phone = wanted_phone, phone_change = '', phone_confirmed_at = clock_timestamp(), is_anonymous = false,
    raw_app_meta_data = coalesce(u.raw_app_meta_data, '{}') || jsonb_build_object(
      'provider', coalesce(u.raw_app_meta_data ->> 'provider', 'phone'),
      'providers', (select jsonb_agg(distinct i.provider) from auth.identities i where i.user_id = account_id)
    ),
    updated_at = clock_timestamp()
  where u.id = account_id
  returning u.* into owner;
  perform passerelle.note_action(owner, 'user_modified', 'user', address);
  return 'changed';
end
$$;
comment on function passerelle.change_phone(uuid, text, text) is 'Gives an account a number that has been shown to be its own.';

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
  if redeemed.token_type = 'phone_change_token' then
    if redeemed.relates_to <> owner.phone_change then
      verdict := 'gone';
      return;
    elsif passerelle.change_phone(owner.id, owner.phone_change, address) = 'taken' then
      verdict := 'taken_phone';
      return;
    end if;
  elsif redeemed.token_type in ('email_change_token_new', 'email_change_token_current') then
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
  elsif redeemed.relates_to = owner.phone then
    if owner.phone_confirmed_at is null then
      update auth.users u
      set phone_confirmed_at = clock_timestamp(), updated_at = clock_timestamp(),
        -- Who asked for a code did not choose the password that somebody signed up with before.
        encrypted_password = case when redeemed.token_type = 'recovery_token' and owner.confirmed_at is null then ''
          else u.encrypted_password end
      where u.id = owner.id;
      update auth.identities i
      set identity_data = i.identity_data || '{"phone_verified": true}', updated_at = clock_timestamp()
      where i.user_id = owner.id and i.provider = 'phone';
      perform passerelle.note_action(owner, 'user_signedup', 'team', address, '{"provider": "phone"}');
    end if;
  elsif owner.email_confirmed_at is null then
    update auth.users u
    set email_confirmed_at = clock_timestamp(), updated_at = clock_timestamp(),
      -- Who asked for a link did not choose the password that somebody signed up with before.
      encrypted_password = case when redeemed.token_type = 'recovery_token' and owner.confirmed_at is null then ''
        else u.encrypted_password end
    where u.id = owner.id;
    update auth.identities i
    set identity_data = i.identity_data || '{"email_verified": true}', updated_at = clock_timestamp()
    where i.user_id = owner.id and i.provider = 'email';
    perform passerelle.note_action(owner, 'user_signedup', 'team', address, '{"provider": "email"}');
  end if;
  verdict := 'redeemed';
end
$$;

-- What somebody sees who signs up with the number of an account that there is.
create or replace function passerelle.stranger_by_phone(phone text, data jsonb) returns jsonb
  language sql volatile
begin atomic
  select jsonb_build_object(
    'id', s.id, 'aud', 'authenticated', 'role', 'authenticated', 'email', '', 'phone', stranger_by_phone.phone,
    'app_metadata', '{"provider": "phone", "providers": ["phone"]}'::jsonb, 'user_metadata', data, 'is_anonymous', false,
    'created_at', s.now, 'updated_at', s.now, 'confirmation_sent_at', s.now,
    'identities', jsonb_build_array(jsonb_build_object(
      'identity_id', gen_random_uuid(), 'id', s.id, 'user_id', s.id, 'provider', 'phone',
      'identity_data', data || jsonb_build_object('sub', s.id, 'phone', stranger_by_phone.phone, 'email_verified', false, 'phone_verified', false),
      'last_sign_in_at', s.now, 'created_at', s.now, 'updated_at', s.now
    ))
  )
  from (select gen_random_uuid() as id, passerelle.rfc3339(clock_timestamp()) as now) s;
end;
comment on function passerelle.stranger_by_phone(text, jsonb) is 'An account that there is not, as a client would see it.';

-- `sealed` is the secret of an authenticator app, `number` that of a telephone.
create or replace function passerelle.enroll_factor(
  account_id uuid, level text, factor uuid, kind text, name text, sealed text, number text, most integer, address text, out verdict text
)
  language plpgsql set search_path = ''
as $$
declare
  owner auth.users;
begin
  select u.* into owner from auth.users u where u.id = account_id for update;
  -- What was begun and not finished is given up after a while, or when it is begun again.
  delete from auth.mfa_factors f
  where f.user_id = account_id and f.status = 'unverified'
    and (f.created_at < clock_timestamp() - interval '10 minutes' or f.phone = number);
  if level <> 'aal2' and exists (select from auth.mfa_factors f where f.user_id = account_id and f.status = 'verified') then
    verdict := 'level';
  elsif exists (select from auth.mfa_factors f where f.user_id = account_id and f.phone = number) then
    verdict := 'phone';
  elsif (select count(*) from auth.mfa_factors f where f.user_id = account_id) >= most then
    verdict := 'many';
  elsif trim(name) <> '' and exists (
    select from auth.mfa_factors f where f.user_id = account_id and f.friendly_name = name
  ) then
    verdict := 'name';
  else
    insert into auth.mfa_factors (id, user_id, friendly_name, factor_type, status, created_at, updated_at, secret, phone)
    values (
      factor, account_id, nullif(name, ''), kind::auth.factor_type, 'unverified', clock_timestamp(), clock_timestamp(), sealed, number
    );
    perform passerelle.note_action(owner, 'factor_in_progress', 'factor', address,
      jsonb_build_object('factor_id', factor, 'factor_type', kind));
    verdict := 'enrolled';
  end if;
end
$$;
comment on function passerelle.enroll_factor(uuid, text, uuid, text, text, text, text, integer, text) is 'Begins to enrol a factor.';

-- A telephone is sent the code of the challenge.
create or replace function passerelle.challenge_factor(
  account_id uuid, factor uuid, challenge uuid, channel text, sms_language text, address text,
  out kind text, out expires_at bigint
)
  language plpgsql set search_path = ''
as $$
declare
  owner auth.users;
  kept auth.mfa_factors;
begin
  select f.* into kept from auth.mfa_factors f where f.id = factor and f.user_id = account_id;
  if kept.id is null then
    return;
  end if;
  insert into auth.mfa_challenges (id, factor_id, created_at, ip_address)
  values (challenge, factor, clock_timestamp(), coalesce(address, '0.0.0.0')::inet);
  if kept.factor_type = 'phone' then
    select u.* into owner from auth.users u where u.id = account_id;
    perform passerelle.send_sms(jsonb_build_object(
      'to', kept.phone, 'account', account_id, 'token', challenge, 'channel', channel, 'type', 'mfa',
      'language', coalesce(owner.raw_user_meta_data ->> 'language', sms_language)
    ));
    perform passerelle.note_action(owner, 'challenge_created', 'factor', address, jsonb_build_object('factor_id', factor));
  end if;
  kind := kept.factor_type;
  expires_at := floor(extract(epoch from clock_timestamp()))::bigint + 300;
end
$$;
comment on function passerelle.challenge_factor(uuid, uuid, uuid, text, text, text) is 'Asks for a code of a factor.';

-- `step` is the number of the code of an authenticator app, none of which is taken twice; null for a telephone, whose code is that
-- of its challenge. The session that has shown it goes on at a higher level, those that have not end when it is the first factor.
create or replace function passerelle.verify_factor(
  account_id uuid, session uuid, factor uuid, challenge uuid, step bigint, address text,
  out verdict text, out session_id uuid, out counter bigint, out claims jsonb, out account jsonb
)
  language plpgsql
as $$
declare
  owner auth.users;
  kept auth.mfa_factors;
begin
  select u.* into owner from auth.users u where u.id = account_id for update;
  select f.* into kept from auth.mfa_factors f where f.id = factor and f.user_id = account_id for update;
  if kept.id is null then
    verdict := 'gone';
    return;
  elsif exists (
    select from auth.mfa_challenges c where c.factor_id = factor and c.verified_at is not null and c.otp_code = step::text
  ) then
    verdict := 'used';
    return;
  end if;
  update auth.mfa_challenges c
  set verified_at = clock_timestamp(), otp_code = step::text
  where c.id = challenge and c.factor_id = factor and c.verified_at is null;
  if not found then
    verdict := 'gone';
    return;
  end if;
  delete from auth.mfa_challenges c
  where c.factor_id = factor and c.created_at < clock_timestamp() - interval '1 hour';
  if kept.status <> 'verified' then
    update auth.mfa_factors f set status = 'verified', updated_at = clock_timestamp() where f.id = factor;
    delete from auth.mfa_factors f
    where f.user_id = account_id and f.status = 'unverified' and f.factor_type = kept.factor_type;
  end if;
  update auth.sessions s
  set aal = 'aal2', factor_id = factor, updated_at = clock_timestamp(), refreshed_at = clock_timestamp() at time zone 'UTC',
    refresh_token_counter = coalesce(s.refresh_token_counter, -1) + 1
  where s.id = session and s.user_id = account_id;
  if not found then
    verdict := 'session';
    return;
  end if;
  insert into auth.mfa_amr_claims (id, session_id, created_at, updated_at, authentication_method)
  values (
    gen_random_uuid(), session, clock_timestamp(), clock_timestamp(), case kept.factor_type when 'phone' then 'mfa/phone' else 'totp' end
  )
  on conflict on constraint mfa_amr_claims_session_id_authentication_method_pkey do update set updated_at = excluded.updated_at;
  delete from auth.sessions s where s.user_id = account_id and s.id <> session and s.aal is distinct from 'aal2';
  perform passerelle.note_action(owner, 'mfa_code_login', 'factor', address, jsonb_build_object('factor_id', factor));
  verdict := 'verified';
  select g.session_id, g.counter, g.claims, g.account
  into verify_factor.session_id, verify_factor.counter, verify_factor.claims, verify_factor.account
  from passerelle.grant_of(session) g;
end
$$;

-- An account that somebody is about to make, for those who are asked before.
create or replace function passerelle.newcomer(wanted_email text, wanted_phone text, way text, data jsonb) returns jsonb
  language sql volatile
begin atomic
  select jsonb_build_object(
    'id', gen_random_uuid(), 'aud', 'authenticated', 'role', 'authenticated', 'email', coalesce(wanted_email, ''),
    'phone', coalesce(wanted_phone, ''), 'user_metadata', data, 'identities', '[]'::jsonb,
    'app_metadata', case when way is null then '{}' else jsonb_build_object('provider', way, 'providers', jsonb_build_array(way)) end,
    'is_anonymous', way is null, 'created_at', passerelle.rfc3339(clock_timestamp()), 'updated_at', passerelle.rfc3339(clock_timestamp())
  )
  where not exists (
    select from auth.users u where (u.email = wanted_email and not u.is_sso_user) or u.phone = wanted_phone
  );
end;
comment on function passerelle.newcomer(text, text, text, jsonb) is 'An account as it would be made; null if there is one.';

-- A code that was sent to show once more that it is they; good once.
create or replace function passerelle.reauthenticate(account_id uuid, token uuid) returns boolean
  language plpgsql set search_path = ''
as $$
begin
  delete from auth.one_time_tokens o
  where o.id = token and o.user_id = account_id and o.token_type = 'reauthentication_token';
  return found;
end
$$;
comment on function passerelle.reauthenticate(uuid, uuid) is 'Takes the code of a reauthentication.';

revoke execute on function
  passerelle.send_sms(jsonb), passerelle.request_sms(text, text, uuid, uuid, text, text, boolean, jsonb, text, text),
  passerelle.change_phone(uuid, text, text), passerelle.stranger_by_phone(text, jsonb),
  passerelle.enroll_factor(uuid, text, uuid, text, text, text, text, integer, text),
  passerelle.challenge_factor(uuid, uuid, uuid, text, text, text), passerelle.newcomer(text, text, text, jsonb),
  passerelle.reauthenticate(uuid, uuid)
from public;
grant execute on function
  passerelle.send_sms(jsonb), passerelle.request_sms(text, text, uuid, uuid, text, text, boolean, jsonb, text, text),
  passerelle.change_phone(uuid, text, text), passerelle.stranger_by_phone(text, jsonb),
  passerelle.enroll_factor(uuid, text, uuid, text, text, text, text, integer, text),
  passerelle.challenge_factor(uuid, uuid, uuid, text, text, text), passerelle.newcomer(text, text, text, jsonb),
  passerelle.reauthenticate(uuid, uuid)
to supabase_auth_admin;
