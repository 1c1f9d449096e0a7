//! What can be sent, and to whom.

use wa_proto::{Content, Jid, Server};

use super::MAX_TEXT_LEN;
use crate::{error::Error, groups, inner::Inner, receive::own_jids};

/// Whether such a chat can be written to.
pub(super) fn check_chat(chat: &Jid) -> Result<Jid, Error> {
    if chat.user.is_empty() {
        return Err(Error::InvalidInput("a chat needs a user"));
    }
    if chat.is_group() || chat.server == Server::Newsletter {
        return Ok(chat.to_user());
    }
    if !chat.is_person() {
        return Err(Error::Unsupported("only people and groups can be written to in this version"));
    }
    if chat.is_phone() && !chat.user.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(Error::InvalidInput("a phone number has digits only, country code first"));
    }
    Ok(chat.to_user())
}

/// Whether this account may write to a group, as far as that is known without asking.
pub(super) async fn check_group(inner: &Inner, group: &Jid) -> Result<(), Error> {
    let Some(own) = own_jids(&inner.account()) else { return Err(Error::NotLinked) };
    let Some(info) = inner.store.group(group).await? else { return Ok(()) };
    let me = info.participants.iter().find(|person| groups::cache::is_me(person, &own));
    match me {
        Some(me) if info.is_announcement && !me.role.is_admin() => Err(Error::AdminsOnly),
        _ => Ok(()),
    }
}

/// Whether a content may be sent as it is.
pub(super) fn check_content(content: &Content) -> Result<(), Error> {
    let text = match content {
        Content::Text(text) => &text.body,
        content => match content.media().and_then(|media| media.caption.as_ref()) {
            Some(caption) if !caption.is_empty() => caption,
            _ => return Ok(()),
        },
    };
    match text.len() {
        0 => Err(Error::InvalidInput("a text message needs a text")),
        len if len > MAX_TEXT_LEN => Err(Error::TextTooLong { len, max: MAX_TEXT_LEN }),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_beyond_the_limit_is_refused() {
        assert!(check_content(&Content::from("x".repeat(MAX_TEXT_LEN))).is_ok());
        assert!(matches!(
            check_content(&Content::from("x".repeat(MAX_TEXT_LEN + 1))),
            Err(Error::TextTooLong { .. })
        ));
        assert!(check_content(&Content::from("")).is_err());
    }

    #[test]
    fn a_list_is_unsupported_and_a_wrong_number_is_wrong() {
        let list = Jid::new("1", Server::Broadcast);
        assert!(matches!(check_chat(&list), Err(Error::Unsupported(_))));
        assert!(check_chat(&Jid::group("1")).is_ok());
        assert!(matches!(check_chat(&Jid::phone("+1 555")), Err(Error::InvalidInput(_))));
        assert!(check_chat(&Jid::phone("15550100")).is_ok());
    }
}
