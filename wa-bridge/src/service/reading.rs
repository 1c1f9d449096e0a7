//! What an assistant has read of what others wrote: how much in the last hour, and where.
//!
//! Whoever reads what a stranger wrote may have been told by it what to do. So what an assistant
//! sends afterwards, to anybody but the one chat it read, is confirmed; and it cannot read the whole
//! archive in an hour. Kept by the assistant's name, across its processes and the owner's; all who
//! proved no name count as one.

use std::collections::{HashMap, VecDeque};

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use tokio::sync::Mutex;
use wa_proto::Jid;
use wa_store::{ArchivedMessage, Change, Changes, Store, Timestamp};

use super::{Call, now_ms, reach::is_same_chat};
use crate::{
    api::MessageView,
    failure::{Cause, Failure},
    moment,
    policy::{Broadcasts, HOUR, Pace, Policy, Taint},
    shown,
    view::chat_label,
};

/// For how long what was read may still be at work, in milliseconds.
const TAINT_LIFETIME: i64 = 12 * HOUR;

/// The most names whose reading is held in memory; the others are in the archive.
const MAX_NAMES: usize = 256;

/// Two chats are as bad as many: whoever is written to, another one was read.
const MAX_CHATS: usize = 2;

/// Readings of the same minute count as one.
const MINUTE: i64 = 60_000;

/// Where the readings stand among the settings of the archive.
const PREFIX: &str = "wa-bridge/reading/";

/// What was read, by the reader's name.
#[derive(Debug, Default)]
pub(super) struct Readings {
    by_name: Mutex<HashMap<String, Reading>>,
}

/// What one assistant has read.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
struct Reading {
    /// The chats it has read, in which people write whom the policy does not name.
    chats: Vec<String>,
    /// When it read there last.
    last_ms: i64,
    /// How much it read, minute by minute.
    amounts: VecDeque<Amount>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
struct Amount {
    at_ms: i64,
    messages: u32,
    characters: u32,
}

impl Reading {
    /// Counts something that is about to be read.
    ///
    /// # Errors
    /// When there is room for it again; nothing was counted then. `i64::MAX` for never.
    fn charge(&mut self, pace: &Pace, wanted: Amount) -> Result<(), i64> {
        let now = wanted.at_ms;
        self.amounts.retain(|amount| amount.at_ms > now - HOUR && amount.at_ms <= now);
        let limits = [
            (pace.read_messages_per_hour, wanted.messages, Amount::messages as fn(&Amount) -> u32),
            (pace.read_characters_per_hour, wanted.characters, Amount::characters),
        ];
        let mut free_at = now;
        for (most, wanted, of) in limits {
            let Some(mut room) = most.checked_sub(wanted) else { return Err(i64::MAX) };
            // From the newest on: what does not fit beside the later ones has to be an hour old.
            for amount in self.amounts.iter().rev() {
                match room.checked_sub(of(amount)) {
                    Some(left) => room = left,
                    None => {
                        free_at = free_at.max(amount.at_ms.saturating_add(HOUR));
                        break;
                    }
                }
            }
        }
        if free_at > now {
            return Err(free_at);
        }
        match self.amounts.back_mut() {
            Some(last) if now - last.at_ms < MINUTE => {
                last.messages = last.messages.saturating_add(wanted.messages);
                last.characters = last.characters.saturating_add(wanted.characters);
            }
            _ => self.amounts.push_back(wanted),
        }
        Ok(())
    }

    /// Notes that something was read in a chat.
    fn taint(&mut self, chat: &Jid, now: i64) {
        if !self.is_tainted(now) {
            self.chats.clear();
        }
        let chat = chat.to_string();
        if self.chats.len() < MAX_CHATS && !self.chats.contains(&chat) {
            self.chats.push(chat);
        }
        self.last_ms = now;
    }

    fn is_tainted(&self, now: i64) -> bool {
        !self.chats.is_empty() && now.saturating_sub(self.last_ms) < TAINT_LIFETIME
    }

    fn is_of_use(&self, now: i64) -> bool {
        self.is_tainted(now) || self.amounts.iter().any(|amount| amount.at_ms > now - HOUR)
    }
}

impl Amount {
    const fn messages(&self) -> u32 {
        self.messages
    }

    const fn characters(&self) -> u32 {
        self.characters
    }
}

/// Something of others that is about to be handed to whoever asks.
struct Given<'a> {
    chat: &'a Jid,
    /// Who wrote it, where that is not the chat itself.
    author: Option<&'a Jid>,
    /// Whether this account wrote it.
    from_me: bool,
    characters: usize,
}

impl Call<'_> {
    /// Messages as they are handed out.
    ///
    /// # Errors
    /// [`Cause::Paced`] if an assistant has read as much as it may for now.
    pub(super) async fn hand_out(
        &self,
        messages: &[ArchivedMessage],
    ) -> Result<Vec<MessageView>, Failure> {
        let views = MessageView::all(messages, &self.archive()).await?;
        self.note_read(messages).await?;
        Ok(views)
    }

    /// Notes that messages are handed out.
    ///
    /// # Errors
    /// As [`Call::hand_out`]; they must not be handed out then.
    pub(super) async fn note_read(
        &self,
        messages: impl IntoIterator<Item = &ArchivedMessage>,
    ) -> Result<(), Failure> {
        let given: Vec<_> = messages
            .into_iter()
            .map(|message| Given {
                chat: &message.key.chat,
                author: Some(&message.key.sender),
                from_me: message.key.from_me,
                characters: message.text.as_deref().map_or(0, |text| text.chars().count()),
            })
            .collect();
        self.note_given(&given).await
    }

    /// Notes that texts are handed out that somebody wrote who is not this account.
    ///
    /// # Errors
    /// As [`Call::hand_out`]; they must not be handed out then.
    pub(super) async fn note_texts<'t>(
        &self,
        chat: &Jid,
        texts: impl IntoIterator<Item = &'t str>,
    ) -> Result<(), Failure> {
        let given: Vec<_> = texts
            .into_iter()
            .filter(|text| !text.is_empty())
            .map(|text| {
                let characters = text.chars().count();
                Given { chat, author: None, from_me: false, characters }
            })
            .collect();
        self.note_given(&given).await
    }

    async fn note_given(&self, given: &[Given<'_>]) -> Result<(), Failure> {
        if self.is_human() || given.is_empty() {
            return Ok(());
        }
        let policy = self.policy();
        let mut strange: Vec<&Jid> = Vec::new();
        for given in given.iter().filter(|given| !given.from_me) {
            if !strange.contains(&given.chat) && !self.is_trusted(policy, given).await? {
                strange.push(given.chat);
            }
        }
        let characters = given.iter().map(|given| given.characters).sum::<usize>();
        let wanted = Amount {
            at_ms: now_ms(),
            messages: u32::try_from(given.len()).unwrap_or(u32::MAX),
            characters: u32::try_from(characters).unwrap_or(u32::MAX),
        };
        let mut readings = self.service.readings.by_name.lock().await;
        let reading = self.reading(&mut readings).await?;
        let before = reading.clone();
        reading.charge(&policy.pace, wanted).map_err(|free_at| used_up(free_at, &policy.pace))?;
        for chat in strange {
            reading.taint(chat, wanted.at_ms);
        }
        if *reading != before {
            keep(&self.caller.account(), reading, self.store()).await?;
        }
        Ok(())
    }

    /// Whether what was written is by somebody the policy names among those who may be read.
    async fn is_trusted(&self, policy: &Policy, given: &Given<'_>) -> Result<bool, Failure> {
        let named = policy.read.scope(Broadcasts::Allowed).named;
        for jid in [Some(given.chat), given.author].into_iter().flatten() {
            for named in &named {
                if is_same_chat(jid, named, self.store()).await? {
                    return Ok(true);
                }
            }
        }
        Ok(false)
    }

    /// Why a person has to agree to what is sent now, because of what was read before.
    ///
    /// # Errors
    /// [`Failure`] if the archive cannot be read.
    pub(super) async fn taint(
        &self,
        policy: &Policy,
        reached: &[Jid],
    ) -> Result<Option<String>, Failure> {
        if policy.taint == Taint::Off || self.is_human() {
            return Ok(None);
        }
        let mut readings = self.service.readings.by_name.lock().await;
        let reading = self.reading(&mut readings).await?;
        if !reading.is_tainted(now_ms()) {
            return Ok(None);
        }
        for chat in reading.chats.iter().filter_map(|chat| chat.parse::<Jid>().ok()) {
            let mut goes_elsewhere = false;
            for reached in reached {
                goes_elsewhere |= !is_same_chat(reached, &chat, self.store()).await?;
            }
            if goes_elsewhere {
                let label = chat_label(&chat, self.store()).await?;
                let label = shown::one_line(&label);
                return Ok(Some(format!(
                    "the assistant has read what others wrote in another chat ({label}), and may \
                     have been told by it to send this"
                )));
            }
        }
        Ok(None)
    }

    /// What the caller has read, from memory or from the archive.
    async fn reading<'r>(
        &self,
        readings: &'r mut HashMap<String, Reading>,
    ) -> Result<&'r mut Reading, Failure> {
        let name = self.caller.account();
        if !readings.contains_key(&name) {
            if readings.len() >= MAX_NAMES {
                readings.clear();
                forget_old(self.store()).await?;
            }
            let kept = self.store().setting(&setting(&name)).await?;
            let kept = kept.and_then(|kept| serde_json::from_slice(&kept).ok());
            readings.insert(name.clone(), kept.unwrap_or_default());
        }
        Ok(readings.entry(name).or_default())
    }
}

fn used_up(free_at: i64, pace: &Pace) -> Failure {
    let (messages, characters) = (pace.read_messages_per_hour, pace.read_characters_per_hour);
    let budget = format!("{messages} messages or {characters} characters an hour");
    if free_at == i64::MAX {
        return Failure::new(Cause::Paced, format!("this is more than may be read: {budget}"))
            .remedy("ask for fewer messages at once");
    }
    let at = moment::rfc3339(Timestamp::from_secs(free_at.div_euclid(1_000).saturating_add(1)));
    let mut failure = Failure::new(
        Cause::Paced,
        format!("as much was read as the policy lets be read: {budget}"),
    )
    .remedy(format!("go on at {at} or later, or ask for fewer messages"));
    failure.retry_at = Some(at.into());
    failure
}

/// The name is another's choice; its hash is a name of ours.
fn setting(name: &str) -> String {
    format!("{PREFIX}{}", hex::encode(Sha256::digest(name.as_bytes())))
}

async fn keep(name: &str, reading: &Reading, store: &dyn Store) -> Result<(), Failure> {
    let value = serde_json::to_vec(reading)
        .map_err(|error| Failure::new(Cause::Failed, format!("cannot keep a reading: {error}")))?;
    let change = Change::PutSetting { name: setting(name), value: Some(value) };
    store.commit(Changes::from(change)).await?;
    Ok(())
}

/// Removes what says nothing any more.
async fn forget_old(store: &dyn Store) -> Result<(), Failure> {
    let now = now_ms();
    for (name, value) in store.settings_with_prefix(PREFIX).await? {
        let reading = serde_json::from_slice::<Reading>(&value);
        if !reading.is_ok_and(|reading| reading.is_of_use(now)) {
            store.commit(Changes::from(Change::PutSetting { name, value: None })).await?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pace() -> Pace {
        Pace { read_messages_per_hour: 10, read_characters_per_hour: 1_000, ..Pace::default() }
    }

    fn amount(at_ms: i64, messages: u32, characters: u32) -> Amount {
        Amount { at_ms, messages, characters }
    }

    #[test]
    fn so_much_is_read_in_an_hour_and_no_more() {
        let mut reading = Reading::default();
        reading.charge(&pace(), amount(HOUR, 6, 10)).unwrap();
        assert_eq!(reading.charge(&pace(), amount(HOUR + 1, 11, 0)), Err(i64::MAX));
        assert_eq!(reading.charge(&pace(), amount(2 * MINUTE + HOUR, 5, 0)), Err(2 * HOUR));
        reading.charge(&pace(), amount(2 * MINUTE + HOUR, 4, 0)).unwrap();
        assert_eq!(reading.charge(&pace(), amount(3 * MINUTE + HOUR, 1, 0)), Err(2 * HOUR));
        reading.charge(&pace(), amount(2 * HOUR, 6, 0)).unwrap();
    }

    #[test]
    fn long_texts_use_the_budget_up_too() {
        let mut reading = Reading::default();
        reading.charge(&pace(), amount(HOUR, 1, 900)).unwrap();
        assert_eq!(reading.charge(&pace(), amount(HOUR + MINUTE, 1, 200)), Err(2 * HOUR));
        reading.charge(&pace(), amount(HOUR + MINUTE, 1, 100)).unwrap();
    }

    #[test]
    fn what_was_read_while_the_clock_was_wrong_counts_for_nothing() {
        let mut reading = Reading::default();
        reading.charge(&pace(), amount(365 * 24 * HOUR, 10, 0)).unwrap();
        reading.charge(&pace(), amount(HOUR, 10, 0)).unwrap();
    }

    #[test]
    fn what_was_read_wears_off() {
        let mut reading = Reading::default();
        assert!(!reading.is_tainted(0));
        reading.taint(&Jid::lid("1"), 1_000);
        assert!(reading.is_tainted(1_000 + TAINT_LIFETIME - 1));
        assert!(!reading.is_tainted(1_000 + TAINT_LIFETIME));
        reading.taint(&Jid::lid("2"), 1_000 + TAINT_LIFETIME);
        assert_eq!(reading.chats, [Jid::lid("2").to_string()]);
    }
}
