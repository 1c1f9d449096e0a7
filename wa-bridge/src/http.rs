//! The calls over HTTP: `POST /v1/<call>` with the request as JSON, `GET /v1/events` as a stream
//! of one object a line.
//!
//! A token says who asks, and nothing else does; the other headers say what they forbid themselves.
//! Knows nothing of how connections are taken.

use std::{convert::Infallible, sync::Arc, time::Duration};

use axum::{
    Extension, Json, Router,
    body::{Body, Bytes},
    extract::{DefaultBodyLimit, Path, Query, Request, State},
    http::{
        HeaderMap, HeaderValue, StatusCode,
        header::{CONTENT_TYPE, WWW_AUTHENTICATE},
    },
    middleware::{self, Next},
    response::{IntoResponse, Response},
    routing::{get, post},
};
use futures_util::stream;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::{
    Caller, EventSource, Service,
    api::API_VERSION,
    failure::{Cause, Failure},
    identity::{Credentials, Door, Identity, unknown_token},
    openapi,
    policy::Tightening,
};

/// The largest request, in bytes. Files are named, not sent along.
const MAX_BODY: usize = 1 << 20;

/// How long a call may take at most, whatever the caller says.
const MAX_TIME: Duration = Duration::from_secs(24 * 60 * 60);

/// The most streams of events at a time through one door.
const MAX_STREAMS: usize = 64;

/// The headers of a call.
pub(crate) mod headers {
    /// The version of the calls that the caller speaks.
    pub(crate) const VERSION: &str = "wa-version";
    /// `person` or `assistant`: what a program asks as. It makes nobody a person.
    pub(crate) const FRONTEND: &str = "wa-frontend";
    /// The caller's name, for the audit; percent-encoding is not undone.
    pub(crate) const NAME: &str = "wa-caller";
    /// How long the call may take, in milliseconds.
    pub(crate) const TIME: &str = "wa-time-limit";
    /// What the caller forbids itself, as JSON.
    pub(crate) const TIGHTEN: &str = "wa-tighten";
}

/// The answer of a call that was done.
#[derive(Serialize, Deserialize)]
pub(crate) struct Done<T> {
    pub(crate) data: T,
}

/// The answer of a call that was not.
#[derive(Serialize, Deserialize)]
pub(crate) struct NotDone {
    pub(crate) error: Failure,
}

/// What the calls of one door need.
#[derive(Clone)]
struct Calls {
    service: Arc<Service>,
    door: Door,
    streams: Arc<Semaphore>,
}

/// The routes of all calls, for those who come in by this door.
pub(crate) fn router(service: Arc<Service>, credentials: Credentials, door: Door) -> Router {
    let streams = Arc::new(Semaphore::new(MAX_STREAMS));
    let calls = Calls { service, door: door.clone(), streams };
    Router::new()
        .route("/v1", get(hello))
        .route("/v1/openapi.json", get(async || Json(openapi::document())))
        .route("/v1/events", get(events))
        .route("/v1/{noun}/{verb}", post(call))
        .layer(DefaultBodyLimit::max(MAX_BODY))
        .layer(middleware::from_fn_with_state((credentials, door), identify))
        .with_state(calls)
}

/// Finds out who asks, and lets nobody on whose token is not known.
pub(crate) async fn identify(
    State((credentials, door)): State<(Credentials, Door)>,
    mut request: Request,
    next: Next,
) -> Response {
    match credentials.identify(request.headers(), &door) {
        Some(identity) => {
            request.extensions_mut().insert(identity);
            next.run(request).await
        }
        None => {
            let challenge = [(WWW_AUTHENTICATE, "Bearer realm=\"wa\"")];
            let not_done = Json(NotDone { error: unknown_token() });
            (StatusCode::UNAUTHORIZED, challenge, not_done).into_response()
        }
    }
}

async fn hello(State(Calls { service, .. }): State<Calls>) -> Json<Value> {
    let profile = service.profile().name().to_string();
    let version = env!("CARGO_PKG_VERSION");
    let (api, pid) = (API_VERSION, std::process::id());
    Json(json!({ "data": { "api": api, "version": version, "profile": profile, "pid": pid } }))
}

async fn call(
    State(Calls { service, door, .. }): State<Calls>,
    Extension(identity): Extension<Identity>,
    Path((noun, verb)): Path<(String, String)>,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let answer = async {
        let caller = caller(identity, &headers, &door)?;
        let body = match body.is_empty() {
            true => json!({}),
            false => serde_json::from_slice(&body).map_err(|error| {
                Failure::new(Cause::Usage, format!("the request is no JSON: {error}"))
                    .remedy("send an object")
            })?,
        };
        service.call_by_path(&format!("{noun}/{verb}"), body, &caller).await
    };
    let answer = tokio::select! {
        answer = answer => answer,
        () = service.calls_ended() => return StatusCode::GONE.into_response(),
    };
    match answer {
        Ok(data) => Json(Done { data }).into_response(),
        Err(error) => refusal(error),
    }
}

#[derive(Deserialize)]
struct After {
    after: Option<u64>,
}

/// Every event from now on, or after a message, as one object a line. An empty line says that
/// nothing happened.
async fn events(
    State(Calls { service, door, streams }): State<Calls>,
    Extension(identity): Extension<Identity>,
    Query(After { after }): Query<After>,
    headers: HeaderMap,
) -> Response {
    let Ok(place) = streams.try_acquire_owned() else {
        return (StatusCode::SERVICE_UNAVAILABLE, Json(NotDone { error: too_many_streams() }))
            .into_response();
    };
    let source = async {
        let caller = caller(identity, &headers, &door)?;
        service.events(&caller, after).await
    };
    let source = match source.await {
        Ok(source) => source,
        Err(error) => return refusal(error),
    };
    let source: (EventSource, OwnedSemaphorePermit) = (source, place);
    let beginning = stream::once(async { Ok::<_, Infallible>(Bytes::from_static(b"\n")) });
    let lines = stream::unfold(source, async |(mut source, place)| {
        let line = match tokio::time::timeout(HEARTBEAT, source.next()).await {
            Err(_) => b"\n".to_vec(),
            Ok(Ok(Some(event))) => {
                let mut line = serde_json::to_vec(&event).ok()?;
                line.push(b'\n');
                line
            }
            Ok(_) => return None,
        };
        Some((Ok(Bytes::from(line)), (source, place)))
    });
    let body = Body::from_stream(futures_util::StreamExt::chain(beginning, lines));
    let ndjson = HeaderValue::from_static("application/x-ndjson");
    ([(CONTENT_TYPE, ndjson)], body).into_response()
}

/// After how long without an event an empty line is sent.
const HEARTBEAT: Duration = Duration::from_secs(15);

fn too_many_streams() -> Failure {
    let message = format!("{MAX_STREAMS} programs listen to the account's events already");
    Failure::new(Cause::Failed, message).remedy("stop one of them")
}

/// Who asks, and what they forbid themselves.
fn caller(identity: Identity, headers: &HeaderMap, door: &Door) -> Result<Caller, Failure> {
    if let Some(version) = text(headers, headers::VERSION)?
        && version != API_VERSION.to_string()
    {
        let message = format!(
            "the caller speaks version {version:.20} of the calls, and this process {API_VERSION}"
        );
        return Err(Failure::new(Cause::Version, message)
            .remedy("stop the older program, or install the same version of both"));
    }
    let name = text(headers, headers::NAME)?.unwrap_or("unnamed");
    let mut caller = identity.caller(text(headers, headers::FRONTEND)?, name, door)?;
    if let Some(millis) = text(headers, headers::TIME)? {
        let millis = millis.parse().map_err(|_| unusable(headers::TIME))?;
        caller.time_limit = Duration::from_millis(millis).min(MAX_TIME);
    }
    if let Some(tightening) = text(headers, headers::TIGHTEN)? {
        // What is not understood might have forbidden something.
        caller.tightening = serde_json::from_str::<Tightening>(tightening).map_err(|error| {
            Failure::new(Cause::Usage, format!("{}: {error}", headers::TIGHTEN))
        })?;
    }
    Ok(caller)
}

/// The one value of a header, if it is there. What cannot be read might have forbidden something.
fn text<'a>(headers: &'a HeaderMap, name: &'static str) -> Result<Option<&'a str>, Failure> {
    let mut values = headers.get_all(name).iter();
    match (values.next().map(HeaderValue::to_str), values.next()) {
        (None, _) => Ok(None),
        (Some(Ok(text)), None) => Ok(Some(text)),
        _ => Err(unusable(name)),
    }
}

fn unusable(name: &str) -> Failure {
    Failure::new(Cause::Usage, format!("the header {name} cannot be read"))
        .remedy("give it once, in printable ASCII")
}

fn refusal(error: Failure) -> Response {
    (status(error.cause), Json(NotDone { error })).into_response()
}

/// The HTTP status of a failure; the body says the same more exactly.
const fn status(cause: Cause) -> StatusCode {
    match cause {
        Cause::Usage | Cause::Version => StatusCode::BAD_REQUEST,
        Cause::NotFound => StatusCode::NOT_FOUND,
        Cause::Ambiguous | Cause::NotLinked => StatusCode::CONFLICT,
        Cause::Forbidden => StatusCode::FORBIDDEN,
        Cause::Paced => StatusCode::TOO_MANY_REQUESTS,
        Cause::ConfirmationRequired => StatusCode::PRECONDITION_REQUIRED,
        Cause::Offline | Cause::Queued => StatusCode::SERVICE_UNAVAILABLE,
        Cause::TimedOut => StatusCode::GATEWAY_TIMEOUT,
        Cause::Locked => StatusCode::LOCKED,
        Cause::Failed | Cause::Cancelled | Cause::Interrupted => StatusCode::INTERNAL_SERVER_ERROR,
    }
}
