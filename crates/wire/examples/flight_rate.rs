//! How many primary-key reads under a row policy a connection and a pool make, and what they cost
//! this process, beside the same four statements sent one after another.
//!
//! `cargo run --release -p passerelle-wire --example flight_rate [seconds per measurement]`

use std::sync::Arc;
use std::time::{Duration, Instant};

use passerelle_statement::Statement;
use passerelle_testkit::TestDb;
use passerelle_wire::{
    Connection, ConnectionSettings, Endpoint, Flight, Pool, PoolSettings, Scope,
};

const SCHEMA: &str = "
    do $$ begin
        create role rate_a;
    exception when duplicate_object then null; end $$;
    do $$ begin
        create role rate_b;
    exception when duplicate_object then null; end $$;
    create table notes (id int primary key, owner text not null, body text not null);
    insert into notes select n, n::text, repeat('x', 100) from generate_series(1, 100000) n;
    alter table notes enable row level security;
    create policy own on notes
        using (owner = current_setting('request.jwt.claims', true)::json ->> 'sub');
    grant select on notes to rate_a, rate_b;
    create function read_note(wanted int) returns text language plpgsql stable as $$ begin
        return (select coalesce(json_agg(t), '[]')::text
            from (select id, owner, body from notes where id = wanted) t);
    end $$;
    analyze notes;
";
const SETTINGS: &str = "select set_config('search_path', $1, true), \
    set_config('request.jwt.claims', $2, true), set_config('role', $3, true)";
const READ: &str = "select coalesce(json_agg(t), '[]')::text \
    from (select id, owner, body from notes where id = $1) t";
const CALL: &str = "select read_note($1)";
const ROLES: [&str; 2] = ["rate_a", "rate_b"];

/// Rounds per case; their median is reported, since a machine has moods.
const ROUNDS: usize = 5;

/// What is measured: callers taking turns with roles on a pool of connections.
struct Case {
    /// No pool at all when there is none of them.
    connections: usize,
    callers: u32,
    roles: usize,
    text: &'static str,
}

#[tokio::main(flavor = "current_thread")]
async fn main() {
    let seconds = std::env::args()
        .nth(1)
        .and_then(|text| text.parse().ok())
        .unwrap_or(1.0);
    let limit = Duration::from_secs_f64(seconds);
    let db = TestDb::with_sql(SCHEMA).await;
    let endpoint = Endpoint::parse(&db.url()).expect("the URL of the test database");
    let mut in_turn = Vec::new();
    for _ in 0..ROUNDS {
        in_turn.push(sequential(&db.url(), limit).await);
    }
    report("four statements in turn, one connection", in_turn);
    let shapes = [(0, 1), (1, 1), (2, 1), (4, 4), (4, 32)];
    for (text, kind) in [(READ, "read"), (CALL, "read in PL/pgSQL")] {
        for (connections, callers) in shapes {
            // The two are compared, so they take turns as well.
            let mut rates = [Vec::new(), Vec::new()];
            for _ in 0..ROUNDS {
                for (roles, rates) in (1..).zip(&mut rates) {
                    let case = Case {
                        connections,
                        callers,
                        roles,
                        text,
                    };
                    rates.push(measure(&endpoint, limit, &case).await);
                }
            }
            for (roles, rates) in (1..).zip(rates) {
                report(
                    &format!("{kind}, pool of {connections}, callers {callers}, roles {roles}"),
                    rates,
                );
            }
        }
    }
}

async fn measure(endpoint: &Endpoint, limit: Duration, case: &Case) -> Rate {
    if case.connections == 0 {
        single(endpoint, limit, case).await
    } else {
        pooled(endpoint, limit, case).await
    }
}

/// The claims of the owner of this row, and the prelude that carries them.
fn prelude(role: &str, id: u32) -> Vec<Statement> {
    let claims = format!("{{\"sub\":\"{id}\",\"role\":\"{role}\"}}");
    let params = ["public".to_owned(), claims, role.to_owned()];
    let params = params.into_iter().map(|text| Some(text.into())).collect();
    vec![Statement {
        text: SETTINGS.to_owned(),
        params,
    }]
}

fn read(text: &str, id: u32) -> Statement {
    Statement {
        text: text.to_owned(),
        params: vec![Some(id.to_string().into())],
    }
}

async fn fly(connection: &mut Connection, scope: &Scope, text: &str, turn: u32) {
    let id = turn % 100_000 + 1;
    let (prelude, statement) = (prelude(scope.role(), id), read(text, id));
    let flight = Flight::new(&statement, scope).prelude(&prelude);
    let result = connection.fly(&flight).await.expect("a flight");
    assert!(result.value(0, 0).is_some_and(|json| json.len() > 100));
}

async fn sequential(url: &str, limit: Duration) -> Rate {
    let (client, connection) = tokio_postgres::connect(url, tokio_postgres::NoTls)
        .await
        .expect("a connection");
    let driver = tokio::spawn(connection);
    let types = [
        tokio_postgres::types::Type::TEXT,
        tokio_postgres::types::Type::TEXT,
    ];
    let begin = client.prepare("begin").await.expect("begin");
    let commit = client.prepare("commit").await.expect("commit");
    let settings =
        "select set_config('request.jwt.claims', $1, true), set_config('role', $2, true)";
    let settings = client
        .prepare_typed(settings, &types)
        .await
        .expect("settings");
    let read = client.prepare(READ).await.expect("read");
    let measure = Measure::start();
    let mut turn = 0_u32;
    while measure.began.elapsed() < limit {
        let id = i32::try_from(turn % 100_000 + 1).expect("a small number");
        let claims = format!("{{\"sub\":\"{id}\",\"role\":\"rate_a\"}}");
        client.execute(&begin, &[]).await.expect("begin");
        client
            .query(&settings, &[&claims, &"rate_a"])
            .await
            .expect("settings");
        let rows = client.query(&read, &[&id]).await.expect("rows");
        assert!(rows[0].get::<_, String>(0).len() > 100);
        client.execute(&commit, &[]).await.expect("commit");
        turn += 1;
    }
    let rate = measure.rate(turn);
    drop(client);
    let _ended = driver.await;
    rate
}

async fn single(endpoint: &Endpoint, limit: Duration, case: &Case) -> Rate {
    let settings = ConnectionSettings::default();
    let mut connection = Connection::connect(endpoint, &settings)
        .await
        .expect("a connection");
    let scopes = scopes(case.roles);
    let measure = Measure::start();
    let mut turn = 0_u32;
    while measure.began.elapsed() < limit {
        fly(
            &mut connection,
            &scopes[turn as usize % case.roles],
            case.text,
            turn,
        )
        .await;
        turn += 1;
    }
    measure.rate(turn)
}

async fn pooled(endpoint: &Endpoint, limit: Duration, case: &Case) -> Rate {
    let settings = PoolSettings {
        max_size: case.connections,
        ..PoolSettings::default()
    };
    let pool = Pool::new(endpoint.clone(), settings);
    let scopes = Arc::new(scopes(case.roles));
    let (roles, text) = (case.roles, case.text);
    let measure = Measure::start();
    let began = measure.began;
    let callers: Vec<_> = (0..case.callers)
        .map(|caller| {
            let (pool, scopes) = (pool.clone(), Arc::clone(&scopes));
            tokio::spawn(async move {
                // An odd distance, so that callers are not all in step.
                let first = caller * 1001;
                let mut turn = first;
                while began.elapsed() < limit {
                    let scope = &scopes[turn as usize % roles];
                    let mut connection = pool.acquire(scope.role()).await.expect("a connection");
                    fly(&mut connection, scope, text, turn).await;
                    turn += 1;
                }
                turn - first
            })
        })
        .collect();
    let mut flights = 0;
    for caller in callers {
        flights += caller.await.expect("a caller");
    }
    measure.rate(flights)
}

fn scopes(roles: usize) -> Vec<Scope> {
    ROLES[..roles]
        .iter()
        .map(|role| Scope::new(*role, "public"))
        .collect()
}

struct Measure {
    began: Instant,
    cpu: f64,
}

/// Flights in a second, and this process's microseconds of processor time for each.
struct Rate {
    flights: f64,
    cpu: f64,
}

impl Measure {
    fn start() -> Self {
        Self {
            began: Instant::now(),
            cpu: cpu_seconds(),
        }
    }

    fn rate(self, flights: u32) -> Rate {
        let flights = f64::from(flights);
        Rate {
            flights: flights / self.began.elapsed().as_secs_f64(),
            cpu: (cpu_seconds() - self.cpu) / flights * 1e6,
        }
    }
}

fn report(name: &str, mut rates: Vec<Rate>) {
    rates.sort_by(|one, other| one.flights.total_cmp(&other.flights));
    let Rate { flights, cpu } = &rates[rates.len() / 2];
    println!("{name:50} {flights:8.0} /s {cpu:6.1} \u{b5}s CPU here each");
}

/// The processor time of this process, from Linux's accounting in hundredths of a second.
fn cpu_seconds() -> f64 {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    let after_name = stat.rsplit(')').next().unwrap_or_default();
    let ticks = after_name.split_whitespace().skip(11).take(2);
    ticks
        .filter_map(|ticks| ticks.parse::<f64>().ok())
        .sum::<f64>()
        / 100.0
}
