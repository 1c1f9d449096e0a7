//! usync: what a client asks about people, protocol by protocol. Knows nothing of why it asks.

use prost::Message as _;
use wa_proto::{Jid, Node, OwnedNode, pb};

use super::{Server, account::Account, directory::Addressing};
use crate::address::PhoneNumber;

/// The most users one query may ask about.
const MAX_USERS: usize = 1_024;

impl Server {
    /// `<usync><query>protocols</query><list>users</list></usync>` → the same with answers, or
    /// `None` if it is not well formed.
    pub(super) fn answer_usync(&self, usync: &Node<'_>) -> Option<OwnedNode> {
        let protocols: Vec<&Node<'_>> = usync.find("query")?.nodes().iter().collect();
        let users = usync.find("list")?;
        if users.nodes().len() > MAX_USERS {
            return None;
        }
        let answers = users.find_all("user").map(|user| self.usync_user(user, &protocols));
        let list = Node::new("list").children(answers);
        let results = protocols.iter().map(|protocol| Node::new(protocol.tag.to_string()));
        let mut answer = Node::new("usync");
        for name in ["sid", "mode", "context", "last", "index"] {
            let value = usync.attrs.text(name).map(|value| value.into_owned());
            answer = answer.attr_opt(name, value);
        }
        Some(answer.child(Node::new("result").children(results)).child(list))
    }

    fn usync_user(&self, user: &Node<'_>, protocols: &[&Node<'_>]) -> OwnedNode {
        let by_number = user.find("contact").and_then(|contact| contact.content_text());
        let asked = user.attrs.jid("jid").map(|jid| jid.to_user());
        let account = match (&asked, by_number) {
            (Some(jid), _) => self.account_of(jid),
            (None, Some(text)) => text.parse::<PhoneNumber>().ok(),
            (None, None) => None,
        };
        let account = account.and_then(|number| self.accounts.get(&number));
        let jid = asked.clone().or_else(|| account.map(|account| account.jid(Addressing::Phone)));
        let jid = jid
            .or_else(|| by_number.map(|text| Jid::phone(text.trim_start_matches('+').to_owned())));
        let by_lid = asked.as_ref().is_some_and(Jid::is_lid);
        let answers = protocols
            .iter()
            .filter_map(|protocol| self.usync_answer(&protocol.tag, account, by_lid, by_number));
        let pn = account.filter(|_| by_lid).map(|account| account.jid(Addressing::Phone));
        Node::new("user").attr_opt("jid", jid).attr_opt("pn_jid", pn).children(answers)
    }

    fn usync_answer(
        &self,
        protocol: &str,
        account: Option<&Account>,
        by_lid: bool,
        by_number: Option<&str>,
    ) -> Option<OwnedNode> {
        let contact = |kind: &'static str| {
            let number = by_number.map(|text| text.as_bytes().to_vec());
            let contact = Node::new("contact").attr("type", kind);
            match number {
                Some(number) => contact.bytes(number),
                None => contact,
            }
        };
        let Some(account) = account else {
            return (protocol == "contact").then(|| contact("out"));
        };
        Some(match protocol {
            "contact" => contact("in"),
            "devices" => devices_node(account),
            "lid" if by_lid => return None,
            "lid" => Node::new("lid").attr("val", account.jid(Addressing::Lid)),
            "status" => Node::new("status")
                .attr("t", account.about_set)
                .bytes(account.about.clone().into_bytes()),
            "disappearing_mode" => {
                let (duration, set) = account.disappearing_mode;
                Node::new("disappearing_mode").attr("duration", duration).attr("t", set)
            }
            "picture" => Node::new("picture").attr("id", account.picture.as_ref()?.id.clone()),
            "username" => Node::new("username").bytes(account.username.clone()?.into_bytes()),
            "business" => {
                account.business.as_ref()?;
                let certificate = verified_name(&account.name);
                Node::new("business").child(Node::new("verified_name").bytes(certificate))
            }
            _ => return None,
        })
    }
}

/// `<devices><device-list/><key-index-list/></devices>`, the phone (device 0) included.
fn devices_node(account: &Account) -> OwnedNode {
    let devices = account.devices.iter().map(|(&id, device)| {
        let key_index = (device.key_index != 0).then_some(device.key_index);
        Node::new("device").attr("id", id).attr_opt("key-index", key_index)
    });
    let list = Node::new("key-index-list")
        .attr("ts", account.key_index_time)
        .bytes(account.key_index_list.clone());
    Node::new("devices").child(Node::new("device-list").children(devices)).child(list)
}

/// The certificate of a business's name; its signature is of no use here.
fn verified_name(name: &str) -> Vec<u8> {
    let details = pb::verified_name_certificate::Details {
        verified_name: Some(name.to_owned()),
        ..Default::default()
    };
    let details = Some(details.encode_to_vec().into());
    pb::VerifiedNameCertificate { details, ..Default::default() }.encode_to_vec()
}
