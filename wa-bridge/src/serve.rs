//! Serves HTTP/1 to whoever connects, within limits: so many connections at a time, so long for a
//! request's head and body, so large a body.
//!
//! Every listener is served here, each with limits of its own, so that one that is flooded takes
//! nothing from another. Knows nothing of what is served.

use std::{
    future::Future,
    io,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
    time::Duration,
};

use axum::{
    Router,
    body::{Body, Bytes, HttpBody},
    extract::{Request, State},
    http::{StatusCode, header::CONTENT_LENGTH},
    middleware::{self, Next},
    response::{IntoResponse, Response},
};
use hyper::{
    body::{Frame, SizeHint},
    server::conn::http1,
};
use hyper_util::{
    rt::{TokioIo, TokioTimer},
    service::TowerToHyperService,
};
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::TcpListener,
    sync::{OwnedSemaphorePermit, Semaphore, watch},
    task::JoinSet,
    time::{Sleep, sleep},
};

/// What a listener lets others take.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Connections at a time; more wait until one ends.
    pub connections: usize,
    /// How long a connection may take to send a request's head, and may be idle before the next.
    pub head: Duration,
    /// How long a request's body may take.
    pub body: Duration,
    /// The largest body, in bytes.
    pub body_bytes: u64,
}

impl Limits {
    /// Of an address on this machine.
    pub const TCP: Self = Self {
        connections: 128,
        head: Duration::from_secs(10),
        body: Duration::from_secs(30),
        body_bytes: 4 << 20,
    };

    /// Of the local socket.
    pub const SOCKET: Self = Self { connections: 256, ..Self::TCP };
}

/// The longest head of a request, in bytes.
const MAX_HEAD: usize = 64 << 10;

/// How long to wait when the system has no connection to give.
const PAUSE: Duration = Duration::from_millis(500);

/// How many files and connections a process may have open, where the system lets it choose. All
/// listeners together stay below that.
const DESCRIPTORS: u64 = 4096;

/// Lets this process have as many files open as its listeners may need; some systems begin with 256.
pub fn raise_descriptors() {
    #[cfg(unix)]
    {
        use rustix::process::{Resource, getrlimit, setrlimit};
        let mut limit = getrlimit(Resource::Nofile);
        let wanted = limit.maximum.map_or(DESCRIPTORS, |maximum| maximum.min(DESCRIPTORS));
        if limit.current.is_some_and(|current| current < wanted) {
            limit.current = Some(wanted);
            if let Err(error) = setrlimit(Resource::Nofile, limit) {
                tracing::debug!(%error, "the number of open files stays as it is");
            }
        }
    }
}

/// Where connections come from.
pub trait Accept: Send + 'static {
    /// A connection.
    type Stream: AsyncRead + AsyncWrite + Send + Unpin + 'static;

    /// The next connection.
    ///
    /// # Errors
    /// What the system says.
    fn accept(&mut self) -> impl Future<Output = io::Result<Self::Stream>> + Send;
}

impl Accept for TcpListener {
    type Stream = tokio::net::TcpStream;

    async fn accept(&mut self) -> io::Result<Self::Stream> {
        let (stream, _) = TcpListener::accept(self).await?;
        // Answers are small, and somebody waits for each.
        stream.set_nodelay(true)?;
        Ok(stream)
    }
}

/// Serves until it is told to stop, or nobody could tell it any more; then lets each connection
/// finish what is under way.
pub async fn serve(
    mut listener: impl Accept,
    router: Router,
    limits: Limits,
    stopped: watch::Receiver<bool>,
) {
    let router = router.layer(middleware::from_fn_with_state(limits, limit_body));
    let places = Arc::new(Semaphore::new(limits.connections));
    let mut connections = JoinSet::new();
    let mut until_stopped = stopped.clone();
    let accepting = async {
        loop {
            // Taken before the connection is: those for whom there is no place cost nothing here.
            let Ok(place) = Arc::clone(&places).acquire_owned().await else { return };
            match next(&mut listener).await {
                Some(stream) => {
                    let router = router.clone();
                    connections.spawn(connection(stream, router, limits, stopped.clone(), place));
                    while connections.try_join_next().is_some() {}
                }
                None => sleep(PAUSE).await,
            }
        }
    };
    tokio::select! {
        () = accepting => {}
        // An error means that whoever could stop it is gone.
        _ = until_stopped.wait_for(|stopped| *stopped) => {}
    }
    drop(listener);
    while connections.join_next().await.is_some() {}
}

/// The next connection; nothing where the system has none to give for now.
async fn next<L: Accept>(listener: &mut L) -> Option<L::Stream> {
    loop {
        match listener.accept().await {
            Ok(stream) => return Some(stream),
            // The other side was gone first.
            Err(error) if is_of_connection(&error) => {}
            Err(error) => {
                // Out of descriptors or memory: at once again would be in vain.
                tracing::warn!(%error, "no connection can be taken now");
                return None;
            }
        }
    }
}

fn is_of_connection(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::ConnectionRefused
            | io::ErrorKind::ConnectionAborted
            | io::ErrorKind::ConnectionReset
            | io::ErrorKind::PermissionDenied
            | io::ErrorKind::InvalidInput
    )
}

/// Serves one connection for as long as it lasts.
async fn connection(
    stream: impl AsyncRead + AsyncWrite + Send + Unpin + 'static,
    router: Router,
    limits: Limits,
    mut stopped: watch::Receiver<bool>,
    _place: OwnedSemaphorePermit,
) {
    let mut builder = http1::Builder::new();
    builder.timer(TokioTimer::new()).header_read_timeout(limits.head).max_buf_size(MAX_HEAD);
    let serving = builder.serve_connection(TokioIo::new(stream), TowerToHyperService::new(router));
    let mut serving = std::pin::pin!(serving);
    tokio::select! {
        // How a connection ended is its client's own affair.
        _ = &mut serving => return,
        _ = stopped.wait_for(|stopped| *stopped) => {}
    }
    serving.as_mut().graceful_shutdown();
    let _ = serving.await;
}

/// Lets a body take only so long and so much.
async fn limit_body(State(limits): State<Limits>, request: Request, next: Next) -> Response {
    let announced = request.headers().get(CONTENT_LENGTH).and_then(|length| length.to_str().ok());
    let announced = announced.and_then(|length| length.parse::<u64>().ok());
    if announced.is_some_and(|length| length > limits.body_bytes) {
        return StatusCode::PAYLOAD_TOO_LARGE.into_response();
    }
    next.run(request.map(|body| Body::new(Limited::new(body, limits)))).await
}

/// A body that ends with an error where it takes too long or grows too large.
struct Limited {
    body: Body,
    rest: u64,
    deadline: Pin<Box<Sleep>>,
}

impl Limited {
    fn new(body: Body, limits: Limits) -> Self {
        Self { body, rest: limits.body_bytes, deadline: Box::pin(sleep(limits.body)) }
    }
}

type BodyError = Box<dyn std::error::Error + Send + Sync>;

impl HttpBody for Limited {
    type Data = Bytes;
    type Error = BodyError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BodyError>>> {
        let frame = match Pin::new(&mut self.body).poll_frame(context) {
            Poll::Ready(Some(Ok(frame))) => frame,
            Poll::Ready(Some(Err(error))) => return Poll::Ready(Some(Err(error.into()))),
            Poll::Ready(None) => return Poll::Ready(None),
            Poll::Pending => {
                let is_late = self.deadline.as_mut().poll(context).is_ready();
                return match is_late {
                    true => Poll::Ready(Some(Err("the body took too long".into()))),
                    false => Poll::Pending,
                };
            }
        };
        let length =
            frame.data_ref().map_or(0, |data| u64::try_from(data.len()).unwrap_or(u64::MAX));
        match self.rest.checked_sub(length) {
            Some(rest) => {
                self.rest = rest;
                Poll::Ready(Some(Ok(frame)))
            }
            None => Poll::Ready(Some(Err("the body is too large".into()))),
        }
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

#[cfg(test)]
mod tests;
