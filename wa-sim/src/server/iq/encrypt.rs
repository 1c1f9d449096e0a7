//! `xmlns=encrypt`: a device tends its own shelf of prekeys, and takes from those of others.

use wa_proto::{Node, OwnedNode};
use wa_signal::PreKeyBundle;

use super::{BAD_REQUEST, IqError, NOT_ACCEPTABLE, NOT_FOUND};
use crate::{
    address::DeviceAddress,
    server::{Server, directory::Addressing, prekey_shelf::bundle_nodes},
};

/// The most bundles one query may ask for.
const MAX_BUNDLES: usize = 1_024;

impl Server {
    /// `<key><user jid/>…</key>` → `<list><user jid>bundle</user>…</list>`; `None` if the query is
    /// not about others' keys.
    pub(super) fn encrypt_get(&mut self, iq: &Node<'_>) -> Option<Result<OwnedNode, IqError>> {
        let key = iq.find("key").or_else(|| iq.find("key_fetch"))?;
        if key.nodes().len() > MAX_BUNDLES {
            return Some(Err(BAD_REQUEST));
        }
        let asked: Vec<_> = key.find_all("user").filter_map(|user| user.attrs.jid("jid")).collect();
        let users: Vec<OwnedNode> = asked
            .into_iter()
            .map(|jid| {
                let user = Node::new("user").attr("jid", jid.clone());
                match self.address_of(&jid).and_then(|address| self.bundle_answer(address)) {
                    Some(bundle) => user.attr("t", self.now).children(bundle),
                    None => {
                        let (code, text) = NOT_FOUND;
                        let error =
                            Node::new("error").attr("code", u32::from(code)).attr("text", text);
                        user.child(error)
                    }
                }
            })
            .collect();
        Some(Ok(Node::new("list").children(users)))
    }

    fn bundle_answer(&mut self, address: DeviceAddress) -> Option<Vec<OwnedNode>> {
        let bundle = self.take_bundle(address)?;
        let mut nodes = bundle_nodes(&bundle);
        let identity = &self.device(address)?.signed_identity;
        if !identity.is_empty() {
            nodes.push(Node::new("device-identity").bytes(identity.clone()));
        }
        Some(nodes)
    }

    /// A device's bundle, with a one-time prekey off its shelf while there are any.
    pub(crate) fn take_bundle(&mut self, address: DeviceAddress) -> Option<PreKeyBundle> {
        let device = self.device_mut(address)?;
        let bundle = device.shelf.take();
        device.counters.prekeys_taken += u64::from(bundle.prekey.is_some());
        self.warn_of_low_shelf(address);
        Some(bundle)
    }

    /// `<count/>` or `<digest/>` of the asking device's own shelf.
    pub(super) fn own_shelf(&self, from: DeviceAddress, iq: &Node<'_>) -> Option<OwnedNode> {
        let shelf = &self.device(from)?.shelf;
        if iq.find("count").is_some() {
            return Some(Node::new("count").attr("value", shelf.count()));
        }
        iq.find("digest").map(|_| shelf.digest())
    }

    /// An upload of prekeys, or the rotation of the signed one.
    pub(super) fn encrypt_set(
        &mut self,
        from: DeviceAddress,
        iq: &Node<'_>,
    ) -> Result<Option<OwnedNode>, IqError> {
        let device = self.device_mut(from).ok_or(NOT_FOUND)?;
        let outcome = match iq.find("rotate") {
            Some(rotate) => device.shelf.rotate(rotate),
            None => device.shelf.upload(iq),
        };
        match outcome {
            Ok(()) => Ok(None),
            Err(error) => {
                let who = self.device_jid(from, Addressing::Lid).device;
                tracing::debug!(device = who, %error, "prekey upload refused");
                Err(NOT_ACCEPTABLE)
            }
        }
    }
}
