//! Linking by a code that is typed into the phone: who says what when.
//!
//! Owns the verb, the code's renewal, and the answer to the phone. The cryptography is in
//! [`super::code`].

use std::{
    future::{Future, IntoFuture},
    pin::Pin,
    sync::{Arc, PoisonError},
    time::Duration,
};

use tokio::time::{Instant, sleep};
use wa_crypto::{KeyPair, PublicKey};
use wa_proto::{
    Jid,
    request::{LinkCodeFinish, LinkCodeHello},
    stanza::LinkCodeAnswer,
};
use wa_store::AdvSecret;

use super::{
    QrSchedule,
    attempt::{ShownCode, Waiting},
    code::{self, PairingCode},
};
use crate::{
    Client,
    error::Error,
    event::{Event, PairingFailure},
    inner::{Inner, State},
    phone_number,
    request::REQUEST_TIMEOUT,
    stanza_handler::{HandleError, StanzaContext},
};

impl Client {
    /// Links this device by a code that is typed into the phone of this number rather than by a QR
    /// code: WhatsApp, linked devices, link with phone number. Awaiting it gives the code;
    /// [`Event::PairingCode`] tells each new one, and [`Event::PairingSucceeded`] the end.
    ///
    /// [`Client::connect`] must have been called. The number has its country code, in any usual
    /// notation.
    pub fn pair_with_code(&self, phone_number: impl Into<String>) -> PairWithCode {
        PairWithCode {
            inner: Arc::clone(self.inner()),
            phone_number: phone_number.into(),
            code: None,
            notify: true,
            timeout: CONNECT_TIMEOUT,
        }
    }
}

/// A code is about to be made; awaiting it asks the server and gives the code.
#[must_use = "no code is made until this is awaited"]
pub struct PairWithCode {
    inner: Arc<Inner>,
    phone_number: String,
    code: Option<PairingCode>,
    notify: bool,
    timeout: Duration,
}

impl PairWithCode {
    /// Takes this code rather than a random one. Whoever guesses it while it waits to be typed can
    /// link a device of their own to the account.
    pub fn code(mut self, code: PairingCode) -> Self {
        self.code = Some(code);
        self
    }

    /// Whether the phone shows a notification that leads to where the code is typed; it does
    /// unless told otherwise.
    pub fn notify(mut self, notify: bool) -> Self {
        self.notify = notify;
        self
    }

    /// How long to wait for a connection that can be linked; a minute unless said otherwise.
    pub fn timeout(mut self, limit: Duration) -> Self {
        self.timeout = limit;
        self
    }

    async fn run(self) -> Result<PairingCode, Error> {
        let account = phone_number::parse(&self.phone_number)?;
        let inner = &self.inner;
        if inner.account().is_linked() {
            return Err(Error::InvalidInput("this device is linked already"));
        }
        if matches!(inner.state(), State::Idle | State::Stopped) {
            return Err(Error::NotConnected);
        }
        let waiting = inner.attempt.waiting(Instant::now() + self.timeout).await;
        let waiting = waiting.ok_or(Error::Timeout(self.timeout))?;
        let wanted = Wanted { account, custom: self.code, notify: self.notify };
        let code = show(inner, &waiting, wanted).await?;
        renew_in_background(inner, waiting);
        Ok(code)
    }
}

impl IntoFuture for PairWithCode {
    type Output = Result<PairingCode, Error>;
    type IntoFuture = Pin<Box<dyn Future<Output = Self::Output> + Send>>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(self.run())
    }
}

impl std::fmt::Debug for PairWithCode {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("PairWithCode").finish_non_exhaustive()
    }
}

/// What a code is made for.
struct Wanted {
    account: Jid,
    custom: Option<PairingCode>,
    notify: bool,
}

/// Announces a code to the server and, once it has taken it, to the user. The answer is waited for:
/// a code that the server does not know yet is dead when it is typed.
async fn show(inner: &Inner, waiting: &Waiting, wanted: Wanted) -> Result<PairingCode, Error> {
    let is_custom = wanted.custom.is_some();
    let (code, ephemeral, wrapped_ephemeral) = inner.with_rng(|rng| {
        let code = wanted.custom.unwrap_or_else(|| PairingCode::random(rng));
        let ephemeral = KeyPair::random(rng);
        let wrapped = code::wrap_ephemeral(&code, &ephemeral.public, rng);
        (code, ephemeral, wrapped)
    });
    let (browser, platform_display) = inner.settings.description.shown_with_code();
    let hello = LinkCodeHello {
        account: wanted.account.clone(),
        wrapped_ephemeral,
        noise_key: *inner.account().noise.public.as_bytes(),
        platform_id: browser.qr_client_type().to_owned(),
        platform_display,
        notify: wanted.notify,
    };
    let deadline = Instant::now() + REQUEST_TIMEOUT;
    let pairing_ref = waiting.link.request(&inner.request_id(), &hello, deadline).await?;
    // The QR codes carry another secret than the one that the code leads to.
    *waiting.session.qr.lock().unwrap_or_else(PoisonError::into_inner) = None;
    waiting.session.changed.notify_one();
    inner.attempt.set_code(Some(ShownCode {
        account: wanted.account,
        code: code.clone(),
        is_custom,
        notify: wanted.notify,
        ephemeral,
        pairing_ref,
    }));
    inner.emit(Event::PairingCode { code: code.grouped(), expires_in: CODE_LIFETIME });
    Ok(code)
}

/// Makes a new code whenever one expires, until the phone decided, the connection ended or
/// [`MAX_CODES`] were shown.
fn renew_in_background(inner: &Arc<Inner>, waiting: Waiting) {
    let shared = Arc::clone(inner);
    inner.spawn(async move {
        for _ in 1..MAX_CODES {
            let Some(shown) = shared.attempt.code() else { return };
            sleep(CODE_LIFETIME).await;
            match shared.attempt.code() {
                // The server asked for a new one meanwhile.
                Some(now) if now.pairing_ref != shown.pairing_ref => {}
                Some(now) => renew(&shared, &waiting, now).await,
                None => return,
            }
        }
        if shared.attempt.code().is_some() {
            sleep(CODE_LIFETIME).await;
            expire(&shared, &waiting);
        }
    });
}

async fn renew(inner: &Inner, waiting: &Waiting, shown: ShownCode) {
    let custom = shown.is_custom.then_some(shown.code);
    let wanted = Wanted { account: shown.account, custom, notify: shown.notify };
    if let Err(error) = show(inner, waiting, wanted).await {
        tracing::warn!(%error, "a pairing code could not be renewed");
    }
}

/// Nobody typed any code: the connection ends as it does when all QR codes were shown.
fn expire(inner: &Inner, waiting: &Waiting) {
    if inner.attempt.code().is_some() {
        inner.attempt.set_code(None);
        let none = QrSchedule::new([]);
        *waiting.session.qr.lock().unwrap_or_else(PoisonError::into_inner) = Some(none);
        waiting.session.changed.notify_one();
    }
}

/// The server wants another code shown than the one with this reference.
pub(crate) fn refresh(cx: &StanzaContext, pairing_ref: Option<&[u8]>) {
    let shown = cx.inner.attempt.code();
    let Some(shown) =
        shown.filter(|shown| pairing_ref.is_none_or(|told| shown.pairing_ref == told))
    else {
        return;
    };
    let (inner, waiting) = (
        Arc::clone(&cx.inner),
        Waiting { link: cx.link.clone(), session: Arc::clone(&cx.session) },
    );
    cx.inner.spawn(async move { renew(&inner, &waiting, shown).await });
}

/// The phone typed the code: it gets this device's identity, and both make the secret under which
/// it will sign this device. The secret is kept before the phone can use it.
pub(crate) async fn primary_answered(
    cx: &StanzaContext,
    answer: LinkCodeAnswer,
) -> Result<(), HandleError> {
    let inner = &*cx.inner;
    let shown = inner.attempt.code().filter(|shown| shown.pairing_ref == answer.pairing_ref);
    let Some(shown) = shown else {
        tracing::warn!("a phone answers a pairing code that is not shown");
        return Ok(());
    };
    let identity = inner.account().identity.clone();
    let phone_ephemeral = code::unwrap_ephemeral(&shown.code, &answer.wrapped_ephemeral);
    let phone_identity = PublicKey::from_bytes(answer.primary_identity);
    let finish = inner.with_rng(|rng| {
        code::finish(&shown.ephemeral, &identity, &phone_ephemeral, &phone_identity, rng)
    });
    let Ok(finish) = finish else {
        tracing::warn!("a phone answers a pairing code with a key of small order");
        inner.emit(Event::PairingFailed { reason: PairingFailure::Malformed });
        return Ok(());
    };
    let secret = AdvSecret::from_bytes(finish.adv_secret);
    inner.update_account(|account, _| account.adv_secret = secret).await?;
    let request = LinkCodeFinish {
        account: shown.account,
        wrapped_key_bundle: finish.wrapped_key_bundle.into(),
        identity: *identity.public.as_bytes(),
        pairing_ref: answer.pairing_ref,
    };
    let deadline = Instant::now() + REQUEST_TIMEOUT;
    if let Err(error) = cx.link.request(&inner.request_id(), &request, deadline).await {
        tracing::warn!(%error, "the phone could not be told this device's identity");
        inner.emit(Event::PairingFailed { reason: PairingFailure::Malformed });
    }
    Ok(())
}

/// How long a connection may take to become ready for linking.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(60);
/// How long a phone takes a code.
const CODE_LIFETIME: Duration = Duration::from_secs(180);
/// How many codes are shown before the attempt is given up.
const MAX_CODES: u32 = 4;
