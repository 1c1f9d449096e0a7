//! A page on this machine that leads a person through a link for which WhatsApp demands a passkey,
//! and takes what the passkey signed.
//!
//! It listens on a port of its own on loopback, once a link has come to that, and for half an hour
//! at most. Its address holds a key of 32 random bytes that is made for that one link and known to
//! nobody but whom it was told to; a request that names another host or comes from a page of
//! another origin gets nothing, so that no other page of the browser reaches it, by whatever name.
//! There is no script on it: the helper stands there as text and as a bookmark to be kept, and the
//! page's policy keeps a browser from running it here. What is pasted is never shown again.

use std::{
    net::{Ipv4Addr, SocketAddr},
    sync::{Arc, Weak},
    time::Duration,
};

use axum::{
    Form, Router,
    extract::{DefaultBodyLimit, Path, Request, State},
    http::{
        HeaderValue, StatusCode,
        header::{HOST, ORIGIN},
    },
    middleware::{self, Next},
    response::{Html, IntoResponse, Response},
    routing::get,
};
use rand::Rng;
use serde::Deserialize;
use subtle::ConstantTimeEq;
use tokio::{
    net::TcpListener,
    sync::{Mutex, watch},
    task::JoinHandle,
    time::{Instant, timeout},
};
use zeroize::Zeroizing;

use crate::{
    Caller, Service,
    api::{LinkState, PasskeyAnswer, PasskeyCompared},
    failure::Failure,
    page::HEADERS,
    serve::{Limits, serve},
};

mod html;

/// How long a page is there at most.
const LIFETIME: Duration = Duration::from_secs(30 * 60);

/// How long a request waits for the phone to go on before it is answered.
const PATIENCE: Duration = Duration::from_secs(20);

/// How long the page may take to tell how a link ended when the process ends.
const GOODBYE: Duration = Duration::from_secs(2);

/// The largest form, in bytes.
const MAX_FORM: usize = 64 << 10;

/// The page, where one is open.
pub(crate) struct LinkPage {
    service: Weak<Service>,
    open: Mutex<Option<Open>>,
}

/// A page that is served, for one attempt to link. It ends when this is dropped.
struct Open {
    attempt: u64,
    address: String,
    stop: watch::Sender<bool>,
    serving: JoinHandle<()>,
}

impl LinkPage {
    pub(crate) fn new(service: Weak<Service>) -> Self {
        Self { service, open: Mutex::new(None) }
    }

    /// The address of the page for an attempt, which is opened if it is not there; nothing if this
    /// machine has no port to give.
    pub(crate) async fn open(&self, attempt: u64) -> Option<String> {
        let mut open = self.open.lock().await;
        if let Some(open) = open.as_ref()
            && open.attempt == attempt
            && !open.serving.is_finished()
        {
            return Some(open.address.clone());
        }
        match Open::start(self.service.clone(), attempt).await {
            Ok(page) => Some(open.insert(page).address.clone()),
            Err(error) => {
                tracing::warn!(%error, "there is no page for linking with a passkey");
                None
            }
        }
    }

    /// Ends the page, once it has told whoever waits how it ended.
    pub(crate) async fn close(&self) {
        if let Some(Open { stop, serving, .. }) = self.open.lock().await.take() {
            stop.send_replace(true);
            let _ = timeout(GOODBYE, serving).await;
        }
    }
}

impl Open {
    async fn start(service: Weak<Service>, attempt: u64) -> std::io::Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let host = listener.local_addr()?;
        let mut bytes = Zeroizing::new([0; 32]);
        rand::rng().fill_bytes(bytes.as_mut());
        let key = hex::encode(*bytes);
        let address = format!("http://{host}/link/{key}");
        let page = Arc::new(Page { service, key: Zeroizing::new(key), attempt, host });
        let router = Router::new()
            .route("/link/{key}", get(look).post(press))
            .layer(DefaultBodyLimit::max(MAX_FORM))
            .layer(middleware::from_fn_with_state(Arc::clone(&page), keep_to_itself))
            .with_state(page);
        let (stop, stopped) = watch::channel(false);
        let serving = tokio::spawn(async move {
            let _ = timeout(LIFETIME, serve(listener, router, Limits::TCP, stopped)).await;
        });
        Ok(Self { attempt, address, stop, serving })
    }
}

struct Page {
    service: Weak<Service>,
    key: Zeroizing<String>,
    attempt: u64,
    host: SocketAddr,
}

/// What was typed, and which button was pressed.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Pressed {
    answer: Option<String>,
    same: Option<Same>,
}

#[derive(Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Same {
    Yes,
    No,
}

/// Lets only those through who ask for this page by its own address, and no other page.
async fn keep_to_itself(State(page): State<Arc<Page>>, request: Request, next: Next) -> Response {
    let (host, origin) = (page.host.to_string(), format!("http://{}", page.host));
    let is = |value: &HeaderValue, wanted: &str| value.as_bytes() == wanted.as_bytes();
    let mut hosts = request.headers().get_all(HOST).iter();
    let is_named = hosts.next().is_some_and(|value| is(value, &host)) && hosts.next().is_none();
    let is_own = request.headers().get_all(ORIGIN).iter().all(|value| is(value, &origin));
    let authority = request.uri().authority();
    if !is_named || authority.is_some_and(|authority| authority.as_str() != host) {
        return (StatusCode::MISDIRECTED_REQUEST, "this is for this machine alone\n")
            .into_response();
    }
    if !is_own {
        return (StatusCode::FORBIDDEN, "no other page may ask\n").into_response();
    }
    next.run(request).await
}

async fn look(State(page): State<Arc<Page>>, Path(key): Path<String>) -> Response {
    match page.service_for(&key) {
        Some(service) => page.shown(&service, None).await,
        None => gone(),
    }
}

async fn press(
    State(page): State<Arc<Page>>,
    Path(key): Path<String>,
    Form(pressed): Form<Pressed>,
) -> Response {
    let Some(service) = page.service_for(&key) else { return gone() };
    let person = Caller::person("link page");
    let done = match (pressed.answer, pressed.same) {
        (Some(answer), _) => service.call(PasskeyAnswer { answer }, &person).await.map(drop),
        (None, Some(same)) => {
            let compared = PasskeyCompared { same: same == Same::Yes };
            service.call(compared, &person).await.map(drop)
        }
        (None, None) => Ok(()),
    };
    page.shown(&service, done.err()).await
}

fn gone() -> Response {
    (StatusCode::NOT_FOUND, HEADERS, Html(html::gone())).into_response()
}

impl Page {
    /// The account, for whoever has the address, as long as the page's own attempt lasts.
    fn service_for(&self, key: &str) -> Option<Arc<Service>> {
        let is_known = bool::from(self.key.as_bytes().ct_eq(key.as_bytes()));
        let service = self.service.upgrade().filter(|_| is_known)?;
        (service.attempt() == self.attempt).then_some(service)
    }

    /// How it stands, once it is not only the phone that is waited for.
    async fn shown(&self, service: &Service, failure: Option<Failure>) -> Response {
        let deadline = Instant::now() + PATIENCE;
        while let Ok(Some(LinkState::PasskeyAnswered | LinkState::Accepted)) = service.linking()
            && service.linking_changed(deadline).await
        {}
        let page = html::page(&service.linking(), failure.as_ref());
        (StatusCode::OK, HEADERS, Html(page)).into_response()
    }
}
