//! `passerelle migrate --app` brings the rights of an existing database up to date.

use std::fs;
use std::path::Path;

use passerelle_testkit::{TestClient, TestDb};

use crate::gateway::command;

const APPLICATION: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../sql/hub-lib");

/// What an older version may have left: policies and rights that are no more, and functions that policies called.
const OLDER: &str = "
    create or replace function hub_lib.is_last_admin(user_id uuid) returns boolean language sql stable as 'select false';
    create policy profiles_of_old on public.profiles for delete to authenticated using (not hub_lib.is_last_admin(user_id));
    create policy everybody_writes on public.resources for update to anon using (true);
    drop policy resources_read on public.resources;
    alter policy suggestion_votes_delete on public.suggestion_votes using (true);
    alter table public.api_tokens disable row level security;
    grant select (email) on public.profiles to anon;
    grant insert on public.notifications to authenticated;
    grant execute on function public.profile_addresses(uuid[]) to anon;
    revoke select on public.collections from authenticated;
";

/// Everything that decides about rights.
const RIGHTS: &str = "
    select 'policy ' || p.polrelid::regclass || ' ' || p.polname || ' ' || p.polcmd::text || ' ' || p.polpermissive || ' '
             || p.polroles::regrole[]::text || ' ' || coalesce(pg_get_expr(p.polqual, p.polrelid), '') || ' '
             || coalesce(pg_get_expr(p.polwithcheck, p.polrelid), '') || coalesce(obj_description(p.oid, 'pg_policy'), '') as fact
    from pg_policy p
    union all
    select 'table ' || c.oid::regclass || ' ' || c.relrowsecurity || ' ' || a::text
    from pg_class c, lateral aclexplode(c.relacl) a
    where c.relnamespace in ('public'::regnamespace, 'hub_lib'::regnamespace) and c.relkind in ('r', 'v')
    union all
    select 'column ' || attrelid::regclass || ' ' || attname || ' ' || a::text
    from pg_attribute, lateral aclexplode(attacl) a
    where attrelid in (select oid from pg_class where relnamespace = 'public'::regnamespace)
    union all
    select 'function ' || p.oid::regprocedure || ' ' || p.prosecdef || ' ' || a::text
    from pg_proc p, lateral aclexplode(p.proacl) a
    where p.pronamespace in ('public'::regnamespace, 'hub_lib'::regnamespace)
    order by fact";

async fn rights(client: &TestClient) -> Vec<String> {
    let rows = client.query(RIGHTS, &[]).await.expect("the catalogue");
    rows.iter().map(|row| row.get(0)).collect()
}

/// An application of the same name, with rights of another time.
fn older(directory: &Path) -> String {
    let older = directory.join("hub-lib");
    fs::create_dir(&older).expect("a directory");
    for file in ["init.sql", "policies.sql", "seed.sql", "app.toml"] {
        fs::copy(Path::new(APPLICATION).join(file), older.join(file)).expect("a copy");
    }
    let policies = older.join("policies.sql");
    let now = fs::read_to_string(&policies).expect("the policies");
    fs::write(&policies, now + OLDER).expect("older policies");
    older.display().to_string()
}

#[tokio::test]
async fn an_older_database_gets_the_rights_of_today_and_a_second_run_changes_nothing() {
    let (old, new) = (TestDb::empty().await, TestDb::empty().await);
    let directory = tempfile::tempdir().expect("a directory");
    let older = older(directory.path());
    command(&old.url(), &["migrate", "--app", &older]).await;
    command(&new.url(), &["migrate", "--app", APPLICATION]).await;
    let (old_client, new_client) = (old.client().await, new.client().await);
    let expected = rights(&new_client).await;
    assert!(expected.len() > 300, "{} facts", expected.len());
    assert_ne!(rights(&old_client).await, expected);

    let said = command(&old.url(), &["migrate", "--app", APPLICATION]).await;
    assert!(
        said.starts_with("applied hub-lib/policies.sql\n1 applied, "),
        "{said}"
    );
    let upgraded = rights(&old_client).await;
    let differing: Vec<_> = upgraded
        .iter()
        .filter(|fact| !expected.contains(fact))
        .collect();
    assert!(upgraded == expected, "{differing:?}");

    let said = command(&old.url(), &["migrate", "--app", APPLICATION]).await;
    assert!(said.starts_with("0 applied, "), "{said}");
    assert_eq!(rights(&old_client).await, expected);

    // Examples are for those who ask for them.
    let people = "select count(*) from profiles";
    let count = |client: TestClient| async move {
        let row = client.query_one(people, &[]).await.expect("people");
        row.get::<_, i64>(0)
    };
    assert_eq!(count(old.client().await).await, 0);
    command(&old.url(), &["migrate", "--app", APPLICATION, "--seed"]).await;
    assert!(count(old.client().await).await > 0);
}
