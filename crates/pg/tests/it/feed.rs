//! The change feed: what it delivers, in which order, and when it is sure.
#![expect(clippy::panic, reason = "a test says what it got instead")]
#![expect(
    clippy::disallowed_methods,
    reason = "transactions of several statements are what is followed"
)]

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use passerelle_catalog::QualifiedName;
use passerelle_pg::{Counters, Feed, FeedCommit, FeedSession, FeedSink, Others, Position};
use passerelle_testkit::{TestClient, TestDb};
use passerelle_wire::Endpoint;
use tokio::sync::watch;
use tokio::time::timeout;

const LEASE: Duration = Duration::from_secs(1);
const PATIENCE: Duration = Duration::from_secs(20);

const TABLES: &str = "
    create table posts (id int primary key, title text, views int not null default 0);
    create table tags (id int primary key);
    create table quiet (id int primary key);
    select passerelle.follow('posts', '{views}'), passerelle.follow('tags');
";

/// Remembers what it was told.
#[derive(Debug, Default)]
struct Told {
    sessions: Vec<FeedSession>,
    commits: Vec<FeedCommit>,
    visible: Position,
    confirmed: Option<Instant>,
    redefined: Option<Position>,
    lost: usize,
}

#[derive(Debug, Default)]
struct Sink(watch::Sender<()>, Mutex<Told>);

impl Sink {
    fn note(&self, change: impl FnOnce(&mut Told)) {
        change(&mut self.1.lock().unwrap());
        self.0.send_replace(());
    }

    /// Waits until something is so.
    async fn until<T>(&self, what: &str, wanted: impl Fn(&Told) -> Option<T>) -> T {
        let mut changes = self.0.subscribe();
        let waiting = async {
            loop {
                changes.mark_unchanged();
                if let Some(found) = wanted(&self.1.lock().unwrap()) {
                    return found;
                }
                changes.changed().await.unwrap();
            }
        };
        timeout(PATIENCE, waiting)
            .await
            .unwrap_or_else(|_| panic!("{what}: {:?}", self.1.lock().unwrap()))
    }

    async fn commit_of(&self, xid: u32) -> FeedCommit {
        let of = |told: &Told| told.commits.iter().find(|one| one.xid == xid).cloned();
        self.until("a commit", of).await
    }
}

impl FeedSink for Sink {
    fn started(&self, session: &FeedSession) {
        self.note(|told| told.sessions.push(session.clone()));
    }
    fn committed(&self, commit: &FeedCommit) {
        self.note(|told| told.commits.push(commit.clone()));
    }
    fn visible(&self, position: Position) {
        self.note(|told| told.visible = told.visible.max(position));
    }
    fn confirmed(&self, moment: Instant) {
        self.note(|told| told.confirmed = Some(moment));
    }
    fn redefined(&self, position: Position) {
        self.note(|told| told.redefined = Some(position));
    }
    fn lost(&self) {
        self.note(|told| told.lost += 1);
    }
}

fn counters() -> Counters {
    let posts = QualifiedName::new("public", "posts");
    HashMap::from([(posts, vec!["views".to_owned()])])
}

async fn follow(db: &TestDb) -> (Feed, Arc<Sink>) {
    let sink = Arc::new(Sink::default());
    let endpoint = Endpoint::parse(&db.url()).unwrap();
    let feed = Feed::start(endpoint, LEASE, counters(), Arc::clone(&sink) as _);
    sink.until("a session", |told| told.sessions.first().cloned())
        .await;
    (feed, sink)
}

async fn database() -> (TestDb, TestClient) {
    let db = TestDb::platform().await;
    db.run(TABLES).await;
    let client = db.client().await;
    (db, client)
}

/// Runs a transaction; its number and what its triggers have noted.
async fn run(client: &TestClient, sql: &str) -> (u32, Vec<String>) {
    client
        .batch_execute(&format!("begin; {sql}"))
        .await
        .unwrap();
    let noted = "select pg_current_xact_id()::text, coalesce(current_setting('passerelle.touched', true), '')";
    let row = client.query_one(noted, &[]).await.unwrap();
    client.batch_execute("commit").await.unwrap();
    let xid: u64 = row.get::<_, String>(0).parse().unwrap();
    let noted = row
        .get::<_, &str>(1)
        .split(',')
        .filter(|one| !one.is_empty());
    let noted = noted.map(str::to_owned).collect();
    (u32::try_from(xid & 0xffff_ffff).unwrap(), noted)
}

async fn oid(client: &TestClient, table: &str) -> u32 {
    let oid = "select $1::text::regclass::oid";
    client.query_one(oid, &[&table]).await.unwrap().get(0)
}

#[tokio::test]
async fn delivers_what_is_written_to_followed_tables() {
    let (db, client) = database().await;
    let (_feed, sink) = follow(&db).await;
    let (posts, tags) = (oid(&client, "posts").await, oid(&client, "tags").await);

    let both = "insert into posts values (1, 'a'), (2, 'b'); insert into tags values (1)";
    let (xid, noted) = run(&client, both).await;
    assert_eq!(noted, [posts.to_string(), tags.to_string()]);
    let commit = sink.commit_of(xid).await;
    let tables: HashSet<u32> = commit.tables.iter().copied().collect();
    assert_eq!(tables, HashSet::from([posts, tags]));
    assert!(!commit.definitions && !commit.flush);

    let (xid, noted) = run(&client, "update posts set title = 'c' where id = 1").await;
    assert_eq!(noted, [posts.to_string()]);
    let later = sink.commit_of(xid).await;
    assert_eq!(later.tables, [posts]);
    assert!(later.position > commit.position);

    let (xid, noted) = run(&client, "truncate tags").await;
    assert_eq!(noted, [tags.to_string()]);
    assert_eq!(sink.commit_of(xid).await.tables, [tags]);

    // Nobody follows it.
    let (quiet, noted) = run(&client, "insert into quiet values (1)").await;
    assert!(noted.is_empty());
    let (last, _) = run(&client, "delete from posts where id = 2").await;
    sink.commit_of(last).await;
    let told = sink.1.lock().unwrap();
    let tables = told.commits.iter().filter(|one| one.xid == quiet);
    assert!(tables.flat_map(|one| &one.tables).next().is_none());
}

#[tokio::test]
async fn counters_do_not_count() {
    let (db, client) = database().await;
    client
        .batch_execute("insert into posts values (1, 'a')")
        .await
        .unwrap();
    let (_feed, sink) = follow(&db).await;
    let posts = oid(&client, "posts").await;
    let (counted, noted) = run(&client, "update posts set views = views + 1").await;
    assert!(noted.is_empty());
    let mixed = "update posts set views = views + 1, title = 'b'";
    let (xid, noted) = run(&client, mixed).await;
    assert_eq!(noted, [posts.to_string()]);
    assert_eq!(sink.commit_of(xid).await.tables, [posts]);
    assert!(sink.commit_of(counted).await.tables.is_empty());
}

#[tokio::test]
async fn definitions_and_savepoints_are_noted() {
    let (db, client) = database().await;
    let (_feed, sink) = follow(&db).await;
    let (xid, noted) = run(&client, "create policy all_of_it on posts using (true)").await;
    assert!(noted.contains(&"*".to_owned()), "{noted:?}");
    assert!(sink.commit_of(xid).await.definitions);
    let (xid, noted) = run(&client, "drop policy all_of_it on posts").await;
    assert!(noted.contains(&"*".to_owned()), "{noted:?}");
    assert!(sink.commit_of(xid).await.definitions);
    // What a savepoint undoes was not written.
    let undone = "savepoint one; insert into posts values (7, 'a'); rollback to savepoint one;
        insert into tags values (9)";
    let tags = oid(&client, "tags").await;
    let (xid, noted) = run(&client, undone).await;
    assert_eq!(noted, [tags.to_string()]);
    assert_eq!(sink.commit_of(xid).await.tables, [tags]);
    // Temporary tables are nobody else's business.
    let (_, noted) = run(&client, "create temp table mine (id int); drop table mine").await;
    assert!(noted.is_empty());
}

#[tokio::test]
async fn commits_become_visible_and_moments_are_confirmed() {
    let (db, client) = database().await;
    let (feed, sink) = follow(&db).await;
    let (xid, _) = run(&client, "insert into tags values (1)").await;
    let commit = sink.commit_of(xid).await;
    sink.until("visible", |told| {
        (told.visible >= commit.position).then_some(())
    })
    .await;
    let now = Instant::now();
    sink.until("confirmed", |told| {
        told.confirmed.filter(|moment| *moment > now)
    })
    .await;
    assert_eq!(feed.others(Instant::now(), LEASE), Others::Nobody);
    feed.redefine();
    let redefined = sink.until("redefined", |told| told.redefined).await;
    assert!(redefined >= commit.position);
}

/// WAL that an open transaction has written is not flushed by anybody.
#[tokio::test]
async fn an_open_transaction_holds_nothing_up() {
    let (db, client) = database().await;
    let (_feed, sink) = follow(&db).await;
    client
        .batch_execute("begin; insert into tags values (5)")
        .await
        .unwrap();
    for _ in 0..3 {
        let now = Instant::now();
        sink.until("confirmed", |told| {
            told.confirmed.filter(|moment| *moment > now)
        })
        .await;
    }
    client.batch_execute("rollback").await.unwrap();
}

#[tokio::test]
async fn two_follow_and_wait_for_each_other() {
    let (db, client) = database().await;
    let (first, sink) = follow(&db).await;
    let (second, other) = follow(&db).await;
    // It is noticed before it may serve anything.
    sink.until("another", |_| {
        (first.others(Instant::now(), LEASE) == Others::Somebody).then_some(())
    })
    .await;
    let (xid, _) = run(&client, "insert into tags values (1)").await;
    let position = sink.commit_of(xid).await.position;
    let settled = timeout(PATIENCE, first.settle(position));
    settled.await.expect("the other has been delivered it");
    assert!(
        other
            .1
            .lock()
            .unwrap()
            .commits
            .iter()
            .any(|one| one.xid == xid)
    );
    drop(second);
    let far = Position(u64::MAX);
    let settled = timeout(PATIENCE, first.settle(far));
    settled.await.expect("nobody is left to wait for");
}

#[tokio::test]
async fn a_lost_connection_is_told_and_made_again() {
    let (db, client) = database().await;
    let (_feed, sink) = follow(&db).await;
    let cut = "select pg_terminate_backend(pid) from pg_stat_replication
        join pg_replication_slots on active_pid = pid where database = current_database()";
    client.execute(cut, &[]).await.unwrap();
    sink.until("lost", |told| (told.lost > 0).then_some(()))
        .await;
    sink.until("a second session", |told| told.sessions.get(1).cloned())
        .await;
    let (xid, _) = run(&client, "insert into tags values (3)").await;
    sink.commit_of(xid).await;
    let told = sink.1.lock().unwrap();
    assert_eq!(told.sessions[0].identity, told.sessions[1].identity);
}
