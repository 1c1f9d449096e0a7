//! Queries: one answer each, by name space. What is not known gets an empty result, as clients ask
//! much that makes no difference here. Knows nothing of messages.

mod account;
mod encrypt;
mod group;
mod mex;
mod newsletter;
mod profile;

use wa_proto::{Jid, Node, OwnedNode};

use super::Server;
use crate::address::DeviceAddress;

/// Why a query has no result: code and text.
pub(crate) type IqError = (u16, &'static str);

/// Something is missing in the query.
pub(super) const BAD_REQUEST: IqError = (400, "bad-request");
/// It is not for this client.
pub(super) const FORBIDDEN: IqError = (403, "forbidden");
/// What is asked for is not there.
pub(super) const NOT_FOUND: IqError = (404, "item-not-found");
/// The upload is refused.
pub(super) const NOT_ACCEPTABLE: IqError = (406, "not-acceptable");

impl Server {
    /// The answer to a query; none to a result or an error.
    pub(super) fn answer_iq(&mut self, from: DeviceAddress, iq: &Node<'_>) -> Option<OwnedNode> {
        let kind = iq.attrs.text("type")?;
        if !matches!(&*kind, "get" | "set") {
            return None;
        }
        let id = iq.attrs.text("id").unwrap_or_default().into_owned();
        let to = iq.attrs.jid("to").unwrap_or_else(Jid::server);
        let answer = Node::new("iq").attr("from", to).attr("id", id);
        let is_personal = !iq.attrs.jid("target").is_some_and(|target| target.is_group());
        if iq.attrs.is("xmlns", "w:profile:picture") && kind == "get" && is_personal {
            let picture = self.picture(from, iq)?;
            return Some(finished(answer, picture));
        }
        Some(finished(answer, self.iq_result(from, iq, kind == "set")))
    }

    fn iq_result(
        &mut self,
        from: DeviceAddress,
        iq: &Node<'_>,
        set: bool,
    ) -> Result<Option<OwnedNode>, IqError> {
        let namespace = iq.attrs.text("xmlns").unwrap_or_default();
        match (&*namespace, set) {
            ("encrypt", false) => match self.encrypt_get(iq) {
                Some(answer) => answer.map(Some),
                None => self.own_shelf(from, iq).map(Some).ok_or(BAD_REQUEST),
            },
            ("encrypt", true) => self.encrypt_set(from, iq),
            ("passive", true) => Ok(None),
            ("usync", _) => {
                let usync = iq.find("usync").ok_or(BAD_REQUEST)?;
                self.answer_usync(usync).map(Some).ok_or(BAD_REQUEST)
            }
            ("abt", _) => Ok(Some(self.properties(iq.find("props")))),
            ("newsletter", _) => self.newsletter_query(from, iq),
            ("w:mex", _) => self.mex(from, iq),
            ("w:biz", false) => self.business_profile(iq),
            ("disappearing_mode", true) => self.set_disappearing_mode(from, iq),
            ("blocklist", set) => self.blocklist(from, iq, set),
            ("privacy", set) => self.privacy(from, iq, set),
            ("w:m", _) => Ok(Some(self.media_connection(from))),
            ("w:g2", false) => self.group_get(from, iq),
            ("w:g2", true) => self.group_set(from, iq),
            ("w:profile:picture", true) => match iq.attrs.jid("target").filter(Jid::is_group) {
                Some(group) => self.set_group_picture(from, &group, iq),
                None => self.set_picture(from, iq),
            },
            ("w:sync:app:state", _) => Ok(self.sync_app_state(from, iq)),
            ("w:profile:picture", false) => Err(NOT_FOUND),
            ("status", true) => {
                self.set_about(from, iq);
                Ok(None)
            }
            ("status", false) => self.status_privacy(from),
            _ => Ok(None),
        }
    }

    /// What a query sets off once it is answered.
    pub(super) fn after_iq(&mut self, from: DeviceAddress, iq: &Node<'_>) {
        let namespace = iq.attrs.text("xmlns").unwrap_or_default();
        match &*namespace {
            "passive" if iq.find("active").is_some() => self.become_active(from),
            "md" => self.take_unlink_request(from, iq),
            "urn:xmpp:whatsapp:dirty" => self.take_clean(from, iq),
            _ => {}
        }
    }
}

fn finished(answer: OwnedNode, outcome: Result<Option<OwnedNode>, IqError>) -> OwnedNode {
    match outcome {
        Ok(children) => answer.attr("type", "result").children(children),
        Err((code, text)) => answer
            .attr("type", "error")
            .child(Node::new("error").attr("code", u32::from(code)).attr("text", text)),
    }
}
