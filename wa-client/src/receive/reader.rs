//! The messages of a batch, decrypted and recorded beside the threads that serve the connection.
//!
//! Owns the order in which they are read: one person's one after the other, different people's on
//! every core. Each is read on copies, over what those before it changed. Nothing is written, and
//! one that fails or panics spoils no other. Knows nothing of commits and answers.

use std::{collections::HashMap, num::NonZero, panic::AssertUnwindSafe, sync::Arc, thread};

use futures_util::{FutureExt, future::join_all};
use tokio::runtime::Handle;
use wa_proto::{Jid, stanza::IncomingMessage};
use wa_store::StoreError;

use super::{note_usernames, read_plain, record::Arrival, verdict::Verdict};
use crate::{
    draft::{Draft, Gathered},
    encryption::{here, off_thread},
    inner::Inner,
    lid,
};

/// A message that is to be read, at its place in the batch.
pub(super) struct Planned {
    pub(super) place: usize,
    pub(super) message: IncomingMessage,
    pub(super) arrival: Arrival,
}

/// A message that was read, or has to be dealt with alone.
pub(super) struct Read {
    pub(super) planned: Planned,
    /// What it changes; nothing if it is not simply to be kept.
    pub(super) kept: Option<Kept>,
}

/// What a message changes that is simply to be kept.
pub(super) struct Kept {
    pub(super) gathered: Gathered,
    /// Whether the sender proved another identity key than before.
    pub(super) identity_changed: bool,
}

/// What messages are read over.
#[derive(Clone)]
pub(super) struct Ground {
    pub(super) inner: Arc<Inner>,
    /// What the batch before changes, which has not landed yet.
    pub(super) ahead: Option<Arc<Gathered>>,
    /// Whether archived chats come back with a new message.
    pub(super) brings_chats_back: bool,
}

/// Reads messages. Gives them in their order; behind one that is not simply to be kept, those of
/// the same person are not read either.
pub(super) async fn read_all(ground: &Ground, planned: Vec<Planned>) -> Vec<Read> {
    let cores = thread::available_parallelism().map_or(1, NonZero::get);
    let work = shares(by_person(planned), cores).into_iter().map(|share| {
        let ground = ground.clone();
        off_thread(move || {
            Handle::current().block_on(here(async move {
                let mut read = Vec::new();
                for messages in share {
                    read_in_order(&ground, messages, &mut read).await;
                }
                read
            }))
        })
    });
    let mut read: Vec<Read> = join_all(work).await.into_iter().flatten().collect();
    read.sort_unstable_by_key(|read| read.planned.place);
    read
}

/// One person's messages after the other's.
fn by_person(planned: Vec<Planned>) -> Vec<Vec<Planned>> {
    let mut people = HashMap::<Jid, usize>::new();
    let mut lanes = Vec::<Vec<Planned>>::new();
    for message in planned {
        let lane = *people.entry(lid::person(&message.arrival.sender)).or_insert(lanes.len());
        match lanes.get_mut(lane) {
            Some(lane) => lane.push(message),
            None => lanes.push(vec![message]),
        }
    }
    lanes
}

/// The same work in equal shares, one for each core at most.
fn shares<T>(mut people: Vec<Vec<T>>, cores: usize) -> Vec<Vec<Vec<T>>> {
    let count: usize = people.iter().map(Vec::len).sum();
    let mut shares: Vec<(usize, Vec<Vec<T>>)> = Vec::new();
    shares.resize_with(cores.min(MAX_SHARES).min(count / MIN_SHARE).max(1), Default::default);
    // The largest first, each to whoever has least.
    people.sort_by_key(|messages| std::cmp::Reverse(messages.len()));
    for messages in people {
        if let Some((size, share)) = shares.iter_mut().min_by_key(|(size, _)| *size) {
            *size += messages.len();
            share.push(messages);
        }
    }
    shares.into_iter().map(|(_, share)| share).filter(|share| !share.is_empty()).collect()
}

/// Reads one person's messages.
async fn read_in_order(ground: &Ground, messages: Vec<Planned>, read: &mut Vec<Read>) {
    let mut before = Gathered::default();
    let mut goes_on = true;
    for planned in messages {
        let kept = match goes_on {
            true => take(ground, &before, &planned).await,
            false => None,
        };
        match &kept {
            Some(kept) => before.take_keys(&kept.gathered),
            None => goes_on = false,
        }
        read.push(Read { planned, kept });
    }
}

/// Reads one message. Whatever goes wrong with it is met again by whoever deals with it alone.
async fn take(ground: &Ground, before: &Gathered, planned: &Planned) -> Option<Kept> {
    let reading = AssertUnwindSafe(read_one(ground, before, planned)).catch_unwind();
    match reading.await {
        Ok(Ok(kept)) => kept,
        Ok(Err(error)) => {
            tracing::debug!(%error, "a message of a batch cannot be read");
            None
        }
        Err(_panic) => None,
    }
}

async fn read_one(
    ground: &Ground,
    before: &Gathered,
    planned: &Planned,
) -> Result<Option<Kept>, StoreError> {
    let Planned { message, arrival, .. } = planned;
    let layers = std::iter::once(before).chain(ground.ahead.as_deref()).collect();
    let mut draft =
        Draft::over(&*ground.inner.store, layers).bringing_chats_back(ground.brings_chats_back);
    note_usernames(&mut draft, message, arrival);
    let reading = read_plain(&mut draft, &ground.inner, message, arrival).await?;
    let Some(reading) = reading.filter(|reading| reading.verdict(message) == Verdict::Keep) else {
        return Ok(None);
    };
    let identity_changed = reading.identity_changed;
    Ok(Some(Kept { gathered: draft.into_gathered(), identity_changed }))
}

/// How many messages are worth a thread of their own.
const MIN_SHARE: usize = 4;
/// How many threads read at most: the rest of the machine has work too.
const MAX_SHARES: usize = 4;

#[cfg(test)]
mod tests {
    use super::*;

    fn sizes(people: &[usize], cores: usize) -> Vec<usize> {
        let people = people.iter().map(|count| vec![(); *count]).collect();
        let size = |share: &Vec<Vec<()>>| share.iter().map(Vec::len).sum();
        shares(people, cores).iter().map(size).collect()
    }

    #[test]
    fn first_messages_of_many_people_use_every_core() {
        assert_eq!(sizes(&[1; 128], 2), [64, 64]);
        assert_eq!(sizes(&[90, 10, 20, 8], 2), [90, 38]);
        assert_eq!(sizes(&[1; 128], 64).len(), 4, "something is left for the rest");
        assert_eq!(sizes(&[128], 2), [128], "one person's are read in their order");
        assert_eq!(sizes(&[1; 3], 2), [3], "a few are not worth a thread each");
        assert_eq!(sizes(&[], 2), [0; 0]);
    }
}
