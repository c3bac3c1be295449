//! What was decided, for metrics.

use std::fmt::Write as _;
use std::sync::atomic::{AtomicU64, Ordering};

use passerelle_store::{Decision, Origin, StoreStatus, Verdict};

use super::RouteClass;

/// Decisions, by class.
#[derive(Debug, Default)]
pub(super) struct Counters([ClassCounters; RouteClass::ALL.len()]);

#[derive(Debug, Default)]
struct ClassCounters {
    allowed: AtomicU64,
    limited: AtomicU64,
    fallback: AtomicU64,
}

impl Counters {
    pub(super) fn count(&self, class: RouteClass, decision: &Decision) {
        let counters = &self.0[class as usize];
        let outcome = match decision.verdict {
            Verdict::Allowed => &counters.allowed,
            Verdict::Limited => &counters.limited,
        };
        outcome.fetch_add(1, Ordering::Relaxed);
        if decision.origin == Origin::Fallback {
            counters.fallback.fetch_add(1, Ordering::Relaxed);
        }
    }

    pub(super) fn render(&self, out: &mut String) {
        const DECISIONS: &str = "passerelle_rate_limit_decisions_total";
        const FALLBACKS: &str = "passerelle_rate_limit_fallbacks_total";
        let classes = || RouteClass::ALL.map(|class| (class.as_str(), &self.0[class as usize]));
        // Writing to a string cannot fail, here and below.
        let _ = writeln!(out, "# HELP {DECISIONS} Requests held against limits.");
        let _ = writeln!(out, "# TYPE {DECISIONS} counter");
        for (class, counters) in classes() {
            for (outcome, counter) in [
                ("allowed", &counters.allowed),
                ("limited", &counters.limited),
            ] {
                let count = counter.load(Ordering::Relaxed);
                let _ = writeln!(
                    out,
                    "{DECISIONS}{{class=\"{class}\",outcome=\"{outcome}\"}} {count}"
                );
            }
        }
        let _ = writeln!(
            out,
            "# HELP {FALLBACKS} Of these, decided by this process as Redis was away."
        );
        let _ = writeln!(out, "# TYPE {FALLBACKS} counter");
        for (class, counters) in classes() {
            let count = counters.fallback.load(Ordering::Relaxed);
            let _ = writeln!(out, "{FALLBACKS}{{class=\"{class}\"}} {count}");
        }
    }
}

pub(super) fn render_store(status: StoreStatus, out: &mut String) {
    let up = u8::from(status.is_there);
    let refusals = status.refusals;
    let _ = write!(
        out,
        "# HELP passerelle_redis_up Whether Redis is there.\n\
         # TYPE passerelle_redis_up gauge\n\
         passerelle_redis_up {up}\n\
         # HELP passerelle_redis_refusals_total Commands that Redis refused.\n\
         # TYPE passerelle_redis_refusals_total counter\n\
         passerelle_redis_refusals_total {refusals}\n"
    );
}
