//! A turn at the sessions with some people.
//!
//! Owns the rule that the address under which a device's keys are kept is looked up while nobody
//! can move them: to learn somebody's LID takes the same locks. Knows nothing of what the turn is
//! for.

use std::collections::HashMap;

use wa_proto::Jid;
use wa_store::StoreError;

use crate::{inner::Inner, lid, locks::Guard};

/// The sessions with the people behind some devices are nobody else's as long as this is held, and
/// their addresses stay what they are.
#[derive(Debug)]
#[must_use = "the turn is over as soon as this is dropped"]
pub(crate) struct Turn {
    _held: Guard,
    /// By the address that was given: the one under which the keys are.
    names: HashMap<Jid, Jid>,
}

impl Turn {
    /// Waits for a turn at the sessions with these devices.
    ///
    /// # Errors
    /// The store's.
    pub(crate) async fn take(inner: &Inner, devices: &[Jid]) -> Result<Self, StoreError> {
        let mut names = lid::canonical_all(&*inner.store, devices).await?;
        loop {
            let held = lid::lock_people(inner, &names).await;
            let now = lid::canonical_all(&*inner.store, devices).await?;
            if now == names {
                let names = devices.iter().cloned().zip(names).collect();
                return Ok(Self { _held: held, names });
            }
            // Somebody's LID was learnt meanwhile, so that another lock is theirs.
            drop(held);
            names = now;
        }
    }

    /// The address under which a device's keys are kept during this turn.
    pub(crate) fn name(&self, device: &Jid) -> Jid {
        self.names.get(device).unwrap_or(device).clone()
    }

    /// All of these addresses.
    pub(super) fn names(&self) -> impl Iterator<Item = &Jid> {
        self.names.values()
    }
}

#[cfg(test)]
mod tests {
    use std::{collections::BTreeSet, sync::Arc, time::Duration};

    use wa_store::{Change, Changes, MemoryStore};

    use super::*;
    use crate::{Client, encryption::Keys};

    fn names() -> (Jid, Jid) {
        (Jid::phone("15550200"), Jid::lid("7"))
    }

    /// A session with Bob by phone number, in the store of a client that is not connected.
    async fn inner() -> Arc<Inner> {
        use rand::SeedableRng as _;
        use wa_signal::{
            LocalIdentity, PreKeyBundle, RegistrationId, SessionRecord, SignedPreKey,
            SignedPreKeyId,
        };
        let mut rng = rand::rngs::StdRng::seed_from_u64(1);
        let (ours, theirs) =
            (wa_crypto::KeyPair::random(&mut rng), wa_crypto::KeyPair::random(&mut rng));
        let signed = SignedPreKey::generate(SignedPreKeyId::FIRST, &theirs, &mut rng);
        let bundle = PreKeyBundle {
            registration_id: RegistrationId::new(7),
            identity: theirs.public,
            signed_prekey: signed.public(),
            prekey: None,
        };
        let local = LocalIdentity::new(&ours, RegistrationId::new(1));
        let record = SessionRecord::new().process_bundle(&local, &bundle, &mut rng).unwrap();
        let record = record.to_bytes().to_vec().into();
        let client = Client::builder(Arc::new(MemoryStore::new())).version_source(None).build();
        let inner = Arc::clone(client.await.unwrap().inner());
        let put = Change::PutSession { device: names().0, record };
        inner.store.commit(put.into()).await.unwrap();
        inner
    }

    #[tokio::test(start_paused = true)]
    async fn a_lid_that_is_learnt_while_a_message_waits_for_its_turn_costs_it_no_session() {
        let inner = inner().await;
        let (phone, lid) = names();
        // Somebody else's turn at Bob's sessions.
        let other = Turn::take(&inner, std::slice::from_ref(&phone)).await.unwrap();
        let sending = tokio::spawn({
            let (inner, phone) = (Arc::clone(&inner), phone.clone());
            async move { Keys::default().turn(&inner, &[phone]).await }
        });
        tokio::time::sleep(Duration::from_secs(1)).await;
        let (user, by_lid) = (phone.to_user(), lid.to_user());
        let learnt = Changes::from(Change::LearnLid { phone: user.clone(), lid: by_lid.clone() })
            .with(Change::MigrateToLid { phone: user, lid: by_lid.clone() });
        inner.store.commit(learnt).await.unwrap();
        drop(other);
        // Without a connection it fails if it has to ask for keys.
        let turn = sending.await.unwrap().unwrap();
        assert_eq!(turn.name(&phone), lid);
        let free = inner.locks.sessions(BTreeSet::from([by_lid]));
        assert!(
            tokio::time::timeout(Duration::from_secs(9), free).await.is_err(),
            "it is its turn"
        );
    }
}
