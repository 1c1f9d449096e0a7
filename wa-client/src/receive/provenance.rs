//! Who said a plaintext, and how this client knows it.
//!
//! Owns the two kinds of plaintexts that there are. An [`Authenticated`] one was opened by a
//! session or a sender key, so the device at the other end said it, whatever the stanza around it
//! claims. A [`Clear`] one came in the open, as the posts of channels do: the server alone vouches
//! for it. Whatever obeys a plaintext, or archives it as somebody's words, takes the first kind, so
//! that it cannot be handed the second. Knows nothing of what a plaintext says.

use wa_proto::{Jid, Server, stanza::OwnJids};
use wa_store::HistoryChunk;

use super::record::{Arrival, Way};

/// A plaintext of which it is proven who said it.
pub(crate) struct Authenticated {
    voucher: Voucher,
    plaintext: Vec<u8>,
}

/// Who answers for a plaintext.
enum Voucher {
    /// This device encrypted it, by its canonical address.
    Device(Jid),
    /// The account's phone says that somebody said it.
    OwnPhone,
    /// It is about to be sent from here.
    ThisDevice,
}

impl Authenticated {
    /// What a session with this device, or its sender key, opened. For the code alone that
    /// decrypts.
    pub(super) const fn opened(device: Jid, plaintext: Vec<u8>) -> Self {
        Self { voucher: Voucher::Device(device), plaintext }
    }

    /// What the account's phone says that somebody said: history, and what it repairs.
    pub(crate) const fn told(_by: &OwnPhone, plaintext: Vec<u8>) -> Self {
        Self { voucher: Voucher::OwnPhone, plaintext }
    }

    /// What this device is about to say.
    pub(crate) const fn to_be_sent(plaintext: Vec<u8>) -> Self {
        Self { voucher: Voucher::ThisDevice, plaintext }
    }

    pub(crate) fn plaintext(&self) -> &[u8] {
        &self.plaintext
    }

    /// The device that encrypted it, if it came from one.
    pub(crate) const fn device(&self) -> Option<&Jid> {
        match &self.voucher {
            Voucher::Device(device) => Some(device),
            Voucher::OwnPhone | Voucher::ThisDevice => None,
        }
    }

    /// The device of this account that encrypted it, if one did.
    pub(crate) fn own_device(&self, own: &OwnJids) -> Option<&Jid> {
        self.device().filter(|device| own.is_me(device))
    }

    /// Whether it may be archived as that arrival: the device that is named as its sender is the
    /// one that said it. The phone may tell of anybody, but of the past only.
    pub(super) fn is_of(&self, arrival: &Arrival) -> bool {
        match &self.voucher {
            Voucher::Device(device) => {
                arrival.way == Way::Live
                    && arrival.sender == *device
                    && arrival.from_me == arrival.own.is_me(device)
            }
            Voucher::OwnPhone => arrival.way == Way::History,
            Voucher::ThisDevice => arrival.way == Way::Outgoing && arrival.from_me,
        }
    }
}

/// Without what was said.
impl std::fmt::Debug for Authenticated {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Authenticated(…)")
    }
}

/// Proof that the account's own phone speaks.
#[derive(Debug)]
pub(crate) struct OwnPhone(());

impl OwnPhone {
    /// The proof, if the phone said this.
    pub(crate) fn said(this: &Authenticated, own: &OwnJids) -> Option<Self> {
        this.own_device(own).filter(|device| device.device == 0).map(|_| Self(()))
    }

    /// The proof that a part of the history is the phone's: no other is kept
    /// ([`crate::history::told`]).
    pub(crate) const fn of_history(_: &HistoryChunk) -> Self {
        Self(())
    }
}

/// A post of a channel, which is not encrypted.
#[derive(Debug)]
pub(crate) struct Clear<'a> {
    channel: &'a Jid,
    plaintext: &'a [u8],
}

impl<'a> Clear<'a> {
    /// A plaintext that came in the open; nothing if it is of anything but a channel.
    pub(crate) fn post(channel: &'a Jid, plaintext: &'a [u8]) -> Option<Self> {
        (channel.server == Server::Newsletter).then_some(Self { channel, plaintext })
    }

    pub(super) const fn plaintext(&self) -> &[u8] {
        self.plaintext
    }

    /// Whether it may be archived as that arrival: in the channel it is of, and as the channel's.
    pub(super) fn is_of(&self, arrival: &Arrival) -> bool {
        arrival.chat == *self.channel && arrival.sender == *self.channel && !arrival.from_me
    }
}

#[cfg(test)]
mod tests {
    use wa_proto::stanza::ChatKind;
    use wa_store::Timestamp;

    use super::*;

    fn arrival(sender: Jid, from_me: bool, way: Way) -> Arrival {
        Arrival {
            id: "3EB0AA".into(),
            chat: Jid::lid("2"),
            kind: ChatKind::Direct,
            sender,
            from_me,
            way,
            deletes_as_admin: false,
            timestamp: Timestamp::MIN,
            push_name: None,
            own: OwnJids {
                phone: Jid::phone("1555").with_device(3),
                lid: Some(Jid::lid("1").with_device(3)),
            },
        }
    }

    #[test]
    fn what_one_device_said_is_never_archived_as_said_by_another() {
        let said = Authenticated::opened(Jid::lid("2"), vec![1]);
        assert!(said.is_of(&arrival(Jid::lid("2"), false, Way::Live)));
        assert!(!said.is_of(&arrival(Jid::lid("2").with_device(5), false, Way::Live)));
        assert!(!said.is_of(&arrival(Jid::lid("7"), false, Way::Live)));
        assert!(!said.is_of(&arrival(Jid::lid("2"), true, Way::Live)), "it is not this account's");
        assert!(!said.is_of(&arrival(Jid::lid("2"), false, Way::History)));
    }

    #[test]
    fn only_device_zero_of_the_account_is_its_phone() {
        let own = arrival(Jid::lid("2"), false, Way::Live).own;
        let by = |device: Jid| Authenticated::opened(device, Vec::new());
        assert!(OwnPhone::said(&by(Jid::lid("1")), &own).is_some());
        assert!(OwnPhone::said(&by(Jid::lid("1").with_device(4)), &own).is_none());
        assert!(OwnPhone::said(&by(Jid::lid("2")), &own).is_none());
        assert!(OwnPhone::said(&Authenticated::to_be_sent(Vec::new()), &own).is_none());
    }

    #[test]
    fn nothing_in_the_open_is_of_anything_but_a_channel() {
        for jid in [Jid::lid("2"), Jid::phone("1555"), Jid::group("9"), Jid::status()] {
            assert!(Clear::post(&jid, b"x").is_none());
        }
        assert!(Clear::post(&Jid::new("7", Server::Newsletter), b"x").is_some());
    }
}
