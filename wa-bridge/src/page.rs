//! A page on this machine on which a person lets go of the messages that wait for them, or drops
//! them: for whoever has no terminal at hand.
//!
//! The person shows the token first. From then on every button carries the key of their visit,
//! which nobody else knows and which ends within the hour. There are no cookies, because a browser
//! shows those to every other server of this machine; and there is no script.

use std::{
    collections::VecDeque,
    net::SocketAddr,
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

use axum::{
    Form, Router,
    extract::{DefaultBodyLimit, State},
    http::{HeaderName, StatusCode, header},
    response::{Html, IntoResponse, Response},
    routing::get,
};
use rand::Rng;
use serde::Deserialize;
use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

use crate::{
    Caller, Service, Token,
    api::{Approval, DraftApprove, DraftCancel, DraftList, DraftView},
    failure::Failure,
};

pub(crate) mod html;

/// Where the page is.
pub(crate) const PATH: &str = "/drafts";

/// The page of an owner that listens here.
pub(crate) fn address(owner: SocketAddr) -> String {
    format!("http://{owner}{PATH}")
}

/// How long a visit lasts.
const VISIT: Duration = Duration::from_secs(60 * 60);

/// The most visits at a time; the oldest ends for one more.
const MAX_VISITS: usize = 16;

/// The largest form, in bytes.
const MAX_FORM: usize = 16 << 10;

/// Nothing but this page's own look and its own forms; in no frame; kept nowhere. The origin is
/// told to this page itself, which is how a form of another page is known.
pub(crate) const HEADERS: [(HeaderName, &str); 6] = [
    (
        header::CONTENT_SECURITY_POLICY,
        "default-src 'none'; style-src 'unsafe-inline'; form-action 'self'; base-uri 'none'; \
         frame-ancestors 'none'",
    ),
    (header::CACHE_CONTROL, "no-store"),
    (header::REFERRER_POLICY, "same-origin"),
    (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    (header::X_FRAME_OPTIONS, "DENY"),
    (HeaderName::from_static("cross-origin-opener-policy"), "same-origin"),
];

/// The page's route. Whoever merges it keeps pages of other hosts away from it.
pub(crate) fn router(service: &Arc<Service>, token: Token) -> Router {
    let page = Page { service: Arc::clone(service), token, visits: Mutex::default() };
    Router::new()
        .route(PATH, get(enter).post(press))
        .layer(DefaultBodyLimit::max(MAX_FORM))
        .with_state(Arc::new(page))
}

struct Page {
    service: Arc<Service>,
    token: Token,
    visits: Mutex<VecDeque<Visit>>,
}

/// Somebody who has shown the token.
struct Visit {
    key: Zeroizing<String>,
    ends: Instant,
}

/// What was typed, and which button was pressed.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Pressed {
    token: Option<String>,
    visit: Option<String>,
    draft: Option<String>,
    digest: Option<String>,
    button: Option<Button>,
}

#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Button {
    Send,
    Drop,
}

async fn enter() -> Response {
    shown(StatusCode::OK, html::entrance(None))
}

async fn press(State(page): State<Arc<Page>>, Form(pressed): Form<Pressed>) -> Response {
    if let Some(token) = &pressed.token {
        return match page.token.is(token.trim()) {
            true => page.list(&page.begin_visit(), None).await,
            false => turned_away("This is not the token."),
        };
    }
    let Some(visit) = pressed.visit.filter(|key| page.knows(key)) else {
        return turned_away("Your visit has ended.");
    };
    let said = match (pressed.button, pressed.draft, pressed.digest) {
        (Some(button), Some(id), Some(digest)) => Some(page.settle(button, id, digest).await),
        _ => None,
    };
    page.list(&visit, said).await
}

fn turned_away(why: &str) -> Response {
    shown(StatusCode::UNAUTHORIZED, html::entrance(Some(why)))
}

fn shown(status: StatusCode, page: String) -> Response {
    (status, HEADERS, Html(page)).into_response()
}

impl Page {
    fn begin_visit(&self) -> Zeroizing<String> {
        let mut bytes = Zeroizing::new([0; 32]);
        rand::rng().fill_bytes(bytes.as_mut());
        let key = Zeroizing::new(hex::encode(*bytes));
        let mut visits = self.visits.lock().unwrap_or_else(PoisonError::into_inner);
        visits.push_back(Visit { key: key.clone(), ends: Instant::now() + VISIT });
        if visits.len() > MAX_VISITS {
            visits.pop_front();
        }
        key
    }

    fn knows(&self, key: &str) -> bool {
        let now = Instant::now();
        let mut visits = self.visits.lock().unwrap_or_else(PoisonError::into_inner);
        visits.retain(|visit| visit.ends > now);
        visits.iter().any(|visit| visit.key.as_bytes().ct_eq(key.as_bytes()).into())
    }

    /// Does what the button says; what came of it.
    async fn settle(&self, button: Button, id: String, digest: String) -> Result<String, Failure> {
        match button {
            Button::Send => {
                let approve = DraftApprove { id, digest, by: Approval::Person };
                self.service.call(approve, &person()).await?;
                Ok("It was sent.".to_owned())
            }
            Button::Drop => {
                let dropped: DraftView = self.service.call(DraftCancel { id }, &person()).await?;
                Ok(format!("The message to {} was dropped.", dropped.recipient))
            }
        }
    }

    async fn list(&self, visit: &str, said: Option<Result<String, Failure>>) -> Response {
        let profile = self.service.profile().name().to_string();
        match self.service.call(DraftList::default(), &person()).await {
            Ok(drafts) => shown(StatusCode::OK, html::drafts(&profile, &drafts, visit, said)),
            Err(failure) => {
                shown(StatusCode::SERVICE_UNAVAILABLE, html::entrance(Some(&failure.to_string())))
            }
        }
    }
}

fn person() -> Caller {
    Caller::person("page")
}
