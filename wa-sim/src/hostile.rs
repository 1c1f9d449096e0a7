//! A server that lies: whatever it can do that WhatsApp's own should not, as a handle for tests.
//!
//! Owns saying what the server never would, and changing, keeping back and repeating what it says.
//! It has no key of anybody's: with those of its own ([`Impostor`]) it tries to read what it gets.
//! Knows nothing of what a client should make of it.

mod impostor;
mod stolen;
mod tampering;

use wa_proto::{
    Jid, Node, OwnedNode,
    app_state::Collection,
    node, pb,
    samples::{Cast, Damaged, Sample, damage, samples},
};
use wa_signal::PreKeyBundle;

pub(crate) use self::tampering::Tampering;
pub use self::{impostor::Impostor, stolen::StolenPhone};
use crate::{
    Sim,
    address::DeviceAddress,
    phone::endpoint::{Chat, Endpoint, describe},
    server::{Server, directory::Addressing},
};

/// The hostile side of a simulation's server. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Hostile {
    sim: Sim,
}

/// Something that an account really said: on its phone, or on a companion that told the phone.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Spoken {
    /// Who, by LID.
    pub by: Jid,
    /// Where: a group, or the other person by LID.
    pub chat: Jid,
    /// The message's id.
    pub id: String,
    /// What a person sees of it as text.
    pub text: Option<String>,
}

impl Sim {
    /// What this server can do if it is hostile.
    pub fn hostile(&self) -> Hostile {
        Hostile { sim: self.clone() }
    }
}

impl Hostile {
    /// Says a stanza to a device that is connected, once: it is not kept until it is answered. False
    /// if the device is not connected.
    pub fn say(&self, to: &Jid, stanza: OwnedNode) -> bool {
        self.at(to, |server, address| {
            let online = server.is_online(address);
            server.send_to_device(address, stanza);
            online
        })
        .unwrap_or(false)
    }

    /// From now on everything that is said to a device goes through this: what comes out is said in
    /// its place, which may be nothing, several stanzas, or others. It must not use the simulation.
    pub fn tamper(&self, to: &Jid, with: impl FnMut(OwnedNode) -> Vec<OwnedNode> + Send + 'static) {
        self.tampering(to, |tampering| tampering.change_all(Box::new(with)));
    }

    /// From now on each answer to a device's questions is changed by this, which is given the
    /// question and the honest answer; `None` leaves the question unanswered. It must not use the
    /// simulation.
    pub fn answer(
        &self,
        to: &Jid,
        with: impl FnMut(&OwnedNode, OwnedNode) -> Option<OwnedNode> + Send + 'static,
    ) {
        self.tampering(to, |tampering| tampering.change_answers(Box::new(with)));
    }

    /// From now on is honest to a device.
    pub fn relent(&self, to: &Jid) {
        self.tampering(to, Tampering::stop);
    }

    /// From now on remembers what is said to a device, for [`Hostile::said`], and forgets what it
    /// remembered.
    pub fn remember(&self, to: &Jid) {
        self.tampering(to, Tampering::remember);
    }

    /// What was said to a device since [`Hostile::remember`], in order.
    pub fn said(&self, to: &Jid) -> Vec<OwnedNode> {
        let said = self.at(to, |server, address| {
            server.tampering.get(&address).map(|tampering| tampering.said().to_vec())
        });
        said.flatten().unwrap_or_default()
    }

    /// Takes a device's bundle off its shelf, as the server can.
    pub fn bundle(&self, of: &Jid) -> Option<PreKeyBundle> {
        self.at(of, Server::take_bundle).flatten()
    }

    /// Takes an account's phone, with all its keys.
    pub fn steal_phone(&self, of: &Jid, seed: u64) -> Option<StolenPhone> {
        self.sim.with(|world| {
            let account = world.server.account_of(of)?;
            world.phones.get(&account).map(|phone| phone.copy_keys(seed))
        })
    }

    /// What a stolen phone says to a device with which it had a session: the `<enc>`.
    pub fn seal(&self, by: &mut StolenPhone, to: &Jid, message: &pb::Message) -> Option<OwnedNode> {
        self.at(to, |_, address| by.seal(address, message))?
    }

    /// The list of companions that an account's phone has signed last.
    pub fn key_index_list(&self, of: &Jid) -> Option<Vec<u8>> {
        self.at(of, |server, address| {
            server.accounts.get(&address.account).map(|account| account.key_index_list.clone())
        })?
    }

    /// The `<snapshot>` of a collection of an account's app state as it is now.
    pub fn snapshot(&self, of: &Jid, collection: Collection) -> Option<OwnedNode> {
        let news = self.at(of, |server, address| {
            server.app_state_news(address.account, collection, 0, true)
        })?;
        let snapshot = prost::Message::encode_to_vec(&news.snapshot?);
        Some(Node::new("snapshot").bytes(snapshot))
    }

    /// Puts other bytes on the media hosts in the place of a blob. False if there is none.
    pub fn swap_media(&self, direct_path: &str, bytes: impl Into<bytes::Bytes>) -> bool {
        self.sim.media().swap(direct_path, bytes.into())
    }

    /// Everything that people really said, phone by phone.
    pub fn spoken(&self) -> Vec<Spoken> {
        self.sim.with(|world| {
            let server = &world.server;
            let of_phone = |phone: &Endpoint| {
                let own = phone.address.account;
                let kept = phone.messages.iter().filter(|kept| kept.sender.account == own);
                let spoken = kept.map(|kept| Spoken {
                    by: server.user_jid(own, Addressing::Lid),
                    chat: match &kept.chat {
                        Chat::Person(account) => server.user_jid(*account, Addressing::Lid),
                        Chat::Group(group) => Jid::group(group.clone()),
                        Chat::Status => Jid::status(),
                    },
                    id: kept.id.clone(),
                    text: describe(&kept.message).1,
                });
                spoken.collect::<Vec<_>>()
            };
            world.phones.values().flat_map(of_phone).collect()
        })
    }

    /// Every kind of stanza, about a device and somebody whom it knows, with each of its parts
    /// damaged in each way. Where a stanza has an id, it gets one of its own: `D0`, `D1` and so on.
    pub fn damaged(&self, to: &Jid, other: &Jid, group: &Jid) -> Vec<(Sample, Vec<Damaged>)> {
        let Some(cast) = self.cast(to, other, group) else { return Vec::new() };
        let mut next = 0;
        samples(&cast)
            .into_iter()
            .map(|sample| {
                let mut damaged = damage(&sample.stanza);
                for one in &mut damaged {
                    number(&mut one.stanza, &sample.stanza, next);
                    next += 1;
                }
                (sample, damaged)
            })
            .collect()
    }

    /// Whom samples for a device are about.
    pub fn cast(&self, to: &Jid, other: &Jid, group: &Jid) -> Option<Cast> {
        self.sim.with(|world| {
            let server = &world.server;
            let (own, other) = (server.address_of(to)?, server.address_of(other)?);
            Some(Cast {
                own: server.device_jid(own, Addressing::Phone),
                own_lid: server.device_jid(own, Addressing::Lid),
                other: server.device_jid(other, Addressing::Phone),
                other_lid: server.device_jid(other, Addressing::Lid),
                group: group.clone(),
                now: server.now,
            })
        })
    }

    /// Says bytes to a device as a stanza. False if they are none, or the device is not connected.
    pub(crate) fn say_bytes(&self, to: &Jid, bytes: &[u8]) -> bool {
        node::read(bytes).is_ok_and(|stanza| self.say(to, stanza))
    }

    fn tampering(&self, to: &Jid, change: impl FnOnce(&mut Tampering)) {
        self.at(to, |server, address| change(server.tampering.entry(address).or_default()));
    }

    fn at<T>(&self, to: &Jid, act: impl FnOnce(&mut Server, DeviceAddress) -> T) -> Option<T> {
        self.sim.with(|world| {
            let address = world.server.address_of(to)?;
            Some(act(&mut world.server, address))
        })
    }
}

/// Gives a damaged stanza an id of its own, unless its id is what is damaged.
fn number(damaged: &mut OwnedNode, whole: &OwnedNode, number: usize) {
    let ids: Vec<_> = damaged.attrs.0.iter().filter(|(name, _)| name == "id").cloned().collect();
    let [(_, id)] = ids.as_slice() else { return };
    if Some(id) != whole.attrs.value("id") {
        return;
    }
    for (name, value) in &mut damaged.attrs.0 {
        if name == "id" {
            *value = format!("D{number}").into();
        }
    }
}
