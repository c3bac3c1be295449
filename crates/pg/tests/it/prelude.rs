//! The prelude's settings reach the statement, and end with it.

use passerelle_catalog::QualifiedName;
use passerelle_pg::{Leavings, Prelude, error_reply};
use passerelle_statement::Statement;
use passerelle_testkit::TestDb;
use passerelle_wire::{Begin, Connection, ConnectionSettings, Endpoint, Flight, Scope};

const PRELUDE: Prelude<'_> = Prelude {
    search_path: "\"public\"",
    role_settings: &[],
    role: "anon",
    claims: r#"{"role":"anon"}"#,
    method: "GET",
    path: "/items",
    headers: r#"{"x-a":"b"}"#,
    cookies: "{}",
    timezone: None,
    function_settings: &[],
    app_settings: &[],
    read_only: true,
    pre_request: None,
    leavings: None,
};

async fn connect(db: &TestDb) -> Connection {
    let endpoint = Endpoint::parse(&db.authenticator_url()).unwrap();
    Connection::connect(&endpoint, &ConnectionSettings::default())
        .await
        .unwrap()
}

#[tokio::test]
async fn settings_last_as_long_as_the_transaction() {
    let db = TestDb::platform().await;
    let mut connection = connect(&db).await;
    let app_settings = [("app.settings.name".into(), "hub".into())];
    let role_settings = [("statement_timeout".into(), "7s".into())];
    let prelude = Prelude {
        timezone: Some("Asia/Tokyo"),
        app_settings: &app_settings,
        role_settings: &role_settings,
        ..PRELUDE
    }
    .statements();
    let ask = Statement::plain(
        "select concat_ws(' ', current_user, current_setting('request.jwt.claims', true)::json ->> 'role', \
         current_setting('request.method', true), current_setting('request.path', true), \
         current_setting('request.headers', true)::json ->> 'x-a', current_setting('timezone'), \
         current_setting('statement_timeout'), current_setting('app.settings.name', true), \
         current_setting('transaction_read_only'))",
    );
    let scope = Scope::new("anon", "\"public\"");
    let result = connection
        .fly(&Flight::new(&ask, &scope).prelude(&prelude))
        .await
        .unwrap();
    assert_eq!(
        result.text(0, 0),
        Some("anon anon GET /items b Asia/Tokyo 7s hub on")
    );

    let ask = Statement::plain(
        "select concat_ws(' ', current_user, current_setting('request.method', true), \
         current_setting('app.settings.name', true), current_setting('transaction_read_only'))",
    );
    let result = connection.fly(&Flight::new(&ask, &scope)).await.unwrap();
    assert_eq!(result.text(0, 0), Some("authenticator   off"));
}

#[tokio::test]
async fn a_read_cannot_write() {
    let db = TestDb::platform().await;
    db.run("create table t (id int); grant all on t to anon")
        .await;
    let mut connection = connect(&db).await;
    let write = Statement::plain("insert into t values (1)");
    let scope = Scope::new("anon", "\"public\"");
    let prelude = PRELUDE.statements();
    let error = connection
        .fly(&Flight::new(&write, &scope).prelude(&prelude))
        .await
        .unwrap_err();
    let reply = error_reply(&error, false);
    assert_eq!((reply.status, reply.code.as_str()), (405, "25006"));

    let prelude = Prelude {
        read_only: false,
        ..PRELUDE
    }
    .statements();
    connection
        .fly(&Flight::new(&write, &scope).prelude(&prelude))
        .await
        .unwrap();
}

#[tokio::test]
async fn the_pre_request_function_can_refuse() {
    let db = TestDb::platform().await;
    db.run(
        r#"create function public.check_request() returns void language plpgsql as $$
        begin
          raise sqlstate 'PGRST' using
            message = '{"code":"429","message":"Slow down"}',
            detail = '{"status":429,"headers":{"Retry-After":"3"}}';
        end $$"#,
    )
    .await;
    let mut connection = connect(&db).await;
    let function = QualifiedName::new("public", "check_request");
    let prelude = Prelude {
        pre_request: Some(&function),
        ..PRELUDE
    }
    .statements();
    let read = Statement::plain("select 1");
    let scope = Scope::new("anon", "\"public\"");
    let error = connection
        .fly(&Flight::new(&read, &scope).prelude(&prelude))
        .await
        .unwrap_err();
    let reply = error_reply(&error, true);
    assert_eq!((reply.status, reply.code.as_str()), (429, "429"));
    assert_eq!(reply.headers, [("Retry-After".to_owned(), "3".to_owned())]);
}

#[tokio::test]
async fn a_request_finds_nothing_of_the_one_before_it_in_its_transaction() {
    let db = TestDb::platform().await;
    let mut connection = connect(&db).await;
    let ask = Statement::plain(
        "select concat_ws(' ', current_user, current_setting('timezone') = current_setting('my.zone'), \
         current_setting('statement_timeout'), current_setting('request.path'), \
         current_setting('response.status', true), current_setting('response.headers', true), \
         current_setting('pgrst.inserted', true))",
    );
    let function_settings = [("statement_timeout".into(), "7s".into())];
    let mut leavings = Leavings::default();
    leavings.note(Some("Asia/Tokyo"), &function_settings);
    leavings.note(Some("Asia/Tokyo"), &[]);
    let zone = [Statement::plain(
        "select set_config('my.zone', current_setting('timezone'), true)",
    )];
    let first = Prelude {
        timezone: Some("Asia/Tokyo"),
        function_settings: &function_settings,
        read_only: false,
        ..PRELUDE
    };
    let second = Prelude {
        path: "/others",
        leavings: Some(&leavings),
        read_only: false,
        ..PRELUDE
    };
    let first = [&zone[..], &first.statements()].concat();
    let sets = Statement::plain(
        "select set_config('response.status', '201', true), set_config('pgrst.inserted', '3', true), \
         set_config('response.headers', '[]', true)",
    );
    let scope = Scope::new("anon", "\"public\"");
    let mut transaction = connection.begin(Begin::default());
    let flight = Flight::new(&sets, &scope).prelude(&first);
    transaction.fly(&flight).await.unwrap();
    let left = transaction.run(&scope, &ask).await.unwrap();
    assert_eq!(left.text(0, 0), Some("anon f 7s /items 201 [] 3"));
    let second = second.statements();
    let flight = Flight::new(&ask, &scope).prelude(&second);
    let found = transaction.fly(&flight).await.unwrap();
    assert_eq!(found.text(0, 0), Some("anon t 0 /others   "));
    transaction.commit().await.unwrap();
}
