//! The archive in memory: messages, what hangs on them, and the questions asked of them.

use std::sync::Arc;

use wa_proto::Jid;

use super::state::{Place, State};
use crate::{
    Alteration, ArchivedMessage, Change, Committed, Edit, Hit, MAX_PAGE, MessageFilter, MessageId,
    MessageKey, MessageKind, MessageQuery, MessageSecret, NewMessage, Placeholder, Reaction,
    SearchOrder, SearchPage, SearchQuery, SecretBytes, Seq, TextVersion, Timestamp,
    search::{Analysis, Cursor, Matcher, Position, RANK_WINDOW, rank, snippet},
    store::Result,
};

/// Whether this stands for a message that has not come.
fn is_tombstone(message: &ArchivedMessage) -> bool {
    message.kind == MessageKind::REVOKED
}

impl State {
    /// What belongs to people, chats and messages.
    pub(super) fn apply_archive(&mut self, change: Change, committed: &mut Committed) {
        match change {
            Change::LearnLid { phone, lid } => self.learn_lid(&phone, &lid),
            Change::Sync(change) => self.apply_sync(change, committed),
            Change::PutPlaceholder(placeholder) => self.put_placeholder(*placeholder, committed),
            Change::NotePlaceholderRequested { key, at } => {
                let place = self.place(&key);
                if let Some(placeholder) = self.placeholders.get_mut(&place) {
                    placeholder.requested_at = Some(at);
                    placeholder.attempts = placeholder.attempts.saturating_add(1);
                }
            }
            Change::RemovePlaceholder(key) => drop(self.placeholders.remove(&self.place(&key))),
            Change::PutMessageSecret { key, secret } => {
                let sender = key.sender.to_user();
                let place = self.place(&key);
                if !self.is_revoked(&place) {
                    self.secrets.insert(place.clone(), MessageSecret { sender, secret });
                    self.note_openable(&place, committed);
                }
            }
            Change::PutPrivacyToken { jid, token } => {
                self.tokens.insert(self.person(&jid), token);
            }
            Change::DeletePrivacyToken(jid) => drop(self.tokens.remove(&self.person(&jid))),
            Change::PutContact(update) => self.put_contact(&update, committed),
            Change::PutChat(update) => self.put_chat(&update),
            Change::Archive(message) => self.archive(&message, committed),
            Change::SetStatus { key, status, server_timestamp } => {
                self.alter(&key, |message| {
                    message.status = message.status.max(status);
                    message.server_timestamp = server_timestamp.or(message.server_timestamp);
                });
            }
            Change::MarkByAssistant(key) => {
                self.alter(&key, |message| message.by_assistant |= message.key.from_me);
            }
            Change::Edit(edit) => self.edit(*edit, committed),
            Change::Revoke { key, by, at } => self.revoke(&key, &by, at, committed),
            Change::React(reaction) => self.react(*reaction, committed),
            Change::SetStarred { key, starred } => {
                self.alter(&key, |message| message.starred = starred);
            }
            Change::DeleteMessage(key) => self.delete(&self.place(&key)),
            Change::DeleteChat(jid) => {
                let jid = self.person(&jid);
                self.delete_where(|message| message.key.chat == jid);
                self.chats.remove(&jid);
            }
            Change::DeleteMessagesBefore(time) => {
                self.delete_where(|message| message.timestamp < time);
            }
            other => self.apply_additions(other, committed),
        }
    }

    pub(super) fn is_revoked(&self, place: &Place) -> bool {
        self.message(place).is_some_and(|message| message.revoked.is_some())
    }

    pub(super) fn message(&self, place: &Place) -> Option<&ArchivedMessage> {
        self.messages.get(self.places.get(place)?).map(Arc::as_ref)
    }

    fn alter(&mut self, key: &MessageKey, change: impl FnOnce(&mut ArchivedMessage)) {
        let seq = self.places.get(&self.place(key));
        if let Some(message) = seq.and_then(|seq| self.messages.get_mut(seq)) {
            change(Arc::make_mut(message));
        }
    }

    fn archive(&mut self, new: &NewMessage, committed: &mut Committed) {
        let key = self.canonical(&new.key);
        let place = self.place(&new.key);
        let before = self.message(&place).cloned();
        if before.as_ref().is_some_and(ArchivedMessage::is_bare_tombstone) {
            self.alter(&key, |message| message.complete(new));
        }
        if let Some(before) = &before
            && (!before.is_fillable() || new.kind == MessageKind::UNREADABLE)
        {
            committed.duplicates.push(key);
            return;
        }
        self.last_seq += 1;
        let seq = Seq(self.last_seq);
        let mut message = ArchivedMessage::from_new(seq, key.clone(), new);
        if let Some(before) = &before {
            message.fill(before);
            self.messages.remove(&before.seq);
            self.placeholders.remove(&place);
        } else {
            let chat = self
                .chats
                .entry(key.chat.clone())
                .or_insert_with(|| crate::Chat::new(key.chat.clone()));
            chat.unread = chat.unread.saturating_add(new.unread.into());
        }
        committed.note_archived(message.clone(), before.as_ref().map(|before| before.seq));
        self.messages.insert(seq, Arc::new(message));
        self.places.insert(place.clone(), seq);
        self.apply_edits(&place);
        if new.kind == MessageKind::COMMENT {
            self.note_comment(&key, new.reply_to.as_ref(), committed);
        }
    }

    /// Brings what a commit archived to how it stands at the commit's end.
    pub(super) fn complete(&self, committed: &mut Committed) {
        committed.archived.retain_mut(|archived| {
            let Some(message) = self.messages.get(&archived.message.seq) else { return false };
            archived.message = message.as_ref().clone();
            let sender = &archived.message.key.sender;
            let names = if sender.is_lid() { &self.phones } else { &self.lids };
            archived.sender_alt = names.get(sender).cloned();
            true
        });
    }

    fn put_placeholder(&mut self, placeholder: Placeholder, committed: &mut Committed) {
        let key = self.canonical(&placeholder.key);
        let place = self.place(&key);
        if self.message(&place).is_some_and(|message| !message.is_fillable()) {
            committed.duplicates.push(key);
            return;
        }
        if !self.places.contains_key(&place) {
            let kind = MessageKind::UNREADABLE;
            let mut message = NewMessage::new(key.clone(), placeholder.timestamp, kind);
            message.push_name.clone_from(&placeholder.push_name);
            self.archive(&message, committed);
        }
        self.placeholders.insert(place, Placeholder { key, ..placeholder });
    }

    fn edit(&mut self, edit: Edit, committed: &mut Committed) {
        let target = self.canonical(&edit.target);
        let place = self.place(&target);
        if self.is_revoked(&place) {
            return;
        }
        let edits = self.edits.entry(place.clone()).or_default();
        if edits.iter().all(|other| other.id != edit.id) {
            edits.push(Edit { target: target.clone(), ..edit });
            edits.sort_by(|a, b| {
                (a.edited_at, a.sender_ms, &a.id).cmp(&(b.edited_at, b.sender_ms, &b.id))
            });
            let by = target.sender.clone();
            self.note_altered(&place, Some(by), Alteration::Edited, committed);
        }
        self.apply_edits(&place);
    }

    /// Gives a message the text of its last edit.
    fn apply_edits(&mut self, place: &Place) {
        let Some(last) = self.edits.get(place).and_then(|edits| edits.last()) else { return };
        let Some(message) = self.places.get(place).and_then(|seq| self.messages.get_mut(seq))
        else {
            return;
        };
        if message.kind == MessageKind::UNREADABLE {
            return;
        }
        let message = Arc::make_mut(message);
        self.originals.entry(place.clone()).or_insert_with(|| message.text.clone());
        message.text.clone_from(&last.text);
        message.edited_at = Some(last.edited_at);
    }

    fn revoke(&mut self, key: &MessageKey, by: &Jid, at: Timestamp, committed: &mut Committed) {
        let place = self.place(key);
        if !self.places.contains_key(&place) {
            let mut tombstone = NewMessage::new(key.clone(), at, MessageKind::REVOKED);
            tombstone.unread = false;
            self.archive(&tombstone, committed);
        }
        self.strip(&place);
        let by = self.person(by);
        let is_news = !self.is_revoked(&place) && !self.message(&place).is_some_and(is_tombstone);
        if is_news {
            self.note_altered(&place, Some(by.clone()), Alteration::Revoked, committed);
        }
        self.alter(key, |message| {
            message.text = None;
            message.raw = SecretBytes::default();
            message.media = None;
            message.edited_at = None;
            let earlier = message.revoked.take();
            // Whoever took it back first did, whichever is heard of first.
            message.revoked = earlier.into_iter().chain([(at, by)]).min();
        });
    }

    fn react(&mut self, reaction: Reaction, committed: &mut Committed) {
        let target = self.canonical(&reaction.target);
        let place = self.place(&target);
        if self.is_revoked(&place) {
            return;
        }
        let sender = self.person(&reaction.sender);
        let key = (place, sender.clone());
        if self.reactions.get(&key).is_none_or(|other| other.order() < reaction.order()) {
            let by = Some(sender.clone());
            self.note_altered(&key.0, by, Alteration::Reacted, committed);
            self.reactions.insert(key, Reaction { target, sender, ..reaction });
        }
    }

    /// Removes what hangs on a message.
    fn strip(&mut self, place: &Place) {
        self.placeholders.remove(place);
        self.secrets.remove(place);
        self.originals.remove(place);
        self.edits.remove(place);
        self.reactions.retain(|(target, _), _| target != place);
        self.additions.retain(|(target, ..), _| target != place);
        self.sealed.retain(|(target, ..), _| target != place);
    }

    pub(super) fn delete(&mut self, place: &Place) {
        self.strip(place);
        if let Some(seq) = self.places.remove(place) {
            self.messages.remove(&seq);
        }
    }

    pub(super) fn delete_where(&mut self, doomed: impl Fn(&ArchivedMessage) -> bool) {
        let places: Vec<_> = self
            .messages
            .values()
            .filter(|message| doomed(message))
            .map(|message| self.place(&message.key))
            .collect();
        places.iter().for_each(|place| self.delete(place));
    }

    pub(super) fn messages_by_id(&self, chat: &Jid, id: &MessageId) -> Vec<ArchivedMessage> {
        let chat = self.person(chat);
        self.messages
            .values()
            .filter(|message| message.key.chat == chat && message.key.id == *id)
            .map(|message| message.as_ref().clone())
            .collect()
    }

    pub(super) fn messages_with_id(&self, id: &MessageId) -> Vec<ArchivedMessage> {
        let found = self.messages.values().filter(|message| message.key.id == *id);
        found.take(MAX_PAGE).map(|message| message.as_ref().clone()).collect()
    }

    pub(super) fn messages_after(&self, seq: Seq, limit: usize) -> Vec<ArchivedMessage> {
        let after = (std::ops::Bound::Excluded(seq), std::ops::Bound::Unbounded);
        let messages = self.messages.range(after).map(|(_, message)| message.as_ref().clone());
        messages.take(limit.min(MAX_PAGE)).collect()
    }

    fn canonical_filter(&self, filter: &MessageFilter) -> MessageFilter {
        MessageFilter {
            chat: filter.chat.as_ref().map(|chat| self.person(chat)),
            sender: filter.sender.as_ref().map(|sender| self.person(sender)),
            ..filter.clone()
        }
    }

    pub(super) fn query_messages(&self, query: &MessageQuery) -> Result<Vec<ArchivedMessage>> {
        let filter = self.canonical_filter(&query.filter);
        let visible = self.visible(filter.scope.as_deref())?;
        let is_visible = |message: &ArchivedMessage| {
            visible.as_ref().is_none_or(|visible| visible.has(&message.key))
        };
        let by_commit = query.order.is_of_commits();
        let time = |seq: Seq| {
            let mut earlier = self.messages.range(..=seq).rev().map(|(_, message)| message);
            earlier.find(|message| is_visible(message)).map(|message| message.timestamp)
        };
        let place_of = |message: &ArchivedMessage| match by_commit {
            true => (Timestamp::MIN, message.seq),
            false => (message.timestamp, message.seq),
        };
        let anchor = |seq: Option<Seq>| match by_commit {
            true => seq.map(|seq| (Timestamp::MIN, seq)),
            false => seq.map(|seq| (time(seq).unwrap_or_default(), seq)),
        };
        let (before, after) = (anchor(query.before), anchor(query.after));
        let mut messages: Vec<_> = self
            .messages
            .values()
            .filter(|message| {
                let place = place_of(message);
                filter.passes(message)
                    && is_visible(message)
                    && before.is_none_or(|before| place < before)
                    && after.is_none_or(|after| place > after)
            })
            .collect();
        messages.sort_by_key(|message| place_of(message));
        if query.order.is_backwards() {
            messages.reverse();
        }
        let limit = query.limit.min(MAX_PAGE);
        Ok(messages.into_iter().take(limit).map(|message| message.as_ref().clone()).collect())
    }

    pub(super) fn text_versions(&self, place: &Place) -> Vec<TextVersion> {
        let Some(message) = self.message(place) else { return Vec::new() };
        let first = self.originals.get(place).unwrap_or(&message.text).clone();
        let mut versions = vec![TextVersion { since: message.timestamp, text: first }];
        if self.originals.contains_key(place) {
            let edits = self.edits.get(place).into_iter().flatten();
            versions.extend(
                edits.map(|edit| TextVersion { since: edit.edited_at, text: edit.text.clone() }),
            );
        }
        versions
    }

    pub(super) fn reactions_to(&self, target: &Place) -> Vec<Reaction> {
        let mut reactions: Vec<_> = self
            .reactions
            .iter()
            .filter(|((place, _), reaction)| place == target && !reaction.emoji.is_empty())
            .map(|(_, reaction)| reaction.clone())
            .collect();
        reactions.sort_by(|a, b| (a.timestamp, &a.sender).cmp(&(b.timestamp, &b.sender)));
        reactions
    }

    pub(super) fn search(&self, query: &SearchQuery) -> Result<SearchPage> {
        let position = query.cursor.map(|cursor| cursor.position(query.order)).transpose()?;
        let Some(matcher) = Matcher::new(&query.text)? else { return Ok(SearchPage::default()) };
        let filter = self.canonical_filter(&query.filter);
        let visible = self.visible(filter.scope.as_deref())?;
        let limit = query.limit.min(MAX_PAGE);
        let (before, newest) = match position {
            Some(Position::Before(time, seq)) => (Some((time, seq)), Seq(u64::MAX)),
            Some(Position::Ranked { newest, .. }) => (None, newest),
            None => (None, Seq(u64::MAX)),
        };
        let mut by_time: Vec<_> = self.messages.range(..=newest).collect();
        by_time.sort_by_key(|(seq, message)| std::cmp::Reverse((message.timestamp, **seq)));
        let matching = by_time.into_iter().filter_map(|(seq, message)| {
            let place = (message.timestamp, *seq);
            let text = Analysis::new(message.text.as_deref()?);
            let passes = before.is_none_or(|before| place < before)
                && filter.passes(message)
                && visible.as_ref().is_none_or(|visible| visible.has(&message.key));
            (passes && matcher.matches(&text)).then_some((place, text))
        });
        let hit = |seq: Seq, rank: f64| {
            let message = self.messages.get(&seq)?.as_ref().clone();
            let snippet = snippet(&matcher, message.text.as_deref().unwrap_or_default());
            Some(Hit { message, snippet, rank })
        };
        if query.order == SearchOrder::NewestFirst {
            let mut places: Vec<_> = matching.map(|(place, _)| place).take(limit + 1).collect();
            let more = places.len() > limit;
            places.truncate(limit);
            let next = places.last().filter(|_| more);
            let next = next.map(|(time, seq)| Position::Before(*time, *seq));
            let hits = places.into_iter().filter_map(|(_, seq)| hit(seq, 0.0)).collect();
            return Ok(SearchPage { hits, cursor: next.map(Cursor::new) });
        }
        let given = match position {
            Some(Position::Ranked { given, .. }) => given,
            _ => 0,
        };
        let window: Vec<_> =
            matching.map(|((_, seq), text)| (seq, text)).take(RANK_WINDOW).collect();
        // What is not found is not told of either, not even that it came.
        let newest = window.iter().map(|(seq, _)| *seq).max().unwrap_or_default();
        let scored = rank(&matcher, &window);
        let page = scored.get(given..).unwrap_or_default();
        let next = Position::Ranked { newest, given: given.saturating_add(limit) };
        Ok(SearchPage {
            hits: page.iter().take(limit).filter_map(|hit_| hit(hit_.seq, hit_.score)).collect(),
            cursor: (page.len() > limit).then(|| Cursor::new(next)),
        })
    }
}
