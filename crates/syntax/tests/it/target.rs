//! Paths, methods and profiles.

use crate::request::{LIMITS, exposure, get, head};
use passerelle_syntax::{Action, ApiRequest, Exposure, Invocation, Mutation, ParseError, parse};

fn action(method: &str, target: &str) -> Result<Action, ParseError> {
    parse(&head(method, target, &[]), &exposure(), &LIMITS).map(|request| request.action)
}

#[test]
fn relations() {
    let relation = || "items".to_owned();
    let mutate = |mutation| Action::Mutate {
        relation: relation(),
        mutation,
    };
    for (method, expected) in [
        (
            "GET",
            Action::Read {
                relation: relation(),
                headers_only: false,
            },
        ),
        (
            "HEAD",
            Action::Read {
                relation: relation(),
                headers_only: true,
            },
        ),
        ("POST", mutate(Mutation::Create)),
        ("PATCH", mutate(Mutation::Update)),
        ("PUT", mutate(Mutation::SingleUpsert)),
        ("DELETE", mutate(Mutation::Delete)),
        (
            "OPTIONS",
            Action::RelationInfo {
                relation: relation(),
            },
        ),
    ] {
        assert_eq!(action(method, "/items"), Ok(expected));
    }
    assert_eq!(
        action("TRACE", "/items"),
        Err(ParseError::UnsupportedMethod("TRACE".to_owned()))
    );
    assert_eq!(
        action("get", "/items"),
        Err(ParseError::UnsupportedMethod("get".to_owned()))
    );
}

#[test]
fn functions() {
    let call = |invocation| Action::Call {
        function: "f".to_owned(),
        invocation,
    };
    for (method, expected) in [
        ("GET", call(Invocation::Get)),
        ("HEAD", call(Invocation::Head)),
        ("POST", call(Invocation::Post)),
        (
            "OPTIONS",
            Action::RoutineInfo {
                function: "f".to_owned(),
            },
        ),
    ] {
        assert_eq!(action(method, "/rpc/f"), Ok(expected));
    }
    for method in ["DELETE", "PUT", "PATCH", "TRACE"] {
        assert_eq!(
            action(method, "/rpc/f"),
            Err(ParseError::InvalidRoutineMethod(method.to_owned()))
        );
    }
}

#[test]
fn root() {
    assert_eq!(
        action("GET", "/"),
        Ok(Action::Describe {
            headers_only: false
        })
    );
    assert_eq!(
        action("HEAD", "/"),
        Ok(Action::Describe { headers_only: true })
    );
    assert_eq!(action("OPTIONS", "/"), Ok(Action::SchemaInfo));
    assert_eq!(
        action("POST", "/"),
        Err(ParseError::UnsupportedMethod("POST".to_owned()))
    );
    let closed = Exposure {
        root: false,
        ..exposure()
    };
    assert_eq!(
        parse(&head("POST", "/", &[]), &closed, &LIMITS),
        Err(ParseError::RootDisabled)
    );
}

#[test]
fn paths_are_decoded_segment_by_segment() {
    for (path, name) in [
        ("/a%20b+c", "a b+c"),
        ("/a%2Fb", "a/b"),
        ("/%C3%A9", "\u{e9}"),
        ("/%FF", "\u{fffd}"),
        ("/%zz", "%zz"),
        ("/rpc", "rpc"),
    ] {
        let expected = Action::Read {
            relation: name.to_owned(),
            headers_only: false,
        };
        assert_eq!(action("GET", path), Ok(expected), "{path}");
    }
    let call = Action::Call {
        function: "f g".to_owned(),
        invocation: Invocation::Post,
    };
    assert_eq!(action("POST", "/%72pc/f%20g"), Ok(call));
}

#[test]
fn other_paths_are_invalid() {
    for path in [
        "/a/",
        "/a/b",
        "/rpc/f/",
        "/rpc/f/g",
        "//",
        "/invalid/nested/paths",
    ] {
        assert_eq!(action("GET", path), Err(ParseError::InvalidPath), "{path}");
    }
}

fn with_profile(
    method: &str,
    headers: &[(&str, &str)],
    schemas: &[&str],
) -> Result<ApiRequest, ParseError> {
    let schemas = schemas.iter().map(|&schema| schema.to_owned()).collect();
    parse(
        &head(method, "/t", headers),
        &Exposure {
            schemas,
            ..exposure()
        },
        &LIMITS,
    )
}

#[test]
fn profile_headers_choose_the_schema() {
    for (method, chosen) in [
        ("GET", "a"),
        ("HEAD", "a"),
        ("OPTIONS", "a"),
        ("POST", "c"),
        ("PATCH", "c"),
        ("PUT", "c"),
        ("DELETE", "c"),
    ] {
        let headers = [("accept-profile", "a"), ("content-profile", "c")];
        let request = with_profile(method, &headers, &["x", "a", "c"]).unwrap();
        assert_eq!(
            (request.schema.as_str(), request.negotiated_by_profile),
            (chosen, true)
        );
    }
}

#[test]
fn the_default_schema_is_negotiated_where_there_are_several() {
    let one = with_profile("GET", &[], &["x"]).unwrap();
    assert_eq!(
        (one.schema.as_str(), one.negotiated_by_profile),
        ("x", false)
    );
    let two = with_profile("GET", &[], &["x", "y"]).unwrap();
    assert_eq!(
        (two.schema.as_str(), two.negotiated_by_profile),
        ("x", true)
    );
}

#[test]
fn schemas_that_are_not_exposed_are_not_acceptable() {
    let found = with_profile("GET", &[("accept-profile", "no")], &["x", "y"]);
    let exposed = vec!["x".to_owned(), "y".to_owned()];
    let expected = ParseError::UnacceptableSchema {
        schema: "no".to_owned(),
        exposed,
    };
    assert_eq!(found, Err(expected));
}

#[test]
fn the_profile_is_wrong_before_the_method_and_the_query() {
    let headers = [("accept-profile", "no")];
    let found = parse(&head("TRACE", "/t?a=b", &headers), &exposure(), &LIMITS);
    assert!(matches!(found, Err(ParseError::UnacceptableSchema { .. })));
    let found = parse(&head("TRACE", "/t?a=b", &[]), &exposure(), &LIMITS);
    assert!(matches!(found, Err(ParseError::UnsupportedMethod(_))));
    assert!(matches!(
        get("/t?a=b&limit=-1"),
        Err(ParseError::Query { .. })
    ));
}
