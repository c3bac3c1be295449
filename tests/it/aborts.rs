//! Clients that go away: in the middle of a body, right after it, or while their statement runs. What they asked is done
//! whole or not at all, and nobody after them notices.

use std::time::Duration;

use awc::Client;
use awc::http::header::AUTHORIZATION;
use futures_util::StreamExt;
use futures_util::stream::iter;
use passerelle_testkit::{TestClient, TestDb};
use serde_json::{Value, json};
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;
use tokio::time::timeout;

use crate::callers::token;
use crate::gateway::{Gateway, SECRET};

/// Requests that are given up within their body, and as many right after it.
const GIVEN_UP: usize = 1500;
/// Times that statements are given up while they run, and how many at once: no more than a worker has connections.
const ROUNDS: usize = 40;
const AT_ONCE: usize = 3;
const SOCKETS: usize = 64;
const USERS: usize = 23;
const ROWS: usize = 25;
/// Long enough for a machine that is busy with other tests.
const PATIENCE: Duration = Duration::from_mins(1);

/// Every transaction that may write moves a sequence, which no rollback moves back.
const SCHEMA: &str = r"
    create sequence public.transactions;
    create function public.count_transaction() returns void language plpgsql security definer as $$
    begin
      if current_setting('transaction_read_only') = 'off' then
        perform nextval('public.transactions');
      end if;
    end $$;
    create table public.batches (
      batch int,
      n int,
      filler text,
      owner text default current_setting('request.jwt.claims', true)::jsonb ->> 'sub',
      role text default current_user
    );
    create function public.wait() returns trigger language plpgsql as $$
    begin
      perform pg_advisory_xact_lock_shared(7);
      return null;
    end $$;
    create trigger wait after insert on public.batches for each statement
      when (pg_trigger_depth() = 0) execute function public.wait();
    create view public.whoami as
      select current_user::text as role, current_setting('request.jwt.claims', true)::jsonb ->> 'sub' as sub;
    grant select, insert on public.batches to authenticated;
    grant select on public.whoami to anon, authenticated;
";

/// How a client takes its leave.
#[derive(Clone, Copy)]
enum Leave {
    /// Its side is closed, as when a process ends.
    Close,
    /// The connection is reset, as when a machine is gone.
    Reset,
}

impl Leave {
    fn of(turn: usize) -> Self {
        if turn.is_multiple_of(2) {
            Self::Close
        } else {
            Self::Reset
        }
    }
}

/// The clients and whom they ask.
struct Crowd {
    address: String,
    tokens: Vec<String>,
}

impl Crowd {
    fn new(url: &str) -> Self {
        let claims = |user| json!({ "role": "authenticated", "sub": format!("user-{user}") });
        Self {
            address: url.trim_start_matches("http://").to_owned(),
            tokens: (0..USERS).map(|user| token(SECRET, claims(user))).collect(),
        }
    }

    /// The head of an insert with this line about its body.
    fn head(&self, batch: usize, framing: &str) -> String {
        let token = &self.tokens[batch % USERS];
        format!(
            "POST /rest/v1/batches HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n\
             Authorization: Bearer {token}\r\n{framing}\r\n\r\n"
        )
    }

    async fn connect(&self) -> TcpStream {
        TcpStream::connect(&self.address).await.expect("a socket")
    }

    /// Sends part of a body, in one of several ways, and leaves.
    async fn leave_within(&self, batch: usize) {
        let body = rows(batch);
        let length = format!("Content-Length: {}", body.len());
        let chunk = format!("{:x}\r\n{body}\r\n", body.len());
        let text = match batch % 4 {
            0 => self.head(batch, &length),
            1 => format!("{}{}", self.head(batch, &length), &body[..body.len() / 2]),
            2 => format!("{}{}", self.head(batch, &length), &body[..body.len() - 1]),
            // All of the JSON, but not the end of the body.
            _ => format!("{}{chunk}", self.head(batch, "Transfer-Encoding: chunked")),
        };
        let socket = self.connect().await;
        send_and_leave(socket, &text, Leave::of(batch / 4)).await;
    }

    fn whole(&self, batch: usize) -> String {
        let body = rows(batch);
        let length = format!("Content-Length: {}", body.len());
        format!("{}{body}", self.head(batch, &length))
    }

    /// Sends a whole request and leaves.
    async fn leave_after(&self, batch: usize) {
        let socket = self.connect().await;
        send_and_leave(socket, &self.whole(batch), Leave::of(batch)).await;
    }
}

async fn send_and_leave(mut socket: TcpStream, text: &str, leave: Leave) {
    socket.write_all(text.as_bytes()).await.expect("it is sent");
    depart(socket, leave);
}

fn depart(socket: TcpStream, leave: Leave) {
    if let Leave::Reset = leave {
        socket.set_zero_linger().expect("a socket option");
    }
    drop(socket);
}

fn rows(batch: usize) -> String {
    let row = |n| json!({ "batch": batch, "n": n, "filler": "x".repeat(60) });
    Value::Array((0..ROWS).map(row).collect()).to_string()
}

/// One number that the database answers.
async fn number(client: &TestClient, sql: &str) -> i64 {
    let row = client.query_one(sql, &[]).await.expect("a number");
    row.get(0)
}

/// Asks until the database answers a number like this.
async fn until(client: &TestClient, sql: &str, is_right: impl Fn(i64) -> bool) {
    let wait = async { while !is_right(number(client, sql).await) {} };
    let came = timeout(PATIENCE, wait).await;
    assert!(came.is_ok(), "{sql}: not within {PATIENCE:?}");
}

fn none(number: i64) -> bool {
    number == 0
}

const SESSIONS: &str = "select count(*) from pg_stat_activity \
    where usename = 'authenticator' and datname = current_database()";
const TRANSACTIONS: &str =
    "select case when is_called then last_value else 0 end from transactions";

/// Users who stay: each is told who it is, many at once.
async fn everybody_is_served(gateway: &Gateway, crowd: &Crowd, requests: usize) {
    let client = Client::default();
    iter(0..requests)
        .for_each_concurrent(SOCKETS, |turn| {
            let user = turn * 7 % USERS;
            let token = &crowd.tokens[user];
            let request = client
                .get(format!("{}/rest/v1/whoami", gateway.url))
                .insert_header((AUTHORIZATION, format!("Bearer {token}")))
                .timeout(PATIENCE);
            async move {
                let mut response = request.send().await.expect("an answer");
                let body: Value = response.json().await.expect("JSON");
                let sub = format!("user-{user}");
                assert_eq!(body, json!([{ "role": "authenticated", "sub": sub }]));
            }
        })
        .await;
}

/// Statements that wait for a lock when their clients leave.
async fn leave_while_it_runs(crowd: &Crowd, first: usize, client: &TestClient) {
    let waiting = format!("{SESSIONS} and wait_event_type = 'Lock'");
    let at_once = i64::try_from(AT_ONCE).expect("few");
    for round in 0..ROUNDS {
        number(client, "select 1::bigint from pg_advisory_lock(7)").await;
        let mut sockets = Vec::new();
        let batch = first + round * AT_ONCE;
        for batch in batch..batch + AT_ONCE {
            let mut socket = crowd.connect().await;
            let text = crowd.whole(batch);
            socket.write_all(text.as_bytes()).await.expect("it is sent");
            sockets.push(socket);
        }
        // Requests that were left before may be among them.
        until(client, &waiting, |waiting| waiting >= at_once).await;
        for socket in sockets {
            depart(socket, Leave::of(round));
        }
        number(client, "select pg_advisory_unlock(7)::int::bigint").await;
        until(client, &waiting, none).await;
    }
}

#[actix_web::test]
async fn what_clients_leave_behind_is_whole_or_nothing() {
    let db = TestDb::platform().await;
    db.run(SCHEMA).await;
    let settings = [
        ("PASSERELLE_DATABASE_POOL_SIZE", "6"),
        ("PASSERELLE_SERVER_WORKERS", "2"),
        (
            "PASSERELLE_DATABASE_PRE_REQUEST",
            "public.count_transaction",
        ),
    ];
    let gateway = Gateway::serve(&db, &settings).await;
    let crowd = Crowd::new(&gateway.url);
    let client = db.client().await;
    let busy = format!("{SESSIONS} and state <> 'idle'");

    tokio::join!(
        iter(0..GIVEN_UP).for_each_concurrent(SOCKETS, |batch| crowd.leave_within(batch)),
        everybody_is_served(&gateway, &crowd, 300),
    );
    until(&client, &busy, none).await;
    assert_eq!(number(&client, TRANSACTIONS).await, 0, "no body was whole");

    let whole = GIVEN_UP..2 * GIVEN_UP;
    tokio::join!(
        iter(whole).for_each_concurrent(SOCKETS, |batch| crowd.leave_after(batch)),
        everybody_is_served(&gateway, &crowd, 300),
    );
    leave_while_it_runs(&crowd, 2 * GIVEN_UP, &client).await;
    everybody_is_served(&gateway, &crowd, 300).await;
    until(&client, &busy, none).await;
    nothing_is_amiss(&client).await;
}

async fn nothing_is_amiss(client: &TestClient) {
    let begun = number(client, TRANSACTIONS).await;
    let asked = i64::try_from(GIVEN_UP + ROUNDS * AT_ONCE).expect("few");
    assert!(
        (1..=asked).contains(&begun),
        "{begun} transactions of {asked}"
    );
    let torn = "select count(*) from (select from batches group by batch \
                having count(*) <> 25 or count(distinct n) <> 25) as torn";
    assert_eq!(number(client, torn).await, 0, "batches that are not whole");
    let others = "select count(*) from batches where role <> 'authenticated' \
                  or owner is distinct from 'user-' || batch % 23";
    assert_eq!(number(client, others).await, 0, "rows of somebody else");
    let first = i64::try_from(GIVEN_UP).expect("few");
    let early = format!("select count(*) from batches where batch < {first}");
    assert_eq!(
        number(client, &early).await,
        0,
        "bodies that were not whole"
    );
    let stored = number(client, "select count(distinct batch) from batches").await;
    println!("{begun} transactions of {asked} requests, {stored} batches");
    assert!(stored > 0, "some were done all the same");
    // The listener has a connection of its own, and so has what follows the end of sessions.
    let sessions = number(client, SESSIONS).await;
    assert!(sessions <= 6 + 2, "{sessions} sessions of a pool of six");
}
