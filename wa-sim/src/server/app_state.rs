//! The collections of an account as the server keeps them: patches it cannot read, numbered, and
//! the records they leave, by index, so that a newcomer can be given a snapshot. Knows nothing of
//! keys.

use std::collections::BTreeMap;

use bytes::Bytes;
use prost::Message as _;
use wa_media::MediaType;
use wa_proto::{
    Jid, Node, OwnedNode,
    app_state::Collection,
    pb::{
        ExternalBlobReference, SyncdMutation, SyncdMutations, SyncdPatch, SyncdRecord,
        SyncdSnapshot, SyncdVersion, syncd_mutation::SyncdOperation,
    },
};

use super::Server;
use crate::{
    address::{DeviceAddress, PhoneNumber},
    phone::endpoint::{download, upload},
};

/// The most patches of a collection that are kept; older ones are only in the snapshot.
const MAX_PATCHES: usize = 2_000;

/// The most patches of one answer.
const PAGE: usize = 100;

/// The largest patch, in bytes.
const MAX_PATCH: usize = 4 << 20;

/// A collection as the server keeps it.
#[derive(Debug, Default)]
pub(crate) struct StoredCollection {
    version: u64,
    patches: BTreeMap<u64, SyncdPatch>,
    records: BTreeMap<Vec<u8>, SyncdRecord>,
}

/// What the server has after a version.
pub(crate) struct News {
    /// Its own version.
    pub(crate) version: u64,
    pub(crate) snapshot: Option<ExternalBlobReference>,
    pub(crate) patches: Vec<SyncdPatch>,
    pub(crate) has_more: bool,
}

/// Why a patch was not taken.
pub(crate) enum PushError {
    /// It does not follow the newest version.
    Conflict(Box<News>),
    /// It cannot be read, or is too large.
    Malformed,
}

impl StoredCollection {
    fn take(&mut self, mut patch: SyncdPatch, mutations: &[SyncdMutation]) -> u64 {
        self.version += 1;
        patch.version = Some(SyncdVersion { version: Some(self.version) });
        for mutation in mutations {
            let Some(record) = &mutation.record else { continue };
            let index = record.index.as_ref().and_then(|index| index.blob.as_ref());
            let Some(index) = index.map(|index| index.to_vec()) else { continue };
            if mutation.operation() == SyncdOperation::Remove {
                self.records.remove(&index);
            } else {
                self.records.insert(index, record.clone());
            }
        }
        self.patches.insert(self.version, patch);
        while self.patches.len() > MAX_PATCHES {
            self.patches.pop_first();
        }
        self.version
    }

    /// All records, under the MAC that the last patch gives.
    fn snapshot(&self) -> Option<SyncdSnapshot> {
        let last = self.patches.get(&self.version)?;
        Some(SyncdSnapshot {
            version: Some(SyncdVersion { version: Some(self.version) }),
            records: self.records.values().cloned().collect(),
            mac: last.snapshot_mac.clone(),
            key_id: last.key_id.clone(),
        })
    }

    /// Whether all patches after this version are there.
    fn reaches_back_to(&self, version: u64) -> bool {
        version >= self.version || self.patches.contains_key(&(version + 1))
    }
}

impl Server {
    /// `<sync>`: what is new in each collection, and the patches that come along.
    pub(super) fn sync_app_state(
        &mut self,
        from: DeviceAddress,
        iq: &Node<'_>,
    ) -> Option<OwnedNode> {
        let sync = iq.find("sync")?;
        let answers: Vec<OwnedNode> = sync
            .find_all("collection")
            .take(Collection::ALL.len())
            .map(|asked| self.sync_collection(from, asked))
            .collect();
        Some(Node::new("sync").children(answers))
    }

    fn sync_collection(&mut self, from: DeviceAddress, asked: &Node<'_>) -> OwnedNode {
        let name = asked.attrs.text("name").unwrap_or_default().into_owned();
        let node = Node::new("collection").attr("name", name.clone());
        let Ok(collection) = name.parse::<Collection>() else {
            return failed(node, 400, "bad-request");
        };
        let version = asked.attrs.number("version").unwrap_or(0);
        if let Some(patch) = asked.find("patch") {
            let pushed = patch.content_bytes().map(Bytes::copy_from_slice).unwrap_or_default();
            return match self.push_app_state(from, collection, version, pushed) {
                Ok(version) => node.attr("version", version),
                Err(PushError::Conflict(news)) => {
                    let node = node.attr("version", news.version);
                    failed(node, 409, "conflict").children(self.news_nodes(*news))
                }
                Err(PushError::Malformed) => failed(node, 400, "bad-request"),
            };
        }
        let version = if self.faults.replays_patches() { 0 } else { version };
        let wants_snapshot = asked.attrs.is("return_snapshot", "true");
        let news = self.app_state_news(from.account, collection, version, wants_snapshot);
        let node = node.attr("version", news.version);
        let node = if news.has_more { node.attr("has_more_patches", "true") } else { node };
        node.children(self.news_nodes(news))
    }

    /// What there is after a version. A snapshot is given to whoever wants one, once there are
    /// more patches than [`Server::snapshot_after`], and to whom a patch is missing.
    pub(crate) fn app_state_news(
        &mut self,
        account: PhoneNumber,
        collection: Collection,
        version: u64,
        wants_snapshot: bool,
    ) -> News {
        let Some(kept) = self.accounts.get(&account) else { return News::none() };
        let Some(kept) = kept.collections.get(&collection) else { return News::none() };
        let is_worth_it = kept.patches.len() as u64 > self.snapshot_after;
        let mut news = News { version: kept.version, ..News::none() };
        let mut after = version;
        if (wants_snapshot && is_worth_it) || !kept.reaches_back_to(version) {
            let snapshot = kept.snapshot().map(|snapshot| snapshot.encode_to_vec());
            let media = self.media.clone();
            let uploaded = snapshot
                .and_then(|bytes| upload(&mut self.rng, &media, MediaType::AppState, &bytes).ok());
            if let Some(uploaded) = uploaded {
                after = news.version;
                news.snapshot = Some(uploaded.to_blob_reference());
            }
        }
        let Some(kept) = self.accounts.get(&account) else { return news };
        let Some(kept) = kept.collections.get(&collection) else { return news };
        let mut rest = kept.patches.range(after.saturating_add(1)..);
        news.patches = rest.by_ref().take(PAGE).map(|(_, patch)| patch.clone()).collect();
        news.has_more = rest.next().is_some();
        news
    }

    /// Takes a patch that follows the newest version, and tells the account's other devices.
    pub(crate) fn push_app_state(
        &mut self,
        from: DeviceAddress,
        collection: Collection,
        version: u64,
        bytes: Bytes,
    ) -> Result<u64, PushError> {
        if bytes.len() > MAX_PATCH {
            return Err(PushError::Malformed);
        }
        let patch = SyncdPatch::decode(bytes).map_err(|_| PushError::Malformed)?;
        let mutations = self.mutations_of(&patch).ok_or(PushError::Malformed)?;
        if mutations.is_empty() || patch.snapshot_mac.is_none() || patch.patch_mac.is_none() {
            return Err(PushError::Malformed);
        }
        let account = self.accounts.get_mut(&from.account).ok_or(PushError::Malformed)?;
        let kept = account.collections.entry(collection).or_default();
        if kept.version != version {
            return Err(PushError::Conflict(Box::new(self.app_state_news(
                from.account,
                collection,
                version,
                false,
            ))));
        }
        let version = kept.take(patch, &mutations);
        self.announce_app_state(from, collection, version);
        Ok(version)
    }

    /// A patch's mutations, also those that were left with the media host.
    pub(crate) fn mutations_of(&self, patch: &SyncdPatch) -> Option<Vec<SyncdMutation>> {
        let Some(blob) = &patch.external_mutations else { return Some(patch.mutations.clone()) };
        let bytes = download(&self.media, blob)?;
        Some(SyncdMutations::decode(bytes.as_slice()).ok()?.mutations)
    }

    /// `<notification type=server_sync>` to all devices of the account but one.
    fn announce_app_state(&mut self, from: DeviceAddress, collection: Collection, version: u64) {
        for address in self.devices_of(from.account) {
            if address == from {
                continue;
            }
            let id = self.stanza_id();
            let notification = Node::new("notification")
                .attr("from", Jid::server())
                .attr("type", "server_sync")
                .attr("id", id)
                .attr("t", self.now)
                .child(
                    Node::new("collection")
                        .attr("name", collection.as_str())
                        .attr("version", version),
                );
            self.deliver(address, notification);
        }
    }

    fn news_nodes(&mut self, news: News) -> Vec<OwnedNode> {
        let mut nodes = Vec::new();
        if let Some(snapshot) = news.snapshot {
            nodes.push(Node::new("snapshot").bytes(snapshot.encode_to_vec()));
        }
        if !news.patches.is_empty() {
            let patches: Vec<OwnedNode> = news
                .patches
                .into_iter()
                .map(|mut patch| {
                    if self.faults.corrupts_patch() {
                        damage(&mut patch);
                    }
                    Node::new("patch").bytes(patch.encode_to_vec())
                })
                .collect();
            nodes.push(Node::new("patches").children(patches));
        }
        nodes
    }
}

impl News {
    const fn none() -> Self {
        Self { version: 0, snapshot: None, patches: Vec::new(), has_more: false }
    }
}

fn failed(node: OwnedNode, code: u32, text: &'static str) -> OwnedNode {
    node.attr("type", "error").child(Node::new("error").attr("code", code).attr("text", text))
}

/// Flips a bit of the first value.
fn damage(patch: &mut SyncdPatch) {
    let record = patch.mutations.first_mut().and_then(|mutation| mutation.record.as_mut());
    let Some(value) = record.and_then(|record| record.value.as_mut()) else { return };
    let mut bytes = value.blob.clone().unwrap_or_default().to_vec();
    let middle = bytes.len() / 2;
    if let Some(byte) = bytes.get_mut(middle) {
        *byte ^= 1;
    }
    value.blob = Some(bytes.into());
}
