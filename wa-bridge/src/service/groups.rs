//! Groups: made, changed, joined and left.

use wa_client::{Groups, InviteLink};
use wa_proto::{
    Jid,
    request::JoinedByLink,
    stanza::{GroupInfo, MemberAddMode},
};

use super::{
    Call, Perform,
    drafts::recipient_label,
    gate::{OutgoingAction, bound},
};
use crate::{
    api::{
        Adders, GroupChangedView, GroupCreate, GroupGet, GroupInvite, GroupInviteReset, GroupJoin,
        GroupLeave, GroupList, GroupLookUp, GroupUpdate, GroupView, InviteView, JoinedView,
        LeftView,
    },
    failure::{Cause, Failure},
    policy::{ActionKind, PaceClass},
    shown::Shown,
};

mod members;

/// The largest picture of a group that is sent, in bytes.
const MAX_PHOTO_LEN: usize = 5 << 20;

impl Perform for GroupList {
    async fn perform(self, call: &Call<'_>) -> Result<Vec<GroupView>, Failure> {
        let client = call.online().await?;
        let groups = client.groups();
        let mut views = Vec::new();
        for info in call.ask(groups.list()).await? {
            if call.may_read(&info.jid).await? {
                views.push(call.group_view(&info).await?);
            }
        }
        views.sort_by_key(|view| view.subject.to_lowercase());
        Ok(views)
    }
}

impl Perform for GroupGet {
    async fn perform(self, call: &Call<'_>) -> Result<GroupView, Failure> {
        let group = call.group(&self.group).await?;
        let client = call.online().await?;
        let groups = client.groups();
        let info = call.ask(groups.refresh(&group)).await?;
        call.group_view(&info).await
    }
}

impl Perform for GroupCreate {
    async fn perform(self, call: &Call<'_>) -> Result<GroupView, Failure> {
        let people = call.people(&self.people).await?;
        let first = people.first().ok_or_else(|| {
            Failure::new(Cause::Usage, "nobody was named").remedy("name who is to be in the group")
        })?;
        call.require_link().await?;
        let with = call.labels(&people).await?;
        let shown = with
            .iter()
            .fold(Shown::new("new group").line("name", &self.subject), |shown, person| {
                shown.line("with", person)
            });
        let addresses: Vec<_> = people.iter().map(ToString::to_string).collect();
        let parts = [request_bytes(&self)?].into_iter();
        let parts: Vec<_> = parts.chain(addresses.into_iter().map(String::into_bytes)).collect();
        let action = OutgoingAction {
            chat: first,
            field: None,
            kind: ActionKind::Group,
            shown,
            content: bound(parts.iter().map(Vec::as_slice)).to_vec(),
            context: Vec::new(),
        };
        call.authorize_all(&action, &people).await?;
        let client = call.online().await?;
        let mut create = client.groups().create(self.subject.as_str()).with(people);
        if self.announce {
            create = create.announcements_only();
        }
        if self.locked {
            create = create.locked();
        }
        if self.approval {
            create = create.with_approval();
        }
        if let Some(seconds) = self.disappearing {
            create = create.ephemeral(seconds);
        }
        let info = call.ask(create).await?;
        call.note_chat(&info.jid);
        Ok(GroupView::new(&info, call.store()).await?)
    }
}

impl Perform for GroupUpdate {
    async fn perform(self, call: &Call<'_>) -> Result<GroupChangedView, Failure> {
        let group = call.group(&self.group).await?;
        let photo = match self.photo_path.as_deref() {
            None | Some("") => None,
            Some(path) => Some(call.picture(path, MAX_PHOTO_LEN).await?),
        };
        let Some(shown) = shown(&self) else {
            return Err(Failure::new(Cause::Usage, "nothing of the group is to be changed")
                .remedy("say what it is to be called, show or permit"));
        };
        call.require_link().await?;
        let wanted = GroupUpdate { group: String::new(), ..self.clone() };
        let (wanted, picture) = (request_bytes(&wanted)?, photo.clone().unwrap_or_default());
        call.authorize_group(&group, shown, [wanted.as_slice(), &picture]).await?;
        let client = call.caught_up().await?;
        let mut changes = Changes { call, group: &group, done: Vec::new(), picture_id: None };
        let made = changes.make(&self, photo, &client.groups()).await;
        let Changes { done, picture_id, .. } = changes;
        made.map_err(|failure| after(failure, &done))?;
        let changed = done.into_iter().map(str::to_owned).collect();
        Ok(GroupChangedView { group: group.to_string(), changed, picture_id })
    }
}

/// What of a group is to be changed, in words; nothing where nothing is.
fn shown(wanted: &GroupUpdate) -> Option<Shown> {
    let switch = |on: Option<bool>| on.map(|on| if on { "on" } else { "off" }.to_owned());
    let adders = wanted.add_members.map(|adders| match adders {
        Adders::Admins => "admins".to_owned(),
        Adders::Everybody => "everybody".to_owned(),
    });
    let changes = [
        ("name", wanted.subject.clone()),
        ("only admins write", switch(wanted.announce)),
        ("only admins change it", switch(wanted.locked)),
        ("admins let people in", switch(wanted.approval)),
        ("who adds people", adders),
        ("messages disappear after seconds", wanted.disappearing.map(|time| time.to_string())),
        ("picture", wanted.photo_path.clone()),
    ];
    let changes: Vec<_> =
        changes.into_iter().filter_map(|(what, change)| Some((what, change?))).collect();
    if changes.is_empty() && wanted.description.is_none() {
        return None;
    }
    let shown = Shown::new("change of the group");
    let shown = changes.iter().fold(shown, |shown, (what, change)| shown.line(what, change));
    Some(shown.quote_some("description", wanted.description.as_deref()))
}

/// A request as bytes, to be hashed.
fn request_bytes(request: &impl serde::Serialize) -> Result<Vec<u8>, Failure> {
    serde_json::to_vec(request)
        .map_err(|error| Failure::new(Cause::Failed, format!("the request is no JSON: {error}")))
}

/// Several changes of a group, one after the other.
struct Changes<'a> {
    call: &'a Call<'a>,
    group: &'a Jid,
    done: Vec<&'static str>,
    picture_id: Option<String>,
}

impl Changes<'_> {
    async fn make(
        &mut self,
        wanted: &GroupUpdate,
        photo: Option<Vec<u8>>,
        groups: &Groups,
    ) -> Result<(), Failure> {
        let (call, group) = (self.call, self.group);
        if let Some(subject) = &wanted.subject {
            call.ask(groups.set_subject(group, subject)).await?;
            // The notice may come after this call's end, and the next one names it so.
            call.ask(groups.refresh(group)).await?;
            self.done.push("subject");
        }
        if let Some(text) = &wanted.description {
            let text = Some(text.as_str()).filter(|text| !text.is_empty());
            call.ask(groups.set_description(group, text)).await?;
            self.done.push("description");
        }
        if let Some(only) = wanted.announce {
            call.ask(groups.set_announcements_only(group, only)).await?;
            self.done.push("announce");
        }
        if let Some(locked) = wanted.locked {
            call.ask(groups.set_locked(group, locked)).await?;
            self.done.push("locked");
        }
        if let Some(needed) = wanted.approval {
            call.ask(groups.set_approval(group, needed)).await?;
            self.done.push("approval");
        }
        if let Some(seconds) = wanted.disappearing {
            call.ask(groups.set_ephemeral(group, seconds)).await?;
            self.done.push("disappearing");
        }
        if let Some(adders) = wanted.add_members {
            let mode = match adders {
                Adders::Admins => MemberAddMode::Admins,
                Adders::Everybody => MemberAddMode::Everybody,
            };
            call.ask(groups.set_member_add_mode(group, mode)).await?;
            self.done.push("add_members");
        }
        if wanted.photo_path.is_some() {
            self.picture_id = match photo {
                Some(jpeg) => call.ask(groups.set_photo(group, jpeg)).await?,
                None => call.ask(groups.remove_photo(group)).await.map(|()| None)?,
            };
            self.done.push("photo_path");
        }
        Ok(())
    }
}

/// A failure after some changes were made already.
fn after(mut failure: Failure, done: &[&str]) -> Failure {
    if !done.is_empty() {
        failure.message = format!("{} (changed before that: {})", failure.message, done.join(", "));
    }
    failure
}

impl Perform for GroupInvite {
    async fn perform(self, call: &Call<'_>) -> Result<InviteView, Failure> {
        let group = call.group(&self.group).await?;
        let client = call.online().await?;
        let link = call.ask(client.groups().invite_link(&group)).await?;
        Ok(InviteView { link: link.to_string() })
    }
}

impl Perform for GroupInviteReset {
    async fn perform(self, call: &Call<'_>) -> Result<InviteView, Failure> {
        let group = call.group_to_change(&self.group).await?;
        call.require_link().await?;
        let shown = Shown::new("another link for the group; the old one is void from then on");
        call.authorize_group(&group, shown, []).await?;
        let client = call.online().await?;
        let link = call.ask(client.groups().reset_invite_link(&group)).await?;
        Ok(InviteView { link: link.to_string() })
    }
}

impl Perform for GroupLookUp {
    async fn perform(self, call: &Call<'_>) -> Result<GroupView, Failure> {
        let link = invite_link(&self.link)?;
        call.keep_pace(PaceClass::LookUp, 1).await?;
        let client = call.online().await?;
        let info = call.ask(client.groups().info_by_link(&link)).await?;
        if !call.may_read(&info.jid).await? {
            let message = "the policy keeps the group of this link out of reach";
            return Err(Failure::new(Cause::Forbidden, message)
                .remedy("leave it, or have a person change the section [read] of policy.toml"));
        }
        call.group_view(&info).await
    }
}

impl Perform for GroupJoin {
    async fn perform(self, call: &Call<'_>) -> Result<JoinedView, Failure> {
        let link = invite_link(&self.link)?;
        let client = call.online().await?;
        let groups = client.groups();
        // Where the policy holds for some groups only, it has to be known which one this is; and so
        // it has where a person is asked.
        let is_limited = call.policy().read.is_limited() || call.policy().write.is_limited();
        if is_limited || !call.is_human() {
            let info = call.ask(groups.info_by_link(&link)).await?;
            call.may_join(&info.jid).await?;
            let shown =
                Shown::new("join the group").line("name, chosen by its members", &info.subject);
            let action = OutgoingAction {
                chat: &info.jid,
                field: None,
                kind: ActionKind::Group,
                shown: shown.line("people in it", &info.participants.len().to_string()),
                content: self.link.as_bytes().to_vec(),
                context: Vec::new(),
            };
            // What it is has been checked; nobody wrote there yet.
            call.authorize_all(&action, &[]).await?;
        }
        let (group, state) = match call.ask(groups.join_by_link(&link)).await? {
            JoinedByLink::Joined(group) => (group, "joined"),
            JoinedByLink::Requested(group) => (group, "requested"),
        };
        call.note_chat(&group);
        Ok(JoinedView { group: group.to_string(), state: state.to_owned() })
    }
}

fn invite_link(typed: &str) -> Result<InviteLink, Failure> {
    typed.parse().map_err(|error| Failure::new(Cause::Usage, format!("{error}")))
}

impl Perform for GroupLeave {
    async fn perform(self, call: &Call<'_>) -> Result<LeftView, Failure> {
        let group = call.group_to_change(&self.group).await?;
        call.require_link().await?;
        call.authorize_group(&group, Shown::new("leave the group"), []).await?;
        let client = call.online().await?;
        call.ask(client.groups().leave(&group)).await?;
        Ok(LeftView { group: group.to_string(), left: true })
    }
}

impl Call<'_> {
    /// What people are called, with the address of each.
    pub(super) async fn labels(&self, people: &[Jid]) -> Result<Vec<String>, Failure> {
        let mut labels = Vec::with_capacity(people.len());
        for person in people {
            let label = recipient_label(person, self.store()).await?;
            labels.push(format!("{label} <{person}>"));
        }
        Ok(labels)
    }

    /// A group as it is handed out, with what its members wrote about it.
    async fn group_view(&self, info: &GroupInfo) -> Result<GroupView, Failure> {
        let view = GroupView::new(info, self.store()).await?;
        self.note_texts(&info.jid, view.description.as_deref()).await?;
        Ok(view)
    }

    /// Authorizes a change of a group.
    ///
    /// # Errors
    /// As [`Call::authorize`].
    pub(super) async fn authorize_group<'p>(
        &self,
        group: &Jid,
        shown: Shown,
        parts: impl IntoIterator<Item = &'p [u8]>,
    ) -> Result<(), Failure> {
        let action = OutgoingAction {
            chat: group,
            field: Some("group"),
            kind: ActionKind::Group,
            shown,
            content: bound(parts).to_vec(),
            context: Vec::new(),
        };
        self.authorize(&action).await
    }

    /// A group that may be changed.
    ///
    /// # Errors
    /// As [`Call::group`]; [`Cause::Forbidden`] if nothing may be written there.
    pub(super) async fn group_to_change(&self, named: &str) -> Result<Jid, Failure> {
        let group = self.group(named).await?;
        self.may_write_to_all(std::slice::from_ref(&group)).await?;
        Ok(group)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failure_in_the_middle_says_what_was_changed_before() {
        let failure = Failure::new(Cause::Failed, "only admins may do that");
        assert_eq!(after(failure.clone(), &[]), failure);
        let told = after(failure, &["subject", "locked"]).message;
        assert_eq!(told, "only admins may do that (changed before that: subject, locked)");
    }
}
