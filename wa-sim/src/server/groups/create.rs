//! Groups that are new. Knows nothing of how one is asked for.

use std::collections::BTreeMap;

use rand_core::Rng as _;
use wa_proto::{Jid, Node};

use super::{Community, Group, Member, PersonResult, Role, Wording};
use crate::{
    address::PhoneNumber,
    server::{Server, directory::Addressing},
};

/// A group that is to be.
#[derive(Debug, Clone)]
pub(crate) struct NewGroup {
    pub(crate) subject: String,
    pub(crate) creator: PhoneNumber,
    /// Besides the creator.
    pub(crate) members: Vec<PhoneNumber>,
    pub(crate) addressing: Addressing,
    /// What the request named it by.
    pub(crate) key: Option<String>,
    pub(crate) ephemeral: u32,
    pub(crate) locked: bool,
    pub(crate) announcement: bool,
    pub(crate) approval: bool,
    pub(crate) description: Option<(String, String)>,
    /// The community it belongs to.
    pub(crate) parent: Option<String>,
}

impl NewGroup {
    /// A plain group by LID.
    pub(crate) const fn new(subject: String, creator: PhoneNumber) -> Self {
        Self {
            subject,
            creator,
            members: Vec::new(),
            addressing: Addressing::Lid,
            key: None,
            ephemeral: 0,
            locked: false,
            announcement: false,
            approval: false,
            description: None,
            parent: None,
        }
    }
}

impl Server {
    /// Makes a group and tells the devices of its members.
    pub(crate) fn create_group(&mut self, new: NewGroup) -> Jid {
        let community = match &new.parent {
            Some(parent) => Community::SubGroup { parent: parent.clone(), default: false },
            None => Community::None,
        };
        self.found_group(new, community)
    }

    /// Makes a group with those of the people asked for who can be added; answers what became of
    /// the others.
    pub(crate) fn create_group_with(
        &mut self,
        mut new: NewGroup,
        asked: &[Jid],
    ) -> (Jid, Vec<PersonResult>) {
        let creator = new.creator;
        let mut failed = Vec::new();
        for jid in asked {
            match self.account_of(jid) {
                Some(account) if account == creator => {}
                Some(account) if self.may_be_added_by(account, creator) => {
                    new.members.push(account);
                }
                account => failed.push((jid.clone(), account)),
            }
        }
        let group = self.create_group(new);
        let result = |(jid, account): (Jid, Option<PhoneNumber>)| {
            let offer = account.map(|account| self.offer(creator, &group.user, account));
            PersonResult { jid, error: Some(if offer.is_some() { 403 } else { 404 }), offer }
        };
        let failed = failed.into_iter().map(result).collect();
        (group, failed)
    }

    pub(super) fn found_group(&mut self, new: NewGroup, community: Community) -> Jid {
        let id = format!("120363{:012}", self.rng.next_u64() % 1_000_000_000_000);
        let (creator, key, now) = (new.creator, new.key.clone(), self.now);
        let mut members = vec![Member { account: creator, role: Role::Creator }];
        for account in new.members {
            if members.iter().all(|member| member.account != account) {
                members.push(Member { account, role: Role::Member });
            }
        }
        let wording = |text| Wording { text, by: creator, at: now };
        let group = Group {
            id: id.clone(),
            addressing: new.addressing,
            subject: wording(new.subject),
            created: now,
            creator,
            members,
            version: now,
            description: new.description.map(|(id, text)| (id, wording(text))),
            locked: new.locked,
            announcement: new.announcement,
            ephemeral: new.ephemeral,
            approval: new.approval,
            everybody_adds: false,
            link: self.fresh_link(),
            waiting: BTreeMap::new(),
            offers: BTreeMap::new(),
            picture: None,
            community,
        };
        let people = group.accounts();
        self.groups.insert(id.clone(), group);
        let create = Node::new("create").attr("type", "new").attr_opt("key", key);
        self.tell_of_group(&id, creator, people, create);
        Jid::group(id)
    }

    /// The code of a link: 22 letters and digits.
    pub(super) fn fresh_link(&mut self) -> String {
        const LETTERS: &[u8; 32] = b"ABCDEFGHJKLMNPQRSTUVWXYZ23456789";
        let mut bytes = [0; 22];
        self.rng.fill_bytes(&mut bytes);
        let letter = |byte: &u8| LETTERS.get(usize::from(byte % 32)).copied().unwrap_or(b'A');
        bytes.iter().map(letter).map(char::from).collect()
    }
}
