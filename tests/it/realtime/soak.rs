//! Gateways, Redis and connections die at random; whoever is there is told what their policy allows, all of it, in order, and nothing else.

use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::time::{Duration, Instant};

use actix_web::rt::spawn;
use awc::ws::{Frame, Message};
use futures_util::{SinkExt as _, StreamExt as _};
use passerelle_testkit::{PrivateRedis, TestClient, TestDb};
use serde_json::{Value, json};
use tokio::time::{sleep, timeout};

use crate::cache::world::{Dice, number};
use crate::callers::token;
use crate::gateway::{Gateway, SECRET};

const PEOPLE: [&str; 3] = [
    "a0000000-0000-4000-8000-000000000001",
    "b0000000-0000-4000-8000-000000000002",
    "c0000000-0000-4000-8000-000000000003",
];
/// Of each person at each gateway.
const CLIENTS: usize = 2;
const SCHEMA: &str = "
create table public.notes (id bigint primary key, owner uuid, is_public boolean, seq bigint);
alter table public.notes replica identity full;
alter table public.notes enable row level security;
create policy own on public.notes for select to authenticated using (owner = (select auth.uid()));
create policy shown on public.notes for select to authenticated using (is_public);
grant select on public.notes to authenticated;
alter publication supabase_realtime add table public.notes;
";

/// What was committed, in order.
#[derive(Clone, Debug)]
struct Committed {
    /// As those see it who may: `INSERT 7`, by what they are told of the row.
    key: String,
    owner: usize,
    is_public: bool,
}

#[derive(Default)]
struct World {
    history: RefCell<Vec<Committed>>,
    is_over: Cell<bool>,
    told: Cell<u64>,
    segments: Cell<u64>,
}

impl World {
    /// Places in the history that a person may know of, from one on.
    fn allowed(&self, person: usize) -> Vec<(usize, String)> {
        let history = self.history.borrow();
        let all = history.iter().enumerate();
        let allowed = all.filter(|(_, one)| one.is_public || one.owner == person);
        allowed.map(|(at, one)| (at, one.key.clone())).collect()
    }

    /// What somebody was told from one moment to another is what they may know of it, without a gap.
    fn check(&self, person: usize, since: usize, told: &[String], is_to_the_end: bool) {
        let allowed = self.allowed(person);
        let place = |key: &String| allowed.iter().position(|(_, one)| one == key);
        let after = allowed.iter().position(|(at, _)| *at >= since);
        let after = after.unwrap_or(allowed.len());
        let Some(first) = told.first() else {
            assert!(
                !is_to_the_end || after == allowed.len(),
                "person {person} was told nothing since {since}"
            );
            return;
        };
        let start = place(first)
            .unwrap_or_else(|| panic!("person {person} was told {first}, which they may not know"));
        assert!(
            start <= after,
            "person {person} was not told what came before {first}, since {since}: {:?}",
            &allowed[after..start]
        );
        let expected: Vec<&String> = allowed[start..]
            .iter()
            .map(|(_, key)| key)
            .take(told.len())
            .collect();
        let differs = told
            .iter()
            .zip(&expected)
            .position(|(told, expected)| told != *expected);
        if let Some(at) = differs {
            let around = at.saturating_sub(3)..(at + 5).min(told.len());
            panic!(
                "person {person} since {since}, at {at} of {}: told {:?}, expected {:?}",
                told.len(),
                &told[around.clone()],
                &expected[around]
            );
        }
        assert_eq!(
            told.len(),
            expected.len(),
            "person {person} was told more than there is"
        );
        if is_to_the_end {
            assert_eq!(
                start + told.len(),
                allowed.len(),
                "person {person} was not told the end"
            );
        }
        self.told.set(self.told.get() + told.len() as u64);
        self.segments.set(self.segments.get() + 1);
    }
}

/// Somebody who joins again and again, until the end.
async fn client(world: Rc<World>, url: String, person: usize) {
    while !world.is_over.get() {
        let mut told = Vec::new();
        let mut since = None;
        let ended = follow(&world, &url, person, &mut told, &mut since).await;
        if let Some(since) = since {
            world.check(person, since, &told, ended.is_some());
        }
        if ended.is_none() {
            sleep(Duration::from_millis(50)).await;
        }
    }
}

/// Follows changes until the connection or the channel ends, or all is over: then there is something.
async fn follow(
    world: &World,
    url: &str,
    person: usize,
    told: &mut Vec<String>,
    since: &mut Option<usize>,
) -> Option<()> {
    let key = token(SECRET, json!({ "role": "anon" }));
    let address = format!("{url}/realtime/v1/websocket?apikey={key}&vsn=2.0.0");
    let connected = timeout(
        Duration::from_secs(5),
        awc::Client::default().ws(address).connect(),
    );
    let (_, mut socket) = connected.await.ok()?.ok()?;
    let access = token(
        SECRET,
        json!({ "role": "authenticated", "sub": PEOPLE[person] }),
    );
    let binding = json!([{ "event": "*", "schema": "public", "table": "notes" }]);
    let join = json!(["1", "1", "realtime:soak", "phx_join", { "config": { "postgres_changes": binding }, "access_token": access }]);
    socket
        .send(Message::Text(join.to_string().into()))
        .await
        .ok()?;
    let mut quiet_since = None;
    loop {
        let next = timeout(Duration::from_millis(200), socket.next()).await;
        let frame = match next {
            Ok(Some(Ok(Frame::Text(text)))) => text,
            Ok(Some(Ok(_))) => continue,
            Ok(_) => return None,
            Err(_) if world.is_over.get() && since.is_some() => {
                // What was committed last has arrived, or has had its time to.
                let quiet = *quiet_since.get_or_insert_with(Instant::now);
                let is_told = world.allowed(person).last().map(|(_, key)| key) == told.last();
                if is_told || quiet.elapsed() > Duration::from_secs(15) {
                    return Some(());
                }
                continue;
            }
            Err(_) if world.is_over.get() => return None,
            Err(_) => continue,
        };
        let frame: Value = serde_json::from_slice(&frame).expect("JSON");
        match frame[3].as_str().unwrap_or_default() {
            "phx_reply" if frame[4]["status"] != "ok" => return None,
            "system" if frame[4]["message"] == "Subscribed to PostgreSQL" => {
                since.get_or_insert_with(|| world.history.borrow().len() + 1);
            }
            // Missed, or the server goes.
            "phx_error" | "phx_close" => return None,
            "postgres_changes" => {
                let data = &frame[4]["data"];
                let kind = data["type"].as_str().expect("a type");
                let row = if kind == "DELETE" {
                    &data["old_record"]
                } else {
                    &data["record"]
                };
                assert!(
                    row["is_public"] == true || row["owner"] == PEOPLE[person],
                    "person {person} was told {data}"
                );
                told.push(format!("{kind} {}", row["seq"]));
                quiet_since = None;
            }
            _ => {}
        }
    }
}

/// Writes until the end. What it has written is known in the order of commits, since it writes alone.
async fn writer(world: &World, client: &TestClient, end: Instant) {
    let mut dice = Dice::new(7);
    let mut rows: Vec<(i64, usize, bool, i64)> = Vec::new();
    let (mut id, mut seq) = (0, 0);
    while Instant::now() < end {
        seq += 1;
        let owner = usize::try_from(dice.roll(3)).expect("a person");
        let is_public = dice.roll(3) == 0;
        let choice = dice.roll(10);
        let at = usize::try_from(dice.roll(rows.len().max(1) as u64)).expect("a row");
        // It is noted before anybody can be told.
        if choice < 5 || rows.is_empty() {
            id += 1;
            rows.push((id, owner, is_public, seq));
            world.note(format!("INSERT {seq}"), owner, is_public);
            let sql = "insert into public.notes (id, owner, is_public, seq) values ($1, $2::text::uuid, $3, $4)";
            client
                .execute(sql, &[&id, &PEOPLE[owner], &is_public, &seq])
                .await
                .expect("it is written");
        } else if choice < 8 {
            let id = rows[at].0;
            rows[at] = (id, owner, is_public, seq);
            world.note(format!("UPDATE {seq}"), owner, is_public);
            let sql = "update public.notes set owner = $2::text::uuid, is_public = $3, seq = $4 where id = $1";
            client
                .execute(sql, &[&id, &PEOPLE[owner], &is_public, &seq])
                .await
                .expect("it is written");
        } else {
            let (id, owner, is_public, seq) = rows.swap_remove(at);
            world.note(format!("DELETE {seq}"), owner, is_public);
            let sql = "delete from public.notes where id = $1";
            client.execute(sql, &[&id]).await.expect("it is written");
        }
        sleep(Duration::from_millis(dice.roll(12))).await;
    }
}

impl World {
    fn note(&self, key: String, owner: usize, is_public: bool) {
        self.history.borrow_mut().push(Committed {
            key,
            owner,
            is_public,
        });
    }
}

#[actix_web::test]
async fn everybody_is_told_what_they_may_know_whatever_dies() {
    let seconds = number("SOAK_REALTIME_SECONDS").unwrap_or(20);
    let db = TestDb::platform().await;
    db.run(SCHEMA).await;
    let mut redis = PrivateRedis::start(&[]).await;
    let ports: Vec<String> = (0..2).map(|_| free_port().to_string()).collect();
    let (redis_url, feed) = (redis.url(), db.url());
    let settings = |port: usize| {
        [
            ("REDIS_URL", redis_url.clone()),
            ("PASSERELLE_DATABASE_FEED_URL", feed.clone()),
            ("PASSERELLE_RATE_LIMITS_ENABLED", "false".to_owned()),
            ("PASSERELLE_SERVER_PORT", ports[port].clone()),
        ]
    };
    let start = async |port: usize| {
        let settings = settings(port);
        let settings: Vec<(&str, &str)> = settings
            .iter()
            .map(|(name, value)| (*name, value.as_str()))
            .collect();
        Gateway::serve(&db, &settings).await
    };
    let mut gateways = [start(0).await, start(1).await];
    let world = Rc::new(World::default());
    let mut clients = Vec::new();
    for port in &ports {
        for person in 0..PEOPLE.len() {
            for _ in 0..CLIENTS {
                let url = format!("http://127.0.0.1:{port}");
                clients.push(spawn(client(Rc::clone(&world), url, person)));
            }
        }
    }
    let end = Instant::now() + Duration::from_secs(seconds);
    let (writing, admin) = (db.client().await, db.client().await);
    let chaos = async {
        let mut dice = Dice::new(number("SOAK_SEED").unwrap_or(3));
        while Instant::now() < end {
            sleep(Duration::from_millis(500 + dice.roll(1500))).await;
            match dice.roll(6) {
                0 => {
                    let which = usize::try_from(dice.roll(2)).expect("a gateway");
                    gateways[which].signal("KILL");
                    gateways[which].ended().await;
                    gateways[which] = start(which).await;
                }
                1 => {
                    let which = usize::try_from(dice.roll(2)).expect("a gateway");
                    gateways[which].signal("TERM");
                    gateways[which].ended().await;
                    gateways[which] = start(which).await;
                }
                2 => {
                    redis.kill().await;
                    sleep(Duration::from_millis(dice.roll(800))).await;
                    redis.restart().await;
                }
                3 => cut(&admin, "backend_type = 'walsender'").await,
                4 => cut(&admin, "usename = 'authenticator'").await,
                _ => cut(&admin, "application_name like 'passerelle%'").await,
            }
        }
    };
    tokio::join!(writer(&world, &writing, end), chaos);
    // Both are there for the last part.
    world.is_over.set(true);
    for client in clients {
        client.await.expect("what somebody was told is right");
    }
    let memory: Vec<u64> = gateways
        .iter()
        .map(|gateway| gateway.memory("VmRSS"))
        .collect();
    let (told, segments) = (world.told.get(), world.segments.get());
    println!(
        "{} changes, {told} were told in {segments} connections, resident {memory:?} kB",
        world.history.borrow().len()
    );
    assert!(told > 100, "{told} changes were told");
}

async fn cut(admin: &TestClient, whose: &str) {
    let sql = format!(
        "select pg_terminate_backend(pid) from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid() and {whose}"
    );
    admin.query(&sql, &[]).await.expect("connections are cut");
}

fn free_port() -> u16 {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    listener.local_addr().expect("an address").port()
}
