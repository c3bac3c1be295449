//! A database with two roles that see their own rows, and the flights that the tests send.

use passerelle_statement::Statement;
use passerelle_testkit::TestDb;
use passerelle_wire::{
    Connection, ConnectionSettings, Endpoint, Pool, PoolSettings, Scope, ServerError, WireError,
};

/// Roles belong to the server that all tests share, so they are made once and never dropped.
const SCHEMA: &str = "
    do $$ begin
        create role wire_a;
    exception when duplicate_object or unique_violation then null; end $$;
    do $$ begin
        create role wire_b;
    exception when duplicate_object or unique_violation then null; end $$;
    create schema shop;
    grant usage on schema shop to wire_a, wire_b;
    create table shop.notes (id int primary key, owner text not null, body text);
    insert into shop.notes
        select n, case n % 2 when 0 then 'wire_a' else 'wire_b' end, 'note ' || n
        from generate_series(1, 100) n;
    alter table shop.notes enable row level security;
    create policy own on shop.notes using (owner = current_user);
    grant all on shop.notes to wire_a, wire_b;
    create table public.parents (id int primary key);
    create table public.children (
        id int primary key,
        parent int references public.parents deferrable initially deferred
    );
    grant all on public.parents, public.children to wire_a, wire_b;
";

pub(crate) async fn database() -> TestDb {
    TestDb::with_sql(SCHEMA).await
}

pub(crate) fn endpoint(db: &TestDb) -> Endpoint {
    Endpoint::parse(&db.url()).expect("the URL of the test database")
}

pub(crate) async fn connect(db: &TestDb) -> Connection {
    connect_with(db, &ConnectionSettings::default()).await
}

pub(crate) async fn connect_with(db: &TestDb, settings: &ConnectionSettings) -> Connection {
    Connection::connect(&endpoint(db), settings)
        .await
        .expect("a connection")
}

pub(crate) fn pool(db: &TestDb, settings: PoolSettings) -> Pool {
    Pool::new(endpoint(db), settings)
}

pub(crate) fn scope(role: &str) -> Scope {
    Scope::new(role, "shop, public")
}

/// Search path, claims, then the role, as a request's prelude sets them.
pub(crate) fn prelude(role: &str, claims: &str) -> Vec<Statement> {
    let settings = "select set_config('search_path', $1, true), \
                    set_config('request.jwt.claims', $2, true), set_config('role', $3, true)";
    vec![with(settings, &["shop, public", claims, role])]
}

pub(crate) fn with(text: &str, params: &[&str]) -> Statement {
    let params = params
        .iter()
        .map(|param| Some((*param).to_owned().into()))
        .collect();
    Statement {
        text: text.to_owned(),
        params,
    }
}

pub(crate) fn plain(text: &str) -> Statement {
    Statement::plain(text)
}

/// The server's report in an error that must be one.
pub(crate) fn refused<T>(result: Result<T, WireError>) -> ServerError {
    match result {
        Err(WireError::Server(error)) => *error,
        Err(other) => panic!("not refused by the server: {other:?}"),
        Ok(_) => panic!("not refused"),
    }
}
