//! Requests written as text.

use crate::request::{LIMITS, exposure, head};
use passerelle_syntax::{Head, Printed, parse, print};

fn reprint(method: &str, target: &str, headers: &[(&str, &str)]) -> Printed {
    print(&parse(&head(method, target, headers), &exposure(), &LIMITS).unwrap())
}

#[test]
fn request_lines() {
    for (method, target) in [
        ("GET", "/t"),
        ("HEAD", "/t"),
        ("POST", "/a%20b"),
        ("PATCH", "/t"),
        ("PUT", "/t"),
        ("DELETE", "/t"),
        ("OPTIONS", "/t"),
        ("GET", "/rpc/f"),
        ("HEAD", "/rpc/f"),
        ("POST", "/rpc/f"),
        ("OPTIONS", "/rpc/f"),
        ("GET", "/"),
        ("HEAD", "/"),
        ("OPTIONS", "/"),
    ] {
        let printed = reprint(method, target, &[]);
        assert_eq!((printed.method, printed.path.as_str()), (method, target));
        assert_eq!((printed.query.as_str(), printed.headers), ("", vec![]));
    }
}

#[test]
fn queries() {
    for (query, printed) in [
        ("select=*", ""),
        ("select=a,b:c::text,count()", "select=a,b:c::text,count()"),
        (
            "select=a!hint!left(*,...b(x))",
            "select=a!hint!left(*,...b(x))",
        ),
        ("id=eq.5", "id=eq.5"),
        (
            "a.b->>c=not.in.(1,\"2,3\")",
            "a.b-%3E%3Ec=not.in.(1,%222,3%22)",
        ),
        (
            "not.or=(a.eq.1,and(b.is.null,c.cs.{1,2}))",
            "not.or=(a.eq.1,and(b.is.null,c.cs.%7B1,2%7D))",
        ),
        ("order=a.desc.nullslast,b(c)", "order=a.desc.nullslast,b(c)"),
        ("limit=5&offset=3&a.limit=1", "limit=5&offset=3&a.limit=1"),
        ("columns=b,a&on_conflict=id", "columns=a,b&on_conflict=id"),
        ("\"or\"=eq.a%26b", "%22or%22=eq.a%26b"),
    ] {
        assert_eq!(reprint("GET", &format!("/t?{query}"), &[]).query, printed);
    }
}

#[test]
fn headers() {
    let printed = reprint(
        "GET",
        "/t",
        &[
            ("accept", "text/csv;q=0.5, application/json"),
            ("prefer", "x, count=exact"),
            ("accept-profile", "public"),
            ("content-type", "text/csv"),
            ("range", "0-4"),
        ],
    );
    assert_eq!(printed.query, "limit=5");
    let expected = [
        ("accept-profile", "public"),
        ("accept", "application/json;q=0.999999,text/csv;q=0.999998"),
        ("content-type", "text/csv"),
        ("prefer", "count=exact, x"),
    ];
    assert_eq!(
        printed.headers,
        expected.map(|(name, value)| (name, value.to_owned()))
    );
}

/// Reads what was printed.
#[track_caller]
fn check(query: &str) {
    let read = |query: &str| {
        let mut request = parse(
            &Head {
                query,
                ..head("GET", "/rpc/f", &[])
            },
            &exposure(),
            &LIMITS,
        )
        .unwrap();
        request.canonical_query = None;
        request
    };
    let request = read(query);
    let printed = print(&request);
    assert_eq!(read(&printed.query), request, "{}", printed.query);
}

#[test]
fn odd_names_and_values_survive() {
    for query in [
        "select=\"left x\"!\"left\"(a),\"count\",\"*\"->x,x::%20",
        "select=a->\"1\",b->-1,c->\"x y\"",
        "or=.eq.1",
        "a.b.or=x.eq.1",
        "columns=%20,\"a.b\"",
        "a=fts(%20).x",
        "a=in.()&b=in.(,)&c=in.(\"%20x\",\"\\\"\")",
        "x.offset=0&y.limit=0&y.offset=7&z.limit=q",
        "\"and\"=1&\"a.limit\"=2",
        "and=(a.eq.{x,y},b.eq.\"{\",c.eq.\"{a}{b}\",d.eq.)",
    ] {
        check(query);
    }
}
