//! What became of a message by what people did to it later: a pure function of what a phone has.
//! Knows nothing of how any of it came.

use std::collections::{BTreeMap, HashMap};

use prost::Message as _;
use serde::Serialize;
use wa_addon::{SecretContext, SecretUse, poll_option_hash};
use wa_proto::{
    content::{Content, Sealed, Unwrapped},
    pb::message::{EventResponseMessage, PollVoteMessage},
};

use super::endpoint::{Chat, StoredMessage};
use crate::{
    address::PhoneNumber,
    server::{Server, directory::Addressing},
};

/// How a message stands after everything that was done to it. People are phone numbers.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Outcome {
    /// What it says now, if it was edited.
    pub edited: Option<String>,
    /// Whether it was taken back.
    pub revoked: bool,
    /// The emoji of each person who reacted.
    pub reactions: BTreeMap<String, String>,
    /// The voters of each option, if it is a poll.
    pub tally: Option<BTreeMap<String, Vec<String>>>,
    /// What each person answered, if it is an event: 1 going, 2 not going, 3 maybe.
    pub answers: BTreeMap<String, i32>,
    /// Whether it is pinned for everyone.
    pub pinned: bool,
    /// Whether it is kept although messages of its chat disappear.
    pub kept: bool,
    /// What people commented.
    pub comments: Vec<String>,
    /// How often it was forwarded before.
    pub forwarded: u32,
    /// The text that it quotes.
    pub quotes: Option<String>,
    /// After how many seconds it disappears.
    pub expires_after: Option<u32>,
}

/// The outcomes of all messages, by where they stand in the list.
pub(super) fn outcomes<'a>(
    server: &Server,
    messages: impl Iterator<Item = &'a StoredMessage> + Clone,
) -> Vec<Outcome> {
    let unwrapped: Vec<_> =
        messages.clone().map(|kept| Unwrapped::from_message(kept.message.clone())).collect();
    let mut outcomes: Vec<Outcome> = unwrapped.iter().map(by_itself).collect();
    let mut places = BTreeMap::<(&Chat, &str), usize>::new();
    for (place, kept) in messages.clone().enumerate() {
        places.entry((&kept.chat, &kept.id)).or_insert(place);
    }
    let kept: Vec<_> = messages.collect();
    let mut votes = HashMap::<(usize, PhoneNumber), Vec<Vec<u8>>>::new();
    for (adding, said) in kept.iter().zip(&unwrapped) {
        let Some(target) = said.content.target() else { continue };
        let place = places.get(&(&adding.chat, target.id.as_str())).copied();
        let Some(place) = place else { continue };
        let (Some(target), Some(asked)) = (kept.get(place), unwrapped.get(place)) else { continue };
        let Some(outcome) = outcomes.get_mut(place) else { continue };
        let own = adding.sender.account == target.sender.account;
        let author = adding.sender.account.to_string();
        let open =
            |sealed: &Sealed, secret_use| open(server, adding, target, asked, sealed, secret_use);
        match &said.content {
            Content::Reaction(reaction) if reaction.emoji.is_empty() => {
                outcome.reactions.remove(&author);
            }
            Content::Reaction(reaction) => {
                outcome.reactions.insert(author, reaction.emoji.clone());
            }
            Content::Edit(edit) if own => {
                outcome.edited = edit.content.text().map(str::to_owned);
            }
            Content::Revoke(_) => outcome.revoked |= own || matches!(adding.chat, Chat::Group(_)),
            Content::Pin(pin) => outcome.pinned = pin.pinned,
            Content::Keep(keep) => outcome.kept = keep.kept,
            Content::Comment(comment) => {
                outcome.comments.extend(comment.content.text().map(str::to_owned));
            }
            Content::PollVote(vote) => {
                let opened = open(&vote.sealed, SecretUse::PollVote);
                let opened = opened.and_then(|vote| PollVoteMessage::decode(&*vote).ok());
                if let Some(vote) = opened {
                    let hashes = vote.selected_options.iter().map(|hash| hash.to_vec());
                    votes.insert((place, adding.sender.account), hashes.collect());
                }
            }
            Content::EventResponse(sealed) => {
                let opened = open(sealed, SecretUse::EventResponse);
                let opened = opened.and_then(|it| EventResponseMessage::decode(&*it).ok());
                if let Some(answer) = opened {
                    outcome.answers.insert(author, answer.response.unwrap_or_default());
                }
            }
            _ => {}
        }
    }
    for ((place, voter), hashes) in votes {
        count(&mut outcomes, &unwrapped, place, voter, &hashes);
    }
    outcomes
}

fn by_itself(said: &Unwrapped) -> Outcome {
    let tally = match &said.content {
        Content::Poll(poll) => {
            Some(poll.options.iter().map(|option| (option.clone(), Vec::new())).collect())
        }
        _ => None,
    };
    let quoted = said.context.quoted.as_ref().and_then(|quoted| quoted.content());
    Outcome {
        tally,
        forwarded: said.context.forwarding_score,
        quotes: quoted.and_then(|content| content.text().map(str::to_owned)),
        expires_after: said.context.expiration,
        ..Outcome::default()
    }
}

fn count(
    outcomes: &mut [Outcome],
    unwrapped: &[Unwrapped],
    place: usize,
    voter: PhoneNumber,
    hashes: &[Vec<u8>],
) {
    let Some(Content::Poll(poll)) = unwrapped.get(place).map(|said| &said.content) else { return };
    let Some(tally) = outcomes.get_mut(place).and_then(|outcome| outcome.tally.as_mut()) else {
        return;
    };
    for option in &poll.options {
        if hashes.iter().any(|hash| hash[..] == poll_option_hash(option)) {
            let voters = tally.entry(option.clone()).or_default();
            voters.push(voter.to_string());
            voters.sort();
        }
    }
}

/// Opens what is sealed with the secret of `target`, whichever names its sealer used.
fn open(
    server: &Server,
    adding: &StoredMessage,
    target: &StoredMessage,
    asked: &Unwrapped,
    sealed: &Sealed,
    secret_use: SecretUse,
) -> Option<Vec<u8>> {
    let secret = asked.context.message_secret.as_ref()?;
    let secret = <[u8; 32]>::try_from(secret.as_bytes()).ok()?;
    let iv = <[u8; 12]>::try_from(&*sealed.iv).ok()?;
    let forms = [Addressing::Lid, Addressing::Phone];
    forms.iter().find_map(|original| {
        forms.iter().find_map(|modifier| {
            let original_sender = server.user_jid(target.sender.account, *original);
            let modification_sender = server.user_jid(adding.sender.account, *modifier);
            let context = SecretContext {
                secret: &secret,
                message_id: &target.id,
                original_sender: &original_sender,
                modification_sender: &modification_sender,
                secret_use,
            };
            context.open(&iv, &sealed.payload).ok()
        })
    })
}
