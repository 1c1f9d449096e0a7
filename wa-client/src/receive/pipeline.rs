//! Batch after batch: the next is read while the one before lands.
//!
//! Owns the order of the two. What the earlier one changes is seen by the later one although it is
//! not on the disk; nothing of the later one is committed or answered before the earlier one has
//! landed, and if that fails, both are dealt with again, message by message. What cannot share a
//! transaction waits until everything before it has landed, and is dealt with alone.

use std::panic::AssertUnwindSafe;

use futures_util::FutureExt as _;
use wa_proto::{Stanza, stanza::IncomingMessage};

use super::{
    batch::{Landed, Landing, Outcome, Plan},
    settle,
};
use crate::{
    connection::{Ending, LinkClosed},
    receipts,
    stanza_handler::{self, StanzaContext},
};

/// The messages of one lane.
pub(crate) struct Pipeline<'a> {
    cx: &'a StanzaContext,
    landing: Option<Landing>,
    /// How many batches in a row held sessions in common with the one before.
    in_a_row: u32,
}

impl<'a> Pipeline<'a> {
    pub(crate) const fn new(cx: &'a StanzaContext) -> Self {
        Self { cx, landing: None, in_a_row: 0 }
    }

    /// Deals with messages, in their order. The last of them may still be on their way to the disk
    /// when this returns. Gives how the connection must end, if it must.
    pub(crate) async fn take(&mut self, mut messages: Vec<IncomingMessage>) -> Option<Ending> {
        while !messages.is_empty() {
            if self.in_a_row >= MAX_IN_A_ROW
                && let Some(ending) = self.drain().await
            {
                return Some(ending);
            }
            let inner = &self.cx.inner;
            let plan = Plan::make(inner, self.landing.as_ref(), &messages);
            let plan = match AssertUnwindSafe(plan).catch_unwind().await {
                Ok(Ok(Some(plan))) => plan,
                Ok(Ok(None)) => match self.drain().await {
                    None => continue,
                    ending => return ending,
                },
                // Whoever alone is to blame meets it alone.
                Ok(Err(_)) | Err(_) => Plan::nothing(),
            };
            let read = plan.read(inner, self.landing.as_ref(), messages).await;
            match self.go_on(read).await {
                Ok(rest) => messages = rest,
                Err(ending) => return ending,
            }
        }
        None
    }

    /// Whether something that was taken is still on its way to the disk.
    pub(crate) const fn is_landing(&self) -> bool {
        self.landing.is_some()
    }

    /// Waits until nothing is on its way any more. May be given up and begun again.
    pub(crate) async fn landed(&mut self) {
        if let Some(landing) = &mut self.landing {
            landing.done().await;
        }
    }

    /// Waits until everything that was taken has landed, and answers it.
    pub(crate) async fn drain(&mut self) -> Option<Ending> {
        match self.land().await {
            Ok(landed) => self.answer(landed).await,
            Err(messages) => self.one_by_one(messages).await,
        }
    }

    /// Commits a batch once the one before has landed; gives what is left to be dealt with.
    async fn go_on(&mut self, read: Outcome) -> Result<Vec<IncomingMessage>, Option<Ending>> {
        let Outcome { batch, mut rest, is_alone } = read;
        let landed = match self.land().await {
            Ok(landed) => landed,
            Err(mut messages) => {
                // What was read over it is worth nothing now.
                messages.extend(batch.into_messages());
                messages.append(&mut rest);
                return Err(self.one_by_one(messages).await);
            }
        };
        match batch.is_empty() {
            // With it goes what it holds, which whoever is dealt with alone needs.
            true => drop(batch),
            false => {
                self.in_a_row += 1;
                self.landing = Some(batch.commit(&self.cx.inner));
            }
        }
        if let Some(ending) = self.answer(landed).await {
            return Err(Some(ending));
        }
        if !is_alone || rest.is_empty() {
            return Ok(rest);
        }
        if let Some(ending) = self.drain().await {
            return Err(Some(ending));
        }
        let alone = rest.remove(0);
        match self.one_by_one(vec![alone]).await {
            Some(ending) => Err(Some(ending)),
            None => Ok(rest),
        }
    }

    /// Waits until the batch before has landed.
    async fn land(&mut self) -> Result<Landed, Vec<IncomingMessage>> {
        match self.landing.take() {
            Some(landing) => {
                let landed = landing.landed(&self.cx.inner).await;
                self.in_a_row = if landed.is_ok() { self.in_a_row } else { 0 };
                landed
            }
            None => {
                self.in_a_row = 0;
                Ok(Landed::default())
            }
        }
    }

    /// Does what follows a commit.
    async fn answer(&self, landed: Landed) -> Option<Ending> {
        self.cx.session.went_on();
        // The connection is ending by itself; what could not leave leaves with the next.
        let (Ok(()) | Err(LinkClosed)) = receipts::deliver(self.cx, landed.owed).await;
        if let Err(error) = settle::open(&self.cx.inner, landed.openable).await {
            tracing::error!(%error, "what was added to messages cannot be opened now");
            return error.stops_receiving().then_some(Ending::Storage);
        }
        None
    }

    async fn one_by_one(&self, messages: Vec<IncomingMessage>) -> Option<Ending> {
        for message in messages {
            let stanza = Stanza::Message(Box::new(message));
            // On the heap, because it is rarely needed and large.
            let ending = Box::pin(stanza_handler::handle(self.cx, stanza)).await;
            self.cx.session.went_on();
            if ending.is_some() {
                return ending;
            }
        }
        None
    }
}

/// How many batches may hold sessions in common before whoever waits for one gets it.
const MAX_IN_A_ROW: u32 = 8;
