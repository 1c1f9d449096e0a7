//! The sessions of MCP clients: so many at a time, for so long, and each for whoever began it.
//!
//! Knows nothing of what is said in them.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use axum::{
    extract::{Request, State},
    http::{HeaderMap, StatusCode},
    middleware::Next,
    response::{IntoResponse, Response},
};
use rmcp::transport::streamable_http_server::session::{
    SessionManager, local::LocalSessionManager,
};
use tokio::time::Instant;
use wa_bridge::ClientName;

/// The header that names a session.
const SESSION: &str = "mcp-session-id";

/// The most sessions of one assistant at a time; the one that was used longest ago ends for one more.
const MAX_OF_CLIENT: usize = 16;

/// The most sessions in all.
const MAX_SESSIONS: usize = 64;

/// How long a session may be idle.
const IDLE: Duration = Duration::from_secs(5 * 60);

/// How long a session may take to begin.
const BEGINNING: Duration = Duration::from_secs(10);

/// All sessions of one server.
pub(super) struct Sessions {
    manager: Arc<LocalSessionManager>,
    known: Mutex<HashMap<String, Session>>,
}

/// Who began a session, and when it was used last.
struct Session {
    client: Option<ClientName>,
    used: Instant,
}

impl Sessions {
    pub(super) fn new() -> Self {
        let mut manager = LocalSessionManager::default();
        manager.session_config.keep_alive = Some(IDLE);
        manager.session_config.init_timeout = Some(BEGINNING);
        Self { manager: Arc::new(manager), known: Mutex::default() }
    }

    /// What holds the sessions themselves.
    pub(super) fn manager(&self) -> Arc<LocalSessionManager> {
        Arc::clone(&self.manager)
    }

    /// Whether somebody may speak in a session; from now on it counts as used.
    fn may_use(&self, id: &str, client: Option<&ClientName>) -> bool {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        match known.get_mut(id) {
            Some(session) if session.client.as_ref() == client => {
                session.used = Instant::now();
                true
            }
            _ => false,
        }
    }

    /// Notes a session that has begun, and ends those that are too many.
    async fn begin(&self, id: String, client: Option<ClientName>) {
        let held: Vec<String> =
            self.manager.sessions.read().await.keys().map(|id| id.to_string()).collect();
        for id in self.note(id, client, &held) {
            // One that has ended by itself is as good.
            let _ = self.manager.close_session(&id.into()).await;
        }
    }

    /// Notes a session; which of those that are held are too many then.
    fn note(&self, id: String, client: Option<ClientName>, held: &[String]) -> Vec<String> {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        known.retain(|id, _| held.contains(id));
        known.insert(id, Session { client: client.clone(), used: Instant::now() });
        let mut ended = Vec::new();
        let of_client = |session: &Session| session.client == client;
        while known.values().filter(|session| of_client(session)).count() > MAX_OF_CLIENT {
            ended.extend(take_oldest(&mut known, of_client));
        }
        while known.len() > MAX_SESSIONS {
            ended.extend(take_oldest(&mut known, |_| true));
        }
        ended
    }
}

fn take_oldest(
    known: &mut HashMap<String, Session>,
    which: impl Fn(&Session) -> bool,
) -> Option<String> {
    let oldest = known.iter().filter(|(_, session)| which(session));
    let oldest = oldest.min_by_key(|(_, session)| session.used).map(|(id, _)| id.clone())?;
    known.remove(&oldest);
    Some(oldest)
}

/// Lets a request into the session it names if that is its assistant's own, and notes the session
/// that one begins.
pub(super) async fn keep(
    State(sessions): State<Arc<Sessions>>,
    request: Request,
    next: Next,
) -> Response {
    let client = request.extensions().get::<ClientName>().cloned();
    let named = named(request.headers());
    if let Some(id) = &named
        && !sessions.may_use(id, client.as_ref())
    {
        return (StatusCode::NOT_FOUND, "there is no such session\n").into_response();
    }
    let response = next.run(request).await;
    if named.is_none()
        && let Some(id) = self::named(response.headers())
    {
        sessions.begin(id, client).await;
    }
    response
}

fn named(headers: &HeaderMap) -> Option<String> {
    headers.get(SESSION)?.to_str().ok().map(str::to_owned)
}
