use super::*;

fn sql(code: &str, message: &str) -> SqlError {
    SqlError {
        code: code.into(),
        message: message.into(),
        ..SqlError::default()
    }
}

#[test]
fn codes_and_classes_have_their_status() {
    let cases = [
        ("08006", "", 503),
        ("0LP01", "", 403),
        ("21000", "UPDATE requires a WHERE clause", 400),
        ("21000", "more than one row returned by a subquery", 500),
        ("22P02", "", 400),
        ("22023", "role \"x\" does not exist", 401),
        ("22023", "", 400),
        ("23503", "", 409),
        ("23505", "", 409),
        ("23514", "", 400),
        ("25006", "", 405),
        ("25P02", "", 500),
        ("28000", "", 403),
        ("40001", "", 500),
        ("42501", "", 403),
        ("42883", "function f() does not exist", 404),
        ("42883", "function xmlagg(xml) does not exist", 406),
        ("42P01", "", 404),
        ("42P17", "", 500),
        ("53300", "", 503),
        ("53400", "", 500),
        ("57014", "", 500),
        ("57P01", "", 503),
        ("P0001", "", 400),
        ("P0002", "", 500),
        ("PT402", "Payment Required", 402),
        ("PTabc", "", 500),
        ("PT000", "", 500),
        ("XX000", "", 500),
        ("ZZ123", "", 400),
        ("", "", 400),
    ];
    for (code, message, status) in cases {
        assert_eq!(
            ErrorReply::from_sql(&sql(code, message), true).status,
            status,
            "{code}"
        );
    }
}

#[test]
fn the_anonymous_role_is_asked_to_sign_in() {
    let reply = ErrorReply::from_sql(&sql("42501", "permission denied"), false);
    assert_eq!(reply.status, 401);
    assert_eq!(
        reply.headers,
        [("WWW-Authenticate".to_owned(), "Bearer".to_owned())]
    );
}

#[test]
fn raised_status_carries_its_phrase() {
    let reply = ErrorReply::from_sql(&sql("PT402", "Payment Required"), true);
    assert_eq!(
        (reply.status, reply.reason.as_deref()),
        (402, Some("Payment Required"))
    );
    assert_eq!(reply.code, "PT402");
}

#[test]
fn raise_writes_the_whole_reply() {
    let error = SqlError {
        code: "PGRST".into(),
        message: r#"{"code":"123","message":"ABC","details":"DEF","hint":"XYZ"}"#.into(),
        detail: Some(r#"{"status":332,"status_text":"Odd","headers":{"X-Header":"s"}}"#.into()),
        hint: None,
    };
    let reply = ErrorReply::from_sql(&error, true);
    assert_eq!(
        reply,
        ErrorReply {
            status: 332,
            reason: Some("Odd".into()),
            code: "123".into(),
            message: "ABC".into(),
            details: Some("DEF".into()),
            hint: Some("XYZ".into()),
            headers: vec![("X-Header".into(), "s".into())],
        }
    );
}

#[test]
fn raise_with_bad_json_is_an_error_of_its_own() {
    let message = ErrorReply::from_sql(&sql("PGRST", "INVALID"), true);
    assert_eq!((message.status, message.code.as_str()), (500, "PGRST121"));
    assert_eq!(
        message.details.as_deref(),
        Some("Invalid JSON value for MESSAGE: 'INVALID'")
    );

    let good = r#"{"code":"1","message":"m"}"#;
    let missing = ErrorReply::from_sql(&sql("PGRST", good), true);
    assert_eq!(
        missing.details.as_deref(),
        Some("DETAIL is missing in the RAISE statement")
    );

    for detail in ["[]", r#"{"status":200}"#, r#"{"status":7,"headers":{}}"#] {
        let error = SqlError {
            detail: Some(detail.into()),
            ..sql("PGRST", good)
        };
        let reply = ErrorReply::from_sql(&error, true);
        assert_eq!(
            reply.details,
            Some(format!("Invalid JSON value for DETAIL: '{detail}'"))
        );
    }
}

#[test]
fn connection_errors_are_unavailable() {
    let reply = error_reply(&WireError::Closed, true);
    assert_eq!((reply.status, reply.code.as_str()), (503, "PGRST001"));
    assert_eq!(ErrorReply::pool_timeout().status, 504);
}
