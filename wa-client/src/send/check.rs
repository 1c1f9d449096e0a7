//! What can be sent, and to whom.

use std::ops::RangeInclusive;

use wa_proto::{Content, Jid, Server, content::Poll};

use super::MAX_TEXT_LEN;
use crate::{error::Error, groups, inner::Inner, receive::own_jids};

/// Whether such a chat can be written to.
pub(super) fn check_chat(chat: &Jid) -> Result<Jid, Error> {
    if chat.user.is_empty() {
        return Err(Error::InvalidInput("a chat needs a user"));
    }
    if chat.is_group() || chat.is_status() || chat.server == Server::Newsletter {
        return Ok(chat.to_user());
    }
    if !chat.is_person() {
        return Err(Error::Unsupported("broadcast lists cannot be written to"));
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
    match content {
        Content::Text(text) if text.body.is_empty() => {
            Err(Error::InvalidInput("a text message needs a text"))
        }
        Content::Poll(poll) => check_poll(poll),
        Content::Event(event) if event.name.is_empty() => {
            Err(Error::InvalidInput("an event needs a name"))
        }
        Content::Location(location) => check_place(location.latitude, location.longitude),
        Content::LiveLocation(location) => check_place(location.latitude, location.longitude),
        Content::Contact(contact) if contact.vcard.is_empty() => {
            Err(Error::InvalidInput("a contact needs a card"))
        }
        _ => Ok(()),
    }?;
    match content.text().map_or(0, str::len) {
        len if len > MAX_TEXT_LEN => Err(Error::TextTooLong { len, max: MAX_TEXT_LEN }),
        _ => Ok(()),
    }
}

/// Whether a chat takes such a content. What is posted in a channel is not encrypted, so its files
/// must not be either, and everybody may look at them as often as they like.
pub(super) fn check_fits(chat: &Jid, content: &Content) -> Result<(), Error> {
    let Some(media) = content.media().filter(|_| chat.server == Server::Newsletter) else {
        return Ok(());
    };
    match () {
        () if media.media_key.is_some() => Err(Error::InvalidInput(
            "a file in a channel must not be encrypted: send the file itself",
        )),
        () if media.view_once => {
            Err(Error::InvalidInput("what is posted in a channel cannot be looked at once only"))
        }
        () => Ok(()),
    }
}

fn check_poll(poll: &Poll) -> Result<(), Error> {
    let mut names = poll.options.clone();
    names.sort();
    names.dedup();
    match () {
        () if poll.question.is_empty() => Err(Error::InvalidInput("a poll needs a question")),
        () if !POLL_OPTIONS.contains(&poll.options.len()) => {
            Err(Error::InvalidInput("a poll has two to twelve options"))
        }
        () if names.len() != poll.options.len() => {
            Err(Error::InvalidInput("the options of a poll differ from each other"))
        }
        () if names.iter().any(String::is_empty) => {
            Err(Error::InvalidInput("the options of a poll have texts"))
        }
        () if usize::try_from(poll.selectable).unwrap_or(usize::MAX) > names.len() => {
            Err(Error::InvalidInput("a vote cannot choose more options than there are"))
        }
        () => Ok(()),
    }
}

fn check_place(latitude: f64, longitude: f64) -> Result<(), Error> {
    let is_on_earth = (-90.0..=90.0).contains(&latitude) && (-180.0..=180.0).contains(&longitude);
    match is_on_earth {
        true => Ok(()),
        false => Err(Error::InvalidInput("there is no such place on earth")),
    }
}

/// How many options clients offer and show.
const POLL_OPTIONS: RangeInclusive<usize> = 2..=12;

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

    #[test]
    fn an_encrypted_file_is_not_posted_where_everybody_reads() {
        let channel = Jid::new("1", Server::Newsletter);
        let mut media = wa_proto::content::Media::default();
        assert!(check_fits(&channel, &Content::Image(media.clone())).is_ok());
        media.media_key = Some(wa_proto::content::MediaKey::new(vec![1; 32]));
        let picture = Content::Image(media);
        assert!(matches!(check_fits(&channel, &picture), Err(Error::InvalidInput(_))));
        assert!(check_fits(&channel, &Content::from("hello")).is_ok());
        assert!(check_fits(&Jid::group("1"), &picture).is_ok());
        let mut once = wa_proto::content::Media::default();
        once.view_once = true;
        assert!(check_fits(&channel, &Content::Image(once)).is_err());
    }

    #[test]
    fn polls_and_places_that_nobody_could_show_are_refused() {
        let poll = |options: &[&str], selectable| {
            let options = options.iter().map(|&option| option.to_owned()).collect();
            check_content(&Content::Poll(Poll::new("?", options, selectable)))
        };
        assert!(poll(&["a", "b"], 2).is_ok());
        for (options, selectable) in
            [(&["a"][..], 0), (&["a", "a"], 0), (&["a", ""], 0), (&["a", "b"], 3), (&["x"; 13], 0)]
        {
            assert!(poll(options, selectable).is_err(), "{options:?}");
        }
        assert!(check_place(-90.0, 180.0).is_ok());
        assert!(check_place(90.1, 0.0).is_err());
        assert!(check_place(f64::NAN, 0.0).is_err());
    }
}
