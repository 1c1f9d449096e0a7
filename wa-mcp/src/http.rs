//! The server over Streamable HTTP: on loopback, with a token, and for no web page.
//!
//! Whoever shows the token of an assistant that was let in asks as that assistant; whoever shows the
//! server's own token asks as the server. How many sessions there are is the business of `sessions`.

use std::{io, net::SocketAddr, path::PathBuf, sync::Arc, time::Duration};

use axum::{
    Router,
    extract::{Request, State},
    http::{StatusCode, header},
    middleware::{self, Next},
    response::{IntoResponse, Response},
};
use rmcp::transport::streamable_http_server::{StreamableHttpServerConfig, StreamableHttpService};
use tokio::{net::TcpListener, sync::watch, time::sleep};
use tokio_util::sync::CancellationToken;
use wa_bridge::{Cause, Clients, Failure, Limits, Profile, Shown, Token, raise_descriptors};

use crate::server::Server;

mod sessions;
#[cfg(test)]
mod tests;

use sessions::Sessions;

/// Where the server is under its address.
pub(crate) const PATH: &str = "/mcp";

/// How long what is under way may take when the server ends.
const GOODBYE: Duration = Duration::from_secs(3);

/// What opens the server.
#[derive(Clone)]
pub(crate) struct Keys {
    own: Token,
    clients: Clients,
}

impl Keys {
    /// The server's own token, and those of the assistants that were let in.
    pub(crate) fn new(own: Token, clients: Clients) -> Self {
        Self { own, clients }
    }
}

/// Serves until it is told to stop; tells the address first.
pub(crate) async fn serve(
    server: Server,
    address: SocketAddr,
    keys: Keys,
    limits: Limits,
    stop: CancellationToken,
    ready: impl FnOnce(SocketAddr),
) -> Result<(), Failure> {
    if !address.ip().is_loopback() {
        return Err(Failure::new(Cause::Usage, format!("{address} is not on this machine alone"))
            .remedy("use 127.0.0.1 or [::1]; for others put a server with TLS in front of it"));
    }
    let failed = |error: io::Error| {
        Failure::new(Cause::Failed, format!("cannot listen on {address}: {error}"))
            .remedy("choose another port")
    };
    raise_descriptors();
    let listener = TcpListener::bind(address).await.map_err(failed)?;
    ready(listener.local_addr().map_err(failed)?);

    let router = router(server, keys, &Arc::new(Sessions::new()), &stop);
    let (ending, ended) = watch::channel(false);
    let stopping = async {
        stop.cancelled().await;
        ending.send_replace(true);
        sleep(GOODBYE).await;
    };
    tokio::select! {
        () = wa_bridge::serve(listener, router, limits, ended) => {}
        () = stopping => {}
    }
    Ok(())
}

fn router(
    server: Server,
    keys: Keys,
    sessions: &Arc<Sessions>,
    stop: &CancellationToken,
) -> Router {
    let mut config = StreamableHttpServerConfig::default();
    config.cancellation_token = stop.child_token();
    // A page that this machine itself serves may ask; the token is needed all the same.
    config.allowed_origins = LOOPBACK_ORIGINS.map(str::to_owned).into();
    let config = config.enforce_origin_validation();
    let service =
        StreamableHttpService::new(move || Ok(server.for_session()), Arc::clone(sessions), config);
    Router::new()
        .route_service(PATH, service)
        .layer(middleware::from_fn_with_state(Arc::clone(sessions), sessions::keep))
        .layer(middleware::from_fn_with_state(keys, authorize))
}

/// The origins of pages that come from this machine.
const LOOPBACK_ORIGINS: [&str; 3] = ["http://localhost:*", "http://127.0.0.1:*", "http://[::1]:*"];

/// Lets nobody through who shows no token that is known, and notes whose it is.
async fn authorize(State(keys): State<Keys>, mut request: Request, next: Next) -> Response {
    let Shown::Token(shown) = Shown::of(request.headers()) else { return unauthorized() };
    if !keys.own.is(shown) {
        let Some(client) = keys.clients.identify(shown) else { return unauthorized() };
        request.extensions_mut().insert(client);
    }
    next.run(request).await
}

fn unauthorized() -> Response {
    let challenge = [(header::WWW_AUTHENTICATE, "Bearer realm=\"wa-mcp\"")];
    (StatusCode::UNAUTHORIZED, challenge, "a bearer token is needed\n").into_response()
}

/// Where the token of a profile is kept unless another file is named.
pub(crate) fn token_file(profile: &Profile) -> PathBuf {
    Token::place(profile, "mcp")
}
