//! Linking by a passkey: who says what when.
//!
//! Owns the two verbs and what the server's words set off. The cryptography is in
//! [`super::passkey`]; the authenticator is the caller's.

use std::time::Duration;

use tokio::time::Instant;
use wa_proto::request::{
    CompanionNonce, EncryptedPairing, PairingRef, PasskeyOptions, PasskeyPrologue,
};
use wa_store::AdvSecret;

use super::{
    attempt::{PasskeyStep, Waiting},
    passkey::{self, PasskeyAssertion, Prologue},
};
use crate::{
    Client,
    error::Error,
    event::{Event, PairingFailure},
    inner::Inner,
    request::{REQUEST_TIMEOUT, RequestError},
    stanza_handler::{HandleError, StanzaContext},
};

impl Client {
    /// Answers [`Event::PasskeyRequested`] with what the authenticator signed.
    /// [`Event::PasskeyConfirmation`] follows once the phone has agreed.
    ///
    /// # Errors
    /// [`Error::InvalidInput`] if no passkey is asked for; the server's refusal.
    pub async fn answer_passkey(&self, assertion: &PasskeyAssertion) -> Result<(), Error> {
        let inner = self.inner();
        let waiting = waiting(inner).await?;
        let Some(PasskeyStep::Requested { handoff, until }) = inner.attempt.take_passkey() else {
            return Err(Error::InvalidInput("no passkey is asked for"));
        };
        let deadline = Instant::now() + REQUEST_TIMEOUT;
        let pairing_ref = waiting.link.request(&inner.request_id(), &PairingRef, deadline).await?;
        let platform = inner.settings.description.platform.wire();
        let prologue = inner.with_rng(|rng| Prologue::new(pairing_ref, platform, rng));
        let payload = prologue.payload();
        let may_skip = Instant::now() < until;
        let request = PasskeyPrologue {
            credential_id: assertion.credential_id.clone().into(),
            assertion: assertion.to_json().into(),
            handoff_proof: may_skip.then(|| passkey::handoff_proof(&handoff, &payload)),
            payload: payload.into(),
        };
        // The phone may answer before the server does.
        inner.attempt.set_passkey(Some(PasskeyStep::Answered { prologue, may_skip }));
        Ok(waiting.link.request(&inner.request_id(), &request, deadline).await?)
    }

    /// The user has compared the code of [`Event::PasskeyConfirmation`], or did not need to.
    /// [`Event::PairingSucceeded`] follows.
    ///
    /// # Errors
    /// [`Error::InvalidInput`] if nothing is to be confirmed; the server's refusal.
    pub async fn confirm_passkey(&self) -> Result<(), Error> {
        let inner = self.inner();
        let waiting = waiting(inner).await?;
        let Some(PasskeyStep::ToConfirm { key }) = inner.attempt.take_passkey() else {
            return Err(Error::InvalidInput("no passkey waits to be confirmed"));
        };
        let account = inner.account();
        let sealed = inner.with_rng(|rng| {
            passkey::seal_identity(
                &key,
                &account.noise.public,
                &account.identity.public,
                account.adv_secret.as_bytes(),
                rng,
            )
        });
        let request = EncryptedPairing { sealed: sealed.into() };
        let deadline = Instant::now() + REQUEST_TIMEOUT;
        Ok(waiting.link.request(&inner.request_id(), &request, deadline).await?)
    }
}

async fn waiting(inner: &Inner) -> Result<Waiting, Error> {
    inner.attempt.waiting(Instant::now()).await.ok_or(Error::NotConnected)
}

/// The account wants a passkey. The secret of the codes that were shown so far serves as a proof
/// and nothing else from now on.
pub(crate) async fn requested(
    cx: &StanzaContext,
    options: Option<String>,
) -> Result<(), HandleError> {
    let inner = &*cx.inner;
    if inner.account().is_linked() {
        return Ok(());
    }
    let options = match options {
        Some(options) => options,
        None => match ask_options(cx).await {
            Ok(options) => options,
            Err(error) => {
                tracing::warn!(%error, "what the passkey is to sign cannot be read");
                inner.emit(Event::PairingFailed { reason: PairingFailure::Passkey });
                return Ok(());
            }
        },
    };
    let handoff = passkey::handoff_key(inner.account().adv_secret.as_bytes());
    let secret = inner.with_rng(|rng| {
        let mut secret = [0; 32];
        rand_core::Rng::fill_bytes(rng, &mut secret);
        AdvSecret::from_bytes(secret)
    });
    inner.update_account(|account, _| account.adv_secret = secret).await?;
    inner.attempt.set_code(None);
    *cx.session.qr.lock().unwrap_or_else(std::sync::PoisonError::into_inner) = None;
    let until = Instant::now() + HANDOFF_LIFETIME;
    inner.attempt.set_passkey(Some(PasskeyStep::Requested { handoff, until }));
    inner.emit(Event::PasskeyRequested { options });
    Ok(())
}

async fn ask_options(cx: &StanzaContext) -> Result<String, RequestError> {
    let deadline = Instant::now() + REQUEST_TIMEOUT;
    cx.link.request(&cx.inner.request_id(), &PasskeyOptions, deadline).await
}

/// The phone gives its half: the commitment is opened, and the user compares what came out.
pub(crate) async fn continued(cx: &StanzaContext, primary: &[u8]) -> Result<(), HandleError> {
    let inner = &*cx.inner;
    let Some(PasskeyStep::Answered { prologue, may_skip }) = inner.attempt.take_passkey() else {
        tracing::warn!("a passkey goes on that was not begun");
        return Ok(());
    };
    let Some((code, key)) = prologue.agree(primary) else {
        tracing::warn!("the phone's half of linking by passkey is malformed");
        inner.emit(Event::PairingFailed { reason: PairingFailure::Passkey });
        return Ok(());
    };
    let request = CompanionNonce { nonce: prologue.nonce };
    let deadline = Instant::now() + REQUEST_TIMEOUT;
    if let Err(error) = cx.link.request(&inner.request_id(), &request, deadline).await {
        tracing::warn!(%error, "the phone could not be told the nonce");
        inner.emit(Event::PairingFailed { reason: PairingFailure::Passkey });
        return Ok(());
    }
    inner.attempt.set_passkey(Some(PasskeyStep::ToConfirm { key }));
    inner.emit(Event::PasskeyConfirmation { code: code.grouped(), may_skip });
    Ok(())
}

/// How long the codes that were shown before count as proof.
const HANDOFF_LIFETIME: Duration = Duration::from_secs(5 * 60);
