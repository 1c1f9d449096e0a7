//! The shelf on which one device leaves its prekeys, from which each one-time prekey is taken
//! once. Knows nothing of who takes them.

use std::collections::VecDeque;

use wa_crypto::{KEY_TYPE_CURVE25519, PublicKey, Signature};
use wa_proto::{Node, OwnedNode};
use wa_signal::{
    PreKeyBundle, PreKeyId, PreKeyPublic, RegistrationId, SignedPreKeyId, SignedPreKeyPublic,
};

/// The most one-time prekeys a shelf holds; what is uploaded beyond them is refused.
pub(crate) const MAX_PREKEYS: usize = 5_000;

/// At this number of prekeys left the server tells the device to upload more.
pub(crate) const LOW_WATER: usize = 10;

#[derive(Debug)]
pub(crate) struct PrekeyShelf {
    registration_id: u32,
    identity: PublicKey,
    signed: SignedPreKeyPublic,
    one_time: VecDeque<PreKeyPublic>,
    warned: bool,
}

/// An upload was refused; the shelf is as it was.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum UploadError {
    #[error("a part of the upload is missing or has the wrong length")]
    Malformed,
    #[error("the identity key is another than the one the device was linked with")]
    Identity,
    #[error("the signed prekey's signature does not verify")]
    Signature,
    #[error("more than {MAX_PREKEYS} prekeys")]
    TooMany,
}

impl PrekeyShelf {
    pub(crate) fn new(
        registration_id: RegistrationId,
        identity: PublicKey,
        signed: SignedPreKeyPublic,
    ) -> Self {
        let registration_id = registration_id.as_u32();
        Self { registration_id, identity, signed, one_time: VecDeque::new(), warned: false }
    }

    pub(crate) const fn identity(&self) -> PublicKey {
        self.identity
    }

    pub(crate) fn count(&self) -> usize {
        self.one_time.len()
    }

    /// Puts prekeys behind those there are; one whose id is there already is skipped.
    pub(crate) fn add(&mut self, keys: impl IntoIterator<Item = PreKeyPublic>) {
        for key in keys {
            if !self.one_time.iter().any(|kept| kept.id == key.id) {
                self.one_time.push_back(key);
            }
        }
        self.warned = false;
    }

    /// `<iq xmlns=encrypt type=set>` with `registration`, `type`, `identity`, `list` and `skey`.
    pub(crate) fn upload(&mut self, iq: &Node<'_>) -> Result<(), UploadError> {
        let registration = fixed::<4>(iq.find("registration")).ok_or(UploadError::Malformed)?;
        let identity = fixed::<32>(iq.find("identity")).ok_or(UploadError::Malformed)?;
        let signed = iq.find("skey").and_then(signed_prekey).ok_or(UploadError::Malformed)?;
        let list = iq.find("list").ok_or(UploadError::Malformed)?;
        let keys: Option<Vec<_>> = list.find_all("key").map(one_time_prekey).collect();
        let keys = keys.ok_or(UploadError::Malformed)?;
        if PublicKey::from_bytes(identity) != self.identity {
            return Err(UploadError::Identity);
        }
        if self.one_time.len() + keys.len() > MAX_PREKEYS {
            return Err(UploadError::TooMany);
        }
        signed.verify(&self.identity).map_err(|_| UploadError::Signature)?;
        self.registration_id = u32::from_be_bytes(registration);
        self.signed = signed;
        self.add(keys);
        Ok(())
    }

    /// `<rotate><skey/></rotate>`
    pub(crate) fn rotate(&mut self, rotate: &Node<'_>) -> Result<(), UploadError> {
        let signed = rotate.find("skey").and_then(signed_prekey).ok_or(UploadError::Malformed)?;
        signed.verify(&self.identity).map_err(|_| UploadError::Signature)?;
        self.signed = signed;
        Ok(())
    }

    /// Takes a bundle, and with it the oldest one-time prekey while there are any.
    pub(crate) fn take(&mut self) -> PreKeyBundle {
        PreKeyBundle {
            registration_id: RegistrationId::new(self.registration_id),
            identity: self.identity,
            signed_prekey: self.signed,
            prekey: self.one_time.pop_front(),
        }
    }

    /// Whether the device is to be told that it runs low: once, until it uploads.
    pub(crate) fn should_warn(&mut self) -> bool {
        let low = self.one_time.len() <= LOW_WATER && !self.warned;
        self.warned |= low;
        low
    }

    /// What the shelf holds, for the device to compare with what it remembers.
    pub(crate) fn digest(&self) -> OwnedNode {
        let ids = self.one_time.iter().map(|key| Node::new("id").bytes(id3(key.id.to_be_bytes())));
        Node::new("digest")
            .child(Node::new("registration").bytes(self.registration_id.to_be_bytes().to_vec()))
            .child(Node::new("type").bytes(vec![KEY_TYPE_CURVE25519]))
            .child(Node::new("identity").bytes(self.identity.as_bytes().to_vec()))
            .child(signed_prekey_node(&self.signed))
            .child(Node::new("list").children(ids))
    }
}

/// The children of a `user` in the answer to a request for bundles.
pub(crate) fn bundle_nodes(bundle: &PreKeyBundle) -> Vec<OwnedNode> {
    let registration = bundle.registration_id.as_u32().to_be_bytes().to_vec();
    let mut nodes = vec![
        Node::new("registration").bytes(registration),
        Node::new("type").bytes(vec![KEY_TYPE_CURVE25519]),
        Node::new("identity").bytes(bundle.identity.as_bytes().to_vec()),
    ];
    nodes.extend(bundle.prekey.as_ref().map(one_time_prekey_node));
    nodes.push(signed_prekey_node(&bundle.signed_prekey));
    nodes
}

/// `<key><id/><value/></key>`
pub(crate) fn one_time_prekey_node(key: &PreKeyPublic) -> OwnedNode {
    Node::new("key")
        .child(Node::new("id").bytes(id3(key.id.to_be_bytes())))
        .child(Node::new("value").bytes(key.key.as_bytes().to_vec()))
}

/// `<skey><id/><value/><signature/></skey>`
pub(crate) fn signed_prekey_node(key: &SignedPreKeyPublic) -> OwnedNode {
    Node::new("skey")
        .child(Node::new("id").bytes(id3(key.id.to_be_bytes())))
        .child(Node::new("value").bytes(key.key.as_bytes().to_vec()))
        .child(Node::new("signature").bytes(key.signature.as_bytes().to_vec()))
}

pub(crate) fn one_time_prekey(node: &Node<'_>) -> Option<PreKeyPublic> {
    Some(PreKeyPublic {
        id: PreKeyId::from_be_bytes(fixed(node.find("id"))?),
        key: PublicKey::from_bytes(fixed(node.find("value"))?),
    })
}

pub(crate) fn signed_prekey(node: &Node<'_>) -> Option<SignedPreKeyPublic> {
    Some(SignedPreKeyPublic {
        id: SignedPreKeyId::from_be_bytes(fixed(node.find("id"))?),
        key: PublicKey::from_bytes(fixed(node.find("value"))?),
        signature: Signature::from_bytes(fixed(node.find("signature"))?),
    })
}

/// The content of a node as an array, if it has just that length.
pub(crate) fn fixed<const N: usize>(node: Option<&Node<'_>>) -> Option<[u8; N]> {
    node?.content_bytes()?.try_into().ok()
}

fn id3(id: [u8; 3]) -> Vec<u8> {
    id.to_vec()
}

#[cfg(test)]
mod tests {
    use rand_chacha::{ChaCha20Rng, rand_core::SeedableRng};
    use wa_crypto::KeyPair;
    use wa_signal::{PreKey, SignedPreKey};

    use super::*;

    fn shelf(keys: u32) -> (PrekeyShelf, KeyPair) {
        let rng = &mut ChaCha20Rng::seed_from_u64(1);
        let identity = KeyPair::random(rng);
        let signed = SignedPreKey::generate(SignedPreKeyId::FIRST, &identity, rng);
        let mut shelf = PrekeyShelf::new(RegistrationId::new(7), identity.public, signed.public());
        shelf.add((1..=keys).map(|id| PreKey::generate(PreKeyId::new(id).unwrap(), rng).public()));
        (shelf, identity)
    }

    #[test]
    fn each_one_time_prekey_is_taken_once_and_in_order() {
        let (mut shelf, _) = shelf(2);
        let taken: Vec<_> =
            (0..3).map(|_| shelf.take().prekey.map(|key| key.id.as_u32())).collect();
        assert_eq!(taken, [Some(1), Some(2), None]);
    }

    #[test]
    fn a_device_that_runs_low_is_warned_once_until_it_uploads() {
        let (mut shelf, _) = shelf(12);
        assert!(!shelf.should_warn());
        shelf.take();
        shelf.take();
        assert!(shelf.should_warn());
        shelf.take();
        assert!(!shelf.should_warn());
    }

    #[test]
    fn an_upload_under_a_foreign_identity_or_signature_is_refused() {
        let (mut shelf, identity) = shelf(0);
        let rng = &mut ChaCha20Rng::seed_from_u64(2);
        let other = KeyPair::random(rng);
        let key = PreKey::generate(PreKeyId::FIRST, rng).public();
        let upload = |identity: &KeyPair, signer: &KeyPair, rng: &mut ChaCha20Rng| {
            let signed = SignedPreKey::generate(SignedPreKeyId::FIRST, signer, rng).public();
            Node::new("iq")
                .child(Node::new("registration").bytes(vec![0, 0, 0, 9]))
                .child(Node::new("identity").bytes(identity.public.as_bytes().to_vec()))
                .child(Node::new("list").child(one_time_prekey_node(&key)))
                .child(signed_prekey_node(&signed))
        };
        assert_eq!(shelf.upload(&upload(&other, &other, rng)), Err(UploadError::Identity));
        assert_eq!(shelf.upload(&upload(&identity, &other, rng)), Err(UploadError::Signature));
        assert_eq!(shelf.count(), 0);
        assert_eq!(shelf.upload(&upload(&identity, &identity, rng)), Ok(()));
        assert_eq!(shelf.count(), 1);
    }
}
