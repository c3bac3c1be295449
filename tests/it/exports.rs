//! Exports of more rows than anyone wants to hold: what they cost, and what a client can do to them.

use std::time::Duration;

use awc::Client;
use awc::http::header::ACCEPT;
use futures_util::StreamExt;
use passerelle_testkit::{TestClient, TestDb};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;

use crate::gateway::{Gateway, memory};

/// Long enough for a machine that is busy with other tests.
const LIMIT: Duration = Duration::from_mins(2);

const ROWS: u64 = 1_000_000;

/// What the body of the rows has, in kilobytes, at least.
const BODY: u64 = 70_000;

const SCHEMA: &str = "
    create table public.many (id int primary key, text text not null, owner text not null);
    insert into public.many
      select n, repeat(md5(n::text), 2), case n when 1 then 'nobody' else 'anon' end
      from generate_series(1, 1000001) n;
    alter table public.many enable row level security;
    create policy own on public.many using (owner = current_user);
    create view public.whoami as select current_user::text as role;
    create function public.inverse(public.many) returns int language sql stable as
      'select 1 / (500000 - $1.id)';
    grant select on public.many, public.whoami to anon;
";

/// A role of its own, since a role's settings are those of all databases.
const HURRIED: &str = "
    do $$ begin
      create role hurried_reader;
    exception when duplicate_object or unique_violation then
    end $$;
    alter role hurried_reader set statement_timeout = '5s';
    grant hurried_reader to authenticator;
    grant select on public.many to hurried_reader;
    alter table public.many disable row level security;
";

/// Of the two connections one may serve exports.
const POOL: [(&str, &str); 2] = [
    ("PASSERELLE_SERVER_WORKERS", "1"),
    ("PASSERELLE_DATABASE_POOL_SIZE", "2"),
];

async fn database() -> TestDb {
    let db = TestDb::platform().await;
    db.run(SCHEMA).await;
    db
}

async fn served(more: &[(&str, &str)]) -> (TestDb, Gateway) {
    let db = database().await;
    let gateway = Gateway::serve(&db, &[&POOL[..], more].concat()).await;
    (db, gateway)
}

/// A request for all rows on a socket of its own.
async fn ask(gateway: &Gateway, query: &str) -> TcpStream {
    let address = gateway.url.trim_start_matches("http://");
    let mut socket = TcpStream::connect(address).await.expect("a connection");
    let request = format!(
        "GET {}/many{query} HTTP/1.1\r\nHost: {address}\r\nAccept: text/csv\r\n\
         Connection: close\r\n\r\n",
        gateway.prefix
    );
    socket
        .write_all(request.as_bytes())
        .await
        .expect("it is sent");
    socket
}

/// A connection is there for the next one who asks, and answers as the role of that request.
async fn works(gateway: &Gateway) {
    let request = Client::default().get(format!("{}{}/whoami", gateway.url, gateway.prefix));
    let answer = async {
        let mut response = request.send().await.expect("an answer");
        response.body().await.expect("a body")
    };
    let body = timeout(LIMIT, answer).await.expect("a connection is free");
    assert_eq!(body, r#"[{"role":"anon"}]"#);
}

/// The server's process that runs an export, and what it waits for.
async fn exporting(client: &TestClient) -> Option<(i32, Option<String>)> {
    let rows = client
        .query(
            "select pid, wait_event from pg_stat_activity where datname = current_database() \
             and usename = 'authenticator' and state <> 'idle' and backend_type = 'client backend'",
            &[],
        )
        .await
        .expect("pg_stat_activity");
    rows.first().map(|row| (row.get(0), row.get(1)))
}

async fn exporting_ends(client: &TestClient) {
    while exporting(client).await.is_some() {
        tokio::task::yield_now().await;
    }
}

#[actix_web::test]
async fn memory_does_not_grow_with_the_rows() {
    let (_db, gateway) = served(&[]).await;
    works(&gateway).await;
    let before = gateway.memory("VmRSS");
    let request = Client::default().get(format!("{}/rest/v1/many?order=id", gateway.url));
    let request = request.insert_header((ACCEPT, "text/csv")).timeout(LIMIT);
    let mut response = request.send().await.expect("an answer");
    let (mut lines, mut bytes) = (0, 0);
    while let Some(piece) = response.next().await {
        let piece = piece.expect("the body goes on");
        lines += piece.split(|byte| *byte == b'\n').count() as u64 - 1;
        bytes += piece.len() as u64;
    }
    // One ends the header, and one row is not the caller's.
    assert_eq!(lines, ROWS);
    assert!(bytes / 1024 > BODY, "{bytes}");
    let grown = gateway.memory("VmHWM").saturating_sub(before);
    assert!(grown < BODY / 4, "{grown} kB for {bytes} bytes");
    works(&gateway).await;
}

#[actix_web::test]
async fn a_client_that_does_not_read_costs_nothing_more_and_one_that_leaves_ends_the_query() {
    let (db, gateway) = served(&[]).await;
    works(&gateway).await;
    let before = gateway.memory("VmRSS");
    let client = db.client().await;
    let mut socket = ask(&gateway, "").await;
    socket.read_u8().await.expect("the reply has begun");
    let stuck = async {
        loop {
            match exporting(&client).await {
                Some((pid, Some(event))) if event == "ClientWrite" => break pid,
                _ => tokio::task::yield_now().await,
            }
        }
    };
    let pid = timeout(LIMIT, stuck).await.expect("the server waits, too");
    let grown = gateway.memory("VmHWM").saturating_sub(before);
    assert!(grown < BODY / 4, "{grown} kB");
    let held = memory(u32::try_from(pid).expect("a process"), "RssAnon");
    assert!(held < BODY / 4, "{held} kB in PostgreSQL");

    drop(socket);
    let ended = exporting_ends(&client);
    timeout(LIMIT, ended).await.expect("the query ends");
    works(&gateway).await;
}

#[actix_web::test]
async fn a_failure_after_the_beginning_is_not_taken_for_the_end() {
    let (_db, gateway) = served(&[]).await;
    let mut said = Vec::new();
    let mut socket = ask(&gateway, "?select=id,inverse").await;
    let read = timeout(LIMIT, socket.read_to_end(&mut said));
    // The connection ends, in whichever way.
    let _ = read.await.expect("the connection ends");
    let said = String::from_utf8_lossy(&said);
    assert!(said.starts_with("HTTP/1.1 200 "), "{}", &said[..200]);
    assert!(said.contains("transfer-encoding: chunked"));
    assert!(!said.ends_with("\r\n0\r\n\r\n"), "the body has an end");
    let mut whole = Vec::new();
    let mut socket = ask(&gateway, "?select=id&id=lt.100000").await;
    let read = timeout(LIMIT, socket.read_to_end(&mut whole));
    read.await.expect("the connection ends").expect("well");
    assert!(whole.ends_with(b"\r\n0\r\n\r\n"), "the body has no end");
    works(&gateway).await;
}

/// Begins to read a large reply and stops.
async fn stall(gateway: &Gateway, query: &str) -> TcpStream {
    let mut socket = ask(gateway, query).await;
    let read = timeout(LIMIT, socket.read_u8()).await;
    read.expect("the reply begins").expect("well");
    socket
}

#[actix_web::test]
async fn readers_that_stop_starve_nobody() {
    let (_db, gateway) = served(&[]).await;
    let mut stalled = Vec::new();
    for _ in 0..4 {
        stalled.push(stall(&gateway, "?id=lt.250000").await);
    }
    works(&gateway).await;
}

#[actix_web::test]
async fn readers_that_stop_starve_nobody_where_postgrest_was() {
    let db = database().await;
    let gateway = Gateway::rest(&db, &[("PGRST_DB_POOL", "2")]).await;
    let mut stalled = Vec::new();
    for _ in 0..4 {
        stalled.push(stall(&gateway, "?id=lt.250000").await);
    }
    works(&gateway).await;
}

#[actix_web::test]
async fn a_slow_reader_has_as_long_as_it_likes_where_postgrest_was() {
    let db = database().await;
    db.run(HURRIED).await;
    let hurried = ("PGRST_DB_ANON_ROLE", "hurried_reader");
    let gateway = Gateway::rest(&db, &[("PGRST_DB_POOL", "2"), hurried]).await;
    let mut socket = stall(&gateway, "?id=lt.100000").await;
    let client = db.client().await;
    let idle = exporting_ends(&client);
    timeout(LIMIT, idle).await.expect("nothing waits for it");
    let mut rest = Vec::new();
    let read = timeout(LIMIT, socket.read_to_end(&mut rest));
    read.await.expect("the connection ends").expect("well");
    let rest = String::from_utf8_lossy(&rest);
    assert!(
        rest.contains("content-range: 0-99998/*"),
        "{}",
        &rest[..500]
    );
    let (head, body) = rest.split_once("\r\n\r\n").expect("a body");
    assert!(
        head.contains(&format!("content-length: {}\r\n", body.len())),
        "{head}"
    );
}

#[actix_web::test]
async fn a_reader_that_stops_keeps_its_lock_for_a_limited_time() {
    let (db, gateway) = served(&[("PASSERELLE_LIMITS_EXPORT_STALL_SECONDS", "1")]).await;
    let client = db.client().await;
    let mut socket = stall(&gateway, "").await;
    // Waits for the export's lock on the table.
    let locked = client.execute("alter table public.many add column more int", &[]);
    timeout(LIMIT, locked)
        .await
        .expect("in time")
        .expect("well");
    let mut rest = Vec::new();
    let read = timeout(LIMIT, socket.read_to_end(&mut rest));
    // The connection ends, in whichever way.
    let _ = read.await.expect("the connection ends");
    assert!(!rest.ends_with(b"\r\n0\r\n\r\n"), "the body has an end");
    works(&gateway).await;
}
