//! How a server ends: in order, and no later than it must.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::time::{Duration, Instant};

use passerelle_testkit::{TestClient, TestDb};

use crate::program::{Program, get, until_true};

const HERE: &str = env!("CARGO_MANIFEST_DIR");
/// Far less than running requests are given, which is 30 seconds.
const SOON: Duration = Duration::from_secs(20);

async fn waits_for_lock(client: &TestClient) -> bool {
    let waiting = "select exists (select from pg_locks where locktype = 'advisory' and not granted \
                   and database = (select oid from pg_database where datname = current_database()))";
    client.query_one(waiting, &[]).await.unwrap().get(0)
}

#[tokio::test]
async fn running_requests_finish_and_idle_connections_do_not_hold_the_server_up() {
    let db = TestDb::with_sql(
        "create function wait() returns text language sql as \
         $$ select pg_advisory_xact_lock(1); select 'done' $$",
    )
    .await;
    let url = db.url();
    let variables = [
        ("PGRST_DB_URI", url.as_str()),
        ("PGRST_DB_ANON_ROLE", "postgres"),
        ("PGRST_SERVER_HOST", "127.0.0.1"),
        ("PGRST_SERVER_PORT", "0"),
    ];
    let server = Program::start(HERE.as_ref(), &["rest"], &variables);
    let url = server.url();
    let address = url.strip_prefix("http://").unwrap().to_owned();

    let mut idle = TcpStream::connect(&address).unwrap();
    write!(idle, "GET /rpc/none HTTP/1.1\r\nHost: {address}\r\n\r\n").unwrap();
    assert!(idle.read(&mut [0; 4096]).unwrap() > 0);

    let client = db.client().await;
    client
        .execute("select pg_advisory_lock(1)", &[])
        .await
        .unwrap();
    let running = std::thread::spawn(move || get(&format!("{url}/rpc/wait"), &[]));
    until_true(async || waits_for_lock(&client).await).await;

    let asked = Instant::now();
    server.signal("TERM");
    // The server has begun to end once it closes the connection that waits for nothing.
    idle.set_read_timeout(Some(SOON)).unwrap();
    let mut rest = Vec::new();
    idle.read_to_end(&mut rest).unwrap();
    client
        .execute("select pg_advisory_unlock(1)", &[])
        .await
        .unwrap();
    let (status, answer) = running.join().unwrap();
    assert_eq!(status, 200, "{answer}");
    assert!(answer.ends_with("\"done\""), "{answer}");
    assert!(server.wait().success());
    assert!(asked.elapsed() < SOON, "{:?}", asked.elapsed());
    assert!(TcpStream::connect(&address).is_err());
}

#[tokio::test]
async fn a_log_that_nobody_reads_holds_up_neither_requests_nor_the_end() {
    // Two thousand entries are far more than a pipe holds.
    const REQUESTS: usize = 2000;
    let db = TestDb::with_sql("create table first (id int)").await;
    let url = db.url();
    let variables = [
        ("PGRST_DB_URI", url.as_str()),
        ("PGRST_DB_ANON_ROLE", "postgres"),
        ("PGRST_SERVER_HOST", "127.0.0.1"),
        ("PGRST_SERVER_PORT", "0"),
        ("PGRST_LOG_LEVEL", "info"),
    ];
    let mut server = Program::spawn(HERE.as_ref(), &["rest"], &variables);
    let mut log = BufReader::new(server.stderr.take().unwrap());
    let mut line = String::new();
    while !line.contains("ready at ") {
        line.clear();
        assert!(log.read_line(&mut line).unwrap() > 0);
    }
    let (_, address) = line.trim().rsplit_once("http://").unwrap();
    for _ in 0..REQUESTS {
        assert_eq!(get(&format!("http://{address}/first"), &[]).0, 200);
    }
    let terminated = std::process::Command::new("kill")
        .arg(server.id().to_string())
        .status();
    assert!(terminated.unwrap().success());
    let asked = Instant::now();
    assert!(server.wait().unwrap().success());
    assert!(asked.elapsed() < SOON, "{:?}", asked.elapsed());
    // What fitted is whole lines, and none is from nowhere.
    let entries = log
        .lines()
        .map_while(Result::ok)
        .filter(|line| line.contains("passerelle::access"));
    let entries: Vec<String> = entries.collect();
    assert!(!entries.is_empty() && entries.len() <= REQUESTS);
    assert!(
        entries.iter().all(|entry| entry.contains("reply_us=")),
        "{:?}",
        entries.last()
    );
}
