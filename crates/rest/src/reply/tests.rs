use actix_web::body::MessageBody;
use passerelle_syntax::RowRange;

use super::*;

fn spec() -> ReplySpec {
    ReplySpec {
        media_type: MediaType::Json,
        singular: false,
        headers_only: false,
        range: RowRange {
            offset: 0,
            limit: None,
        },
        explain: None,
        location: Some("/items?id=eq.1".to_owned()),
        profile: None,
        applied: Vec::new(),
        legacy_targets: Vec::new(),
    }
}

fn answer() -> Answer {
    Answer {
        page_count: 1,
        body: Bytes::from_static(b"[{\"id\":1}]"),
        ..Answer::default()
    }
}

fn replied(spec: ReplySpec, answer: Answer) -> HttpResponse {
    reply(spec, answer, Verbosity::Verbose).unwrap()
}

fn header<'a>(response: &'a HttpResponse, name: &str) -> &'a str {
    response
        .headers()
        .get(name)
        .map_or("", |value| value.to_str().unwrap())
}

fn bytes(response: HttpResponse) -> Bytes {
    response.into_body().try_into_bytes().unwrap()
}

#[test]
fn a_page_of_rows() {
    let spec = ReplySpec {
        profile: Some("v1".to_owned()),
        applied: vec!["count=exact".to_owned(), "tx=commit".to_owned()],
        ..spec()
    };
    let response = replied(
        spec,
        Answer {
            total: Some(3),
            ..answer()
        },
    );
    assert_eq!(response.status(), StatusCode::PARTIAL_CONTENT);
    for (name, value) in [
        ("content-range", "0-0/3"),
        ("content-location", "/items?id=eq.1"),
        ("content-type", "application/json; charset=utf-8"),
        ("content-profile", "v1"),
        ("preference-applied", "count=exact, tx=commit"),
        ("vary", "Accept, Prefer, Range"),
    ] {
        assert_eq!(header(&response, name), value, "{name}");
    }
    assert_eq!(bytes(response), "[{\"id\":1}]");
}

#[test]
fn the_body_is_not_copied() {
    let answer = answer();
    let before = answer.body.as_ptr();
    assert_eq!(bytes(replied(spec(), answer)).as_ptr(), before);
}

#[test]
fn a_head_has_no_body_and_no_length() {
    let response = replied(
        ReplySpec {
            headers_only: true,
            ..spec()
        },
        answer(),
    );
    assert_eq!(response.body().size(), actix_web::body::BodySize::None);
}

#[test]
fn a_range_behind_the_rows_is_an_error_with_the_headers_of_a_reply() {
    let spec = ReplySpec {
        range: RowRange {
            offset: 9,
            limit: None,
        },
        ..spec()
    };
    let response = replied(
        spec,
        Answer {
            total: Some(3),
            page_count: 0,
            ..answer()
        },
    );
    assert_eq!(response.status(), StatusCode::RANGE_NOT_SATISFIABLE);
    assert_eq!(header(&response, "content-range"), "*/3");
    let body: serde_json::Value = serde_json::from_slice(&bytes(response)).unwrap();
    assert_eq!(body["code"], "PGRST103");
}

#[test]
fn not_exactly_one_row_is_no_object() {
    let spec = ReplySpec {
        singular: true,
        ..spec()
    };
    let none = Answer {
        page_count: 0,
        ..answer()
    };
    let error = reply(spec.clone(), none, Verbosity::Verbose).unwrap_err();
    assert_eq!(error, ReplyError::NotSingular { rows: 0 });
    assert!(reply(spec, answer(), Verbosity::Verbose).is_ok());
}

#[test]
fn sql_has_the_last_word_on_status_and_headers() {
    let answer = Answer {
        response_status: Some(Bytes::from_static(b"418")),
        response_headers: Some(Bytes::from_static(
            br#"[{"Content-Type":"text/x"},{"Vary":"X"},{"Set-Cookie":"a"},{"Set-Cookie":"b"}]"#,
        )),
        ..answer()
    };
    let response = replied(spec(), answer);
    assert_eq!(response.status(), StatusCode::IM_A_TEAPOT);
    assert_eq!(header(&response, "content-type"), "text/x");
    assert_eq!(response.headers().get_all("vary").count(), 1);
    assert_eq!(header(&response, "vary"), "X");
    assert_eq!(response.headers().get_all("set-cookie").count(), 2);
}

#[test]
fn a_status_without_a_body_gets_none() {
    for status in ["204", "304"] {
        let response_status = Some(Bytes::from_static(status.as_bytes()));
        let response = replied(
            spec(),
            Answer {
                response_status,
                ..answer()
            },
        );
        assert_eq!(
            response.body().size(),
            actix_web::body::BodySize::None,
            "{status}"
        );
    }
}

#[test]
fn media_types_with_and_without_character_set() {
    let csv = content_type(&MediaType::Csv);
    assert_eq!(csv, "text/csv; charset=utf-8");
    let object = content_type(&MediaType::SingularJson {
        nulls_stripped: true,
    });
    assert_eq!(
        object,
        "application/vnd.pgrst.object+json;nulls=stripped; charset=utf-8"
    );
    assert_eq!(
        content_type(&MediaType::OctetStream),
        "application/octet-stream"
    );
    assert_eq!(
        content_type(&MediaType::Other("image/png".to_owned())),
        "image/png"
    );
}

#[test]
fn deprecated_names_are_warned_of() {
    let spec = ReplySpec {
        legacy_targets: vec![("tasks".to_owned(), "the_tasks".to_owned())],
        ..spec()
    };
    let response = replied(spec, answer());
    let warning = header(&response, "warning");
    assert!(
        warning.starts_with("299 PostgRESTv16 \"Embedded resource"),
        "{warning}"
    );
    assert!(
        warning.ends_with(
            "Update `tasks` to `the_tasks` in query string filters, orders or limits.\""
        )
    );
}

#[test]
fn a_name_that_no_header_can_hold_is_left_out() {
    let spec = ReplySpec {
        location: Some("/a\nb".to_owned()),
        ..spec()
    };
    assert_eq!(header(&replied(spec, answer()), "content-location"), "");
    let spec = ReplySpec {
        location: Some("/año".to_owned()),
        ..self::spec()
    };
    let response = replied(spec, answer());
    assert_eq!(
        response
            .headers()
            .get("content-location")
            .unwrap()
            .as_bytes(),
        "/año".as_bytes()
    );
}

#[test]
fn options_tell_the_methods() {
    let methods = AllowedMethods {
        insert: true,
        update: true,
        delete: false,
        upsert: true,
    };
    let response = reply_relation_info(methods, Extensions::NONE);
    assert_eq!(
        header(&response, "allow"),
        "OPTIONS,GET,HEAD,POST,PUT,PATCH"
    );
    assert_eq!(header(&response, "access-control-allow-origin"), "*");
    assert_eq!(header(&reply_schema_info(), "allow"), "OPTIONS,GET,HEAD");
}
