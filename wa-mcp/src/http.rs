//! The server over Streamable HTTP: on loopback, with a token, and for no web page.

use std::{io, net::SocketAddr, path::PathBuf, sync::Arc};

use axum::{
    Router,
    extract::{Request, State},
    http::{StatusCode, header},
    middleware::{self, Next},
    response::{IntoResponse, Response},
};
use rmcp::transport::streamable_http_server::{
    StreamableHttpServerConfig, StreamableHttpService, session::local::LocalSessionManager,
};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;
use wa_bridge::{Cause, Failure, Profile, Token};

use crate::server::Server;

/// Where the server is under its address.
pub(crate) const PATH: &str = "/mcp";

/// Serves until it is told to stop; tells the address first.
pub(crate) async fn serve(
    server: Server,
    address: SocketAddr,
    token: Token,
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
    let listener = TcpListener::bind(address).await.map_err(failed)?;
    ready(listener.local_addr().map_err(failed)?);

    let mut config = StreamableHttpServerConfig::default();
    config.cancellation_token = stop.child_token();
    // A page that this machine itself serves may ask; the token is needed all the same.
    config.allowed_origins = LOOPBACK_ORIGINS.map(str::to_owned).into();
    let config = config.enforce_origin_validation();
    let service = StreamableHttpService::new(
        move || Ok(server.for_session()),
        Arc::new(LocalSessionManager::default()),
        config,
    );
    let router = Router::new()
        .route_service(PATH, service)
        .layer(middleware::from_fn_with_state(token, authorize));
    let stopped = async move { stop.cancelled().await };
    axum::serve(listener, router).with_graceful_shutdown(stopped).await.map_err(failed)
}

/// The origins of pages that come from this machine.
const LOOPBACK_ORIGINS: [&str; 3] = ["http://localhost:*", "http://127.0.0.1:*", "http://[::1]:*"];

/// Lets nobody through who does not know the token.
async fn authorize(State(token): State<Token>, request: Request, next: Next) -> Response {
    if token.is_shown(request.headers()) {
        return next.run(request).await;
    }
    let challenge = [(header::WWW_AUTHENTICATE, "Bearer realm=\"wa-mcp\"")];
    (StatusCode::UNAUTHORIZED, challenge, "a bearer token is needed\n").into_response()
}

/// Where the token of a profile is kept unless another file is named.
pub(crate) fn token_file(profile: &Profile) -> PathBuf {
    Token::place(profile, "mcp")
}
