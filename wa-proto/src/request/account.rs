//! Requests about this account: who is blocked, who may see what, and which devices it has.

use compact_str::CompactString;

use super::{Request, get, set};
use crate::{
    Jid, Node, OwnedNode,
    entries::{count_left_out, readable},
    stanza::{ParseError, read_privacy},
};

/// Who is blocked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Blocklist;

/// Who is blocked.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct BlocklistAnswer {
    /// The hash of the list.
    pub hash: Option<CompactString>,
    /// The people.
    pub blocked: Vec<Jid>,
    /// How many more there are who cannot be read. Then the list has no hash, so that it is asked
    /// for again at the next change, and nobody counts as unblocked by it.
    pub unreadable: usize,
}

impl BlocklistAnswer {
    fn read(result: &OwnedNode) -> Result<Self, ParseError> {
        let Some(list) = result.find("list") else {
            return Ok(Self { hash: None, blocked: vec![], unreadable: 0 });
        };
        let (blocked, unreadable) =
            count_left_out(|| readable(list.find_all("item"), |item| item.need_jid("jid")));
        let hash = list.text_opt("dhash").filter(|_| unreadable == 0);
        Ok(Self { hash, blocked, unreadable })
    }
}

impl Request for Blocklist {
    type Response = BlocklistAnswer;

    fn to_node(&self, id: &str) -> OwnedNode {
        get(id, "blocklist")
    }

    fn parse(&self, result: &OwnedNode) -> Result<BlocklistAnswer, ParseError> {
        BlocklistAnswer::read(result)
    }
}

/// Blocks or unblocks somebody.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UpdateBlocklist {
    /// Who, by LID where it is known.
    pub jid: Jid,
    /// Their phone number, when they are blocked by LID.
    pub phone: Option<Jid>,
    /// Whether to block them.
    pub block: bool,
}

impl Request for UpdateBlocklist {
    type Response = BlocklistAnswer;

    fn to_node(&self, id: &str) -> OwnedNode {
        let item = Node::new("item")
            .attr("action", if self.block { "block" } else { "unblock" })
            .attr("jid", &self.jid)
            .attr_opt("pn_jid", self.phone.as_ref().filter(|_| self.block));
        set(id, "blocklist").child(item)
    }

    fn parse(&self, result: &OwnedNode) -> Result<BlocklistAnswer, ParseError> {
        BlocklistAnswer::read(result)
    }
}

/// Who may see what of this account.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PrivacySettings;

impl Request for PrivacySettings {
    /// Categories (`last`, `readreceipts`, …) and values (`all`, `contacts`, `none`, …).
    type Response = Vec<(CompactString, CompactString)>;

    fn to_node(&self, id: &str) -> OwnedNode {
        get(id, "privacy").child(Node::new("privacy"))
    }

    fn parse(&self, result: &OwnedNode) -> Result<Self::Response, ParseError> {
        Ok(read_privacy(result.need_child("privacy")?))
    }
}

/// Changes who may see something of this account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SetPrivacy {
    /// What.
    pub category: CompactString,
    /// Who.
    pub value: CompactString,
}

impl Request for SetPrivacy {
    type Response = ();

    fn to_node(&self, id: &str) -> OwnedNode {
        let category =
            Node::new("category").attr("name", &self.category).attr("value", &self.value);
        set(id, "privacy").child(Node::new("privacy").child(category))
    }

    fn parse(&self, _: &OwnedNode) -> Result<(), ParseError> {
        Ok(())
    }
}

/// Permits people to write to this account, by issuing them a token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IssuePrivacyTokens {
    /// The people, without devices.
    pub to: Vec<Jid>,
    /// Now, in seconds since 1970 by the server's clock.
    pub timestamp: u64,
}

impl Request for IssuePrivacyTokens {
    type Response = ();

    fn to_node(&self, id: &str) -> OwnedNode {
        let token = |jid: &Jid| {
            Node::new("token")
                .attr("jid", jid)
                .attr("t", self.timestamp)
                .attr("type", "trusted_contact")
        };
        set(id, "privacy").child(Node::new("tokens").children(self.to.iter().map(token)))
    }

    fn parse(&self, _: &OwnedNode) -> Result<(), ParseError> {
        Ok(())
    }
}

/// Unlinks a device; of this device: logs out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RemoveCompanionDevice {
    /// The device.
    pub device: Jid,
}

impl Request for RemoveCompanionDevice {
    type Response = ();

    fn to_node(&self, id: &str) -> OwnedNode {
        let remove = Node::new("remove-companion-device")
            .attr("jid", &self.device)
            .attr("reason", "user_initiated");
        set(id, "md").child(remove)
    }

    fn parse(&self, _: &OwnedNode) -> Result<(), ParseError> {
        Ok(())
    }
}
