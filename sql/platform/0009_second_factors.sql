-- Second factors.

create or replace function passerelle.factor(f auth.mfa_factors) returns jsonb
  language sql stable
begin atomic
  select jsonb_strip_nulls(jsonb_build_object(
    'id', f.id, 'friendly_name', nullif(f.friendly_name, ''), 'factor_type', f.factor_type, 'status', f.status,
    'phone', nullif(f.phone, ''), 'created_at', passerelle.rfc3339(f.created_at), 'updated_at', passerelle.rfc3339(f.updated_at)
  ));
end;
comment on function passerelle.factor(auth.mfa_factors) is 'A factor as clients see it.';

create or replace function passerelle.enroll_factor(
  account_id uuid, level text, factor uuid, name text, secret text, most integer, address text, out verdict text
)
  language plpgsql
as $$
declare
  owner auth.users;
begin
  select u.* into owner from auth.users u where u.id = account_id for update;
  -- What was begun and not finished is given up after a while.
  delete from auth.mfa_factors f
  where f.user_id = account_id and f.status = 'unverified' and f.created_at < clock_timestamp() - interval '10 minutes';
  if level <> 'aal2' and exists (select from auth.mfa_factors f where f.user_id = account_id and f.status = 'verified') then
    verdict := 'level';
  elsif (select count(*) from auth.mfa_factors f where f.user_id = account_id) >= most then
    verdict := 'many';
  elsif trim(name) <> '' and exists (
    select from auth.mfa_factors f where f.user_id = account_id and f.friendly_name = name
  ) then
    verdict := 'name';
  else
    insert into auth.mfa_factors (id, user_id, friendly_name, factor_type, status, created_at, updated_at, secret)
    values (factor, account_id, nullif(name, ''), 'totp', 'unverified', clock_timestamp(), clock_timestamp(), secret);
    perform passerelle.note_action(owner, 'factor_in_progress', 'factor', address, jsonb_build_object('factor_id', factor));
    verdict := 'enrolled';
  end if;
end
$$;
comment on function passerelle.enroll_factor(uuid, text, uuid, text, text, integer, text) is 'Begins to enrol a factor.';

-- `step` is the number of the code; none is taken twice. The session that has shown it goes on at a higher level, those that have
-- not end when it is the first factor.
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
    delete from auth.mfa_factors f where f.user_id = account_id and f.status = 'unverified';
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
  values (gen_random_uuid(), session, clock_timestamp(), clock_timestamp(), 'totp')
  on conflict on constraint mfa_amr_claims_session_id_authentication_method_pkey do update set updated_at = excluded.updated_at;
  delete from auth.sessions s where s.user_id = account_id and s.id <> session and s.aal is distinct from 'aal2';
  perform passerelle.note_action(owner, 'mfa_code_login', 'factor', address, jsonb_build_object('factor_id', factor));
  verdict := 'verified';
  select g.session_id, g.counter, g.claims, g.account
  into verify_factor.session_id, verify_factor.counter, verify_factor.claims, verify_factor.account
  from passerelle.grant_of(session) g;
end
$$;
comment on function passerelle.verify_factor(uuid, uuid, uuid, uuid, bigint, text) is 'A code of a factor was right.';

-- `level` is that of the caller; null for administrators.
create or replace function passerelle.remove_factor(account_id uuid, factor uuid, level text, address text, out verdict text, out removed jsonb)
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
  elsif kept.status = 'verified' and level <> 'aal2' then
    verdict := 'level';
  else
    removed := passerelle.factor(kept);
    delete from auth.mfa_factors f where f.id = factor;
    update auth.sessions s set aal = 'aal1', factor_id = null where s.factor_id = factor;
    perform passerelle.note_action(owner, 'factor_unenrolled', 'factor', address, jsonb_build_object('factor_id', factor));
    verdict := 'removed';
  end if;
end
$$;
comment on function passerelle.remove_factor(uuid, uuid, text, text) is 'Removes a factor.';

revoke execute on function
  passerelle.factor(auth.mfa_factors), passerelle.enroll_factor(uuid, text, uuid, text, text, integer, text),
  passerelle.verify_factor(uuid, uuid, uuid, uuid, bigint, text), passerelle.remove_factor(uuid, uuid, text, text)
from public;
grant execute on function
  passerelle.factor(auth.mfa_factors), passerelle.enroll_factor(uuid, text, uuid, text, text, integer, text),
  passerelle.verify_factor(uuid, uuid, uuid, uuid, bigint, text), passerelle.remove_factor(uuid, uuid, text, text)
to supabase_auth_admin;
