-- Work that follows a change of rows: recorded in the transaction of the change, done later by gateways.
--
-- `passerelle migrate --config` gives tables the triggers that [[jobs]] asks for; each records a row here for its job.

create schema if not exists passerelle;

create table if not exists passerelle.jobs (
  id         bigint generated always as identity primary key,
  job        text not null,
  key        text,
  payload    jsonb not null,
  created_at timestamptz not null default pg_catalog.clock_timestamp(),
  due_at     timestamptz not null default pg_catalog.clock_timestamp(),
  attempts   integer not null default 0,
  last_error text,
  is_dead    boolean not null default false
);
comment on table passerelle.jobs is 'Jobs that are not done: waiting, running, or dead after too many attempts.';
comment on column passerelle.jobs.key is 'Jobs of one name and key are done one after the other.';
create index if not exists jobs_due on passerelle.jobs (job, due_at, id) where not is_dead;
create index if not exists jobs_key on passerelle.jobs (job, key, id) where key is not null and not is_dead;

create table if not exists passerelle.schedules (
  job      text primary key,
  last_due timestamptz not null
);
comment on table passerelle.schedules is 'Up to when the moments of a schedule have been recorded as jobs.';

-- Arguments of the trigger: the job, the column that is its key or nothing, a delay in seconds.
create or replace function passerelle.enqueue() returns trigger
  language plpgsql security definer set search_path = ''
as $$
declare
  new_row jsonb := case when tg_op <> 'DELETE' then to_jsonb(new) end;
  old_row jsonb := case when tg_op <> 'INSERT' then to_jsonb(old) end;
begin
  insert into passerelle.jobs (job, key, payload, due_at)
  values (
    tg_argv[0],
    coalesce(new_row, old_row) ->> nullif(tg_argv[1], ''),
    jsonb_build_object(
      'type', tg_op, 'schema', tg_table_schema, 'table', tg_table_name, 'record', new_row, 'old_record', old_row
    ),
    clock_timestamp() + make_interval(secs => tg_argv[2]::double precision)
  );
  return null;
end
$$;
comment on function passerelle.enqueue() is 'Records a job for the row that was changed.';
revoke execute on function passerelle.enqueue() from public;

-- The lock of the row, and of one of the slots that the job may run in at a time, last as long as the transaction. Nothing is
-- read by a cursor, so a transaction that commits late is not passed by.
create or replace function passerelle.take_job(names text[], slots integer[]) returns setof passerelle.jobs
  language plpgsql security definer set search_path = ''
as $$
declare
  taken passerelle.jobs;
  has_slot boolean;
begin
  for i in 1 .. cardinality(names) loop
    if not exists (
      select from passerelle.jobs j where j.job = names[i] and not j.is_dead and j.due_at <= clock_timestamp()
    ) then
      continue;
    end if;
    has_slot := false;
    for slot in 1 .. slots[i] loop
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
    where j.job = names[i] and not j.is_dead and j.due_at <= clock_timestamp()
      and (j.key is null or not exists (
        select from passerelle.jobs e where e.job = j.job and e.key = j.key and not e.is_dead and e.id < j.id
      ))
    order by j.due_at, j.id
    limit 1
    for update skip locked;
    if found then
      return next taken;
      return;
    end if;
  end loop;
end
$$;
comment on function passerelle.take_job(text[], integer[]) is
  'The next job of these names that is due and nobody has, locked; at most so many of each name at a time.';

create or replace function passerelle.finish_job(job_id bigint) returns void
  language sql security definer set search_path = ''
begin atomic
  delete from passerelle.jobs where id = job_id;
end;
comment on function passerelle.finish_job(bigint) is 'The job is done.';

create or replace function passerelle.fail_job(job_id bigint, error text, most integer, pause double precision) returns boolean
  language sql security definer set search_path = ''
begin atomic
  update passerelle.jobs
  set attempts = attempts + 1, last_error = left(error, 2000), is_dead = attempts + 1 >= most,
    due_at = clock_timestamp() + make_interval(secs => pause)
  where id = job_id
  returning is_dead;
end;
comment on function passerelle.fail_job(bigint, text, integer, double precision) is
  'An attempt has failed; whether the job is dead, after this many attempts at most.';

-- Of all gateways one records each moment.
create or replace function passerelle.schedule_job(name text, due timestamptz) returns boolean
  language plpgsql security definer set search_path = ''
as $$
begin
  insert into passerelle.schedules as s values (name, due)
  on conflict (job) do update set last_due = excluded.last_due where s.last_due < excluded.last_due;
  if not found then
    return false;
  end if;
  insert into passerelle.jobs (job, payload)
  values (name, jsonb_build_object('type', 'SCHEDULE', 'due_at', due));
  return true;
end
$$;
comment on function passerelle.schedule_job(text, timestamptz) is 'Records a moment of a schedule as a job, once.';

create or replace function passerelle.waiting_jobs() returns table (job text, waiting bigint, dead bigint, oldest_seconds double precision)
  language sql stable security definer set search_path = ''
begin atomic
  select j.job, count(*) filter (where not j.is_dead), count(*) filter (where j.is_dead),
    coalesce(extract(epoch from clock_timestamp() - min(j.due_at) filter (where not j.is_dead and j.due_at <= clock_timestamp())), 0)::double precision
  from passerelle.jobs j
  group by j.job
  order by j.job;
end;
comment on function passerelle.waiting_jobs() is 'How many jobs wait or are dead, by name, and for how long the oldest is due.';

revoke execute on function
  passerelle.take_job(text[], integer[]), passerelle.finish_job(bigint),
  passerelle.fail_job(bigint, text, integer, double precision), passerelle.schedule_job(text, timestamptz),
  passerelle.waiting_jobs()
from public;
grant usage on schema passerelle to authenticator;
grant execute on function
  passerelle.take_job(text[], integer[]), passerelle.finish_job(bigint),
  passerelle.fail_job(bigint, text, integer, double precision), passerelle.schedule_job(text, timestamptz),
  passerelle.waiting_jobs()
to authenticator;
