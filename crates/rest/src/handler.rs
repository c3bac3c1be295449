//! From request to response, one stage after the other.

mod batch;
mod cached;
mod export;

pub(crate) use self::cached::is_nobody;

use std::sync::Arc;

use actix_web::http::header::{ACCEPT, AUTHORIZATION, HeaderMap, HeaderName, HeaderValue};
use actix_web::{HttpRequest, HttpResponse, web};
use passerelle_catalog::QualifiedName;
use passerelle_identity::{Principal, TokenError, UnixTime};
use passerelle_pg::chain;
use passerelle_planner::{DescribePlan, Handler, Plan, ReplySpec, TransactionSpec, plan_with};
use passerelle_statement::Statement;
use passerelle_store::Verdict;
use passerelle_surface::{Quota, RequestId, Service, Shape, Stage, Stopwatch, Trace, X_REQUEST_ID};
use passerelle_syntax::{
    Action, ApiRequest, Head, Invocation, Mutation, ParseError, Payload, parse, parse_query,
    read_payload,
};

use crate::course::{Caller, Course};
use crate::describe::{self, Document};
use crate::error::RestError;
use crate::run::{self, RunError};
use crate::settings::{CredentialKind, RestSettings};
use crate::state::{Ready, RestState};
use crate::work::Work;
use crate::{admission, query_log, reply};
use passerelle_surface::{Writes, body};

pub(crate) const APIKEY: HeaderName = HeaderName::from_static("apikey");

/// Answers a request.
pub(crate) async fn handle(
    request: &HttpRequest,
    payload: web::Payload,
    state: &Arc<RestState>,
) -> HttpResponse {
    let ready = state.shared.ready();
    let timed = ready.settings.server_timing || passerelle_surface::logs_access();
    let mut exchange = Exchange {
        request,
        state,
        ready: &ready,
        stopwatch: Stopwatch::start(timed),
        shape: Shape::Other,
        role: None,
        queries: Vec::new(),
        request_id: None,
        quota: None,
    };
    match exchange.answer(payload).await {
        Ok(response) => exchange.finish(response),
        Err(error) => exchange.fail(&error),
    }
}

/// One request on its way.
struct Exchange<'a> {
    request: &'a HttpRequest,
    state: &'a Arc<RestState>,
    ready: &'a Ready,
    stopwatch: Stopwatch,
    shape: Shape,
    role: Option<Arc<str>>,
    /// What was asked of PostgreSQL, where somebody wants to know.
    queries: Vec<String>,
    /// Chosen before the response is there, where the log may need it afterwards.
    request_id: Option<RequestId>,
    quota: Option<Quota>,
}

impl Exchange<'_> {
    async fn answer(&mut self, mut payload: web::Payload) -> Result<HttpResponse, RestError> {
        let ready = self.ready;
        let settings = &ready.settings;
        let principal = caller(
            settings,
            self.request.headers(),
            (self.state.shared.clock)(),
        );
        self.role = principal.as_ref().ok().map(Principal::role).cloned();
        self.admit(principal.as_ref().ok()).await?;
        let principal = principal?;
        if let (Some(sessions), Some(session)) = (&self.state.sessions, principal.session()) {
            sessions.check(session).await?;
        }
        self.stopwatch.lap(Stage::Auth);

        let catalog = self.state.shared.catalog().ok_or(RestError::NoCatalog)?;
        if self.is_batch() {
            return self.batch(payload, &principal, &catalog).await;
        }
        let mut api_request = self.parse(None)?;
        self.shape = shape(&api_request.action);
        if self.request.method().as_str() == "QUERY" {
            let limit = settings.http_limits.body_bytes;
            let limit = limit.min(settings.limits.query_body_bytes as u64);
            let headers = self.request.headers();
            let parameters = body::read(&mut payload, headers, limit, body::PATIENCE).await?;
            api_request = self.parse(Some(&parameters))?;
        }
        let payload = self.payload(payload, &api_request).await?;
        self.stopwatch.lap(Stage::Parse);

        let role = principal.role();
        let plan = plan_with(&api_request, &payload, &catalog, &settings.planning, role)?;
        let caller = Caller {
            settings,
            catalog: &catalog,
            principal: &principal,
            method: self.request.method().as_str(),
            headers: self.request.headers(),
            leavings: None,
            path: path(self.request, &settings.prefix).unwrap_or("/"),
            search_path: ready.search_path(&api_request.schema),
        };
        match plan {
            Plan::Read(plan) => match self.export_permit(&plan, &caller) {
                Some(permit) => self.export(*plan, permit, &caller).await,
                None => self.work(Work::read(plan), &caller).await,
            },
            Plan::Mutate(plan) => self.work(Work::write(plan), &caller).await,
            Plan::Call(plan) => self.work(Work::call(plan), &caller).await,
            Plan::RelationInfo(methods) => {
                self.stopwatch.lap(Stage::Plan);
                let extensions = settings.exposure.extensions;
                Ok(reply::reply_relation_info(methods, extensions))
            }
            Plan::RoutineInfo { volatile } => {
                self.stopwatch.lap(Stage::Plan);
                Ok(reply::reply_routine_info(volatile))
            }
            Plan::SchemaInfo => {
                self.stopwatch.lap(Stage::Plan);
                Ok(reply::reply_schema_info())
            }
            Plan::Describe(plan) => self.describe(plan, &caller).await,
        }
    }

    /// Counts the request; one with a credential that proves nothing counts, too.
    async fn admit(&mut self, principal: Option<&Principal>) -> Result<(), RestError> {
        let settings = &self.ready.settings;
        self.quota = admission::quota(self.state, settings, self.request, principal).await;
        match &self.quota {
            Some(quota) if quota.verdict() == Verdict::Limited => {
                Err(RestError::RateLimited(Box::new(quota.error())))
            }
            _ => Ok(()),
        }
    }

    /// The head of the request; of a QUERY with the parameters in its body, once they are there.
    fn parse(&self, parameters: Option<&[u8]>) -> Result<ApiRequest, ParseError> {
        let settings = &self.ready.settings;
        let headers = self.request.headers().iter();
        let headers: Vec<(&str, &str)> = headers
            .filter_map(|(name, value)| {
                Some((name.as_str(), std::str::from_utf8(value.as_bytes()).ok()?))
            })
            .collect();
        let head = Head {
            method: self.request.method().as_str(),
            path: path(self.request, &settings.prefix).ok_or(ParseError::InvalidPath)?,
            query: self.request.uri().query().unwrap_or_default(),
            headers: &headers,
        };
        let (exposure, limits) = (&settings.exposure, &settings.limits);
        let request = match parameters {
            None => parse(&head, exposure, limits)?,
            Some(parameters) => parse_query(&head, parameters, exposure, limits)?,
        };
        Ok(match &settings.describe.root_function {
            Some(function) => with_root_function(request, function),
            None => request,
        })
    }

    /// The body, where the request has one that counts.
    async fn payload(
        &self,
        payload: web::Payload,
        request: &ApiRequest,
    ) -> Result<Payload, RestError> {
        let takes_body = match &request.action {
            Action::Mutate { mutation, .. } => *mutation != Mutation::Delete,
            Action::Call { invocation, .. } => *invocation == Invocation::Post,
            _ => false,
        };
        if !takes_body {
            return Ok(Payload::None);
        }
        let limit = self.ready.settings.http_limits.body_bytes;
        let body = body::read(payload, self.request.headers(), limit, body::PATIENCE).await?;
        Ok(read_payload(body, request)?)
    }

    /// Plans that need a statement have one transaction, and the same way through it.
    async fn work(&mut self, work: Work, caller: &Caller<'_>) -> Result<HttpResponse, RestError> {
        if let Some(cache) = &self.state.cache
            && !work.is_explained()
            && let Some(policy) = cache.policy(&work)
        {
            return self.cached(cache, &policy, work, caller).await;
        }
        let state = self.state;
        let mut course = work.course(caller);
        let writes = writes(state, &work, &course);
        course.closing = writes.map(Writes::closing);
        let (main, further) = work.statements();
        self.note(&course, main, further);
        self.stopwatch.lap(Stage::Plan);
        if work.is_explained() {
            if let Some(limit) = course.cost_limit
                && let Some(statement) = work.analysed()
            {
                let afforded = run::afford(&state.pool, &course, &statement, limit).await;
                afforded.map_err(|error| failed(error, caller.principal))?;
            }
            let (spec, statement) = work.into_statement();
            return self
                .explain(spec, &course, &statement, caller, writes)
                .await;
        }
        let done = work.run(&state.pool, &course, writes).await;
        self.stopwatch.lap(Stage::Database);
        let done = done.map_err(|error| failed(error, caller.principal))?;
        let response = done.reply(caller.settings.verbosity)?;
        self.stopwatch.lap(Stage::Reply);
        Ok(response)
    }

    async fn describe(
        &mut self,
        plan: DescribePlan,
        caller: &Caller<'_>,
    ) -> Result<HttpResponse, RestError> {
        let transaction = TransactionSpec {
            read_only: true,
            ..TransactionSpec::default()
        };
        let course = caller.course(&transaction, &Handler::None, None);
        let settings = &caller.settings.describe;
        self.stopwatch.lap(Stage::Plan);
        let pool = &self.state.pool;
        let visible = describe::visible(pool, &course, &plan.schema, settings).await;
        self.stopwatch.lap(Stage::Database);
        let visible = visible.map_err(|error| failed(error, caller.principal))?;
        let accept = self.request.headers().get(ACCEPT);
        let wanted = Document::of(accept.and_then(|value| value.to_str().ok()));
        let path: Vec<&str> = std::iter::once(plan.schema.as_str())
            .chain(caller.settings.extra_search_path.iter().map(String::as_str))
            .collect();
        let document = describe::document(
            wanted,
            caller.catalog,
            &plan.schema,
            &path,
            &visible,
            settings,
        );
        let response = reply::reply_description(plan, document);
        self.stopwatch.lap(Stage::Reply);
        Ok(response)
    }

    fn note(&mut self, course: &Course, statement: &Statement, further: Option<&Statement>) {
        if self.ready.settings.log_query {
            let all = course.prelude.iter().chain([statement]).chain(further);
            self.queries
                .extend(all.map(|statement| statement.text.clone()));
        }
    }

    /// Answers with the plan of a statement instead of its rows.
    async fn explain(
        &mut self,
        spec: ReplySpec,
        course: &Course,
        statement: &Statement,
        caller: &Caller<'_>,
        writes: Option<Writes<'_>>,
    ) -> Result<HttpResponse, RestError> {
        let mut noted = None;
        let lines = run::explain(&self.state.pool, course, statement, &mut noted).await;
        if let Some(writes) = writes {
            writes.pass(noted).await;
        }
        self.stopwatch.lap(Stage::Database);
        let lines = lines.map_err(|error| failed(error, caller.principal))?;
        Ok(reply::reply_plan(spec, lines))
    }

    fn finish(mut self, mut response: HttpResponse) -> HttpResponse {
        if self.ready.settings.server_timing {
            reply::add_server_timing(&mut response, self.stopwatch.stages().server_timing());
        }
        let request_id = self.request_id.take();
        self.leave_trace(response, request_id)
    }

    fn fail(self, error: &RestError) -> HttpResponse {
        let request_id = RequestId::accept(self.request.headers().get(X_REQUEST_ID));
        let body = error.body(
            &request_id,
            self.state.shared.retry_after(),
            &self.ready.settings.http_limits,
        );
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
        query_log::write(&self.queries, response.status());
        if let Some(quota) = &self.quota {
            quota.decorate(response.headers_mut());
        }
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

/// The same request with a call where it asks for the description.
fn with_root_function(request: ApiRequest, function: &QualifiedName) -> ApiRequest {
    let name = || function.name.to_string();
    let action = match request.action {
        Action::Describe { headers_only } => Action::Call {
            function: name(),
            invocation: if headers_only {
                Invocation::Head
            } else {
                Invocation::Get
            },
        },
        Action::SchemaInfo => Action::RoutineInfo { function: name() },
        other => other,
    };
    ApiRequest { action, ..request }
}

/// The path below the surface's prefix, never empty.
fn path<'r>(request: &'r HttpRequest, prefix: &str) -> Option<&'r str> {
    match request.uri().path().strip_prefix(prefix)? {
        "" => Some("/"),
        path => Some(path),
    }
}

/// What a transaction has to pass that may write what others have read.
fn writes<'s>(state: &'s RestState, work: &Work, course: &Course) -> Option<Writes<'s>> {
    if course.read_only || course.rollback {
        return None;
    }
    state.cache.as_ref()?.writes(work)
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
