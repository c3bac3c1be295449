-- What is kept of sessions outside of the database is made from this.
create or replace function passerelle.sessions_of(wanted uuid[])
  returns table (session_id uuid, user_id uuid, role text, aal text, user_agent text, ip text)
  language sql stable security definer set search_path = ''
begin atomic
  select s.id, s.user_id, coalesce(u.role, '')::text, coalesce(s.aal, 'aal1')::text, coalesce(s.user_agent, ''), coalesce(host(s.ip), '')
  from auth.sessions s
  join auth.users u on u.id = s.user_id
  where s.id = any (wanted);
end;
comment on function passerelle.sessions_of(uuid[]) is 'Sessions that go on, of those that are asked for.';
revoke execute on function passerelle.sessions_of(uuid[]) from public;
grant execute on function passerelle.sessions_of(uuid[]) to authenticator;
