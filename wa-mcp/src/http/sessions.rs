//! The sessions of MCP clients: so many at a time, for so long, and each for whoever began it.
//!
//! Knows nothing of what is said in them.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use axum::{
    extract::{Request, State},
    http::{HeaderMap, StatusCode},
    middleware::Next,
    response::{IntoResponse, Response},
};
use futures_util::Stream;
use rmcp::{
    model::{ClientJsonRpcMessage, ServerJsonRpcMessage},
    transport::streamable_http_server::session::{
        ServerSseMessage, SessionId, SessionManager,
        local::{LocalSessionManager, LocalSessionManagerError},
    },
};
use tokio::time::Instant;
use wa_bridge::ClientName;

/// The header that names a session.
const SESSION: &str = "mcp-session-id";

/// The most sessions of one assistant at a time; the one that was used longest ago ends for one more.
const MAX_OF_OWNER: usize = 16;

/// The most sessions in all.
const MAX_SESSIONS: usize = 64;

/// How long a session may be idle.
const IDLE: Duration = Duration::from_secs(5 * 60);

/// How long a session may take to begin.
const BEGINNING: Duration = Duration::from_secs(10);

/// All sessions of one server.
pub(super) struct Sessions {
    held: LocalSessionManager,
    known: Mutex<HashMap<SessionId, Session>>,
}

/// Whose a session is, and when it was used last.
struct Session {
    owner: Owner,
    used: Instant,
}

/// Whose a session is.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Owner {
    /// Nobody's yet: it has not been answered that it began. Whoever asked may be gone already.
    Nobody,
    /// That of whoever showed the server's own token.
    Server,
    /// That of an assistant.
    Client(ClientName),
}

impl Owner {
    fn of(client: Option<&ClientName>) -> Self {
        client.map_or(Self::Server, |client| Self::Client(client.clone()))
    }
}

impl Sessions {
    pub(super) fn new() -> Self {
        let mut held = LocalSessionManager::default();
        held.session_config.keep_alive = Some(IDLE);
        held.session_config.init_timeout = Some(BEGINNING);
        Self { held, known: Mutex::default() }
    }

    fn known(&self) -> MutexGuard<'_, HashMap<SessionId, Session>> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether somebody may speak in a session; from now on it counts as used.
    fn may_use(&self, id: &str, owner: &Owner) -> bool {
        match self.known().get_mut(id) {
            Some(session) if session.owner == *owner => {
                session.used = Instant::now();
                true
            }
            _ => false,
        }
    }

    /// Notes whose a session is, and ends those that are too many then.
    async fn note(&self, id: SessionId, owner: Owner) {
        let ended = too_many(&mut self.known(), id, owner);
        for ended in ended {
            // One that has ended by itself is as good.
            let _ = self.held.close_session(&ended).await;
        }
    }
}

/// Puts a session among those that are known, and takes out those that are too many then.
fn too_many(
    known: &mut HashMap<SessionId, Session>,
    id: SessionId,
    owner: Owner,
) -> Vec<SessionId> {
    known.insert(id, Session { owner: owner.clone(), used: Instant::now() });
    let is_owners = |session: &Session| session.owner == owner;
    let mut ended = Vec::new();
    while known.values().filter(|session| is_owners(session)).count() > MAX_OF_OWNER {
        ended.extend(take_oldest(known, is_owners));
    }
    while known.len() > MAX_SESSIONS {
        ended.extend(take_oldest(known, |_| true));
    }
    ended
}

fn take_oldest(
    known: &mut HashMap<SessionId, Session>,
    which: impl Fn(&Session) -> bool,
) -> Option<SessionId> {
    let oldest = known.iter().filter(|(_, session)| which(session));
    let oldest = oldest.min_by_key(|(_, session)| session.used).map(|(id, _)| id.clone())?;
    known.remove(&oldest);
    Some(oldest)
}

/// Lets a request into the session it names if that is its assistant's own, and notes whose the one
/// is that it begins.
pub(super) async fn keep(
    State(sessions): State<Arc<Sessions>>,
    request: Request,
    next: Next,
) -> Response {
    let owner = Owner::of(request.extensions().get());
    let named = named(request.headers());
    if let Some(id) = &named
        && !sessions.may_use(id, &owner)
    {
        return (StatusCode::NOT_FOUND, "there is no such session\n").into_response();
    }
    let response = next.run(request).await;
    if named.is_none()
        && let Some(id) = self::named(response.headers())
    {
        sessions.note(id, owner).await;
    }
    response
}

fn named(headers: &HeaderMap) -> Option<SessionId> {
    headers.get(SESSION)?.to_str().ok().map(SessionId::from)
}

/// What the protocol's library does with the sessions; they are counted where they are made.
impl SessionManager for Sessions {
    type Error = LocalSessionManagerError;
    type Transport = <LocalSessionManager as SessionManager>::Transport;

    async fn create_session(&self) -> Result<(SessionId, Self::Transport), Self::Error> {
        let (id, transport) = self.held.create_session().await?;
        self.note(id.clone(), Owner::Nobody).await;
        Ok((id, transport))
    }

    async fn initialize_session(
        &self,
        id: &SessionId,
        message: ClientJsonRpcMessage,
    ) -> Result<ServerJsonRpcMessage, Self::Error> {
        self.held.initialize_session(id, message).await
    }

    async fn has_session(&self, id: &SessionId) -> Result<bool, Self::Error> {
        self.held.has_session(id).await
    }

    async fn close_session(&self, id: &SessionId) -> Result<(), Self::Error> {
        self.known().remove(id);
        self.held.close_session(id).await
    }

    async fn create_stream(
        &self,
        id: &SessionId,
        message: ClientJsonRpcMessage,
    ) -> Result<impl Stream<Item = ServerSseMessage> + Send + Sync + 'static, Self::Error> {
        self.held.create_stream(id, message).await
    }

    async fn accept_message(
        &self,
        id: &SessionId,
        message: ClientJsonRpcMessage,
    ) -> Result<(), Self::Error> {
        self.held.accept_message(id, message).await
    }

    async fn create_standalone_stream(
        &self,
        id: &SessionId,
    ) -> Result<impl Stream<Item = ServerSseMessage> + Send + Sync + 'static, Self::Error> {
        self.held.create_standalone_stream(id).await
    }

    async fn resume(
        &self,
        id: &SessionId,
        last_event_id: String,
    ) -> Result<impl Stream<Item = ServerSseMessage> + Send + Sync + 'static, Self::Error> {
        self.held.resume(id, last_event_id).await
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sessions_are_few_whoever_begins_them_and_whether_or_not_they_wait_for_the_answer() {
        let mut known = HashMap::new();
        let client = |name: &str| Owner::Client(name.parse().unwrap());
        for number in 0..100 {
            too_many(&mut known, format!("left {number}").into(), Owner::Nobody);
        }
        assert_eq!(known.len(), 16);
        for number in 0..100 {
            too_many(&mut known, format!("greedy {number}").into(), client("greedy"));
        }
        assert_eq!(known.len(), 32);
        for number in 0..100 {
            let name = format!("a{}", number % 50);
            too_many(&mut known, format!("one of many {number}").into(), client(&name));
        }
        assert_eq!(known.len(), 64);
    }
}
