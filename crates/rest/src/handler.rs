//! From request to response, one stage after the other.

use std::sync::Arc;

use actix_web::http::header::{AUTHORIZATION, HeaderMap, HeaderName, HeaderValue};
use actix_web::{HttpRequest, HttpResponse};
use passerelle_catalog::Catalog;
use passerelle_identity::{Principal, TokenError, UnixTime};
use passerelle_pg::Prelude;
use passerelle_planner::{Handler, Plan, ReadPlan, TransactionSpec, plan};
use passerelle_sql::render;
use passerelle_statement::Statement;
use passerelle_surface::{RequestId, Service, Shape, Stage, Stopwatch, Trace, X_REQUEST_ID};
use passerelle_syntax::{Action, ApiRequest, Head, MediaType, ParseError, parse};
use passerelle_wire::{Isolation, Scope};

use crate::error::RestError;
use crate::reply;
use crate::request_settings::{cookies_json, headers_json};
use crate::run::{self, Course, RunError};
use crate::settings::{CredentialKind, RestSettings};
use crate::state::{Ready, RestState};

const APIKEY: HeaderName = HeaderName::from_static("apikey");

/// Answers a request.
pub(crate) async fn handle(request: &HttpRequest, state: &RestState) -> HttpResponse {
    let ready = state.shared.ready();
    let timed = ready.settings.server_timing || passerelle_surface::logs_access();
    let mut exchange = Exchange {
        request,
        state,
        ready: &ready,
        stopwatch: Stopwatch::start(timed),
        shape: Shape::Other,
        role: None,
    };
    match exchange.answer().await {
        Ok(response) => exchange.finish(response),
        Err(error) => exchange.fail(&error),
    }
}

/// One request on its way.
struct Exchange<'a> {
    request: &'a HttpRequest,
    state: &'a RestState,
    ready: &'a Ready,
    stopwatch: Stopwatch,
    shape: Shape,
    role: Option<Arc<str>>,
}

impl Exchange<'_> {
    async fn answer(&mut self) -> Result<HttpResponse, RestError> {
        let settings = &self.ready.settings;
        let principal = caller(
            settings,
            self.request.headers(),
            (self.state.shared.clock)(),
        )?;
        self.role = Some(Arc::clone(principal.role()));
        self.stopwatch.lap(Stage::Auth);

        let catalog = self.state.shared.catalog().ok_or(RestError::NoCatalog)?;
        let api_request = self.parse()?;
        self.shape = shape(&api_request.action);
        self.stopwatch.lap(Stage::Parse);

        let plan = plan(&api_request, &catalog, &settings.planning, principal.role())?;
        match plan {
            Plan::Read(plan) => {
                self.read(*plan, &api_request.schema, &catalog, &principal)
                    .await
            }
            Plan::RelationInfo(methods) => {
                self.stopwatch.lap(Stage::Plan);
                Ok(reply::reply_relation_info(methods))
            }
            Plan::RoutineInfo { volatile } => {
                self.stopwatch.lap(Stage::Plan);
                Ok(reply::reply_routine_info(volatile))
            }
            Plan::SchemaInfo => {
                self.stopwatch.lap(Stage::Plan);
                Ok(reply::reply_schema_info())
            }
            Plan::Mutate(_) | Plan::Call(_) | Plan::Describe(_) => {
                let method = self.request.method().to_string();
                Err(ParseError::UnsupportedMethod(method).into())
            }
        }
    }

    fn parse(&self) -> Result<ApiRequest, ParseError> {
        let settings = &self.ready.settings;
        let headers = self.request.headers().iter();
        let headers: Vec<(&str, &str)> = headers
            .filter_map(|(name, value)| {
                Some((name.as_str(), std::str::from_utf8(value.as_bytes()).ok()?))
            })
            .collect();
        let head = Head {
            method: self.request.method().as_str(),
            path: self.path().ok_or(ParseError::InvalidPath)?,
            query: self.request.uri().query().unwrap_or_default(),
            headers: &headers,
        };
        parse(&head, &settings.exposure, &settings.limits)
    }

    /// The path below the surface's prefix, never empty.
    fn path(&self) -> Option<&str> {
        match self
            .request
            .uri()
            .path()
            .strip_prefix(self.ready.settings.prefix.as_str())?
        {
            "" => Some("/"),
            path => Some(path),
        }
    }

    async fn read(
        &mut self,
        plan: ReadPlan,
        schema: &str,
        catalog: &Catalog,
        principal: &Principal,
    ) -> Result<HttpResponse, RestError> {
        let settings = &self.ready.settings;
        let statements = render(&plan);
        let search_path = self.ready.search_path(schema);
        let prelude = self.prelude(&plan.transaction, &search_path, catalog, principal);
        let scope = Scope::new(Arc::clone(principal.role()), search_path);
        let course = Course {
            prelude: &prelude,
            scope: &scope,
            isolation: isolation(catalog, principal.role()),
            read_only: plan.transaction.read_only,
            rollback: settings.transaction_mode.rolls_back(plan.transaction.end),
            describe: matches!(plan.handler, Handler::Custom(_)),
        };
        self.stopwatch.lap(Stage::Plan);

        let pool = &self.state.pool;
        let response = if let MediaType::Plan { .. } = plan.reply.media_type {
            let lines = run::explain(pool, &course, &statements.main).await;
            self.stopwatch.lap(Stage::Database);
            reply::reply_plan(plan.reply, lines.map_err(|error| failed(error, principal))?)
        } else {
            let answer = run::run(pool, &course, &statements, plan.count).await;
            self.stopwatch.lap(Stage::Database);
            let answer = answer.map_err(|error| failed(error, principal))?;
            reply::reply(plan.reply, answer, settings.verbosity)?
        };
        self.stopwatch.lap(Stage::Reply);
        Ok(response)
    }

    /// The statements that decide who is asking and how.
    fn prelude(
        &self,
        transaction: &TransactionSpec,
        search_path: &str,
        catalog: &Catalog,
        principal: &Principal,
    ) -> Vec<Statement> {
        let settings = &self.ready.settings;
        let headers = headers_json(self.request.headers());
        let cookies = cookies_json(self.request.headers());
        let prelude = Prelude {
            search_path,
            role_settings: catalog.role_settings(principal.role()),
            role: principal.role(),
            claims: principal.claims_json(),
            method: self.request.method().as_str(),
            path: self.path().unwrap_or("/"),
            headers: &headers,
            cookies: &cookies,
            timezone: transaction.timezone.as_deref(),
            function_settings: &[],
            app_settings: &settings.app_settings,
            read_only: transaction.read_only,
            pre_request: settings.pre_request.as_ref(),
        };
        prelude.statements()
    }

    fn finish(self, mut response: HttpResponse) -> HttpResponse {
        if self.ready.settings.server_timing {
            reply::add_server_timing(&mut response, self.stopwatch.stages().server_timing());
        }
        self.leave_trace(response, None)
    }

    fn fail(self, error: &RestError) -> HttpResponse {
        let request_id = RequestId::accept(self.request.headers().get(X_REQUEST_ID));
        let body = error.body(&request_id, self.state.shared.retry_after());
        if body.status.is_server_error() {
            let request_id = request_id.as_str();
            tracing::error!(
                request_id,
                code = &*body.code,
                error = chain(error),
                "request failed"
            );
        }
        let response = body.to_response(self.ready.settings.verbosity);
        self.leave_trace(response, Some(request_id))
    }

    fn leave_trace(self, mut response: HttpResponse, id: Option<RequestId>) -> HttpResponse {
        response.extensions_mut().insert(Trace {
            service: Service::Rest,
            shape: self.shape,
            role: self.role,
            stages: self.stopwatch.stages(),
            request_id: id,
        });
        response
    }
}

fn caller(
    settings: &RestSettings,
    headers: &HeaderMap,
    now: UnixTime,
) -> Result<Principal, TokenError> {
    let authorization = headers.get(AUTHORIZATION).map(HeaderValue::as_bytes);
    match settings.credentials {
        CredentialKind::Bearer => settings.verifier.authenticate_bearer(authorization, now),
        CredentialKind::ApiKey => {
            let apikey = headers.get(APIKEY).map(HeaderValue::as_bytes);
            settings.verifier.authenticate(apikey, authorization, now)
        }
    }
}

fn shape(action: &Action) -> Shape {
    match action {
        Action::Read { .. } => Shape::Read,
        Action::Mutate { .. } => Shape::Write,
        Action::Call { .. } => Shape::Call,
        Action::Describe { .. }
        | Action::RelationInfo { .. }
        | Action::RoutineInfo { .. }
        | Action::SchemaInfo => Shape::Describe,
    }
}

/// The isolation level of a role, when it is not PostgreSQL's default one.
fn isolation(catalog: &Catalog, role: &str) -> Option<Isolation> {
    match catalog.role_isolation(role)? {
        "repeatable read" => Some(Isolation::RepeatableRead),
        "serializable" => Some(Isolation::Serializable),
        _ => None,
    }
}

fn failed(error: RunError, principal: &Principal) -> RestError {
    match error {
        RunError::Pool(error) => error.into(),
        RunError::Reply(error) => error.into(),
        RunError::Flight(source) => RestError::Flight {
            source,
            authenticated: !principal.is_anonymous(),
        },
    }
}

/// An error with its causes, for the log.
fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text.push_str(": ");
        text.push_str(&error.to_string());
        cause = error.source();
    }
    text
}
