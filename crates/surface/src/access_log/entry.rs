//! What an entry says.

use std::net::IpAddr;
use std::time::Duration;

use actix_web::http::{Method, StatusCode};

use super::Trace;
use super::line::{Line, LogForm, Severity};
use crate::request_id::RequestId;
use crate::timing::Stage;

/// One request that was answered.
pub(crate) struct Entry<'a> {
    pub(crate) method: &'a Method,
    pub(crate) path: &'a str,
    pub(crate) status: StatusCode,
    pub(crate) request_id: &'a RequestId,
    pub(crate) trace: Option<&'a Trace>,
    pub(crate) took: Duration,
    /// `None` for a stream.
    pub(crate) bytes: Option<u64>,
}

impl Entry<'_> {
    /// Appends the entry as a line.
    pub(super) fn render(
        &self,
        out: &mut String,
        form: LogForm,
        time: &str,
        client: Option<IpAddr>,
    ) {
        let mut line = Line::begin(out, form, time, Severity::of(self.status));
        line.text("method", self.method.as_str());
        line.text("path", self.path);
        line.number("status", self.status.as_u16().into());
        if let Some(role) = self.trace.and_then(|trace| trace.role.as_deref()) {
            line.text("role", role);
        }
        line.text("request_id", self.request_id.as_str());
        if let Some(client) = client {
            line.address("client", client);
        }
        if let Some(bytes) = self.bytes {
            line.number("bytes", bytes);
        }
        line.number("duration_us", micros(self.took));
        if let Some(trace) = self.trace {
            for (name, stage) in [
                ("auth_us", Stage::Auth),
                ("parse_us", Stage::Parse),
                ("plan_us", Stage::Plan),
                ("db_us", Stage::Database),
                ("reply_us", Stage::Reply),
            ] {
                line.number(name, micros(trace.stages.get(stage)));
            }
        }
        line.end();
    }
}

fn micros(duration: Duration) -> u64 {
    u64::try_from(duration.as_micros()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use std::io::Write;
    use std::sync::{Arc, Mutex};

    use serde_json::Value;

    use super::*;
    use crate::metrics::{Service, Shape};
    use crate::timing::Stages;

    const TIME: &str = "2026-01-02T03:04:05.000678Z";

    fn rendered(form: LogForm, path: &str, status: StatusCode) -> String {
        let trace = Trace {
            service: Service::Rest,
            shape: Shape::Read,
            role: Some(Arc::from("anon")),
            stages: Stages::default(),
            request_id: None,
        };
        let entry = Entry {
            method: &Method::GET,
            path,
            status,
            request_id: &RequestId::accept(Some(&"an-id".parse().unwrap())),
            trace: Some(&trace),
            took: Duration::from_micros(1500),
            bytes: Some(12),
        };
        let mut line = String::new();
        entry.render(&mut line, form, TIME, Some(IpAddr::from([192, 0, 2, 1])));
        line
    }

    #[test]
    fn an_entry_says_what_was_asked_and_how_long_it_took() {
        assert_eq!(
            rendered(LogForm::Text, "/rest/v1/items", StatusCode::OK),
            "2026-01-02T03:04:05.000678Z  INFO passerelle::access: method=\"GET\" \
             path=\"/rest/v1/items\" status=200 role=\"anon\" request_id=\"an-id\" client=192.0.2.1 \
             bytes=12 duration_us=1500 auth_us=0 parse_us=0 plan_us=0 db_us=0 reply_us=0\n"
        );
        let line = rendered(LogForm::Json, "/rest/v1/items", StatusCode::NOT_FOUND);
        let entry: Value = serde_json::from_str(&line).unwrap();
        for (name, value) in [
            ("timestamp", Value::from(TIME)),
            ("level", Value::from("WARN")),
            ("target", Value::from("passerelle::access")),
            ("method", Value::from("GET")),
            ("path", Value::from("/rest/v1/items")),
            ("status", Value::from(404)),
            ("role", Value::from("anon")),
            ("request_id", Value::from("an-id")),
            ("client", Value::from("192.0.2.1")),
            ("bytes", Value::from(12)),
            ("duration_us", Value::from(1500)),
            ("db_us", Value::from(0)),
        ] {
            assert_eq!(entry[name], value, "{name}: {entry}");
        }
        assert_eq!(line.matches('\n').count(), 1);
    }

    #[test]
    fn a_path_cannot_break_out_of_its_entry() {
        let path = "/a\"b\\c\nd\u{e9}\u{1b}[31m";
        for form in [LogForm::Text, LogForm::Coloured, LogForm::Json] {
            let line = rendered(form, path, StatusCode::OK);
            assert_eq!(line.matches('\n').count(), 1, "{line}");
            assert!(!line.contains("\u{1b}[31m"), "{line}");
        }
        let line = rendered(LogForm::Json, path, StatusCode::OK);
        let entry: Value = serde_json::from_str(&line).unwrap();
        assert_eq!(entry["path"], path);
    }

    /// What others log goes through the subscriber; both should look alike.
    #[test]
    fn entries_look_like_those_of_other_targets() {
        #[derive(Clone, Default)]
        struct Sink(Arc<Mutex<Vec<u8>>>);
        impl Write for Sink {
            fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
                self.0.lock().unwrap().write(bytes)
            }

            fn flush(&mut self) -> std::io::Result<()> {
                Ok(())
            }
        }
        let sink = Sink::default();
        let writer = sink.clone();
        let subscriber = tracing_subscriber::fmt()
            .with_ansi(false)
            .with_writer(move || writer.clone())
            .finish();
        tracing::subscriber::with_default(subscriber, || {
            tracing::info!(
                target: "passerelle::access",
                method = "GET",
                path = "/a\"b\u{e9}",
                status = 200,
                role = "anon",
                request_id = "an-id",
                client = tracing::field::display("192.0.2.1"),
                bytes = 12,
                duration_us = 1500,
                auth_us = 0,
                parse_us = 0,
                plan_us = 0,
                db_us = 0,
                reply_us = 0,
            );
        });
        let other = String::from_utf8(sink.0.lock().unwrap().clone()).unwrap();
        let mine = rendered(LogForm::Text, "/a\"b\u{e9}", StatusCode::OK);
        let (time, rest) = mine.split_at(TIME.len());
        assert_eq!(other[TIME.len()..], *rest);
        assert_eq!(time.len(), other.find(' ').unwrap());
    }
}
