//! The middleware in front of all surfaces: limits and preflights before them; request id, CORS
//! headers, metrics and access log after them.
//!
//! There is one, and its future is not boxed, because every request passes it.

use std::future::{Future, Ready, ready};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready as poll_ready};
use std::time::Instant;

use actix_web::body::{BodySize, BoxBody, EitherBody, MessageBody};
use actix_web::dev::{
    Service as ActixService, ServiceRequest, ServiceResponse, Transform, forward_ready,
};
use actix_web::http::ConnectionType;
use actix_web::http::header::{HeaderName, HeaderValue};
use actix_web::{Error, HttpResponse};
use arc_swap::ArcSwap;
use pin_project_lite::pin_project;

use crate::Verbosity;
use crate::access_log::{self, Entry, Trace};
use crate::client_address::TrustedProxies;
use crate::cors::Cors;
use crate::limits::HttpLimits;
use crate::metrics::{Metrics, Service, Shape};
use crate::raw_target::EXCESS;
use crate::request_id::{RequestId, X_REQUEST_ID};

/// What the configuration says about all surfaces of a server.
#[derive(Clone, Debug)]
pub struct FrontageSettings {
    /// Cross-origin requests.
    pub cors: Cors,
    /// Bounds on requests.
    pub limits: HttpLimits,
    /// Whose word on the client's address is taken.
    pub trusted_proxies: TrustedProxies,
    /// A header of the request that every response repeats, empty if it was absent
    /// (`server-trace-header`).
    pub trace_header: Option<HeaderName>,
    /// How much errors say.
    pub verbosity: Verbosity,
    /// Where requests are counted.
    pub metrics: Arc<Metrics>,
}

/// The middleware; see the module's description. Clones share their settings.
#[derive(Clone, Debug)]
pub struct Frontage {
    settings: Arc<ArcSwap<FrontageSettings>>,
}

impl Frontage {
    /// A middleware with these settings.
    pub fn new(settings: impl Into<Arc<FrontageSettings>>) -> Self {
        Self {
            settings: Arc::new(ArcSwap::new(settings.into())),
        }
    }

    /// The settings of a request that begins now.
    pub fn settings(&self) -> Arc<FrontageSettings> {
        self.settings.load_full()
    }

    /// Replaces the settings for requests that begin from now on. What was counted stays.
    pub fn reconfigure(&self, settings: FrontageSettings) {
        let metrics = Arc::clone(&self.settings.load().metrics);
        self.settings.store(Arc::new(FrontageSettings {
            metrics,
            ..settings
        }));
    }
}

impl<S, B> Transform<S, ServiceRequest> for Frontage
where
    S: ActixService<ServiceRequest, Response = ServiceResponse<B>, Error = Error>,
    B: MessageBody + 'static,
{
    type Response = ServiceResponse<EitherBody<B>>;
    type Error = Error;
    type Transform = FrontageService<S>;
    type InitError = ();
    type Future = Ready<Result<Self::Transform, Self::InitError>>;

    fn new_transform(&self, service: S) -> Self::Future {
        ready(Ok(FrontageService {
            service,
            settings: Arc::clone(&self.settings),
        }))
    }
}

/// The middleware in front of its service.
#[derive(Debug)]
pub struct FrontageService<S> {
    service: S,
    settings: Arc<ArcSwap<FrontageSettings>>,
}

impl<S, B> ActixService<ServiceRequest> for FrontageService<S>
where
    S: ActixService<ServiceRequest, Response = ServiceResponse<B>, Error = Error>,
    B: MessageBody + 'static,
{
    type Response = ServiceResponse<EitherBody<B>>;
    type Error = Error;
    type Future = FrontageFuture<S::Future>;

    forward_ready!(service);

    fn call(&self, request: ServiceRequest) -> Self::Future {
        let settings = self.settings.load_full();
        let since = Instant::now();
        let state = match refuse(&settings, &request) {
            Some(response) => State::Refused {
                response: Some(request.into_response(response)),
            },
            None => State::Served {
                future: self.service.call(request),
            },
        };
        FrontageFuture {
            state,
            settings,
            since,
        }
    }
}

/// The response to a request that no surface gets to see.
fn refuse(settings: &FrontageSettings, request: &ServiceRequest) -> Option<HttpResponse> {
    if let Err(error) = settings.limits.check(request.head()) {
        let mut response = error.to_response(settings.verbosity);
        // What follows a head that was cut is not read, so this connection has no next request.
        if request.headers().contains_key(EXCESS) {
            let head = response.head_mut();
            head.set_connection_type(ConnectionType::Close);
        }
        return Some(response);
    }
    settings.cors.preflight(request.head())
}

pin_project! {
    /// The future of [`FrontageService`].
    pub struct FrontageFuture<F> {
        #[pin]
        state: State<F>,
        settings: Arc<FrontageSettings>,
        since: Instant,
    }
}

pin_project! {
    #[project = StateProjection]
    enum State<F> {
        Refused { response: Option<ServiceResponse<BoxBody>> },
        Served { #[pin] future: F },
    }
}

impl<F, B> Future for FrontageFuture<F>
where
    F: Future<Output = Result<ServiceResponse<B>, Error>>,
    B: MessageBody + 'static,
{
    type Output = Result<ServiceResponse<EitherBody<B>>, Error>;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.project();
        let mut response = match this.state.project() {
            StateProjection::Served { future } => {
                poll_ready!(future.poll(context))?.map_into_left_body()
            }
            StateProjection::Refused { response } => match response.take() {
                Some(response) => response.map_into_right_body(),
                None => return Poll::Pending,
            },
        };
        finish(this.settings, *this.since, &mut response);
        Poll::Ready(Ok(response))
    }
}

/// Adds what every response has, and records the request.
fn finish<B: MessageBody + 'static>(
    settings: &FrontageSettings,
    since: Instant,
    response: &mut ServiceResponse<B>,
) {
    let trace = response.response_mut().extensions_mut().remove::<Trace>();
    let sent = response.request().headers().get(X_REQUEST_ID);
    let request_id = trace
        .as_ref()
        .and_then(|trace| trace.request_id.clone())
        .unwrap_or_else(|| RequestId::accept(sent));
    let request = response.request().clone();
    let headers = response.headers_mut();
    headers.insert(X_REQUEST_ID, request_id.header());
    if let Some(name) = &settings.trace_header {
        let sent = request.headers().get(name);
        // An id that the client did not give is the one that a failure's body names.
        if sent.is_some() || *name != X_REQUEST_ID {
            let value = sent.cloned();
            headers.insert(
                name.clone(),
                value.unwrap_or_else(|| HeaderValue::from_static("")),
            );
        }
    }
    settings.cors.decorate(request.headers(), headers);

    let took = since.elapsed();
    let status = response.status();
    let (service, shape) = trace
        .as_ref()
        .map_or((Service::None, Shape::Other), |trace| {
            (trace.service, trace.shape)
        });
    settings.metrics.observe(service, shape, status, took);
    if access_log::is_enabled(status) {
        let bytes = match response.response().body().size() {
            BodySize::None => Some(0),
            BodySize::Sized(bytes) => Some(bytes),
            BodySize::Stream => None,
        };
        let peer = request.peer_addr().map(|address| address.ip());
        let client = peer.map(|peer| settings.trusted_proxies.client(peer, request.headers()));
        let (method, path) = (request.method(), request.uri().path());
        let (request_id, trace) = (&request_id, trace.as_ref());
        access_log::write(
            &Entry {
                method,
                path,
                status,
                request_id,
                trace,
                took,
                bytes,
            },
            client,
        );
    }
}

#[cfg(test)]
mod tests {
    use actix_web::http::header::{HeaderName, ORIGIN};
    use actix_web::http::{Method, StatusCode};
    use actix_web::test::{TestRequest, call_service, init_service, read_body};
    use actix_web::{App, HttpResponse, web};

    use super::*;
    use crate::cors::CorsDialect;
    use crate::timing::Stages;

    fn settings() -> Arc<FrontageSettings> {
        Arc::new(FrontageSettings {
            cors: Cors::new(CorsDialect::Supabase, &[]),
            limits: HttpLimits {
                url_bytes: 100,
                ..HttpLimits::default()
            },
            trusted_proxies: TrustedProxies::default(),
            trace_header: Some(HeaderName::from_static("x-trace")),
            verbosity: Verbosity::Verbose,
            metrics: Arc::default(),
        })
    }

    async fn handler() -> HttpResponse {
        let mut response = HttpResponse::NotFound().body("nothing");
        response.extensions_mut().insert(Trace {
            service: Service::Rest,
            shape: Shape::Read,
            role: None,
            stages: Stages::default(),
            request_id: None,
        });
        response
    }

    async fn answer(
        settings: &Arc<FrontageSettings>,
        request: TestRequest,
    ) -> ServiceResponse<EitherBody<BoxBody>> {
        let app = App::new()
            .wrap(Frontage::new(Arc::clone(settings)))
            .default_service(web::to(handler));
        call_service(&init_service(app).await, request.to_request()).await
    }

    #[actix_web::test]
    async fn every_response_has_its_id_and_an_error_its_cors_headers() {
        let settings = settings();
        let request = TestRequest::get()
            .uri("/x")
            .insert_header((X_REQUEST_ID, "mine"))
            .insert_header(("x-trace", "1"))
            .insert_header((ORIGIN, "http://a"));
        let response = answer(&settings, request).await;
        assert_eq!(response.status(), StatusCode::NOT_FOUND);
        assert_eq!(response.headers().get(X_REQUEST_ID).unwrap(), "mine");
        assert_eq!(response.headers().get("x-trace").unwrap(), "1");
        assert_eq!(
            response
                .headers()
                .get("access-control-allow-origin")
                .unwrap(),
            "*"
        );
        assert_eq!(read_body(response).await, "nothing");
        let mut metrics = String::new();
        settings.metrics.render(&mut metrics);
        assert!(metrics.contains("{surface=\"rest\",shape=\"read\",status=\"404\"} 1"));
    }

    #[actix_web::test]
    async fn the_request_id_may_be_the_trace_header() {
        let mut settings = settings();
        Arc::get_mut(&mut settings).unwrap().trace_header = Some(X_REQUEST_ID);
        let id = async |request: TestRequest| {
            let response = answer(&settings, request.uri("/x")).await;
            let id = response.headers().get(X_REQUEST_ID).unwrap();
            id.to_str().unwrap().to_owned()
        };
        let sent = TestRequest::get().insert_header((X_REQUEST_ID, "a name"));
        assert_eq!(id(sent).await, "a name");
        assert_eq!(id(TestRequest::get()).await.len(), 16);
    }

    #[actix_web::test]
    async fn a_preflight_does_not_reach_the_surface() {
        let request = TestRequest::default()
            .method(Method::OPTIONS)
            .insert_header((ORIGIN, "http://a"))
            .insert_header(("access-control-request-method", "GET"));
        let response = answer(&settings(), request).await;
        assert_eq!(response.status(), StatusCode::OK);
        assert!(response.headers().contains_key(X_REQUEST_ID));
        assert_eq!(read_body(response).await, "");
    }

    #[actix_web::test]
    async fn a_url_that_is_too_long_is_refused_in_json() {
        let request = TestRequest::get().uri(&format!("/{}", "x".repeat(200)));
        let response = answer(&settings(), request).await;
        assert_eq!(response.status(), StatusCode::URI_TOO_LONG);
        let body = read_body(response).await;
        assert!(body.starts_with(b"{\"code\":\"PSR414\""), "{body:?}");
    }
}
