//! How the owner of an account is, over TCP on this machine: `/healthz` and `/readyz` for whoever
//! watches the process, `/metrics` and the calls for those who know the token, and the page for a
//! person who does.
//!
//! No other web page gets through: a browser names the page's host and origin.

use std::{io, net::SocketAddr, path::Path, sync::Arc};

use axum::{
    Extension, Json, Router,
    extract::{Request, State},
    http::{
        HeaderValue, StatusCode,
        header::{CONTENT_TYPE, HOST, ORIGIN},
    },
    middleware::{self, Next},
    response::{IntoResponse, Response},
    routing::get,
};
use serde::Serialize;
use tokio::net::TcpListener;

use crate::{
    Caller, Service, Token,
    api::{Status, StatusView},
    failure::{Cause, Failure},
    http::{self, identify},
    identity::{Credentials, Door, Identity},
    page,
};

mod local;
mod metrics;

/// An address at which one can ask how the owner is.
#[derive(Debug)]
pub(crate) struct Health {
    listener: TcpListener,
    token: Token,
}

impl Health {
    /// Takes the address, and reads or makes the token.
    ///
    /// # Errors
    /// [`Cause::Usage`] if others than this machine could reach it, or the token file cannot be
    /// used; [`Cause::Failed`] if the address cannot be had.
    pub(crate) async fn bind(address: SocketAddr, token_file: &Path) -> Result<Self, Failure> {
        if !address.ip().is_loopback() {
            let message = format!("{address} is not on this machine alone");
            return Err(Failure::new(Cause::Usage, message).remedy(
                "use 127.0.0.1 or [::1]; for others put a server with TLS in front of it",
            ));
        }
        let token = Token::load_or_create(token_file)?;
        let listener = TcpListener::bind(address).await.map_err(|error| failed(address, &error))?;
        Ok(Self { listener, token })
    }

    /// The address, with the port that was given where none was asked for.
    pub(crate) fn address(&self) -> Result<SocketAddr, Failure> {
        let address = self.listener.local_addr();
        address.map_err(|error| Failure::new(Cause::Failed, format!("no address: {error}")))
    }

    /// What to serve, and where.
    pub(crate) fn serving(
        self,
        service: &Arc<Service>,
        credentials: Credentials,
    ) -> (TcpListener, Router) {
        (self.listener, router(service, self.token, credentials))
    }
}

fn failed(address: SocketAddr, error: &io::Error) -> Failure {
    Failure::new(Cause::Failed, format!("cannot listen on {address}: {error}"))
        .remedy("choose another port")
}

fn router(service: &Arc<Service>, token: Token, credentials: Credentials) -> Router {
    let page = page::router(service, token.clone());
    let door = Door::Tcp(token);
    let inside = Router::new()
        .route("/metrics", get(metrics))
        .layer(middleware::from_fn_with_state((credentials.clone(), door.clone()), identify))
        .with_state(Arc::clone(service))
        .merge(http::router(Arc::clone(service), credentials, door));
    Router::new()
        .route("/healthz", get(async || "ok\n"))
        .route("/readyz", get(ready))
        .with_state(Arc::clone(service))
        .merge(page)
        .merge(inside)
        .layer(middleware::from_fn(keep_local))
}

/// Lets nobody through who was sent here by a page of another host.
async fn keep_local(request: Request, next: Next) -> Response {
    let headers = request.headers();
    let mut hosts = headers.get_all(HOST).iter();
    let is_ours = match (hosts.next(), hosts.next()) {
        (Some(host), None) => host.to_str().is_ok_and(local::is_host),
        _ => false,
    };
    let is_ours = is_ours && request.uri().authority().is_none_or(|a| local::is_host(a.as_str()));
    if !is_ours {
        return (StatusCode::MISDIRECTED_REQUEST, "this is for this machine alone\n")
            .into_response();
    }
    let is_origin = |origin: &HeaderValue| origin.to_str().is_ok_and(local::is_origin);
    if !headers.get_all(ORIGIN).iter().all(is_origin) {
        return (StatusCode::FORBIDDEN, "no page of another host may ask\n").into_response();
    }
    next.run(request).await
}

/// Whether messages can be received and sent now.
#[derive(Serialize)]
struct Readiness {
    ready: bool,
    linked: bool,
    connected: bool,
    caught_up: bool,
    silent_for: Option<u64>,
    outbox_pending: u64,
    unreadable: u64,
    restriction: Option<String>,
    problem: Option<String>,
    /// What keeps the client from its work although it may be connected.
    troubles: Vec<String>,
    /// How many background tasks failed since the start.
    failed_tasks: usize,
}

impl From<StatusView> for Readiness {
    fn from(status: StatusView) -> Self {
        let linked = status.account.is_some();
        Self {
            ready: linked && status.connected && status.problem.is_none(),
            linked,
            connected: status.connected,
            caught_up: status.caught_up,
            silent_for: status.silent_for,
            outbox_pending: status.outbox_pending,
            unreadable: status.unreadable,
            restriction: status.restriction,
            problem: status.problem,
            troubles: status.health.troubles,
            failed_tasks: status.health.failed_tasks.len(),
        }
    }
}

async fn ready(State(service): State<Arc<Service>>) -> Response {
    match status(&service).await {
        Ok(status) => {
            let readiness = Readiness::from(status);
            let code = match readiness.ready {
                true => StatusCode::OK,
                false => StatusCode::SERVICE_UNAVAILABLE,
            };
            (code, Json(readiness)).into_response()
        }
        Err(error) => unavailable(&error),
    }
}

async fn metrics(
    State(service): State<Arc<Service>>,
    Extension(identity): Extension<Identity>,
) -> Response {
    // They count over all chats, whatever an assistant may read.
    if matches!(identity, Identity::Client(_)) {
        return (StatusCode::FORBIDDEN, "this is not for assistants\n").into_response();
    }
    match status(&service).await {
        Ok(status) => {
            let text = metrics::text(&status, &service.counts());
            ([(CONTENT_TYPE, metrics::CONTENT_TYPE)], text).into_response()
        }
        Err(error) => unavailable(&error),
    }
}

/// How the account stands, as it is without asking the server.
async fn status(service: &Service) -> Result<StatusView, Failure> {
    service.call(Status::default(), &Caller::assistant("health")).await
}

fn unavailable(error: &Failure) -> Response {
    (StatusCode::SERVICE_UNAVAILABLE, format!("{error}\n")).into_response()
}
