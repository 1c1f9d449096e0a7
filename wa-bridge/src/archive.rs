//! The archive as one caller may see it: every question is asked within their scope.
//!
//! What a call reads for its caller it reads through this. Knows nothing of policies and of what is
//! asked.

use std::{collections::HashSet, sync::Arc};

use wa_proto::Jid;
use wa_store::{
    ArchivedMessage, Chat, ChatQuery, Contact, ContactQuery, MessageId, MessageQuery, Result,
    Scope, SearchPage, SearchQuery, Stats, Store,
};

/// The archive as one caller may see it.
#[derive(Clone)]
pub struct Archive<'a> {
    store: &'a dyn Store,
    /// Nothing where nothing is left out.
    scope: Option<Arc<Scope>>,
}

impl std::fmt::Debug for Archive<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Archive").field("scope", &self.scope).finish_non_exhaustive()
    }
}

impl<'a> Archive<'a> {
    /// All of it.
    pub fn whole(store: &'a dyn Store) -> Self {
        Self { store, scope: None }
    }

    /// What is within a scope.
    pub fn within(store: &'a dyn Store, scope: Scope) -> Self {
        let scope = Some(scope).filter(|scope| !scope.is_everything()).map(Arc::new);
        Self { store, scope }
    }

    /// The store beneath, for what says nothing of chats, people and messages.
    pub fn store(&self) -> &'a dyn Store {
        self.store
    }

    /// Whether something may be left out.
    pub fn is_limited(&self) -> bool {
        self.scope.is_some()
    }

    /// Messages.
    ///
    /// # Errors
    /// The store's.
    pub async fn messages(&self, mut query: MessageQuery) -> Result<Vec<ArchivedMessage>> {
        query.filter.scope.clone_from(&self.scope);
        self.store.messages(&query).await
    }

    /// Messages with this id in a chat, whoever sent them.
    ///
    /// # Errors
    /// The store's.
    pub async fn messages_by_id(&self, chat: &Jid, id: &MessageId) -> Result<Vec<ArchivedMessage>> {
        let mut query = MessageQuery::chat(chat.clone());
        query.filter.id = Some(id.clone());
        self.messages(query).await
    }

    /// Messages with this id in whichever chat.
    ///
    /// # Errors
    /// The store's.
    pub async fn messages_with_id(&self, id: &MessageId) -> Result<Vec<ArchivedMessage>> {
        let found = self.store.messages_with_id(id).await?;
        if self.scope.is_none() {
            return Ok(found);
        }
        let chats: HashSet<_> = found.into_iter().map(|message| message.key.chat).collect();
        let mut seen = Vec::new();
        for chat in chats {
            seen.extend(self.messages_by_id(&chat, id).await?);
        }
        Ok(seen)
    }

    /// Messages by their words.
    ///
    /// # Errors
    /// The store's.
    pub async fn search(&self, mut query: SearchQuery) -> Result<SearchPage> {
        query.filter.scope.clone_from(&self.scope);
        self.store.search(&query).await
    }

    /// Chats.
    ///
    /// # Errors
    /// The store's.
    pub async fn chats(&self, mut query: ChatQuery) -> Result<Vec<Chat>> {
        query.scope.clone_from(&self.scope);
        self.store.chats(&query).await
    }

    /// A chat.
    ///
    /// # Errors
    /// The store's.
    pub async fn chat(&self, chat: &Jid) -> Result<Option<Chat>> {
        match &self.scope {
            Some(scope) => self.store.chat_within(scope, chat).await,
            None => self.store.chat(chat).await,
        }
    }

    /// People, by name.
    ///
    /// # Errors
    /// The store's.
    pub async fn contacts(&self, mut query: ContactQuery) -> Result<Vec<Contact>> {
        query.scope.clone_from(&self.scope);
        self.store.contacts(&query).await
    }

    /// Whether a chat may be seen, whether or not anything was ever said there.
    ///
    /// # Errors
    /// The store's.
    pub async fn has_chat(&self, chat: &Jid) -> Result<bool> {
        let Some(scope) = &self.scope else { return Ok(true) };
        Ok(self.store.chats_within(scope, std::slice::from_ref(chat)).await?.contains(chat))
    }

    /// Which of these people's words may be seen, in a chat that may be.
    ///
    /// # Errors
    /// The store's.
    pub async fn authors(&self, people: &[Jid]) -> Result<HashSet<Jid>> {
        match &self.scope {
            Some(scope) => self.store.authors_within(scope, people).await,
            None => Ok(people.iter().cloned().collect()),
        }
    }

    /// How much there is.
    ///
    /// # Errors
    /// The store's.
    pub async fn stats(&self) -> Result<Stats> {
        match &self.scope {
            Some(scope) => self.store.stats_within(scope).await,
            None => self.store.stats().await,
        }
    }
}
