//! How the transaction of a request runs: its prelude, and how it begins and ends.

use std::sync::Arc;

use actix_web::http::header::HeaderMap;
use passerelle_catalog::Catalog;
use passerelle_identity::Principal;
use passerelle_pg::{Leavings, Prelude};
use passerelle_planner::{CallPlan, Handler, TransactionSpec};
use passerelle_statement::Statement;
use passerelle_wire::{Begin, End, Flight, Isolation, Scope, Transaction};

use crate::cache::RequestParts;
use crate::request_settings::{cookies_json, headers_json};
use crate::settings::RestSettings;
use passerelle_surface::Closing;

/// Who asks, and of what.
pub(crate) struct Caller<'a> {
    pub(crate) settings: &'a RestSettings,
    pub(crate) catalog: &'a Catalog,
    pub(crate) principal: &'a Principal,
    pub(crate) method: &'a str,
    pub(crate) headers: &'a HeaderMap,
    /// Path below the surface's prefix.
    pub(crate) path: &'a str,
    pub(crate) search_path: Arc<str>,
    /// What requests before this one have left, if it shares their transaction.
    pub(crate) leavings: Option<&'a Leavings>,
}

/// How the transaction of a request runs.
#[derive(Debug)]
pub(crate) struct Course {
    /// Decides who is asking and how, before the statement.
    pub(crate) prelude: Vec<Statement>,
    /// Undoes, after the statement, what must not stay where the transaction goes on.
    pub(crate) epilogue: Vec<Statement>,
    /// Under whose role and search path the statement is parsed.
    pub(crate) scope: Scope,
    /// Isolation level, when it is not PostgreSQL's default one.
    pub(crate) isolation: Option<Isolation>,
    /// Nothing may be written.
    pub(crate) read_only: bool,
    /// It ends with a rollback.
    pub(crate) rollback: bool,
    /// The type of the body is not known: a function of the database produces it.
    pub(crate) describe: bool,
    /// What its statement may cost by PostgreSQL's expectation, if that is asked first.
    pub(crate) cost_limit: Option<u64>,
    /// What is asked at its end, if it may write what others have read.
    pub(crate) closing: Option<Closing>,
}

impl Caller<'_> {
    /// The course of a plan's transaction; a function has settings and an isolation level of its
    /// own.
    pub(crate) fn course(
        &self,
        transaction: &TransactionSpec,
        handler: &Handler,
        call: Option<&CallPlan>,
    ) -> Course {
        let role = self.principal.role();
        let level = call.and_then(|call| call.isolation.as_deref());
        Course {
            prelude: self.prelude(transaction, call),
            epilogue: Vec::new(),
            scope: Scope::new(Arc::clone(role), Arc::clone(&self.search_path)),
            isolation: isolation(level.or_else(|| self.catalog.role_isolation(role))),
            read_only: transaction.read_only,
            rollback: self.settings.transaction_mode.rolls_back(transaction.end),
            describe: matches!(handler, Handler::Custom(_)),
            cost_limit: transaction
                .read_only
                .then(|| self.settings.cost_limits.of(role))
                .flatten(),
            closing: None,
        }
    }

    #[expect(
        clippy::redundant_closure_for_method_calls,
        reason = "the method is one of a single lifetime"
    )]
    fn prelude(&self, transaction: &TransactionSpec, call: Option<&CallPlan>) -> Vec<Statement> {
        let all = RequestParts {
            method: true,
            path: true,
            headers: true,
            cookies: true,
        };
        self.prelude_with(transaction, call, all, |prelude| prelude.statements())
    }

    /// Does something with the prelude, as it were if the request had only these parts.
    pub(crate) fn prelude_with<T>(
        &self,
        transaction: &TransactionSpec,
        call: Option<&CallPlan>,
        parts: RequestParts,
        then: impl FnOnce(&Prelude<'_>) -> T,
    ) -> T {
        let json = |wanted, json: fn(&HeaderMap) -> String| {
            if wanted {
                json(self.headers)
            } else {
                String::new()
            }
        };
        let headers = json(parts.headers, headers_json);
        let cookies = json(parts.cookies, cookies_json);
        then(&Prelude {
            search_path: &self.search_path,
            role_settings: self.catalog.role_settings(self.principal.role()),
            role: self.principal.role(),
            claims: self.principal.claims_json(),
            method: if parts.method { self.method } else { "" },
            path: if parts.path { self.path } else { "" },
            headers: &headers,
            cookies: &cookies,
            timezone: transaction.timezone.as_deref(),
            function_settings: call.map_or(&[], |call| &call.settings),
            app_settings: &self.settings.app_settings,
            read_only: transaction.read_only,
            pre_request: self.settings.pre_request.as_ref(),
            leavings: self.leavings,
        })
    }
}

impl Course {
    /// The statement after its prelude.
    pub(crate) fn flight<'f>(&'f self, statement: &'f Statement) -> Flight<'f> {
        let describe = self.describe;
        let flight = Flight::new(statement, &self.scope);
        let flight = flight
            .prelude(&self.prelude)
            .epilogue(&self.epilogue)
            .closing(self.closing.map_or(&[], Closing::statements))
            .transaction(self.transaction());
        Flight { describe, ..flight }
    }

    /// The implicit transaction where it does, since it costs nothing.
    fn transaction(&self) -> Transaction {
        if self.isolation.is_none() && !self.rollback {
            return Transaction::Implicit;
        }
        Transaction::Explicit {
            begin: Begin {
                isolation: self.isolation,
                read_only: self.read_only,
            },
            end: if self.rollback {
                End::Rollback
            } else {
                End::Commit
            },
        }
    }
}

/// An isolation level, when it is not PostgreSQL's default one.
pub(crate) fn isolation(level: Option<&str>) -> Option<Isolation> {
    match level? {
        "repeatable read" => Some(Isolation::RepeatableRead),
        "serializable" => Some(Isolation::Serializable),
        _ => None,
    }
}
