//! What the catalogue of Hub-Lib's database must look like, whatever its rows are.

use std::collections::BTreeSet;

use e2e::{Operation, page, rules};
use passerelle_testkit::{TestClient, TestDb};

const DOCUMENT: &str = include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/policies.md"));

/// Functions with the rights of their owner that clients may call, which answer for the caller alone.
const LENT: &[&str] = &[
    "hub_lib.can_read",
    "hub_lib.can_write",
    "hub_lib.comment_resource",
    "hub_lib.is_admin",
    "hub_lib.is_group_admin",
    "hub_lib.is_group_member",
    "hub_lib.is_group_owner",
    "hub_lib.latest_version",
    "hub_lib.my_administered_group_ids",
    "hub_lib.my_group_ids",
    "hub_lib.shared_resource_ids",
    "public.copy_resource",
    "public.increment_resource_downloads",
    "public.increment_resource_views",
    "public.increment_template_usage",
    "public.preferred_layout",
    "public.profile_addresses",
];

/// Functions of the application, not those of extensions.
const FUNCTIONS: &str = "
    from pg_proc p
    where p.pronamespace in ('public'::regnamespace, 'hub_lib'::regnamespace)
      and not exists (select from pg_depend d where d.objid = p.oid and d.deptype = 'e')";

async fn names(client: &TestClient, sql: &str) -> BTreeSet<String> {
    let rows = client.query(sql, &[]).await;
    let rows = rows.unwrap_or_else(|error| panic!("{sql}: {error:?}"));
    rows.iter().map(|row| row.get(0)).collect()
}

fn strings(names: &[&str]) -> BTreeSet<String> {
    names.iter().map(|name| (*name).to_owned()).collect()
}

#[test]
fn the_document_is_what_the_rules_print() {
    let differs = DOCUMENT
        .lines()
        .zip(page().lines().map(str::to_owned))
        .find(|(written, printed)| written != printed);
    assert!(
        DOCUMENT == page(),
        "docs/policies.md is not what `make -s policies` prints: {differs:?}"
    );
}

#[tokio::test]
async fn every_table_and_function_is_in_the_rules() {
    let db = TestDb::hub_lib().await;
    let client = db.client().await;
    let tables = "
        select relname::text from pg_class where relnamespace = 'public'::regnamespace and relkind in ('r', 'p', 'v', 'm', 'f')";
    for operation in [
        Operation::Read,
        Operation::Add,
        Operation::Change,
        Operation::Remove,
    ] {
        assert_eq!(
            named(&[operation]),
            names(&client, tables).await,
            "{operation:?}"
        );
    }
    let functions = format!(
        "select p.proname::text {FUNCTIONS} and p.pronamespace = 'public'::regnamespace and p.prorettype <> 'trigger'::regtype"
    );
    assert_eq!(named(&[Operation::Call]), names(&client, &functions).await);
}

fn named(operations: &[Operation]) -> BTreeSet<String> {
    let rules = rules();
    let matching = rules
        .iter()
        .filter(|rule| operations.contains(&rule.operation));
    matching.map(|rule| rule.relation.to_owned()).collect()
}

#[tokio::test]
async fn everything_says_what_it_is_for() {
    let db = TestDb::hub_lib().await;
    let client = db.client().await;
    let silent = format!("
        select 'table ' || c.relname from pg_class c
        where c.relnamespace = 'public'::regnamespace and c.relkind in ('r', 'v') and obj_description(c.oid, 'pg_class') is null
        union all
        select 'policy ' || p.polname || ' on ' || p.polrelid::regclass from pg_policy p
        where obj_description(p.oid, 'pg_policy') is null and p.polrelid::regclass::text !~ '[.]'
        union all
        select 'function ' || p.oid::regprocedure {FUNCTIONS} and obj_description(p.oid, 'pg_proc') is null");
    assert_eq!(names(&client, &silent).await, BTreeSet::new());
}

#[tokio::test]
async fn no_table_is_open_and_no_view_lends_rights() {
    let db = TestDb::hub_lib().await;
    let client = db.client().await;
    let open = "
        select c.oid::regclass::text from pg_class c
        where c.relnamespace = 'public'::regnamespace
          and (c.relkind in ('r', 'p') and not c.relrowsecurity
            or c.relkind = 'v' and not coalesce(c.reloptions @> '{security_invoker=true}', false)
            or c.relkind in ('m', 'f'))";
    assert_eq!(names(&client, open).await, BTreeSet::new());
    // These pass by row policies.
    let beyond = "
        select c.oid::regclass || ': ' || right_name || ' for ' || role
        from pg_class c, unnest(array['truncate', 'references', 'trigger']) right_name, unnest(array['anon', 'authenticated']) role
        where c.relnamespace = 'public'::regnamespace and c.relkind in ('r', 'p', 'v')
          and has_table_privilege(role, c.oid, right_name)";
    assert_eq!(names(&client, beyond).await, BTreeSet::new());
}

#[tokio::test]
async fn functions_lend_rights_only_where_they_must() {
    let db = TestDb::hub_lib().await;
    let client = db.client().await;
    let loose = format!(
        "
        select p.oid::regprocedure::text {FUNCTIONS}
          and not coalesce(p.proconfig @> array['search_path=\"\"'], false)"
    );
    assert_eq!(names(&client, &loose).await, BTreeSet::new());
    let public = format!("
        select p.oid::regprocedure::text {FUNCTIONS}
          and exists (select from aclexplode(coalesce(p.proacl, acldefault('f', p.proowner))) a where a.grantee = 0)");
    assert_eq!(names(&client, &public).await, BTreeSet::new());
    let lent = format!("
        select p.pronamespace::regnamespace || '.' || p.proname {FUNCTIONS}
          and has_function_privilege('authenticated', p.oid, 'execute') and (p.prosecdef or p.proname = 'copy_resource')");
    assert_eq!(names(&client, &lent).await, strings(LENT));
}

/// FOR UPDATE waits for the key locks of concurrent children, and they for it.
#[tokio::test]
async fn parents_are_locked_so_that_children_can_come() {
    let db = TestDb::hub_lib().await;
    let client = db.client().await;
    let locking = |mode: &str| {
        format!("select p.oid::regprocedure::text {FUNCTIONS} and p.prosrc ~* '{mode}'")
    };
    assert!(
        !names(&client, &locking("for no key update"))
            .await
            .is_empty()
    );
    assert_eq!(
        names(&client, &locking("for update")).await,
        BTreeSet::new()
    );
}

/// What depends on nothing but the caller is asked once per statement, not once per row.
#[tokio::test]
async fn policies_ask_who_is_calling_once() {
    let db = TestDb::hub_lib().await;
    let client = db.client().await;
    let rows = client
        .query(
            "select p.polname || ' on ' || p.polrelid::regclass as policy, e.expression
             from pg_policy p,
               unnest(array[pg_get_expr(p.polqual, p.polrelid), pg_get_expr(p.polwithcheck, p.polrelid)]) as e(expression)
             where p.polrelid in (select oid from pg_class where relnamespace = 'public'::regnamespace)
               and e.expression is not null",
            &[],
        )
        .await
        .expect("policies");
    assert!(rows.len() > 80, "{} expressions", rows.len());
    for row in rows {
        let (policy, expression): (String, String) = (row.get(0), row.get(1));
        let repeated = repeated_calls(&expression);
        assert!(
            repeated.is_empty(),
            "{policy} asks {repeated:?} for each row: {expression}"
        );
    }
}

/// Calls that no column goes into and that do not stand in a sub-select of their own.
fn repeated_calls(expression: &str) -> Vec<&str> {
    let calls =
        ["auth.", "hub_lib.", "current_setting("].map(|name| expression.match_indices(name));
    let calls = calls.into_iter().flatten().filter(|(start, _)| {
        let (before, call) = expression.split_at(*start);
        let arguments = call.split_once('(').map_or("", |(_, rest)| rest);
        let constant = arguments.starts_with([')', '\'']);
        constant && !before.ends_with("SELECT ")
    });
    calls.map(|(start, _)| &expression[start..]).collect()
}

#[test]
fn calls_for_each_row_are_found() {
    assert_eq!(repeated_calls("(user_id = auth.uid())").len(), 1);
    assert_eq!(repeated_calls("hub_lib.is_admin()").len(), 1);
    assert_eq!(
        repeated_calls("(id IN ( SELECT hub_lib.f('read'::t) AS f))").len(),
        0
    );
    assert_eq!(
        repeated_calls("(user_id = ( SELECT auth.uid() AS uid))").len(),
        0
    );
    assert_eq!(repeated_calls("hub_lib.can_read(resource_id)").len(), 0);
}

/// Ids that a policy looks at lead an index, those of other tables, too.
#[tokio::test]
async fn what_policies_look_up_is_indexed() {
    let db = TestDb::hub_lib().await;
    let client = db.client().await;
    let unindexed = "
        select distinct a.attrelid::regclass || '.' || a.attname
        from pg_depend d
        join pg_attribute a on a.attrelid = d.refobjid and a.attnum = d.refobjsubid
        where d.classid = 'pg_policy'::regclass and d.refclassid = 'pg_class'::regclass
          and a.atttypid = 'uuid'::regtype
          and a.attname not in ('reviewed_by')
          and not exists (select from pg_index i where i.indrelid = a.attrelid and i.indkey[0] = a.attnum and i.indpred is null)";
    assert_eq!(names(&client, unindexed).await, BTreeSet::new());
}
