//! The token by which a recipient can prove to the server what a message said.
//!
//! Owns the choice of messages that have one and the addresses in it. What it covers and how it is
//! made is known to `wa-addon`.

use prost::Message as _;
use wa_addon::{REPORTING_VERSION, SecretContext, SecretUse, reported_content};
use wa_proto::{
    Jid, pb,
    stanza::{OwnJids, ReportingToken},
};

/// The token of a message. It names this account by the kind of address that the chat uses:
/// `by_lid` says which. There is none without a secret, for reactions, votes and answers, and for
/// what nothing of is covered.
pub(crate) fn token(
    own: &OwnJids,
    by_lid: bool,
    chat: &Jid,
    id: &str,
    message: &pb::Message,
) -> Option<ReportingToken> {
    let is_addition = message.reaction_message.is_some()
        || message.enc_reaction_message.is_some()
        || message.enc_event_response_message.is_some()
        || message.poll_update_message.is_some();
    if is_addition {
        return None;
    }
    let context = message.message_context_info.as_ref()?;
    let secret = context.message_secret.as_deref()?.try_into().ok()?;
    let content = reported_content(&message.encode_to_vec()).filter(|found| !found.is_empty())?;
    let sender = own.lid.as_ref().filter(|_| by_lid).unwrap_or(&own.phone);
    let context = SecretContext {
        secret,
        message_id: id,
        original_sender: sender,
        modification_sender: chat,
        secret_use: SecretUse::ReportToken,
    };
    let token = context.reporting_token(&content);
    Some(ReportingToken { version: REPORTING_VERSION, token })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn own() -> OwnJids {
        OwnJids { phone: Jid::phone("15550100").with_device(3), lid: Some(Jid::lid("1")) }
    }

    fn of(message: &pb::Message, by_lid: bool) -> Option<ReportingToken> {
        token(&own(), by_lid, &Jid::lid("2"), "3EB0AA", message)
    }

    fn text() -> pb::Message {
        let context = pb::MessageContextInfo {
            message_secret: Some(vec![7; 32].into()),
            ..pb::MessageContextInfo::default()
        };
        pb::Message {
            conversation: Some("hello".into()),
            message_context_info: Some(context),
            ..pb::Message::default()
        }
    }

    #[test]
    fn a_text_has_a_token_that_depends_on_it_and_on_who_says_it() {
        let token = of(&text(), true).unwrap();
        assert_eq!((token.version, of(&text(), true)), (2, Some(token)));
        assert_ne!(of(&text(), false), Some(token));
        let other = pb::Message { conversation: Some("other".into()), ..text() };
        assert_ne!(of(&other, true), Some(token));
    }

    #[test]
    fn what_has_no_secret_or_nothing_to_report_has_no_token() {
        let without = pb::Message { message_context_info: None, ..text() };
        assert_eq!(of(&without, true), None);
        let empty = pb::Message { conversation: None, ..text() };
        assert_eq!(of(&empty, true), None);
    }

    #[test]
    fn reactions_votes_and_answers_have_no_token_even_with_a_secret() {
        use pb::message::*;
        let additions = [
            pb::Message { reaction_message: Some(ReactionMessage::default()), ..text() },
            pb::Message { enc_reaction_message: Some(EncReactionMessage::default()), ..text() },
            pb::Message { poll_update_message: Some(PollUpdateMessage::default()), ..text() },
            pb::Message {
                enc_event_response_message: Some(EncEventResponseMessage::default()),
                ..text()
            },
        ];
        for addition in additions {
            assert_eq!(of(&addition, true), None);
        }
    }
}
