//! Load on the realtime surface: sockets that join and listen, and what is said to them. It speaks just enough of the
//! websocket protocol (RFC 6455), so that it costs less than what it measures.
//!
//! ```sh
//! load sockets   --url http://127.0.0.1:54321 --key ANON --count 5000 --seconds 5
//! load broadcast --url … --key ANON --count 1000 --seconds 5 --rate 120
//! load changes   --url … --key ANON --tokens FILE --count 1000 --seconds 10 --rate 200 --database URL
//! load joins     --url … --key ANON --tokens FILE --count 2000
//! load burst     --url … --key ANON --count 10 --changes 100000 --database URL
//! ```
//!
//! Prints one line of JSON.
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::cast_precision_loss,
    reason = "a program for measuring ends when something is not as it should be"
)]

use std::cell::RefCell;
use std::collections::HashMap;
use std::rc::Rc;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::task::{JoinSet, LocalSet, spawn_local};
use tokio::time::{sleep, sleep_until, timeout};

/// Sockets that are opened at a time.
const AT_ONCE: usize = 64;

fn main() {
    let mut args = std::env::args().skip(1);
    let mode = args.next().unwrap_or_default();
    let mut options = HashMap::new();
    while let (Some(name), Some(value)) = (args.next(), args.next()) {
        options.insert(name.trim_start_matches("--").to_owned(), value);
    }
    let load = Rc::new(Load {
        options,
        origin: Instant::now(),
    });
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    let figures = LocalSet::new().block_on(&runtime, async move {
        match mode.as_str() {
            "sockets" => load.sockets().await,
            "broadcast" => load.broadcast().await,
            "changes" => load.changes().await,
            "joins" => load.joins().await,
            "burst" => load.burst().await,
            _ => panic!("load sockets|broadcast|changes|joins|burst"),
        }
    });
    println!("{figures}");
}

struct Load {
    options: HashMap<String, String>,
    origin: Instant,
}

/// What listeners have seen.
#[derive(Default)]
struct Seen {
    frames: u64,
    latencies: Vec<u64>,
}

impl Load {
    fn text(&self, name: &str) -> &str {
        self.options
            .get(name)
            .unwrap_or_else(|| panic!("--{name} is missing"))
    }

    fn number(&self, name: &str) -> u64 {
        self.text(name).parse().unwrap()
    }

    fn count(&self) -> usize {
        usize::try_from(self.number("count")).unwrap()
    }

    fn now(&self) -> u64 {
        u64::try_from(self.origin.elapsed().as_micros()).unwrap()
    }

    fn tokens(&self) -> Vec<String> {
        let text = std::fs::read_to_string(self.text("tokens")).unwrap();
        text.lines().map(str::to_owned).collect()
    }

    /// Opens sockets that join; many at a time.
    async fn open(&self, joins: Vec<(String, Value)>) -> Vec<Socket> {
        let mut sockets = Vec::with_capacity(joins.len());
        let mut opening = JoinSet::new();
        let mut waiting = joins.into_iter();
        let (url, key) = (self.text("url").to_owned(), self.text("key").to_owned());
        loop {
            while opening.len() < AT_ONCE
                && let Some((topic, payload)) = waiting.next()
            {
                let (url, key) = (url.clone(), key.clone());
                opening.spawn_local(async move {
                    let mut socket = Socket::open(&url, &key).await;
                    socket.join(&topic, &payload).await;
                    socket
                });
            }
            match opening.join_next().await {
                Some(socket) => sockets.push(socket.unwrap()),
                None => return sockets,
            }
        }
    }

    async fn sockets(&self) -> Value {
        let began = Instant::now();
        let joins = (0..self.count()).map(|number| (format!("room-{number}"), config(&json!({}))));
        let sockets = self.open(joins.collect()).await;
        let took = began.elapsed();
        // Whoever looks at the gateway's memory does it now.
        println!("{}", json!({ "joined": sockets.len() }));
        sleep(Duration::from_secs(self.number("seconds"))).await;
        json!({ "sockets": sockets.len(), "per_second": per_second(sockets.len() as u64, took) })
    }

    /// Listens on all sockets until the end; what `at` finds in a frame is when it was sent.
    fn listen(
        self: &Rc<Self>,
        sockets: Vec<Socket>,
        at: impl Fn(&Load, &[u8]) -> Option<u64> + Clone + 'static,
    ) -> Rc<RefCell<Seen>> {
        let seen = Rc::new(RefCell::new(Seen::default()));
        for mut socket in sockets {
            let (load, seen, at) = (Rc::clone(self), Rc::clone(&seen), at.clone());
            spawn_local(async move {
                while socket.receive().await {
                    let now = load.now();
                    let mut seen = seen.borrow_mut();
                    while let Some(frame) = socket.frame() {
                        if let Some(sent) = at(&load, &frame) {
                            seen.frames += 1;
                            seen.latencies.push(now.saturating_sub(sent));
                        }
                    }
                }
            });
        }
        seen
    }

    async fn broadcast(self: &Rc<Self>) -> Value {
        let joins = (0..self.count()).map(|_| ("room".to_owned(), config(&json!({}))));
        let sockets = self.open(joins.collect()).await;
        let mut sender = self
            .open(vec![("room".to_owned(), config(&json!({})))])
            .await
            .remove(0);
        let members = sockets.len() as u64;
        let seen = self.listen(sockets, |_, frame| sent_at(frame));
        let (seconds, rate) = (self.number("seconds"), self.number("rate"));
        let began = Instant::now();
        let total = seconds * rate;
        for number in 0..total {
            let due = began + Duration::from_micros(number * 1_000_000 / rate);
            sleep_until(due.into()).await;
            let payload = json!({ "type": "broadcast", "event": "tick", "payload": { "t": self.now(), "text": "x".repeat(100) } });
            let frame = json!(["1", null, "realtime:room", "broadcast", payload]).to_string();
            sender.send(&frame).await;
        }
        let expected = total * members;
        let end = Instant::now() + Duration::from_secs(20);
        while seen.borrow().frames < expected && Instant::now() < end {
            sleep(Duration::from_millis(5)).await;
        }
        let took = began.elapsed();
        let seen = seen.borrow();
        json!({
            "members": members, "messages": total, "deliveries": seen.frames, "missing": expected - seen.frames.min(expected),
            "per_second": per_second(seen.frames, took), "p50_ms": percentile(&seen.latencies, 50), "p99_ms": percentile(&seen.latencies, 99),
        })
    }

    /// Sockets that follow a table, as the people of the tokens in turn.
    async fn followers(&self, tokens: &[String]) -> Vec<Socket> {
        let binding = json!([{ "event": "*", "schema": "public", "table": "ticks" }]);
        let joins = (0..self.count()).map(|number| {
            let mut payload = config(&json!({ "postgres_changes": binding }));
            if !tokens.is_empty() {
                payload["access_token"] = tokens[number % tokens.len()].as_str().into();
            }
            (format!("ticks-{}", number % tokens.len().max(1)), payload)
        });
        let mut sockets = self.open(joins.collect()).await;
        for socket in &mut sockets {
            socket
                .until(|frame| contains(frame, b"Subscribed to PostgreSQL"))
                .await;
        }
        sockets
    }

    async fn changes(self: &Rc<Self>) -> Value {
        let tokens = self.tokens();
        let sockets = self.followers(&tokens).await;
        let per_audience = (sockets.len() / tokens.len()) as u64;
        let seen = self.listen(sockets, |_, frame| {
            contains(frame, b"\"postgres_changes\"").then(|| sent_at(frame))?
        });
        let client = connect(self.text("database")).await;
        let statement = client
            .prepare("insert into public.ticks (owner, t) values ($1, $2)")
            .await
            .unwrap();
        let (seconds, rate) = (self.number("seconds"), self.number("rate"));
        let owners: Vec<i32> = (0..i32::try_from(tokens.len()).unwrap()).collect();
        let total = seconds * rate;
        let began = Instant::now();
        for number in 0..total {
            let due = began + Duration::from_micros(number * 1_000_000 / rate);
            sleep_until(due.into()).await;
            let owner = owners[usize::try_from(number).unwrap() % owners.len()];
            let now = i64::try_from(self.now()).unwrap();
            client.execute(&statement, &[&owner, &now]).await.unwrap();
        }
        let expected = total * per_audience;
        let end = Instant::now() + Duration::from_secs(20);
        while seen.borrow().frames < expected && Instant::now() < end {
            sleep(Duration::from_millis(5)).await;
        }
        let took = began.elapsed();
        let seen = seen.borrow();
        json!({
            "subscribers": per_audience * tokens.len() as u64, "audiences": tokens.len(), "changes": total, "deliveries": seen.frames,
            "expected": expected, "changes_per_second": per_second(total, took), "p50_ms": percentile(&seen.latencies, 50),
            "p99_ms": percentile(&seen.latencies, 99),
        })
    }

    /// One socket after the other leaves and joins a private channel.
    async fn joins(&self) -> Value {
        let tokens = self.tokens();
        let total = self.count();
        let mut sockets = Vec::new();
        for _ in 0..16 {
            sockets.push(Socket::open(self.text("url"), self.text("key")).await);
        }
        let began = Instant::now();
        let mut joining = JoinSet::new();
        for (index, mut socket) in sockets.into_iter().enumerate() {
            let tokens = tokens.clone();
            joining.spawn_local(async move {
                for number in 0..total / 16 {
                    let mut payload = config(&json!({ "private": true }));
                    payload["access_token"] =
                        tokens[(index + number) % tokens.len()].as_str().into();
                    socket
                        .join(&format!("lounge-{}", number % 50), &payload)
                        .await;
                }
            });
        }
        while let Some(joined) = joining.join_next().await {
            joined.unwrap();
        }
        let took = began.elapsed();
        json!({ "joins": total, "per_second": per_second(total as u64, took) })
    }

    async fn burst(self: &Rc<Self>) -> Value {
        let sockets = self.followers(&[]).await;
        let members = sockets.len() as u64;
        let seen = self.listen(sockets, |_, frame| {
            contains(frame, b"\"postgres_changes\"").then_some(0)
        });
        let client = connect(self.text("database")).await;
        let changes = i32::try_from(self.number("changes")).unwrap();
        let sql =
            "insert into public.ticks (owner, t) select 0, n from generate_series(1, $1::int4) n";
        let began = Instant::now();
        client.execute(sql, &[&changes]).await.unwrap();
        let written = began.elapsed();
        let expected = u64::try_from(changes).unwrap() * members;
        let end = Instant::now() + Duration::from_mins(1);
        while seen.borrow().frames < expected && Instant::now() < end {
            sleep(Duration::from_millis(10)).await;
        }
        let took = began.elapsed();
        json!({
            "changes": changes, "members": members, "deliveries": seen.borrow().frames, "expected": expected,
            "written_ms": written.as_secs_f64() * 1000.0, "delivered_ms": took.as_secs_f64() * 1000.0,
        })
    }
}

async fn connect(url: &str) -> tokio_postgres::Client {
    let (client, connection) = tokio_postgres::connect(url, tokio_postgres::NoTls)
        .await
        .unwrap();
    spawn_local(async move {
        let _ended = connection.await;
    });
    client
}

fn config(more: &Value) -> Value {
    let mut config =
        json!({ "broadcast": { "ack": false, "self": false }, "presence": { "enabled": false } });
    for (name, value) in more.as_object().unwrap() {
        config[name] = value.clone();
    }
    json!({ "config": config })
}

fn per_second(count: u64, took: Duration) -> f64 {
    (count as f64 / took.as_secs_f64()).round()
}

fn percentile(latencies: &[u64], percent: usize) -> f64 {
    let mut sorted = latencies.to_vec();
    sorted.sort_unstable();
    let at = (sorted.len() * percent / 100).min(sorted.len().saturating_sub(1));
    sorted
        .get(at)
        .map_or(-1.0, |micros| *micros as f64 / 1000.0)
}

fn contains(frame: &[u8], text: &[u8]) -> bool {
    frame.windows(text.len()).any(|window| window == text)
}

/// The number after `"t":`.
fn sent_at(frame: &[u8]) -> Option<u64> {
    let at = frame.windows(4).rposition(|window| window == b"\"t\":")?;
    let digits = frame[at + 4..]
        .iter()
        .take_while(|byte| byte.is_ascii_digit());
    let number = digits.fold(0, |number: u64, digit| {
        number * 10 + u64::from(digit - b'0')
    });
    Some(number)
}

/// A websocket.
struct Socket {
    stream: TcpStream,
    buffer: Vec<u8>,
    start: usize,
    reference: u64,
}

impl Socket {
    async fn open(url: &str, key: &str) -> Self {
        let host = url.strip_prefix("http://").unwrap();
        let mut stream = TcpStream::connect(host).await.unwrap();
        stream.set_nodelay(true).unwrap();
        let request = format!(
            "GET /realtime/v1/websocket?apikey={key}&vsn=2.0.0 HTTP/1.1\r\nHost: {host}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
             Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
        );
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut socket = Self {
            stream,
            buffer: Vec::new(),
            start: 0,
            reference: 0,
        };
        loop {
            assert!(socket.receive().await, "the gateway hung up");
            if let Some(end) = socket
                .buffer
                .windows(4)
                .position(|window| window == b"\r\n\r\n")
            {
                let head = String::from_utf8_lossy(&socket.buffer[..end]).into_owned();
                assert!(head.starts_with("HTTP/1.1 101"), "{head}");
                socket.start = end + 4;
                return socket;
            }
        }
    }

    /// A frame of text, masked with zeros.
    async fn send(&mut self, text: &str) {
        let bytes = text.as_bytes();
        let mut frame = vec![0x81];
        match bytes.len() {
            length @ 0..126 => frame.push(0x80 | u8::try_from(length).unwrap()),
            length => {
                frame.push(0xfe);
                frame.extend(u16::try_from(length).unwrap().to_be_bytes());
            }
        }
        frame.extend([0; 4]);
        frame.extend(bytes);
        self.stream.write_all(&frame).await.unwrap();
    }

    async fn receive(&mut self) -> bool {
        if self.start > 0 {
            self.buffer.drain(..self.start);
            self.start = 0;
        }
        self.stream
            .read_buf(&mut self.buffer)
            .await
            .is_ok_and(|read| read > 0)
    }

    /// The next frame that has come.
    fn frame(&mut self) -> Option<Vec<u8>> {
        let bytes = &self.buffer[self.start..];
        let (length, head) = match *bytes.get(1)? & 0b0111_1111 {
            126 => (
                usize::from(u16::from_be_bytes(bytes.get(2..4)?.try_into().unwrap())),
                4,
            ),
            127 => {
                let length = u64::from_be_bytes(bytes.get(2..10)?.try_into().unwrap());
                (usize::try_from(length).unwrap(), 10)
            }
            length => (usize::from(length), 2),
        };
        let frame = bytes.get(head..head + length)?.to_vec();
        self.start += head + length;
        Some(frame)
    }

    async fn until(&mut self, is_it: impl Fn(&[u8]) -> bool) {
        loop {
            while let Some(frame) = self.frame() {
                if is_it(&frame) {
                    return;
                }
            }
            let received = timeout(Duration::from_secs(30), self.receive()).await;
            assert!(received.unwrap_or(false), "nothing comes");
        }
    }

    async fn join(&mut self, topic: &str, payload: &Value) {
        self.reference += 1;
        let reference = self.reference.to_string();
        let frame = json!([
            reference,
            reference,
            format!("realtime:{topic}"),
            "phx_join",
            payload
        ]);
        self.send(&frame.to_string()).await;
        let mark = format!("[\"{reference}\",\"{reference}\"");
        self.until(|frame| {
            let is_reply = frame.starts_with(mark.as_bytes()) && contains(frame, b"phx_reply");
            assert!(
                !is_reply || contains(frame, b"\"status\":\"ok\""),
                "{}",
                String::from_utf8_lossy(frame)
            );
            is_reply
        })
        .await;
    }
}
