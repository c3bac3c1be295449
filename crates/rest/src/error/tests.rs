use std::sync::Arc;

use passerelle_catalog::{
    Cardinality, ForeignKey, Junction, KeyRelationship, QualifiedName, Relationship,
};
use passerelle_identity::{ClaimsError, DecodeError};
use passerelle_surface::Verbosity;
use passerelle_syntax::RangeFault;
use passerelle_wire::ServerError;
use serde_json::{Value, json};

use super::*;

fn body(error: impl Into<RestError>) -> ErrorBody {
    let id = RequestId::accept(Some(&HeaderValue::from_static("the-id")));
    error
        .into()
        .body(&id, 5, &passerelle_surface::HttpLimits::default())
}

#[track_caller]
fn assert_says(error: impl Into<RestError>, status: u16, expected: &Value) {
    let body = body(error);
    assert_eq!(body.status.as_u16(), status);
    let said: Value = serde_json::from_str(&body.to_json(Verbosity::Verbose)).unwrap();
    assert_eq!(&said, expected);
}

fn header(body: &ErrorBody, name: &str) -> Option<String> {
    let found = body
        .headers
        .iter()
        .find(|(header, _)| header.as_str() == name);
    found.map(|(_, value)| value.to_str().unwrap().to_owned())
}

#[test]
fn parse_errors() {
    let query = ParseError::Query {
        message: "m".into(),
        details: "d".into(),
    };
    assert_says(
        query,
        400,
        &json!({"code": "PGRST100", "message": "m", "details": "d", "hint": null}),
    );
    assert_says(
        ParseError::InvalidRoutineMethod("PUT".into()),
        405,
        &json!({"code": "PGRST101", "message": "Cannot use the PUT method on RPC",
            "details": null, "hint": null}),
    );
    assert_says(
        ParseError::UnacceptableSchema {
            schema: "x".into(),
            exposed: vec!["v1".into(), "v2".into()],
        },
        406,
        &json!({"code": "PGRST106", "message": "Invalid schema: x", "details": null,
            "hint": "Only the following schemas are exposed: v1, v2"}),
    );
    assert_says(
        ParseError::PutLimit,
        400,
        &json!({"code": "PGRST114", "details": null, "hint": null,
            "message": "limit/offset querystring parameters are not allowed for PUT"}),
    );
    assert_says(
        ParseError::UnsupportedMethod("TRACE".into()),
        405,
        &json!({"code": "PGRST117", "message": "Unsupported HTTP method: TRACE",
            "details": null, "hint": null}),
    );
    assert_says(
        ParseError::InvalidPath,
        404,
        &json!({"code": "PGRST125", "message": "Invalid path specified in request URL",
            "details": null, "hint": null}),
    );
    assert_says(
        ParseError::RootDisabled,
        404,
        &json!({"code": "PGRST126", "message": "Root endpoint metadata is disabled",
            "details": null, "hint": null}),
    );
}

#[test]
fn range_errors() {
    let expected = |details: &str| {
        json!({"code": "PGRST103", "message": "Requested range not satisfiable",
            "details": details, "hint": null})
    };
    assert_says(
        ParseError::InvalidRange(RangeFault::NegativeLimit),
        416,
        &expected("Limit should be greater than or equal to zero."),
    );
    assert_says(
        ParseError::InvalidRange(RangeFault::LowerAboveUpper),
        416,
        &expected(
            "The lower boundary must be lower than or equal to the upper boundary in the Range \
             header.",
        ),
    );
    assert_says(
        ParseError::InvalidRange(RangeFault::OutOfBounds {
            lower: 30,
            total: 4,
        }),
        416,
        &expected("An offset of 30 was requested, but there are only 4 rows."),
    );
}

#[test]
fn limits_of_the_grammar() {
    assert_eq!(
        body(ParseError::QueryTooLong { limit: 5 }).status.as_u16(),
        414
    );
    let complex = body(ParseError::TooComplex {
        what: "select depth",
        limit: 5,
    });
    assert_eq!((complex.status.as_u16(), &*complex.code), (400, "PGRST100"));
}

#[test]
fn names_that_are_not_there() {
    assert_says(
        PlanError::TableNotFound {
            schema: "test".into(),
            relation: "faketable".into(),
            similar: None,
        },
        404,
        &json!({"code": "PGRST205", "details": null, "hint": null,
            "message": "Could not find the table 'test.faketable' in the schema cache"}),
    );
    assert_eq!(
        body(PlanError::TableNotFound {
            schema: "test".into(),
            relation: "itmes".into(),
            similar: Some("items".into()),
        })
        .hint
        .as_deref(),
        Some("Perhaps you meant the table 'test.items'")
    );
    assert_says(
        PlanError::NoRelationship {
            schema: "test".into(),
            origin: "projects".into(),
            target: "clint".into(),
            hint: Some("fk".into()),
            similar: Some(Box::new(("clients".into(), "clint".into()))),
        },
        400,
        &json!({"code": "PGRST200",
            "message":
                "Could not find a relationship between 'projects' and 'clint' in the schema cache",
            "details": "Searched for a foreign key relationship between 'projects' and 'clint' \
                        using the hint 'fk' in the schema 'test', but no matches were found.",
            "hint": "Perhaps you meant 'clients' instead of 'clint'."}),
    );
}

fn pair(left: &str, right: &str) -> Box<[(Arc<str>, Arc<str>)]> {
    Box::new([(left.into(), right.into())])
}

fn key(constraint: &str) -> ForeignKey {
    ForeignKey {
        constraint: constraint.into(),
        columns: pair("boss_id", "id"),
    }
}

fn relationship(cardinality: Cardinality) -> Arc<Relationship> {
    Arc::new(Relationship::Key(KeyRelationship {
        origin: QualifiedName::new("test", "agents"),
        target: QualifiedName::new("test", "departments"),
        is_self: false,
        cardinality,
        origin_is_view: false,
        target_is_view: false,
    }))
}

#[test]
fn ambiguous_relationships_are_listed() {
    let junction = Junction {
        table: QualifiedName::new("test", "moves"),
        origin_constraint: "moves_agent".into(),
        target_constraint: "moves_department".into(),
        origin_columns: pair("id", "agent_id"),
        target_columns: pair("id", "department_id"),
    };
    let candidates = vec![
        relationship(Cardinality::ManyToOne(key("agents_department"))),
        relationship(Cardinality::OneToMany(key("departments_head"))),
        relationship(Cardinality::OneToOne {
            key: key("one"),
            is_parent: true,
        }),
        relationship(Cardinality::ManyToMany(junction)),
    ];
    let through = |constraint: &str, cardinality: &str| {
        json!({"cardinality": cardinality, "embedding": "agents with departments",
            "relationship": format!("{constraint} using agents(boss_id) and departments(id)")})
    };
    assert_says(
        PlanError::AmbiguousRelationship {
            origin: "agents".into(),
            target: "departments".into(),
            candidates,
        },
        300,
        &json!({"code": "PGRST201",
            "message": "Could not embed because more than one relationship was found for \
                        'agents' and 'departments'",
            "details": [
                through("agents_department", "many-to-one"),
                through("departments_head", "one-to-many"),
                through("one", "one-to-one"),
                {"cardinality": "many-to-many", "embedding": "agents with departments",
                 "relationship": "moves using moves_agent(agent_id) and \
                                  moves_department(department_id)"},
            ],
            "hint": "Try changing 'departments' to one of the following: \
                     'departments!agents_department', 'departments!departments_head', \
                     'departments!one', 'departments!moves'. Find the desired relationship in the \
                     'details' key."}),
    );
}

#[test]
fn what_the_request_may_not_ask_for() {
    assert_says(
        PlanError::NotEmbedded {
            target: "films".into(),
            legacy: None,
        },
        400,
        &json!({"code": "PGRST108", "details": null,
            "message": "'films' is not an embedded resource in this request",
            "hint": "Verify that 'films' is included in the 'select' query parameter."}),
    );
    assert_says(
        PlanError::NotEmbedded {
            target: "tasks".into(),
            legacy: Some(("tasks".into(), "the_tasks".into())),
        },
        400,
        &json!({"code": "PGRST108",
            "message": "'tasks' is not an embedded resource in this request",
            "details": "Target names are not allowed in filters if they have an alias",
            "hint": "Change 'tasks' to 'the_tasks' in filters, orders or limits."}),
    );
    assert_says(
        PlanError::RelatedOrderNotToOne {
            origin: "a".into(),
            target: "b".into(),
        },
        400,
        &json!({"code": "PGRST118", "message": "A related order on 'b' is not possible",
            "details": "'a' and 'b' do not form a many-to-one or one-to-one relationship",
            "hint": null}),
    );
    assert_says(
        PlanError::AggregatesNotAllowed,
        400,
        &json!({"code": "PGRST123", "message": "Use of aggregate functions is not allowed",
            "details": null, "hint": null}),
    );
    assert_says(
        PlanError::NotImplemented("why"),
        400,
        &json!({"code": "PGRST127", "message": "Feature not implemented", "details": "why",
            "hint": null}),
    );
    assert_says(
        PlanError::NotAcceptable(vec!["text/a".into(), "text/b".into()]),
        406,
        &json!({"code": "PGRST107", "details": null, "hint": null,
            "message": "None of these media types are available: text/a, text/b"}),
    );
    assert_says(
        PlanError::InvalidPreferences(vec!["a=b".into(), "c".into()]),
        400,
        &json!({"code": "PGRST122", "message": "Invalid preferences given with handling=strict",
            "details": "Invalid preferences: a=b, c", "hint": null}),
    );
}

#[test]
fn tokens() {
    let expired = body(TokenError::Claims(ClaimsError::Expired));
    assert_eq!((expired.status.as_u16(), &*expired.code), (401, "PGRST303"));
    assert_eq!(
        header(&expired, "www-authenticate").as_deref(),
        Some("Bearer error=\"invalid_token\", error_description=\"JWT expired\"")
    );
    assert_eq!(
        &*body(TokenError::Decode(DecodeError::Empty)).code,
        "PGRST301"
    );
    assert_eq!(&*body(TokenError::AnonymousDisabled).code, "PGRST302");
    assert_says(
        TokenError::SecretMissing,
        500,
        &json!({"code": "PGRST300", "message": "Server lacks JWT secret", "details": null,
            "hint": null}),
    );
}

fn refused(authenticated: bool) -> RestError {
    let error = ServerError {
        code: "42501".into(),
        message: "permission denied for table t".into(),
        ..ServerError::default()
    };
    RestError::Flight {
        source: WireError::Server(Box::new(error)),
        authenticated,
    }
}

#[test]
fn a_refusal_asks_the_anonymous_role_to_sign_in() {
    let anonymous = body(refused(false));
    assert_eq!(anonymous.status.as_u16(), 401);
    assert_eq!(
        header(&anonymous, "www-authenticate").as_deref(),
        Some("Bearer")
    );
    let known = body(refused(true));
    assert_eq!(known.status.as_u16(), 403);
    assert_eq!(header(&known, "www-authenticate"), None);
}

#[test]
fn the_way_to_the_database() {
    let absent = body(RestError::NoCatalog);
    assert_eq!((absent.status.as_u16(), &*absent.code), (503, "PGRST002"));
    assert_eq!(header(&absent, "retry-after").as_deref(), Some("5"));
    let refused = body(PoolError::Connect(WireError::Closed));
    assert_eq!((refused.status.as_u16(), &*refused.code), (503, "PGRST000"));
    assert_eq!(header(&refused, "retry-after").as_deref(), Some("5"));
    for crowded in [PoolError::Timeout, PoolError::Crowded] {
        let crowded = body(crowded);
        assert_eq!((crowded.status.as_u16(), &*crowded.code), (504, "PGRST003"));
        assert_eq!(header(&crowded, "retry-after"), None);
    }
    let lost = body(RestError::Flight {
        source: WireError::Closed,
        authenticated: true,
    });
    assert_eq!((lost.status.as_u16(), &*lost.code), (503, "PGRST001"));
}

#[test]
fn what_takes_too_long_is_not_to_be_tried_again() {
    let late = body(RestError::Flight {
        source: WireError::Timeout,
        authenticated: true,
    });
    assert_eq!((late.status.as_u16(), &*late.code), (504, "PSR504"));
}

#[test]
fn failures_of_ours_say_their_request_id_only() {
    let source = WireError::ReplyTooLarge { limit: 5 };
    assert_says(
        RestError::Flight {
            source,
            authenticated: true,
        },
        500,
        &json!({"code": "PGRSTX00", "message": "Internal server error",
            "details": "Request id: the-id", "hint": null}),
    );
    assert_eq!(&*body(ReplyError::NoRow).code, "PGRSTX00");
}

fn server_error(code: &str) -> RestError {
    let error = ServerError {
        code: code.into(),
        message: "could not open file \"base/1/2\"".into(),
        detail: Some("connection to server at \"10.0.0.5\" failed".into()),
        hint: Some("ask the administrator".into()),
        ..ServerError::default()
    };
    RestError::Flight {
        source: WireError::Server(Box::new(error)),
        authenticated: true,
    }
}

#[test]
fn what_the_server_says_of_itself_stays_inside() {
    for (code, status) in [
        ("08001", 503),
        ("53100", 503),
        ("53200", 503),
        ("58P01", 500),
        ("F0001", 500),
        ("HV00N", 500),
        ("XX000", 500),
        ("XX002", 500),
    ] {
        assert_says(
            server_error(code),
            status,
            &json!({"code": code, "message": "Internal server error",
                "details": "Request id: the-id", "hint": null}),
        );
    }
}

#[test]
fn what_the_server_says_of_the_statement_is_told() {
    for code in ["21000", "42P17", "53400", "54001", "57014", "PT500"] {
        let body = body(server_error(code));
        assert!(body.status.is_server_error(), "{code}");
        assert_eq!(body.message, "could not open file \"base/1/2\"", "{code}");
    }
}

#[test]
fn replies_that_cannot_be_sent() {
    assert_says(
        ReplyError::NotSingular { rows: 0 },
        406,
        &json!({"code": "PGRST116", "details": "The result contains 0 rows", "hint": null,
            "message": "Cannot coerce the result to a single JSON object"}),
    );
    assert_says(
        ReplyError::Headers,
        500,
        &json!({"code": "PGRST111", "details": null, "hint": null,
            "message": "response.headers guc must be a JSON array composed of objects with a \
                        single key and a string value"}),
    );
    assert_says(
        ReplyError::Status,
        500,
        &json!({"code": "PGRST112", "details": null, "hint": null,
            "message": "response.status guc must be a valid status code"}),
    );
}
