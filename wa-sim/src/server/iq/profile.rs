//! What people show of themselves: picture, "about", business, timer; and to whom. Knows nothing of
//! messages.

use rand_core::Rng as _;
use wa_proto::{Jid, Node, OwnedNode};

use super::{BAD_REQUEST, IqError, NOT_ACCEPTABLE, NOT_FOUND};
use crate::{
    address::{DeviceAddress, PhoneNumber},
    server::{Server, account::Picture, directory::Addressing},
};

/// Somebody does not let it be seen.
const NOT_AUTHORIZED: IqError = (401, "not-authorized");
/// The longest "about" text, in bytes.
const MAX_ABOUT: usize = 1_000;
/// The largest picture, in bytes.
const MAX_PICTURE: usize = 2 << 20;

impl Server {
    /// `<picture query=url type [id]>` of the `target`, or of oneself. `None`: it is never
    /// answered, as happens to those who show a token for their own.
    pub(super) fn picture(
        &mut self,
        from: DeviceAddress,
        iq: &Node<'_>,
    ) -> Option<Result<Option<OwnedNode>, IqError>> {
        let Some(asked) = iq.find("picture") else { return Some(Err(BAD_REQUEST)) };
        let target = iq.attrs.jid("target");
        let account = match &target {
            Some(jid) => self.account_of(jid),
            None => Some(from.account),
        };
        let Some(account) = account else { return Some(Err(NOT_FOUND)) };
        if account == from.account && asked.find("tctoken").is_some() {
            return None;
        }
        if !self.shows_picture(from.account, account, asked) {
            return Some(Err(NOT_AUTHORIZED));
        }
        Some(self.picture_answer(account, asked))
    }

    fn picture_answer(
        &self,
        account: PhoneNumber,
        asked: &Node<'_>,
    ) -> Result<Option<OwnedNode>, IqError> {
        let picture = self.accounts.get(&account).and_then(|account| account.picture.as_ref());
        let picture = picture.ok_or(NOT_FOUND)?;
        let answer = Node::new("picture").attr("id", picture.id.clone());
        if asked.attrs.is("id", &picture.id) {
            return Ok(Some(answer.attr("status", "304")));
        }
        let kind = asked.attrs.text("type").unwrap_or("image".into()).into_owned();
        let path = &picture.path;
        let url = self.media.url(path).unwrap_or_else(|| format!("https://media.invalid{path}"));
        Ok(Some(answer.attr("type", kind).attr("url", url).attr("direct_path", path.clone())))
    }

    /// Whether somebody sees the picture: by the privacy setting, which tokens and contacts pass.
    fn shows_picture(&self, watcher: PhoneNumber, of: PhoneNumber, asked: &Node<'_>) -> bool {
        let Some(account) = self.accounts.get(&of) else { return false };
        watcher == of
            || match account.privacy.get("profile").map(String::as_str) {
                Some("none") => false,
                Some("contacts") => {
                    account.wrote_to.contains(&watcher) || self.is_permitted(watcher, of, asked)
                }
                _ => true,
            }
    }

    /// A new picture of oneself, or none.
    pub(super) fn set_picture(
        &mut self,
        from: DeviceAddress,
        iq: &Node<'_>,
    ) -> Result<Option<OwnedNode>, IqError> {
        let jpeg = match iq.find("picture") {
            Some(picture) => Some(picture.content_bytes().ok_or(BAD_REQUEST)?.to_vec()),
            None => None,
        };
        if jpeg.as_ref().is_some_and(|jpeg| jpeg.is_empty() || jpeg.len() > MAX_PICTURE) {
            return Err(NOT_ACCEPTABLE);
        }
        let id = self.change_picture(from.account, Some(from), jpeg);
        Ok(id.map(|id| Node::new("picture").attr("id", id)))
    }

    /// Changes an account's picture and tells everybody; answers its id.
    pub(crate) fn change_picture(
        &mut self,
        account: PhoneNumber,
        by: Option<DeviceAddress>,
        jpeg: Option<Vec<u8>>,
    ) -> Option<String> {
        let id = jpeg.as_ref().map(|_| (self.rng.next_u64() % 10_000_000_000).to_string());
        let picture = id.clone().zip(jpeg).and_then(|(id, jpeg)| {
            let path = self.media.put("picture", &id, jpeg.clone().into()).ok()?;
            Some(Picture { id, jpeg, path })
        });
        if let Some(kept) = self.accounts.get_mut(&account) {
            kept.picture = picture;
        }
        let jid = self.user_jid(account, Addressing::Lid);
        let change = match &id {
            Some(id) => Node::new("set").attr("id", id.clone()),
            None => Node::new("delete"),
        };
        self.tell_contacts(
            account,
            "picture",
            &change.attr("jid", jid.clone()).attr("author", jid),
        );
        self.tell_account(account, by, &Node::new("picture"));
        id
    }

    /// `<status>` as the text itself.
    pub(super) fn set_about(&mut self, from: DeviceAddress, iq: &Node<'_>) {
        let text = iq.find("status").and_then(|status| status.content_text()).unwrap_or_default();
        let text = text.to_owned();
        self.change_about(from, &text);
    }

    /// Changes an account's "about" text and tells everybody.
    pub(crate) fn change_about(&mut self, from: DeviceAddress, text: &str) {
        if text.len() > MAX_ABOUT {
            return;
        }
        let now = self.now;
        if let Some(account) = self.accounts.get_mut(&from.account) {
            text.clone_into(&mut account.about);
            account.about_set = now;
        }
        let change = Node::new("set").bytes(text.as_bytes().to_vec());
        self.tell_contacts(from.account, "status", &change);
    }

    /// `<privacy>` in the name space `status`: who sees the status posts.
    pub(super) fn status_privacy(&self, from: DeviceAddress) -> Result<Option<OwnedNode>, IqError> {
        let account = self.accounts.get(&from.account).ok_or(BAD_REQUEST)?;
        let (kind, people) = account.status_audience.clone().ok_or(NOT_FOUND)?;
        let users = people
            .into_iter()
            .map(|person| Node::new("user").attr("jid", self.user_jid(person, Addressing::Lid)));
        let list = Node::new("list").attr("type", kind).attr("default", "true").children(users);
        Ok(Some(Node::new("privacy").child(list)))
    }

    pub(super) fn set_disappearing_mode(
        &mut self,
        from: DeviceAddress,
        iq: &Node<'_>,
    ) -> Result<Option<OwnedNode>, IqError> {
        let mode = iq.find("disappearing_mode").ok_or(BAD_REQUEST)?;
        let duration = mode.attrs.number("duration").ok_or(BAD_REQUEST)?;
        self.change_disappearing_mode(from, duration);
        Ok(None)
    }

    /// Changes the timer of an account's new chats and tells everybody.
    pub(crate) fn change_disappearing_mode(&mut self, by: DeviceAddress, duration: u32) {
        let now = self.now;
        if let Some(account) = self.accounts.get_mut(&by.account) {
            account.disappearing_mode = (duration, now);
        }
        let change = Node::new("disappearing_mode").attr("duration", duration).attr("t", now);
        self.tell_account(by.account, Some(by), &change);
        self.tell_contacts(by.account, "disappearing_mode", &change);
    }

    /// `<business_profile>` of one account.
    pub(super) fn business_profile(&self, iq: &Node<'_>) -> Result<Option<OwnedNode>, IqError> {
        let asked = iq.find("business_profile").and_then(|asked| asked.find("profile"));
        let jid: Jid = asked.and_then(|asked| asked.attrs.jid("jid")).ok_or(BAD_REQUEST)?;
        let account = self.account_of(&jid).and_then(|number| self.accounts.get(&number));
        let answer = Node::new("business_profile");
        let Some(description) = account.and_then(|account| account.business.clone()) else {
            return Ok(Some(answer));
        };
        let text = |tag: &'static str, text: &str| Node::new(tag).bytes(text.as_bytes().to_vec());
        let hours = Node::new("business_hours").attr("timezone", "UTC").child(
            Node::new("business_hours_config")
                .attr("day_of_week", "mon")
                .attr("mode", "specific_hours")
                .attr("open_time", "540")
                .attr("close_time", "1020"),
        );
        let category = text("category", "Shop").attr("id", "1");
        let profile = Node::new("profile")
            .attr("jid", jid)
            .child(text("description", &description))
            .child(text("address", "1 Harbour Street"))
            .child(text("website", "https://shop.example"))
            .child(Node::new("categories").child(category))
            .child(hours);
        Ok(Some(answer.child(profile)))
    }
}
