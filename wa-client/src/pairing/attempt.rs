//! What is known of a linking under way, besides its QR codes.
//!
//! Owns the connection that waits to be linked, and the secrets of a typed code or a passkey. All
//! of it ends with that connection or with the phone's decision. Knows nothing of the flows.

use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;
use tokio::{
    sync::watch,
    time::{Instant, timeout_at},
};
use wa_crypto::KeyPair;
use wa_proto::Jid;

use super::{code::PairingCode, passkey::Prologue};
use crate::connection::{Link, Session};

/// The connection that waits to be linked.
#[derive(Debug, Clone)]
pub(crate) struct Waiting {
    pub(crate) link: Link,
    pub(crate) session: Arc<Session>,
}

/// A code that a person is to type.
#[derive(Clone)]
pub(super) struct ShownCode {
    pub(super) account: Jid,
    pub(super) code: PairingCode,
    /// Whether the user chose it, so that a fresh one is the same.
    pub(super) is_custom: bool,
    pub(super) notify: bool,
    pub(super) ephemeral: KeyPair,
    pub(super) pairing_ref: Bytes,
}

/// How far linking by passkey has come.
pub(super) enum PasskeyStep {
    /// An authenticator is to sign; with the key that proves, until the moment, that a QR code or
    /// typed code was used before.
    Requested { handoff: [u8; 32], until: Instant },
    /// The signature is with the server.
    Answered { prologue: Prologue, may_skip: bool },
    /// The user is to confirm, after which this key seals the identity.
    ToConfirm { key: [u8; 32] },
}

/// The linking under way.
#[derive(Default)]
pub(crate) struct Attempt {
    waiting: watch::Sender<Option<Waiting>>,
    code: Mutex<Option<ShownCode>>,
    passkey: Mutex<Option<PasskeyStep>>,
}

impl Attempt {
    /// A connection waits to be linked.
    pub(crate) fn opened(&self, link: Link, session: Arc<Session>) {
        self.waiting.send_replace(Some(Waiting { link, session }));
    }

    /// The connection ended, and with it what was shown on it.
    pub(crate) fn ended(&self) {
        self.waiting.send_replace(None);
        self.decided();
    }

    /// The phone took or refused this device.
    pub(crate) fn decided(&self) {
        self.set_code(None);
        self.set_passkey(None);
    }

    /// The connection that waits to be linked, as soon as there is one.
    pub(super) async fn waiting(&self, deadline: Instant) -> Option<Waiting> {
        let mut waiting = self.waiting.subscribe();
        let found = timeout_at(deadline, waiting.wait_for(Option::is_some)).await;
        found.ok()?.ok()?.clone()
    }

    pub(super) fn code(&self) -> Option<ShownCode> {
        self.code.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub(super) fn set_code(&self, code: Option<ShownCode>) {
        *self.code.lock().unwrap_or_else(PoisonError::into_inner) = code;
    }

    /// Takes the step away; whoever takes it sets the next.
    pub(super) fn take_passkey(&self) -> Option<PasskeyStep> {
        self.passkey.lock().unwrap_or_else(PoisonError::into_inner).take()
    }

    pub(super) fn set_passkey(&self, step: Option<PasskeyStep>) {
        *self.passkey.lock().unwrap_or_else(PoisonError::into_inner) = step;
    }
}

impl std::fmt::Debug for Attempt {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Attempt(…)")
    }
}
