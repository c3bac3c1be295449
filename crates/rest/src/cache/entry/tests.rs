use std::time::Duration;

use actix_web::http::header::CONTENT_LOCATION;
use passerelle_cache::{Dependencies, Freshness};

use super::*;

fn reply(body: &'static str, range: &'static str) -> NewReply {
    let mut response = HttpResponse::Ok().body(body);
    let headers = response.headers_mut();
    headers.insert(CONTENT_RANGE, HeaderValue::from_static(range));
    headers.insert(CONTENT_LOCATION, HeaderValue::from_static("/posts"));
    match NewReply::of(response) {
        Ok(reply) => reply,
        Err(_) => unreachable!("the body is in memory"),
    }
}

fn kept() -> Kept {
    let now = Instant::now();
    let freshness = Freshness::new(now);
    freshness.start("server", 7, now);
    freshness.visible(7);
    freshness.confirm(now);
    let moment = freshness.moment(now).expect("a moment");
    let basis = Basis {
        on: Dependencies::default(),
        ttl: Duration::from_mins(1),
        grace: Duration::ZERO,
        read: moment,
    };
    reply("[1]", "0-0/*").kept(&basis, moment, now)
}

fn respond(request: &HeaderMap, outcome: Outcome) -> HttpResponse {
    let entry = Entry {
        request,
        sharing: Sharing::Nobody,
        is_conditional: true,
        headers_only: false,
    };
    let kept = kept();
    entry.respond(&kept, outcome, kept.at + Duration::from_secs(3))
}

fn asking(tag: &str) -> HeaderMap {
    let mut request = HeaderMap::new();
    request.insert(IF_NONE_MATCH, HeaderValue::from_str(tag).expect("a tag"));
    request
}

fn text(response: &HttpResponse, name: &str) -> Option<String> {
    let value = response.headers().get(name)?.to_str().ok()?;
    Some(value.to_owned())
}

#[test]
fn tags_differ_with_what_the_client_sees() {
    let tag = reply("[1]", "0-0/*").etag;
    assert_eq!(tag, reply("[1]", "0-0/*").etag);
    assert_ne!(tag, reply("[2]", "0-0/*").etag);
    assert_ne!(tag, reply("[1]", "0-0/5").etag);
}

#[test]
fn a_hit_tells_its_age_and_who_may_keep_it() {
    let response = respond(&HeaderMap::new(), Outcome::Hit);
    assert_eq!(response.status(), 200);
    assert_eq!(text(&response, "age").as_deref(), Some("3"));
    assert_eq!(text(&response, "x-cache").as_deref(), Some("hit"));
    assert_eq!(text(&response, "content-range").as_deref(), Some("0-0/*"));
    let control = text(&response, "cache-control").expect("a directive");
    assert!(control.starts_with("private,"), "{control}");
    assert!(text(&respond(&HeaderMap::new(), Outcome::Miss), "age").is_none());
}

#[test]
fn who_has_it_is_told_so() {
    let tag = text(&respond(&HeaderMap::new(), Outcome::Miss), "etag").expect("a tag");
    for asked in [
        tag.clone(),
        format!("W/{tag}"),
        format!("\"x\", {tag}"),
        "*".to_owned(),
    ] {
        let response = respond(&asking(&asked), Outcome::Hit);
        assert_eq!(response.status(), 304, "{asked}");
        assert!(text(&response, "content-range").is_none());
        assert_eq!(text(&response, "etag"), Some(tag.clone()));
        assert_eq!(
            text(&response, "content-location").as_deref(),
            Some("/posts")
        );
    }
    assert_eq!(respond(&asking("\"x\""), Outcome::Hit).status(), 200);
}

#[test]
fn who_wants_no_kept_reply_says_so() {
    let with = |value: &'static str| {
        let mut headers = HeaderMap::new();
        headers.insert(CACHE_CONTROL, HeaderValue::from_static(value));
        wants_fresh(&headers)
    };
    assert!(with("no-cache") && with("max-age=0, No-Store"));
    assert!(!with("max-age=0") && !wants_fresh(&HeaderMap::new()));
}
