//! Adding people to a group, removing them, and making them admins.

use compact_str::CompactString;

use super::super::{Request, group_iq};
use crate::{
    Jid, Node, OwnedNode,
    entries::readable,
    stanza::{GroupParticipant, ParseError},
};

/// What is done to people in a group.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ParticipantAction {
    /// Takes them in.
    Add,
    /// Puts them out.
    Remove,
    /// Makes them admins.
    Promote,
    /// Makes them ordinary members.
    Demote,
}

impl ParticipantAction {
    /// The tag of the request and its answer.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Add => "add",
            Self::Remove => "remove",
            Self::Promote => "promote",
            Self::Demote => "demote",
        }
    }
}

/// Does something to people in a group; each has a result of their own.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChangeParticipants {
    /// The group.
    pub group: Jid,
    /// What is done.
    pub action: ParticipantAction,
    /// To whom, each with the phone number where they are named by LID.
    pub participants: Vec<(Jid, Option<Jid>)>,
}

/// What became of one person.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct ParticipantResult {
    /// Who, and what they may do now.
    pub participant: GroupParticipant,
    /// Why it could not be done: 403 they let nobody add them so, 404 no such person, 409 they are
    /// there already, and others; `None` if it was done.
    pub error: Option<u16>,
    /// What to send to somebody who lets nobody add them, so that they can join by themselves.
    pub add_request: Option<AddRequest>,
}

/// An invitation for one person, to be sent to them in a message.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct AddRequest {
    /// The code.
    pub code: CompactString,
    /// Until when it holds, in seconds since 1970.
    pub expiration: u64,
}

impl ParticipantResult {
    /// Whether it was done.
    pub const fn is_done(&self) -> bool {
        self.error.is_none()
    }

    fn read(node: &OwnedNode) -> Result<Self, ParseError> {
        let error = node.attrs.number("error").filter(|code| *code != 0 && *code != 200);
        let add_request = |request: &OwnedNode| {
            Ok(AddRequest {
                code: request.need_text("code")?,
                expiration: request.need_number("expiration")?,
            })
        };
        Ok(Self {
            participant: GroupParticipant::read(node)?,
            error,
            add_request: readable(node.find("add_request"), add_request).pop(),
        })
    }
}

impl Request for ChangeParticipants {
    type Response = Vec<ParticipantResult>;

    fn to_node(&self, id: &str) -> OwnedNode {
        let people = self.participants.iter().map(participant_node);
        group_iq(id, "set", self.group.clone())
            .child(Node::new(self.action.as_str()).children(people))
    }

    fn parse(&self, result: &OwnedNode) -> Result<Vec<ParticipantResult>, ParseError> {
        let answer = result.need_child(self.action.as_str())?;
        Ok(readable(answer.find_all("participant"), ParticipantResult::read))
    }
}

/// `<participant jid [phone_number]>`
pub(super) fn participant_node((jid, phone): &(Jid, Option<Jid>)) -> OwnedNode {
    Node::new("participant").attr("jid", jid).attr_opt("phone_number", phone.as_ref())
}
