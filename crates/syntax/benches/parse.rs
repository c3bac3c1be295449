//! Nanoseconds per head of a request.
#![expect(clippy::panic, reason = "a benchmark without its request cannot go on")]

use std::hint::black_box;
use std::time::Instant;

use passerelle_syntax::{Exposure, Extensions, Head, Limits, parse};

const RUNS: u32 = 200_000;
const ROUNDS: u32 = 7;

const HEADERS: &[(&str, &str)] = &[
    ("host", "localhost:54321"),
    ("accept", "*/*"),
    ("accept-profile", "public"),
    ("user-agent", "supabase-js/2"),
];

fn main() {
    let exposure = Exposure {
        schemas: vec!["public".to_owned()],
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
    for (name, query) in [
        ("primary key", "select=*&id=eq.1"),
        (
            "page of 25",
            "select=id,title,score,created_at&order=created_at.desc&limit=25",
        ),
        (
            "two levels",
            "select=id,name,projects(id,name,tasks!inner(id,name:title))&projects.order=id&limit=25",
        ),
        (
            "six filters",
            "select=*&a=eq.1&b=gte.2&c=in.(1,2,3)&d=is.null&e=ilike.*x*&or=(f.eq.1,g.not.is.null)",
        ),
    ] {
        let head = Head {
            method: "GET",
            path: "/items",
            query,
            headers: HEADERS,
        };
        if let Err(error) = parse(&head, &exposure, &limits) {
            panic!("{query}: {error}");
        }
        let mut best = f64::MAX;
        for _ in 0..ROUNDS {
            let start = Instant::now();
            for _ in 0..RUNS {
                let _ = black_box(parse(black_box(&head), &exposure, &limits));
            }
            best = best.min(start.elapsed().as_secs_f64() * 1e9 / f64::from(RUNS));
        }
        println!("{name:<40} {best:>8.0} ns");
    }
}
