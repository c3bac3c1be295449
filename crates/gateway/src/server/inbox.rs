//! `/_dev/inbox`: the mails of a development server, as a page for people and as JSON for tests.

use std::fmt::Write as _;
use std::future::ready;
use std::sync::Arc;

use actix_web::http::header::ACCEPT;
use actix_web::web::{self, ServiceConfig};
use actix_web::{HttpRequest, HttpResponse};
use passerelle_mail::{Inbox, Received};

/// Mounts the pages in the scope that is being configured.
pub(super) fn configure(config: &mut ServiceConfig, inbox: Arc<Inbox>) {
    config.route(
        "/inbox",
        web::get().to(move |request: HttpRequest| ready(page(&request, &inbox))),
    );
}

/// The mails, or those to one address (`?to=`), the newest first.
fn page(request: &HttpRequest, inbox: &Inbox) -> HttpResponse {
    let query = web::Query::<Vec<(String, String)>>::from_query(request.query_string());
    let pairs = query.map(web::Query::into_inner).unwrap_or_default();
    let to = pairs
        .iter()
        .find(|(name, _)| name == "to")
        .map(|(_, to)| to.as_str());
    let mails = inbox.mails(to);
    let accept = request
        .headers()
        .get(ACCEPT)
        .and_then(|value| value.to_str().ok());
    if accept.is_some_and(|accept| accept.contains("text/html")) {
        return HttpResponse::Ok()
            .content_type("text/html; charset=utf-8")
            .body(html(&mails));
    }
    HttpResponse::Ok().json(mails)
}

fn html(mails: &[Received]) -> String {
    let mut page = String::from(
        "<!doctype html>\n<html lang=\"en\">\n<meta charset=\"utf-8\">\n<meta name=\"viewport\" content=\"width=device-width\">\n\
         <title>Inbox</title>\n<style>body{font-family:sans-serif;max-width:48rem;margin:2rem auto;padding:0 1rem}\
         article{border:1px solid #ccc;border-radius:6px;padding:0 1rem 1rem;margin:1rem 0}\
         iframe{width:100%;height:12rem;border:0;background:#fff}small{color:#666}</style>\n<h1>Inbox</h1>\n",
    );
    if mails.is_empty() {
        page.push_str("<p>No mail yet.</p>\n");
    }
    for mail in mails {
        let message = &mail.message;
        let (to, subject, body) = (
            escape(&message.to),
            escape(&message.subject),
            escape(&message.html),
        );
        // Writing to a string cannot fail. A mail runs no scripts, and its links open beside it.
        let _ = write!(
            page,
            "<article><h2>{subject}</h2><small>to {to}</small>\n\
             <iframe sandbox=\"allow-popups allow-popups-to-escape-sandbox allow-top-navigation-by-user-activation\" \
             title=\"{subject}\" srcdoc=\"<base target=_blank>{body}\"></iframe></article>\n"
        );
    }
    page
}

fn escape(text: &str) -> String {
    let replaced = text.replace('&', "&amp;").replace('<', "&lt;");
    replaced.replace('>', "&gt;").replace('"', "&quot;")
}
