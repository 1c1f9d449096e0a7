//! The server over Streamable HTTP: on loopback, with a token, and for no web page.

use std::{
    fs::{self, OpenOptions},
    io::{self, Write},
    net::SocketAddr,
    path::{Path, PathBuf},
    sync::Arc,
};

use axum::{
    Router,
    extract::{Request, State},
    http::{StatusCode, header},
    middleware::{self, Next},
    response::{IntoResponse, Response},
};
use rand::Rng;
use rmcp::transport::streamable_http_server::{
    StreamableHttpServerConfig, StreamableHttpService, session::local::LocalSessionManager,
};
use subtle::ConstantTimeEq;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;
use wa_bridge::{Cause, Failure};

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
    let given = request.headers().get(header::AUTHORIZATION);
    let given = given.and_then(|value| value.to_str().ok());
    let given = given.and_then(|value| value.strip_prefix("Bearer "));
    if given.is_some_and(|given| token.is(given.trim())) {
        return next.run(request).await;
    }
    let challenge = [(header::WWW_AUTHENTICATE, "Bearer realm=\"wa-mcp\"")];
    (StatusCode::UNAUTHORIZED, challenge, "a bearer token is needed\n").into_response()
}

/// What a client has to know.
#[derive(Clone)]
pub(crate) struct Token(Arc<str>);

impl Token {
    /// Reads the token of a file, or makes one there (0600).
    ///
    /// # Errors
    /// [`Failure`] if the file cannot be read or made, or can be read by others.
    pub(crate) fn load_or_create(path: &Path) -> Result<Self, Failure> {
        match fs::read_to_string(path) {
            Ok(text) => {
                check_private(path)?;
                let text = text.trim();
                if text.len() < MIN_TOKEN {
                    let message = format!("the token in {} is too short", path.display());
                    return Err(Failure::new(Cause::Usage, message).remedy(format!(
                        "use {MIN_TOKEN} characters or more, or remove the file"
                    )));
                }
                Ok(Self(text.into()))
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => create(path),
            Err(error) => Err(unusable(path, &error)),
        }
    }

    fn is(&self, given: &str) -> bool {
        self.0.as_bytes().ct_eq(given.as_bytes()).into()
    }
}

/// The fewest characters of a token.
const MIN_TOKEN: usize = 16;

fn create(path: &Path) -> Result<Token, Failure> {
    let mut bytes = [0; 32];
    rand::rng().fill_bytes(&mut bytes);
    let token = hex::encode(bytes);
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder).map_err(|error| unusable(path, &error))?;
    }
    let written = options.open(path).and_then(|mut file| writeln!(file, "{token}"));
    written.map_err(|error| unusable(path, &error))?;
    Ok(Token(token.into()))
}

#[cfg(unix)]
fn check_private(path: &Path) -> Result<(), Failure> {
    use std::os::unix::fs::PermissionsExt;
    let mode = fs::metadata(path).map_err(|error| unusable(path, &error))?.permissions().mode();
    if mode & 0o077 == 0 {
        return Ok(());
    }
    Err(Failure::new(
        Cause::Usage,
        format!("the token file {} can be read by others", path.display()),
    )
    .remedy(format!("run: chmod 600 {}", path.display())))
}

#[cfg(not(unix))]
fn check_private(_path: &Path) -> Result<(), Failure> {
    Ok(())
}

fn unusable(path: &Path, error: &io::Error) -> Failure {
    Failure::new(Cause::Usage, format!("cannot use the token file {}: {error}", path.display()))
        .remedy("name another with --token-file")
}

/// Where the token of a profile is kept unless another file is named.
pub(crate) fn token_file(profile: &wa_bridge::Profile) -> PathBuf {
    profile.config().join(format!("{}.mcp-token", profile.name()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_made_once_and_is_its_owners_alone() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a/token");
        let made = Token::load_or_create(&path).unwrap();
        let found = Token::load_or_create(&path).unwrap();
        assert!(found.is(&made.0) && !found.is("") && !found.is(&made.0[1..]));
        fs::write(&path, "short").unwrap();
        assert!(Token::load_or_create(&path).is_err());
    }
}
