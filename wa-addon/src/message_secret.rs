//! One use of one message's secret: the key it gives, and sealing and opening with that.
//!
//! Knows nothing of what is inside a sealed payload.

use rand_core::CryptoRng;
use wa_crypto::{DecryptError, aes_gcm_open, aes_gcm_seal, hkdf_sha256, hmac_sha256};
use wa_proto::Jid;
use zeroize::Zeroizing;

/// How long a message secret is, in bytes.
pub const MESSAGE_SECRET_LEN: usize = 32;

/// What a key derived from a message secret is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum SecretUse {
    /// A vote in a poll.
    PollVote,
    /// An answer to an event.
    EventResponse,
    /// A reaction in a community's announcement group.
    Reaction,
    /// A comment in a community's announcement group.
    Comment,
    /// New content for the message.
    MessageEdit,
    /// New content for a poll.
    PollEdit,
    /// One more option for a poll. Clients are seen to use the label of [`Self::PollEdit`] for it
    /// as well, so whoever opens one tries both.
    PollAddOption,
    /// A proof for reports.
    ReportToken,
}

impl SecretUse {
    /// The word that goes into the derivation.
    pub const fn label(self) -> &'static str {
        match self {
            Self::PollVote => "Poll Vote",
            Self::EventResponse => "Event Response",
            Self::Reaction => "Enc Reaction",
            Self::Comment => "Enc Comment",
            Self::MessageEdit => "Message Edit",
            Self::PollEdit => "Poll Edit",
            Self::PollAddOption => "Poll Add Option",
            Self::ReportToken => "Report Token",
        }
    }

    /// Whether the seal also covers the message id and the sealing person.
    const fn binds_sender(self) -> bool {
        matches!(self, Self::PollVote | Self::EventResponse)
    }
}

/// One use of one message's secret: which message, whose, and who adds to it.
#[derive(Clone, Copy)]
pub struct SecretContext<'a> {
    /// The secret of the message.
    pub secret: &'a [u8; MESSAGE_SECRET_LEN],
    /// The message's id.
    pub message_id: &'a str,
    /// Who sent the message, in the form (phone number or LID) in which it was sent.
    pub original_sender: &'a Jid,
    /// Who adds to it, in the form in which the addition is sent.
    pub modification_sender: &'a Jid,
    /// What for.
    pub secret_use: SecretUse,
}

impl std::fmt::Debug for SecretContext<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SecretContext")
            .field("message_id", &self.message_id)
            .field("secret_use", &self.secret_use)
            .finish_non_exhaustive()
    }
}

impl SecretContext<'_> {
    /// The key: HKDF-SHA256 of the secret, without salt, over message id, both senders without
    /// device, and the label.
    pub fn key(&self) -> Zeroizing<[u8; 32]> {
        let info = [
            self.message_id.as_bytes(),
            self.original_sender.to_user().to_string().as_bytes(),
            self.modification_sender.to_user().to_string().as_bytes(),
            self.secret_use.label().as_bytes(),
        ]
        .concat();
        Zeroizing::new(hkdf_sha256(&[], self.secret, &info))
    }

    /// Seals a payload with a random initialisation vector: AES-256-GCM.
    pub fn seal(&self, plaintext: &[u8], rng: &mut impl CryptoRng) -> ([u8; 12], Vec<u8>) {
        let mut iv = [0; 12];
        rng.fill_bytes(&mut iv);
        let sealed = aes_gcm_seal(&self.key(), &iv, &self.associated_data(), plaintext);
        (iv, sealed)
    }

    /// Opens a sealed payload.
    ///
    /// # Errors
    /// [`DecryptError`] if it was sealed for another message, by another person, for another use,
    /// or altered.
    pub fn open(&self, iv: &[u8; 12], sealed: &[u8]) -> Result<Vec<u8>, DecryptError> {
        aes_gcm_open(&self.key(), iv, &self.associated_data(), sealed)
    }

    /// The reporting token over what [`reported_content`](crate::reported_content) finds in a
    /// message: the first 16 bytes of an HMAC. Here `modification_sender` is the chat.
    pub fn reporting_token(&self, content: &[u8]) -> [u8; 16] {
        let [token @ .., _, _, _, _, _, _, _, _, _, _, _, _, _, _, _, _] =
            hmac_sha256(self.key().as_slice(), &[content]);
        token
    }

    fn associated_data(&self) -> Vec<u8> {
        if !self.secret_use.binds_sender() {
            return Vec::new();
        }
        let sender = self.modification_sender.to_user().to_string();
        [self.message_id.as_bytes(), &[0], sender.as_bytes()].concat()
    }
}

#[cfg(test)]
mod tests {
    use rand_core::SeedableRng;

    use super::*;

    #[test]
    fn a_vote_does_not_open_for_another_voter() {
        let (secret, poll) = ([7; 32], Jid::lid("1"));
        let (ada, bob) = (Jid::lid("2"), Jid::lid("3"));
        let context = |voter| SecretContext {
            secret: &secret,
            message_id: "3EB0AA",
            original_sender: &poll,
            modification_sender: voter,
            secret_use: SecretUse::PollVote,
        };
        let mut rng = rand_chacha::ChaCha8Rng::seed_from_u64(1);
        let (iv, sealed) = context(&ada).seal(b"vote", &mut rng);
        assert_eq!(context(&ada).open(&iv, &sealed).unwrap(), b"vote");
        assert!(context(&bob).open(&iv, &sealed).is_err());
    }
}
