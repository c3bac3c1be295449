//! Requests: the upgrade to a socket, broadcasts by POST, health.

use std::collections::HashMap;
use std::rc::Rc;
use std::sync::Arc;

use actix_web::http::StatusCode;
use actix_web::http::header::{AUTHORIZATION, CONTENT_TYPE, HeaderName, HeaderValue};
use actix_web::{HttpRequest, HttpResponse, web};
use passerelle_identity::{Principal, bearer_token};
use passerelle_pg::chain;
use passerelle_store::Verdict;
use passerelle_surface::{
    ErrorBody, RateGate, RouteClass, Service, SessionRefusal, Shape, Stages, Trace, body,
};
use percent_encoding::percent_decode_str;
use serde::Deserialize;
use serde_json::json;
use serde_json::value::RawValue;

use crate::frame::Version;
use crate::outlet::outlet;
use crate::socket::Socket;
use crate::state::Shared;
use crate::topic::{Broadcast, Name, Said};

const APIKEY: HeaderName = HeaderName::from_static("apikey");
/// Messages of one request at most.
const MESSAGES: usize = 100;

/// Why a request is refused.
struct Refusal {
    status: StatusCode,
    message: String,
    /// Where there were too many requests.
    limited: Option<Box<ErrorBody>>,
}

impl Refusal {
    fn new(status: StatusCode, message: impl Into<String>) -> Self {
        Self {
            status,
            message: message.into(),
            limited: None,
        }
    }

    fn response(&self) -> HttpResponse {
        let message = &self.message;
        let body = json!({ "error": message, "message": message });
        let mut response = HttpResponse::build(self.status).json(body);
        for (name, value) in self.limited.iter().flat_map(|limited| &limited.headers) {
            response.headers_mut().insert(name.clone(), value.clone());
        }
        response
    }
}

/// Answers a request.
pub(crate) async fn handle(
    request: HttpRequest,
    payload: web::Payload,
    shared: Arc<Shared>,
    gate: Rc<RateGate>,
) -> HttpResponse {
    let settings = shared.settings();
    let path = request.uri().path().to_owned();
    let path = path.strip_prefix(settings.prefix.as_str()).unwrap_or(&path);
    let method = request.method().as_str();
    let parts: Vec<&str> = path.trim_matches('/').split('/').collect();
    let class = if method == "POST" {
        RouteClass::Write
    } else {
        RouteClass::Read
    };
    let admitted = admit(&request, &shared, &gate, class).await;
    let answer = match (method, parts.as_slice()) {
        _ if admitted.is_err() => admitted.map(|()| HttpResponse::Ok().finish()),
        ("GET", ["websocket"]) => upgrade(&request, payload, &shared),
        ("GET" | "HEAD", ["api", "health"]) => Ok(health(&shared)),
        ("POST", ["api", "broadcast"]) => broadcast_all(&request, payload, &shared).await,
        ("POST", ["api", "broadcast", topic, "events", event]) => {
            broadcast_one(&request, payload, &shared, topic, event).await
        }
        (_, ["websocket"] | ["api", "health"] | ["api", "broadcast", ..]) => Err(Refusal::new(
            StatusCode::METHOD_NOT_ALLOWED,
            "The endpoint has other methods",
        )),
        _ => Err(Refusal::new(
            StatusCode::NOT_FOUND,
            "No endpoint of /realtime/v1 has this path",
        )),
    };
    let mut response = answer.unwrap_or_else(|refusal| refusal.response());
    let shape = if method == "GET" {
        Shape::Read
    } else {
        Shape::Write
    };
    response.extensions_mut().insert(Trace {
        service: Service::Realtime,
        shape,
        role: None,
        stages: Stages::default(),
        request_id: None,
    });
    response
}

/// Counts the request.
async fn admit(
    request: &HttpRequest,
    shared: &Shared,
    gate: &RateGate,
    class: RouteClass,
) -> Result<(), Refusal> {
    let settings = shared.settings();
    let Some(limits) = &settings.rate_limits else {
        return Ok(());
    };
    let principal = caller(request, shared).ok();
    let credential = request.headers().get(AUTHORIZATION);
    let credential = credential.and_then(|value| bearer_token(value.as_bytes()));
    let Some(caller) = limits.caller(request, principal.as_ref(), credential) else {
        return Ok(());
    };
    let quota = gate.admit(limits, class, &caller).await;
    if quota.verdict() != Verdict::Limited {
        return Ok(());
    }
    let limited = quota.error();
    Err(Refusal {
        status: StatusCode::TOO_MANY_REQUESTS,
        message: "Too many requests".to_owned(),
        limited: Some(Box::new(limited)),
    })
}

fn parameter(request: &HttpRequest, name: &str) -> Option<String> {
    let query = web::Query::<Vec<(String, String)>>::from_query(request.query_string());
    let pairs = query.ok()?.into_inner();
    pairs
        .into_iter()
        .find(|(key, _)| key == name)
        .map(|(_, value)| value)
}

/// Who asks, by a key in the address or in headers. Nobody in particular is not enough.
fn caller(request: &HttpRequest, shared: &Shared) -> Result<Principal, Refusal> {
    let settings = shared.settings();
    let header = |name| request.headers().get(name).map(HeaderValue::as_bytes);
    let key = parameter(request, "apikey");
    let key = key.as_deref().map(str::as_bytes).or_else(|| header(APIKEY));
    let authorization = header(AUTHORIZATION);
    if key.is_none_or(<[u8]>::is_empty) && authorization.is_none() {
        return Err(Refusal::new(
            StatusCode::UNAUTHORIZED,
            "Missing API key: give it as the parameter or header apikey",
        ));
    }
    settings
        .verifier
        .authenticate(key, authorization, (shared.clock)())
        .map_err(|error| {
            Refusal::new(
                StatusCode::UNAUTHORIZED,
                format!("Invalid API key: {error}"),
            )
        })
}

/// Who asks, and is signed in still.
async fn live_caller(request: &HttpRequest, shared: &Shared) -> Result<Principal, Refusal> {
    let principal = caller(request, shared)?;
    if let (Some(ended), Some(session)) = (&shared.ended, principal.session()) {
        let checked = ended.check(session).await;
        checked.map_err(|error| {
            let status = match error {
                SessionRefusal::Ended => StatusCode::UNAUTHORIZED,
                SessionRefusal::Unknown => StatusCode::SERVICE_UNAVAILABLE,
            };
            Refusal::new(status, error.to_string())
        })?;
    }
    Ok(principal)
}

fn upgrade(
    request: &HttpRequest,
    payload: web::Payload,
    shared: &Arc<Shared>,
) -> Result<HttpResponse, Refusal> {
    let principal = caller(request, shared)?;
    let version = Version::of(parameter(request, "vsn").as_deref()).ok_or_else(|| {
        Refusal::new(
            StatusCode::BAD_REQUEST,
            "The version of the protocol (vsn) is 1.0.0 or 2.0.0",
        )
    })?;
    let settings = shared.settings();
    let (response, session, stream) = actix_ws::handle(request, payload)
        .map_err(|_| Refusal::new(StatusCode::UPGRADE_REQUIRED, "This endpoint is a websocket"))?;
    let stream = stream
        .max_frame_size(settings.payload_bytes)
        .aggregate_continuations()
        .max_continuation_size(settings.payload_bytes);
    let (outlet, inlet) = outlet(version, settings.queue_messages, settings.queue_bytes);
    let socket = Socket::new(Arc::clone(shared), settings, outlet, principal);
    actix_web::rt::spawn(socket.run(session, stream, inlet));
    Ok(response)
}

fn health(shared: &Shared) -> HttpResponse {
    let feed = shared.feed_state();
    HttpResponse::Ok().json(json!({
        "status": "ok", "postgres_changes": if feed.is_following { "following" } else { "idle" },
    }))
}

/// A message of `POST /api/broadcast`.
#[derive(Deserialize)]
struct Message {
    topic: String,
    event: String,
    payload: Box<RawValue>,
    #[serde(default)]
    private: bool,
}

#[derive(Deserialize)]
struct Messages {
    messages: Vec<Message>,
}

async fn read(
    request: &HttpRequest,
    payload: web::Payload,
    shared: &Shared,
) -> Result<bytes::Bytes, Refusal> {
    let settings = shared.settings();
    let limit = settings.http_limits.body_bytes;
    let read = body::read(payload, request.headers(), limit, body::PATIENCE).await;
    read.map_err(|error| Refusal::new(StatusCode::PAYLOAD_TOO_LARGE, error.to_string()))
}

async fn broadcast_all(
    request: &HttpRequest,
    payload: web::Payload,
    shared: &Shared,
) -> Result<HttpResponse, Refusal> {
    let principal = live_caller(request, shared).await?;
    let body = read(request, payload, shared).await?;
    let messages: Messages = serde_json::from_slice(&body).map_err(|error| {
        Refusal::new(
            StatusCode::UNPROCESSABLE_ENTITY,
            format!("The body is not {{\"messages\": […]}}: {error}"),
        )
    })?;
    if messages.messages.len() > MESSAGES {
        return Err(Refusal::new(
            StatusCode::UNPROCESSABLE_ENTITY,
            format!("There are more than {MESSAGES} messages"),
        ));
    }
    let messages = messages.messages.into_iter().map(|message| {
        let name = Name {
            name: message.topic.as_str().into(),
            is_private: message.private,
        };
        let broadcast = Broadcast {
            event: message.event,
            said: Said::Json(message.payload.get().to_owned()),
            meta: String::new(),
        };
        (name, broadcast)
    });
    let messages: Vec<(Name, Broadcast)> = messages.collect();
    // Either it is refused as a whole, or nothing but a right is missing.
    let mut may: HashMap<&Name, bool> = HashMap::new();
    for (name, broadcast) in &messages {
        check(shared, name, broadcast)?;
        if !may.contains_key(name) {
            may.insert(name, may_say(shared, &principal, name).await?);
        }
    }
    for (name, broadcast) in &messages {
        // What one may not say is passed over, so that the others are said.
        if may.get(name) == Some(&true) {
            say(shared, name, broadcast);
        }
    }
    Ok(HttpResponse::Accepted().finish())
}

async fn broadcast_one(
    request: &HttpRequest,
    payload: web::Payload,
    shared: &Shared,
    topic: &str,
    event: &str,
) -> Result<HttpResponse, Refusal> {
    let principal = live_caller(request, shared).await?;
    let decoded = |text: &str| percent_decode_str(text).decode_utf8_lossy().into_owned();
    let kind = request.headers().get(CONTENT_TYPE);
    let kind = kind.and_then(|kind| kind.to_str().ok()).unwrap_or_default();
    let kind = kind.split(';').next().unwrap_or_default().trim().to_owned();
    let body = read(request, payload, shared).await?;
    let said = match kind.as_str() {
        "application/json" => {
            let json: &RawValue = serde_json::from_slice(&body).map_err(|error| {
                Refusal::new(
                    StatusCode::UNPROCESSABLE_ENTITY,
                    format!("The body is no JSON: {error}"),
                )
            })?;
            Said::Json(json.get().to_owned())
        }
        "application/octet-stream" => Said::Raw(body),
        _ => {
            return Err(Refusal::new(
                StatusCode::UNSUPPORTED_MEDIA_TYPE,
                "The body is application/json or application/octet-stream",
            ));
        }
    };
    let name = Name {
        name: decoded(topic).into(),
        is_private: parameter(request, "private").as_deref() == Some("true"),
    };
    let broadcast = Broadcast {
        event: decoded(event),
        said,
        meta: String::new(),
    };
    check(shared, &name, &broadcast)?;
    if !may_say(shared, &principal, &name).await? {
        return Err(Refusal::new(
            StatusCode::FORBIDDEN,
            format!(
                "Unauthorized: You do not have permissions to write to this Channel topic: {}",
                name.name
            ),
        ));
    }
    say(shared, &name, &broadcast);
    Ok(HttpResponse::Accepted().finish())
}

/// Whether a message is one.
fn check(shared: &Shared, name: &Name, broadcast: &Broadcast) -> Result<(), Refusal> {
    let length = match &broadcast.said {
        Said::Json(json) => json.len(),
        Said::Raw(bytes) => bytes.len(),
    };
    let longest = shared.settings().payload_bytes;
    if length > longest {
        return Err(Refusal::new(
            StatusCode::PAYLOAD_TOO_LARGE,
            format!("A message has at most {longest} bytes"),
        ));
    }
    if name.name.is_empty() || name.name.len() > 255 || broadcast.event.len() > 255 {
        return Err(Refusal::new(
            StatusCode::UNPROCESSABLE_ENTITY,
            "The name of a topic has 1 to 255 bytes, that of an event at most 255",
        ));
    }
    Ok(())
}

async fn may_say(shared: &Shared, principal: &Principal, name: &Name) -> Result<bool, Refusal> {
    let rights = shared.rights(principal, name).await.map_err(|error| {
        let error = chain(&error);
        tracing::warn!(error, "it cannot be told who may write to a channel");
        Refusal::new(
            StatusCode::SERVICE_UNAVAILABLE,
            "It cannot be told whether you may write to this Channel",
        )
    })?;
    Ok(rights.writes)
}

fn say(shared: &Shared, name: &Name, broadcast: &Broadcast) {
    if let Some(topic) = shared.topics.find(name) {
        let told = topic.broadcast(broadcast, None);
        shared.metrics.delivered(told);
    }
    shared.relay.say(name, broadcast);
}
