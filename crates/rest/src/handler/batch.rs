//! Several requests in one transaction.

use std::sync::Arc;

use actix_web::http::Method;
use actix_web::http::header::HeaderMap;
use actix_web::{HttpResponse, web};
use bytes::Bytes;
use passerelle_catalog::Catalog;
use passerelle_identity::Principal;
use passerelle_pg::Leavings;
use passerelle_planner::{Handler, Plan, plan_with};
use passerelle_statement::Statement;
use passerelle_surface::{Shape, Stage};
use passerelle_syntax::{
    Action, ApiRequest, Exposure, Extension, Head, Mutation, ParseError, Preferences, parse,
    read_payload,
};
use passerelle_wire::{Begin, OpenTransaction, Scope};

use super::{Exchange, failed, path};
use crate::batch::{self, BatchError, BodyKind, Item, ItemHead, Results, Text, bind, references};
use crate::course::{Caller, Course, isolation};
use crate::error::{BATCH_ITEM, RestError};
use crate::reply;
use crate::run::{self, RunError};
use crate::settings::RestSettings;
use crate::work::Work;
use passerelle_surface::body::{self, BodyError};
use passerelle_surface::{Noted, Writes};

/// Path of the batch below the prefix of the surface.
const PATH: &str = "/batch";
/// The same as the name of a relation.
const NAME: &str = "batch";

/// Where a read-only item goes back to, so that what follows it may write.
const SAVEPOINT: &str = "SAVEPOINT pgrst_item";
const ROLLBACK: &str = "ROLLBACK TO SAVEPOINT pgrst_item";
const RELEASE: &str = "RELEASE SAVEPOINT pgrst_item";

/// A batch on its way.
struct Batch<'a> {
    exchange: &'a Exchange<'a>,
    catalog: &'a Catalog,
    principal: &'a Principal,
    begin: Begin,
    steps: Vec<Step<'a>>,
}

/// An item of which the head is understood.
struct Step<'a> {
    item: Item<'a>,
    head: ItemHead,
    request: ApiRequest,
}

/// What a batch fails with.
enum Failure {
    Error(RestError),
    /// The answer to an item that says itself that it failed.
    Answer(HttpResponse),
}

impl<E: Into<RestError>> From<E> for Failure {
    fn from(error: E) -> Self {
        Self::Error(error.into())
    }
}

impl Exchange<'_> {
    /// Whether the request is a batch, where there are any.
    pub(super) fn is_batch(&self) -> bool {
        let settings = &self.ready.settings;
        settings.exposure.extensions.contains(Extension::Batch)
            && self.request.method() == Method::POST
            && path(self.request, &settings.prefix) == Some(PATH)
    }

    pub(super) async fn batch(
        &mut self,
        payload: web::Payload,
        principal: &Principal,
        catalog: &Catalog,
    ) -> Result<HttpResponse, RestError> {
        self.shape = Shape::Batch;
        let (settings, headers) = (&self.ready.settings, self.request.headers());
        let limit = settings.http_limits.body_bytes;
        let sent = body::read(payload, headers, limit, body::PATIENCE).await?;
        let items = batch::read(&sent, settings.batch.items)?;
        let mut results = Results::new(&items, settings.batch.result_bytes)
            .map_err(|(index, error)| of_item(index, BatchError::from(error).into()))?;
        let steps = items.into_iter().enumerate().map(|(index, item)| {
            step(item, headers, settings).map_err(|error| of_item(index, error))
        });
        let batch = Batch {
            exchange: self,
            catalog,
            principal,
            begin: Begin {
                isolation: isolation(catalog.role_isolation(principal.role())),
                read_only: false,
            },
            steps: steps.collect::<Result<_, _>>()?,
        };
        let prefer = preferences(headers, &settings.exposure);
        let rollback = settings.transaction_mode.rolls_back(prefer.transaction);
        let outcome = batch.run(&mut results, rollback).await;
        self.stopwatch.lap(Stage::Database);
        if let Some(failed) = outcome? {
            return Ok(failed);
        }
        let response = reply::reply_batch(results.finish(), prefer.transaction);
        self.stopwatch.lap(Stage::Reply);
        Ok(response)
    }
}

/// The head of an item, and the request that it makes.
fn step<'a>(
    item: Item<'a>,
    headers: &HeaderMap,
    settings: &RestSettings,
) -> Result<Step<'a>, RestError> {
    let head = ItemHead::read(&item, headers, settings.http_limits.url_bytes)?;
    if !head.has_known_method() {
        return Err(ParseError::UnsupportedMethod(head.method).into());
    }
    let lines = head.lines();
    let parts = Head {
        method: &head.method,
        path: &head.path,
        query: &head.query,
        headers: &lines,
    };
    let request = parse(&parts, &settings.exposure, &settings.limits)?;
    let what = match &request.action {
        Action::Mutate {
            relation,
            mutation: Mutation::Create,
        } if relation == NAME => Some("a batch"),
        Action::Read { .. } | Action::Mutate { .. } | Action::Call { .. } => None,
        _ => Some("a description"),
    };
    if let Some(what) = what {
        return Err(BatchError::NoPlace { what }.into());
    }
    drop(lines);
    Ok(Step {
        item,
        head,
        request,
    })
}

impl Batch<'_> {
    /// Runs all items, a second time if a statement prepared earlier was found to be gone. The
    /// response is there if an item's answer says that it failed.
    async fn run(
        &self,
        results: &mut Results,
        rollback: bool,
    ) -> Result<Option<HttpResponse>, RestError> {
        let pool = &self.exchange.state.pool;
        let writes = self.writes();
        let mut connection = pool.acquire(self.principal.role()).await?;
        let mut retried = false;
        loop {
            results.clear();
            let mut transaction = connection.begin(self.begin);
            let failure = match self.run_items(&mut transaction, results).await {
                Ok(()) => {
                    let noted = self.end(transaction, rollback).await?;
                    drop(connection);
                    if let Some(writes) = writes {
                        writes.pass(noted).await;
                    }
                    return Ok(None);
                }
                Err(failure) => failure,
            };
            // Where PostgreSQL has refused something, this has happened already.
            let _ = transaction.rollback().await;
            match failure {
                (_, Failure::Error(RestError::Flight { source, .. }))
                    if !retried && connection.may_retry(&source) =>
                {
                    retried = true;
                }
                (index, Failure::Error(error)) => return Err(of_item(index, error)),
                (index, Failure::Answer(mut response)) => {
                    response.headers_mut().insert(BATCH_ITEM, index.into());
                    return Ok(Some(response));
                }
            }
        }
    }

    async fn run_items(
        &self,
        transaction: &mut OpenTransaction<'_>,
        results: &mut Results,
    ) -> Result<(), (usize, Failure)> {
        let mut leavings = None;
        for (index, step) in self.steps.iter().enumerate() {
            let run = self.run_item(step, transaction, results, &mut leavings);
            run.await.map_err(|failure| (index, failure))?;
        }
        Ok(())
    }

    async fn run_item(
        &self,
        step: &Step<'_>,
        transaction: &mut OpenTransaction<'_>,
        results: &mut Results,
        leavings: &mut Option<Leavings>,
    ) -> Result<(), Failure> {
        let settings = &self.exchange.ready.settings;
        let work = self.work(step, results)?;
        let caller = Caller {
            settings,
            catalog: self.catalog,
            principal: self.principal,
            method: &step.head.method,
            headers: &step.head.headers,
            path: &step.head.path,
            search_path: self.exchange.ready.search_path(&step.request.schema),
            leavings: leavings.as_ref(),
        };
        let course = within(work.course(&caller));
        if course.isolation != self.begin.isolation {
            return Err(BatchError::Isolation.into());
        }
        let kind = body_kind(work.handler());
        let left = leavings.get_or_insert_default();
        left.note(
            work.transaction().timezone.as_deref(),
            work.function_settings(),
        );
        let done = work.run_within(transaction, &course).await;
        let done = done.map_err(|error| failed(error, self.principal))?;
        let response = done.reply(settings.verbosity)?;
        if response.status().is_client_error() || response.status().is_server_error() {
            return Err(Failure::Answer(response));
        }
        Ok(results.push(&step.item, response, kind)?)
    }

    /// Binds, plans and renders an item.
    fn work(&self, step: &Step<'_>, results: &Results) -> Result<Work, RestError> {
        let settings = &self.exchange.ready.settings;
        let mut request = step.request.clone();
        bind(
            &mut request,
            results.names(),
            settings.limits.query_body_bytes,
        )?;
        let payload = match step.item.body {
            Some(body) => {
                let limit = settings.http_limits.body_bytes;
                read_payload(filled(Text::read(body)?, limit, results)?, &request)?
            }
            None => read_payload(Bytes::new(), &request)?,
        };
        let role = self.principal.role();
        let plan = plan_with(&request, &payload, self.catalog, &settings.planning, role)?;
        let work = match plan {
            Plan::Read(plan) => Work::read(plan),
            Plan::Mutate(plan) => Work::write(plan),
            Plan::Call(plan) => Work::call(plan),
            _ => {
                return Err(BatchError::NoPlace {
                    what: "a description",
                }
                .into());
            }
        };
        if work.is_explained() {
            let what = "the plan of a statement";
            return Err(BatchError::NoPlace { what }.into());
        }
        Ok(work)
    }

    /// What its transaction has to pass, where replies are kept.
    fn writes(&self) -> Option<Writes<'_>> {
        self.exchange.state.cache.as_ref()?.writes_of_batch()
    }

    async fn end(
        &self,
        transaction: OpenTransaction<'_>,
        rollback: bool,
    ) -> Result<Option<Noted>, RestError> {
        let scope = Scope::new(Arc::clone(self.principal.role()), "");
        let closing = self.writes().map(Writes::closing);
        let ended = run::conclude_batch(transaction, &scope, rollback, closing).await;
        ended.map_err(|error| failed(RunError::Flight(error), self.principal))
    }
}

/// The course of an item that shares its transaction. One that may not write is undone as a whole,
/// and with it that nothing may be written.
fn within(mut course: Course) -> Course {
    if course.read_only {
        course.prelude.insert(0, Statement::plain(SAVEPOINT));
        course.epilogue = vec![Statement::plain(ROLLBACK), Statement::plain(RELEASE)];
    }
    course
}

fn body_kind(handler: &Handler) -> BodyKind {
    match handler {
        Handler::Json | Handler::JsonStripped | Handler::SingularJson { .. } | Handler::GeoJson => {
            BodyKind::Json
        }
        Handler::Csv | Handler::Custom(_) | Handler::None => BodyKind::Any,
    }
}

/// The bytes of a body.
fn filled(text: Text<'_>, limit: u64, results: &Results) -> Result<Bytes, RestError> {
    let json = match text {
        Text::Plain(text) => return Ok(Bytes::from(text)),
        Text::Json(json) => json,
    };
    let most = usize::try_from(limit).unwrap_or(usize::MAX);
    let filled = references(json, most, |name| results.names().value(name))?;
    filled.ok_or_else(|| BodyError::TooLarge { limit }.into())
}

fn preferences(headers: &HeaderMap, exposure: &Exposure) -> Preferences {
    let lines: Vec<(&str, &str)> = headers
        .iter()
        .filter_map(|(name, value)| Some((name.as_str(), value.to_str().ok()?)))
        .collect();
    Preferences::read(&lines, exposure)
}

fn of_item(index: usize, source: RestError) -> RestError {
    RestError::Item {
        index,
        source: Box::new(source),
    }
}
