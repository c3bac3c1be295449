-- Jobs are claimed for a short time, handed to whichever worker is free, and done under that claim.
--
-- Claims are a table of their own, of as many rows as jobs are under way: rows of jobs, with their payload and their indexes,
-- are not written again for being handed on. Whoever takes both locks the job first and its claim then.

create table if not exists passerelle.job_claims (
  job_id        bigint primary key,
  job           text not null,
  claim         uuid not null default pg_catalog.gen_random_uuid(),
  is_begun      boolean not null default false,
  claimed_until timestamptz not null
);
comment on table passerelle.job_claims is 'Jobs that are handed to a worker, or that one is at.';
comment on column passerelle.job_claims.is_begun is
  'Work that holds no transaction open has begun under this claim. A function holds its job by the lock of the row instead.';
comment on column passerelle.job_claims.claimed_until is
  'The job is handed out again afterwards, unless its row is locked by a function that runs.';
create index if not exists job_claims_job on passerelle.job_claims (job);

-- One at a time claims jobs of a name, so that together they keep to its slots; who comes meanwhile goes on to the next name.
-- The good plan goes along the index of what is due, and is not left to the statistics of a table that fills and empties.
-- Where many jobs of few keys wait, nearly all of what is due waits for another job; only a deep look sees what comes after many of them.
create or replace function passerelle.claim_jobs(
  names text[], slots integer[], seconds double precision, most integer, is_deep boolean
)
  returns table (id bigint, job text, claim uuid)
  language plpgsql security definer set search_path = ''
  set enable_seqscan = off set enable_bitmapscan = off set jit = off
as $$
#variable_conflict use_column
declare
  moment timestamptz := clock_timestamp();
  room integer := most;
  free integer;
  look integer;
  candidates bigint[];
  claimed integer;
begin
  -- A claim that a crash of the server forgets is made again.
  perform set_config('synchronous_commit', 'off', true);
  for i in 1 .. cardinality(names) loop
    exit when room <= 0;
    if not exists (select from passerelle.jobs j where j.job = names[i] and not j.is_dead and j.due_at <= moment)
      or not pg_try_advisory_xact_lock(hashtext('passerelle.jobs.' || names[i]), 0)
    then
      continue;
    end if;
    if exists (select from passerelle.job_claims c where c.job = names[i] and c.claimed_until <= moment) then
      with abandoned as (
        select j.id
        from passerelle.jobs j
        where j.id in (select c.job_id from passerelle.job_claims c where c.job = names[i] and c.claimed_until <= moment)
        for update skip locked
      )
      delete from passerelle.job_claims c
      where c.job = names[i] and c.claimed_until <= moment
        and (c.job_id in (select a.id from abandoned a) or not exists (select from passerelle.jobs j where j.id = c.job_id));
    end if;
    select slots[i] - count(*) into free from passerelle.job_claims c where c.job = names[i];
    look := slots[i] + room + 100;
    while free > 0 and room > 0 loop
      with due as (
        select d.id, d.key, d.due_at
        from passerelle.jobs d
        where d.job = names[i] and not d.is_dead and d.due_at <= moment
        order by d.due_at, d.id
        limit look
      ),
      -- Of those that have a key the first; whether it waits for one that is not due is asked for it alone.
      first as (
        select u.id, u.key, u.due_at
        from (select u.id, u.key, u.due_at, row_number() over (partition by u.key order by u.id) as place from due u) u
        where u.key is null or u.place = 1
      )
      select array(
        select f.id
        from first f
        where not exists (select from passerelle.job_claims c where c.job_id = f.id)
          and (f.key is null or not exists (
            select from passerelle.jobs e where e.job = names[i] and e.key = f.key and not e.is_dead and e.id < f.id
          ))
        order by f.due_at, f.id
        -- Some may be locked.
        limit least(room, free) + 100
      ) into candidates;
      return query
      with next as (
        select j.id
        from passerelle.jobs j
        where j.id = any (candidates)
        order by j.due_at, j.id
        limit least(room, free)
        for update skip locked
      )
      insert into passerelle.job_claims as c (job_id, job, claimed_until)
      select n.id, names[i], clock_timestamp() + make_interval(secs => seconds)
      from next n
      on conflict do nothing
      returning c.job_id, c.job, c.claim;
      get diagnostics claimed = row_count;
      room := room - claimed;
      free := free - claimed;
      exit when not is_deep or look is null or (
        select count(*) < look
        from (
          select from passerelle.jobs d where d.job = names[i] and not d.is_dead and d.due_at <= moment limit look
        ) d
      );
      look := null;
    end loop;
  end loop;
end
$$;
comment on function passerelle.claim_jobs(text[], integer[], double precision, integer, boolean) is
  'Claims jobs of these names that are due and nobody has, for so many seconds; at most so many of each name at a time.';

create or replace function passerelle.hold_job(job_id bigint, claim uuid)
  returns table (attempts integer, payload jsonb, chance double precision)
  language plpgsql security definer set search_path = ''
as $$
#variable_conflict use_column
begin
  perform from passerelle.jobs j where j.id = hold_job.job_id for update skip locked;
  if found then
    -- A statement of its own sees what had been committed when the row was locked.
    return query
    select j.attempts, j.payload, random()
    from passerelle.jobs j
    join passerelle.job_claims c on c.job_id = j.id
    where j.id = hold_job.job_id and c.claim = hold_job.claim and not c.is_begun;
  end if;
end
$$;
comment on function passerelle.hold_job(bigint, uuid) is
  'A claimed job, for the rest of the transaction; nothing if the claim is not good any more.';

create or replace function passerelle.begin_job(job_id bigint, claim uuid, seconds double precision)
  returns table (attempts integer, payload jsonb, chance double precision)
  language plpgsql security definer set search_path = ''
as $$
#variable_conflict use_column
begin
  perform set_config('synchronous_commit', 'off', true);
  update passerelle.job_claims c
  set is_begun = true, claimed_until = clock_timestamp() + make_interval(secs => seconds)
  where c.job_id = begin_job.job_id and c.claim = begin_job.claim and not c.is_begun;
  if found then
    return query select j.attempts, j.payload, random() from passerelle.jobs j where j.id = begin_job.job_id;
  end if;
end
$$;
comment on function passerelle.begin_job(bigint, uuid, double precision) is
  'A claimed job, for so many seconds; nothing if the claim is not good any more, or work has begun under it.';

create or replace function passerelle.keep_job(job_id bigint, claim uuid, seconds double precision) returns boolean
  language plpgsql security definer set search_path = ''
as $$
#variable_conflict use_column
begin
  perform set_config('synchronous_commit', 'off', true);
  update passerelle.job_claims c
  set claimed_until = clock_timestamp() + make_interval(secs => seconds)
  where c.job_id = keep_job.job_id and c.claim = keep_job.claim;
  return found;
end
$$;
comment on function passerelle.keep_job(bigint, uuid, double precision) is
  'Keeps a job for so many seconds more; whether the claim is still good.';

create or replace function passerelle.release_job(job_id bigint, claim uuid) returns boolean
  language plpgsql security definer set search_path = ''
as $$
#variable_conflict use_column
begin
  delete from passerelle.job_claims c where c.job_id = release_job.job_id and c.claim = release_job.claim;
  return found;
end
$$;
comment on function passerelle.release_job(bigint, uuid) is 'Gives a job back that was not done; whether the claim was still good.';

create or replace function passerelle.finish_job(job_id bigint, claim uuid) returns boolean
  language plpgsql security definer set search_path = ''
as $$
#variable_conflict use_column
begin
  perform from passerelle.jobs j where j.id = finish_job.job_id for update;
  delete from passerelle.job_claims c where c.job_id = finish_job.job_id and c.claim = finish_job.claim;
  if not found then
    return false;
  end if;
  delete from passerelle.jobs j where j.id = finish_job.job_id;
  return true;
end
$$;
comment on function passerelle.finish_job(bigint, uuid) is 'The job is done; false, and nothing happens, if the claim is not good any more.';

create or replace function passerelle.fail_job(job_id bigint, claim uuid, error text, most integer, pause double precision)
  returns boolean
  language plpgsql security definer set search_path = ''
as $$
#variable_conflict use_column
declare
  dead boolean;
begin
  perform from passerelle.jobs j where j.id = fail_job.job_id for update;
  delete from passerelle.job_claims c where c.job_id = fail_job.job_id and c.claim = fail_job.claim;
  if not found then
    return null;
  end if;
  update passerelle.jobs j
  set attempts = j.attempts + 1, last_error = left(error, 2000), is_dead = j.attempts + 1 >= most,
    due_at = clock_timestamp() + make_interval(secs => pause)
  where j.id = fail_job.job_id
  returning j.is_dead into dead;
  return dead;
end
$$;
comment on function passerelle.fail_job(bigint, uuid, text, integer, double precision) is
  'An attempt has failed; whether the job is dead, after this many attempts at most. Nothing if the claim is not good any more.';

-- Gateways of an earlier version take jobs by this while an upgrade goes on. They leave what is claimed, and the slots of it.
create or replace function passerelle.take_job(names text[], slots integer[]) returns setof passerelle.jobs
  language plpgsql security definer set search_path = ''
as $$
declare
  moment timestamptz := clock_timestamp();
  taken passerelle.jobs;
  free integer;
  has_slot boolean;
begin
  for i in 1 .. cardinality(names) loop
    if not exists (select from passerelle.jobs j where j.job = names[i] and not j.is_dead and j.due_at <= moment) then
      continue;
    end if;
    select slots[i] - count(*) into free from passerelle.job_claims c where c.job = names[i] and c.claimed_until > moment;
    has_slot := false;
    for slot in 1 .. free loop
      if pg_try_advisory_xact_lock(hashtext('passerelle.jobs.' || names[i]), slot) then
        has_slot := true;
        exit;
      end if;
    end loop;
    if not has_slot then
      continue;
    end if;
    select j.* into taken
    from passerelle.jobs j
    where j.job = names[i] and not j.is_dead and j.due_at <= moment
      and not exists (select from passerelle.job_claims c where c.job_id = j.id and c.claimed_until > moment)
      and (j.key is null or not exists (
        select from passerelle.jobs e where e.job = j.job and e.key = j.key and not e.is_dead and e.id < j.id
      ))
    order by j.due_at, j.id
    limit 1
    for update skip locked;
    if found then
      -- It may have been claimed before its row was locked; then that claim stands.
      delete from passerelle.job_claims c where c.job_id = taken.id and c.claimed_until <= moment;
      continue when exists (select from passerelle.job_claims c where c.job_id = taken.id);
      return next taken;
      return;
    end if;
  end loop;
end
$$;

revoke execute on function
  passerelle.claim_jobs(text[], integer[], double precision, integer, boolean), passerelle.hold_job(bigint, uuid),
  passerelle.begin_job(bigint, uuid, double precision), passerelle.keep_job(bigint, uuid, double precision),
  passerelle.release_job(bigint, uuid), passerelle.finish_job(bigint, uuid),
  passerelle.fail_job(bigint, uuid, text, integer, double precision)
from public;
grant execute on function
  passerelle.claim_jobs(text[], integer[], double precision, integer, boolean), passerelle.hold_job(bigint, uuid),
  passerelle.begin_job(bigint, uuid, double precision), passerelle.keep_job(bigint, uuid, double precision),
  passerelle.release_job(bigint, uuid), passerelle.finish_job(bigint, uuid),
  passerelle.fail_job(bigint, uuid, text, integer, double precision)
to authenticator;
