//! What to do about a message, given what became of each of its ciphertexts.
//!
//! A pure decision. Knows nothing of how it is carried out.

use wa_proto::stanza::{EncKind, IncomingMessage, NackReason, RetryReason};

/// What became of one ciphertext.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Part {
    /// It was read.
    Content,
    /// It was read and holds a sender key and nothing else.
    KeyOnly,
    /// It was handled before.
    Duplicate,
    /// It was decrypted and says nothing this version can decode.
    Malformed,
    /// It is encrypted in a way this version does not know.
    Unsupported,
    /// It does not decrypt.
    Failed(RetryReason),
}

/// What became of a message.
#[derive(Debug, Default)]
pub(crate) struct Reading {
    pub(crate) parts: Vec<Part>,
    /// Whether the sender proved another identity key than before.
    pub(crate) identity_changed: bool,
    /// Whether a placeholder was filled from the phone's copy.
    pub(crate) from_phone: bool,
    /// Whether the sender wrote under an identity that they had before.
    pub(crate) former_identity: bool,
    /// Whether a part of the history waits to be read.
    pub(crate) of_history: bool,
    /// Whether keys of the app state came.
    pub(crate) keys_came: bool,
    /// Whether something was put on disk that is seen to once the session is free.
    pub(crate) for_later: bool,
    /// Whether a failure is not to be shown.
    pub(crate) hidden: bool,
}

/// What to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// Commit, send a receipt.
    Keep,
    /// Refuse it; it would be no more readable the next time.
    Refuse(NackReason),
    /// Ask for it again.
    Repair {
        /// Why.
        reason: RetryReason,
        /// Whether to ask the phone at once and not only the sender.
        phone_first: bool,
    },
    /// Its content is withheld from this device.
    Withheld,
}

impl Reading {
    /// Decides. One part that failed does not spoil those that were read; a sender key alone is
    /// no content where another part failed.
    pub(crate) fn verdict(&self, message: &IncomingMessage) -> Verdict {
        let has = |wanted: Part| self.parts.contains(&wanted);
        let failure = self.parts.iter().find_map(|part| match part {
            Part::Failed(reason) => Some(*reason),
            _ => None,
        });
        // Content in any part, or the last part, which is the message proper, handled before.
        if has(Part::Content) || self.parts.last() == Some(&Part::Duplicate) {
            return Verdict::Keep;
        }
        if let Some(reason) = failure {
            let is_group = message.encs.iter().any(|enc| enc.kind == EncKind::SenderKeyMessage);
            let is_direct = message
                .encs
                .iter()
                .any(|enc| matches!(enc.kind, EncKind::Message | EncKind::PreKeyMessage));
            let phone_first = is_group && !is_direct && reason == RetryReason::NoSession;
            return Verdict::Repair { reason, phone_first };
        }
        if has(Part::KeyOnly) || has(Part::Duplicate) {
            return Verdict::Keep;
        }
        if has(Part::Malformed) {
            return Verdict::Refuse(NackReason::InvalidProtobuf);
        }
        if message.encs.iter().any(|enc| enc.kind == EncKind::MessageSecret) {
            return Verdict::Refuse(NackReason::MissingMessageSecret);
        }
        if has(Part::Unsupported) {
            return Verdict::Refuse(NackReason::UnrecognizedStanzaType);
        }
        match message.unavailable {
            Some(_) => Verdict::Withheld,
            None => Verdict::Refuse(NackReason::ParsingError),
        }
    }
}

#[cfg(test)]
mod tests {
    use wa_proto::{Jid, Node, OwnedNode, stanza::Stanza};

    use super::*;

    fn message(kinds: &[&'static str]) -> IncomingMessage {
        let enc = |kind: &&'static str| {
            Node::new("enc").attr("v", "2").attr("type", *kind).bytes(vec![1])
        };
        let stanza: OwnedNode = Node::new("message")
            .attr("id", "3EB0AA")
            .attr("from", Jid::group("1"))
            .attr("participant", Jid::lid("2"))
            .attr("type", "text")
            .attr("t", 1_700_000_000_u64)
            .children(kinds.iter().map(enc));
        match Stanza::parse(stanza) {
            Stanza::Message(message) => *message,
            other => panic!("{other:?}"),
        }
    }

    fn verdict(kinds: &[&'static str], parts: &[Part]) -> Verdict {
        Reading { parts: parts.to_vec(), ..Reading::default() }.verdict(&message(kinds))
    }

    const NO_SESSION: Part = Part::Failed(RetryReason::NoSession);

    #[test]
    fn one_broken_part_does_not_spoil_the_other() {
        let kinds = ["pkmsg", "skmsg"];
        assert_eq!(verdict(&kinds, &[NO_SESSION, Part::Content]), Verdict::Keep);
        let broken = verdict(&kinds, &[Part::KeyOnly, NO_SESSION]);
        let reason = RetryReason::NoSession;
        assert_eq!(broken, Verdict::Repair { reason, phone_first: false });
    }

    #[test]
    fn what_was_handled_before_is_never_asked_for_again() {
        assert_eq!(verdict(&["msg"], &[Part::Duplicate]), Verdict::Keep);
        assert_eq!(verdict(&["pkmsg", "skmsg"], &[NO_SESSION, Part::Duplicate]), Verdict::Keep);
    }

    #[test]
    fn a_group_message_without_key_and_direct_part_is_asked_of_the_phone_at_once() {
        let reason = RetryReason::NoSession;
        assert_eq!(
            verdict(&["skmsg"], &[NO_SESSION]),
            Verdict::Repair { reason, phone_first: true }
        );
        let bad_mac = RetryReason::BadMac;
        assert_eq!(
            verdict(&["msg"], &[Part::Failed(bad_mac)]),
            Verdict::Repair { reason: bad_mac, phone_first: false }
        );
    }

    #[test]
    fn an_assistants_sealed_message_is_refused_with_its_own_code() {
        assert_eq!(
            verdict(&["msmsg"], &[Part::Unsupported]),
            Verdict::Refuse(NackReason::MissingMessageSecret)
        );
    }
}
