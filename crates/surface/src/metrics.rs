//! Counters of requests, rendered in Prometheus' text format.
//!
//! Labels come from fixed sets, so that memory is bounded and counting is one atomic addition.

use std::fmt::Write as _;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use actix_web::http::StatusCode;

macro_rules! label {
    ($(#[$doc:meta])* $name:ident { $($(#[$variant_doc:meta])* $variant:ident = $text:literal,)* }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum $name {
            $($(#[$variant_doc])* $variant,)*
        }

        impl $name {
            const ALL: &[Self] = &[$(Self::$variant,)*];

            /// The label's value.
            pub fn as_str(self) -> &'static str {
                match self {
                    $(Self::$variant => $text,)*
                }
            }
        }
    };
}

label! {
    /// The surface that answered.
    Service {
        /// `/rest/v1`
        Rest = "rest",
        /// `/auth/v1`
        Auth = "auth",
        /// `/realtime/v1`
        Realtime = "realtime",
        /// `/storage/v1`
        Storage = "storage",
        /// `/functions/v1`
        Functions = "functions",
        /// None of them: the request was answered before it reached one.
        None = "none",
    }
}

label! {
    /// What kind of request it was.
    Shape {
        /// Rows are read.
        Read = "read",
        /// Rows are written.
        Write = "write",
        /// A function is called.
        Call = "call",
        /// Several requests in one transaction.
        Batch = "batch",
        /// The API is described, or its methods are.
        Describe = "describe",
        /// A session is opened, renewed or closed.
        Session = "session",
        /// Anything else, or not understood.
        Other = "other",
    }
}

/// Upper ends of the latency buckets, in microseconds.
const BUCKETS: [u64; 12] = [
    250, 500, 1_000, 2_500, 5_000, 10_000, 25_000, 50_000, 100_000, 250_000, 1_000_000, 5_000_000,
];

const STATUSES: [u16; 30] = [
    101, 200, 201, 202, 204, 206, 300, 301, 302, 304, 400, 401, 402, 403, 404, 405, 406, 408, 409,
    410, 412, 413, 414, 416, 422, 429, 431, 500, 503, 504,
];

/// One counter per status, and one for any other.
const STATUS_SLOTS: usize = STATUSES.len() + 1;
const SERVICES: usize = Service::ALL.len();
const SHAPES: usize = Shape::ALL.len();

/// Latencies of one surface.
#[derive(Debug, Default)]
struct Histogram {
    /// Not cumulative; the last has no upper end.
    buckets: [AtomicU64; BUCKETS.len() + 1],
    microseconds: AtomicU64,
}

/// Counters of all requests of this process.
#[derive(Debug)]
pub struct Metrics {
    requests: Box<[AtomicU64]>,
    latency: [Histogram; SERVICES],
}

impl Default for Metrics {
    fn default() -> Self {
        let slots = SERVICES * SHAPES * STATUS_SLOTS;
        Self {
            requests: (0..slots).map(|_| AtomicU64::new(0)).collect(),
            latency: std::array::from_fn(|_| Histogram::default()),
        }
    }
}

impl Metrics {
    /// Counts one request.
    pub fn observe(&self, service: Service, shape: Shape, status: StatusCode, took: Duration) {
        let status = status_slot(status.as_u16());
        let index = (service as usize * SHAPES + shape as usize) * STATUS_SLOTS + status;
        self.requests[index].fetch_add(1, Ordering::Relaxed);
        let microseconds = u64::try_from(took.as_micros()).unwrap_or(u64::MAX);
        let histogram = &self.latency[service as usize];
        let bucket = BUCKETS.partition_point(|end| *end < microseconds);
        histogram.buckets[bucket].fetch_add(1, Ordering::Relaxed);
        histogram
            .microseconds
            .fetch_add(microseconds, Ordering::Relaxed);
    }

    /// Appends all counters that are not zero, in Prometheus' text format.
    pub fn render(&self, out: &mut String) {
        out.push_str("# HELP passerelle_requests_total Requests answered.\n");
        out.push_str("# TYPE passerelle_requests_total counter\n");
        for service in Service::ALL {
            for shape in Shape::ALL {
                self.render_requests(*service, *shape, out);
            }
        }
        out.push_str("# HELP passerelle_request_duration_seconds Time to the head of a reply.\n");
        out.push_str("# TYPE passerelle_request_duration_seconds histogram\n");
        for service in Service::ALL {
            self.latency[*service as usize].render(service.as_str(), out);
        }
    }

    fn render_requests(&self, service: Service, shape: Shape, out: &mut String) {
        let first = (service as usize * SHAPES + shape as usize) * STATUS_SLOTS;
        for (slot, counter) in self.requests[first..first + STATUS_SLOTS]
            .iter()
            .enumerate()
        {
            let count = counter.load(Ordering::Relaxed);
            if count == 0 {
                continue;
            }
            let (service, shape) = (service.as_str(), shape.as_str());
            // Writing to a string cannot fail, here and below.
            let _ = write!(
                out,
                "passerelle_requests_total{{surface=\"{service}\",shape=\"{shape}\",status=\""
            );
            let _ = match STATUSES.get(slot) {
                Some(status) => writeln!(out, "{status}\"}} {count}"),
                None => writeln!(out, "other\"}} {count}"),
            };
        }
    }
}

impl Histogram {
    fn render(&self, service: &str, out: &mut String) {
        const NAME: &str = "passerelle_request_duration_seconds";
        let counts: Vec<u64> = self
            .buckets
            .iter()
            .map(|b| b.load(Ordering::Relaxed))
            .collect();
        let total: u64 = counts.iter().sum();
        if total == 0 {
            return;
        }
        let mut below = 0;
        for (end, count) in BUCKETS.iter().zip(&counts) {
            below += count;
            let end = Duration::from_micros(*end).as_secs_f64();
            let _ = writeln!(
                out,
                "{NAME}_bucket{{surface=\"{service}\",le=\"{end}\"}} {below}"
            );
        }
        let sum = Duration::from_micros(self.microseconds.load(Ordering::Relaxed)).as_secs_f64();
        let _ = writeln!(
            out,
            "{NAME}_bucket{{surface=\"{service}\",le=\"+Inf\"}} {total}"
        );
        let _ = writeln!(out, "{NAME}_sum{{surface=\"{service}\"}} {sum}");
        let _ = writeln!(out, "{NAME}_count{{surface=\"{service}\"}} {total}");
    }
}

fn status_slot(status: u16) -> usize {
    // Nearly all requests are this one.
    if status == 200 {
        return 1;
    }
    STATUSES.binary_search(&status).unwrap_or(STATUSES.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn statuses_are_sorted() {
        assert!(STATUSES.is_sorted());
        assert_eq!(STATUSES[status_slot(200)], 200);
        assert_eq!(STATUSES[status_slot(504)], 504);
        assert_eq!(status_slot(418), STATUSES.len());
    }

    #[test]
    fn what_was_counted_is_rendered() {
        let metrics = Metrics::default();
        for _ in 0..3 {
            let took = Duration::from_micros(700);
            metrics.observe(Service::Rest, Shape::Read, StatusCode::OK, took);
        }
        let took = Duration::from_secs(6);
        metrics.observe(Service::None, Shape::Other, StatusCode::IM_A_TEAPOT, took);
        let mut out = String::new();
        metrics.render(&mut out);
        for line in [
            "passerelle_requests_total{surface=\"rest\",shape=\"read\",status=\"200\"} 3",
            "passerelle_requests_total{surface=\"none\",shape=\"other\",status=\"other\"} 1",
            "passerelle_request_duration_seconds_bucket{surface=\"rest\",le=\"0.0005\"} 0",
            "passerelle_request_duration_seconds_bucket{surface=\"rest\",le=\"0.001\"} 3",
            "passerelle_request_duration_seconds_sum{surface=\"rest\"} 0.0021",
            "passerelle_request_duration_seconds_bucket{surface=\"none\",le=\"5\"} 0",
            "passerelle_request_duration_seconds_bucket{surface=\"none\",le=\"+Inf\"} 1",
            "passerelle_request_duration_seconds_count{surface=\"none\"} 1",
        ] {
            assert!(out.lines().any(|found| found == line), "{line}\n{out}");
        }
        assert!(!out.contains("auth"));
    }
}
