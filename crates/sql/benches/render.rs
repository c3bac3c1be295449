//! Nanoseconds per rendered statement, and the same primary-key read through a query builder.
#![expect(clippy::panic, reason = "a benchmark without its plan cannot go on")]

#[path = "../tests/it/catalog.rs"]
mod catalog;

use std::hint::black_box;
use std::sync::Arc;
use std::time::Instant;

use bytes::Bytes;
use passerelle_planner::{Plan, PlanSettings, ReadPlan, plan_with};
use passerelle_sql::{render, render_call, render_mutate};
use passerelle_syntax::{Exposure, Extensions, Head, Limits, parse, read_payload};
use sea_query::{
    Alias, ColumnRef, Expr, ExprTrait, PostgresQueryBuilder, Query, SelectStatement, TableName,
};

const RUNS: u32 = 300_000;
const ROUNDS: u32 = 7;

fn plan_of(path: &str, query: &str) -> ReadPlan {
    match plan_of_sent("GET", path, query, b"") {
        Plan::Read(plan) => *plan,
        other => panic!("not a read: {other:?}"),
    }
}

fn plan_of_sent(method: &str, path: &str, query: &str, body: &'static [u8]) -> Plan {
    let head = Head {
        method,
        path,
        query,
        headers: &[],
    };
    let exposure = Exposure {
        schemas: vec!["test".to_owned()],
        root: true,
        allow_transaction_override: false,
        extensions: Extensions::NONE,
    };
    let limits = Limits {
        query_bytes: 10_000,
        query_body_bytes: 65_536,
        embed_depth: 10,
        logic_depth: 10,
        items: 100,
    };
    let settings = PlanSettings {
        max_rows: None,
        aggregates_enabled: false,
        legacy_target_names: false,
        expand_star: true,
        plan_enabled: false,
        index_conflict: false,
    };
    let request = parse(&head, &exposure, &limits).expect("the request is well-formed");
    let payload =
        read_payload(Bytes::from_static(body), &request).expect("the body is well-formed");
    let catalog = catalog::catalog();
    plan_with(&request, &payload, &catalog, &settings, &Arc::from("anon"))
        .expect("the request can be planned")
}

/// The statement of [`render`] for a read by primary key.
fn built(id: &str) -> SelectStatement {
    let table = || (Alias::new("test"), Alias::new("projects"));
    let rows = Query::select()
        .column(ColumnRef::Asterisk(Some(TableName::from(table()))))
        .from(table())
        .and_where(Expr::col((Alias::new("test"), Alias::new("projects"), Alias::new("id"))).eq(id))
        .take();
    Query::select()
        .expr(Expr::cust("NULL"))
        .expr(Expr::cust("count(*)"))
        .expr(Expr::cust("coalesce(json_agg(_postgrest_t), '[]')"))
        .expr(Expr::cust(
            "nullif(current_setting('response.headers', true), '')",
        ))
        .expr(Expr::cust(
            "nullif(current_setting('response.status', true), '')",
        ))
        .from_subquery(rows, Alias::new("_postgrest_t"))
        .take()
}

fn time(name: &str, mut run: impl FnMut()) {
    let mut best = f64::MAX;
    for _ in 0..ROUNDS {
        let start = Instant::now();
        for _ in 0..RUNS {
            run();
        }
        best = best.min(start.elapsed().as_secs_f64() * 1e9 / f64::from(RUNS));
    }
    println!("{name:<40} {best:>8.0} ns");
}

fn main() {
    for (name, path, query) in [
        ("primary key", "/projects", "id=eq.1"),
        (
            "page of 25",
            "/projects",
            "select=id,name,client_id&order=id&limit=25&offset=50",
        ),
        (
            "two levels",
            "/clients",
            "select=id,name,projects(id,name,tasks(id,name))&limit=25",
        ),
    ] {
        let plan = plan_of(path, query);
        time(name, || {
            black_box(render(black_box(&plan)));
        });
    }
    for (name, method, path, query, body) in [
        (
            "insert of one row",
            "POST",
            "/stock",
            "",
            &br#"{"id": 1, "name": "a", "amount": 5}"#[..],
        ),
        (
            "update by primary key",
            "PATCH",
            "/stock",
            "id=eq.1",
            br#"{"name": "a"}"#,
        ),
        ("call", "POST", "/rpc/add_them", "", br#"{"a": 1, "b": 2}"#),
    ] {
        match plan_of_sent(method, path, query, body) {
            Plan::Mutate(plan) => time(name, || {
                black_box(render_mutate(black_box(&plan)));
            }),
            Plan::Call(plan) => time(name, || {
                black_box(render_call(black_box(&plan)));
            }),
            other => panic!("neither a write nor a call: {other:?}"),
        }
    }
    time("primary key, sea-query", || {
        black_box(built(black_box("1")).build(PostgresQueryBuilder));
    });
}
