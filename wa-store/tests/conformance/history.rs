//! Parts of the history that wait, and gaps.

use wa_store::{Change, GapPlace, GapReason, HistoryChunk, HistoryGap, Store};

use super::samples::{ada, ada_lid, at, commit, group};

fn chunk(id: &str, attempts: u32) -> HistoryChunk {
    HistoryChunk { id: id.into(), notice: vec![1, 2], received_at: at(5), attempts }
}

fn put(chunk: HistoryChunk) -> Change {
    Change::PutHistoryChunk(Box::new(chunk))
}

fn gap(place: GapPlace) -> HistoryGap {
    let mut gap = HistoryGap::new(place, GapReason::MoreOnPhone);
    gap.to = Some(at(7));
    gap
}

pub(crate) async fn parts_wait_in_order_until_they_are_removed(store: &dyn Store) {
    commit(store, [put(chunk("B", 0)), put(chunk("A", 0)), put(chunk("B", 2))]).await;
    let waiting = [chunk("B", 2), chunk("A", 0)];
    assert_eq!(store.history_chunks(9).await.unwrap(), waiting);
    assert_eq!(store.history_chunks(1).await.unwrap(), waiting[..1]);
    commit(store, [Change::RemoveHistoryChunk("B".into())]).await;
    assert_eq!(store.history_chunks(9).await.unwrap(), waiting[1..]);
}

pub(crate) async fn a_gap_is_replaced_in_its_place_and_closed(store: &dyn Store) {
    let place = GapPlace::Chunk { kind: 3, order: 2 };
    let mut lost = HistoryGap::new(place.clone(), GapReason::Unreadable);
    commit(store, [Change::PutHistoryGap(Box::new(lost.clone()))]).await;
    lost.attempts = 1;
    lost.from = Some(at(1));
    let of_group = gap(GapPlace::Chat(group()));
    commit(store, [lost.clone(), of_group.clone()].map(|gap| Change::PutHistoryGap(Box::new(gap))))
        .await;
    assert_eq!(store.history_gap(&place).await.unwrap(), Some(lost.clone()));
    assert_eq!(store.history_gaps(9).await.unwrap(), [lost, of_group.clone()]);
    commit(store, [Change::RemoveHistoryGap(place.clone())]).await;
    assert_eq!(store.history_gap(&place).await.unwrap(), None);
    assert_eq!(store.history_gaps(9).await.unwrap(), [of_group]);
}

pub(crate) async fn the_gap_of_a_chat_moves_to_the_lid(store: &dyn Store) {
    let by_phone = GapPlace::Chat(ada());
    commit(store, [Change::PutHistoryGap(Box::new(gap(by_phone.clone())))]).await;
    commit(store, [Change::LearnLid { phone: ada(), lid: ada_lid() }]).await;
    let moved = gap(GapPlace::Chat(ada_lid()));
    assert_eq!(store.history_gap(&by_phone).await.unwrap(), Some(moved.clone()));
    assert_eq!(store.history_gaps(9).await.unwrap(), [moved]);
}

pub(crate) async fn an_unlinked_device_forgets_what_it_was_told_of_the_history(store: &dyn Store) {
    let place = GapPlace::Chat(group());
    commit(store, [put(chunk("A", 0)), Change::PutHistoryGap(Box::new(gap(place)))]).await;
    commit(store, [Change::Unlink]).await;
    assert!(store.history_chunks(9).await.unwrap().is_empty());
    assert!(store.history_gaps(9).await.unwrap().is_empty());
}
