//! People in groups: each has a result of their own.

use wa_proto::{Jid, request::JoinRequest};
use wa_store::{Store, Timestamp};

use super::super::{
    Call, Perform,
    gate::{OutgoingAction, bound},
};
use crate::{
    api::{
        GroupAnswer, GroupMembers, GroupRequests, JoinRequestView, MemberAction, MemberResultView,
    },
    failure::{Cause, Failure},
    moment,
    policy::ActionKind,
    shown::Shown,
    view::People,
};

impl Perform for GroupMembers {
    async fn perform(self, call: &Call<'_>) -> Result<Vec<MemberResultView>, Failure> {
        let group = call.group(&self.group).await?;
        let people = call.people(&self.people).await?;
        if people.is_empty() {
            return Err(nobody_named());
        }
        call.require_link().await?;
        let what = match self.action {
            MemberAction::Add => "add to the group",
            MemberAction::Remove => "remove from the group",
            MemberAction::Promote => "make an admin of the group",
            MemberAction::Demote => "admin of the group no longer",
        };
        let shown = call
            .labels(&people)
            .await?
            .iter()
            .fold(Shown::new(what), |shown, person| shown.line("whom", person));
        let addresses: Vec<_> = people.iter().map(ToString::to_string).collect();
        let parts = [what.as_bytes()].into_iter().chain(addresses.iter().map(String::as_bytes));
        let action = OutgoingAction {
            chat: &group,
            field: Some("group"),
            kind: ActionKind::Group,
            shown,
            content: bound(parts).to_vec(),
            context: Vec::new(),
        };
        let mut reached = vec![group.clone()];
        if self.action == MemberAction::Add {
            reached.extend(people.iter().cloned());
        }
        call.authorize_all(&action, &reached).await?;
        let client = call.online().await?;
        let groups = client.groups();
        let results = match self.action {
            MemberAction::Add => call.ask(groups.add(&group, &people)).await?,
            MemberAction::Remove => call.ask(groups.remove(&group, &people)).await?,
            MemberAction::Promote => call.ask(groups.promote(&group, &people)).await?,
            MemberAction::Demote => call.ask(groups.demote(&group, &people)).await?,
        };
        let asked = results.iter().map(|result| &result.participant.jid);
        let people = People::look_up(asked, call.store()).await?;
        let views = results.into_iter().map(|result| MemberResultView {
            person: people
                .view_with_phone(&result.participant.jid, result.participant.phone.as_ref()),
            done: result.is_done(),
            error: result.error,
            reason: result.error.map(reason),
            invite_code: result.add_request.map(|request| request.code.to_string()),
        });
        Ok(views.collect())
    }
}

fn nobody_named() -> Failure {
    Failure::new(Cause::Usage, "nobody is named").remedy("name at least one person")
}

/// What the server's number means.
fn reason(code: u16) -> String {
    match code {
        403 => "they let nobody add them; send them the group's link".into(),
        404 => "they are not in the group, or not on WhatsApp".into(),
        406 => "the creator stays an admin".into(),
        408 => "they left a short while ago; send them the group's link".into(),
        409 => "they are in the group already".into(),
        code => format!("the server says {code}"),
    }
}

impl Perform for GroupRequests {
    async fn perform(self, call: &Call<'_>) -> Result<Vec<JoinRequestView>, Failure> {
        let group = call.group(&self.group).await?;
        let client = call.online().await?;
        let requests = call.ask(client.groups().join_requests(&group)).await?;
        let asking = requests.iter().map(|request| &request.jid);
        let people = People::look_up(asking, call.store()).await?;
        Ok(requests.into_iter().map(|request| request_view(request, &people)).collect())
    }
}

fn request_view(request: JoinRequest, people: &People) -> JoinRequestView {
    let requested_at = request.requested_at.and_then(|seconds| i64::try_from(seconds).ok());
    JoinRequestView {
        person: people.view_with_phone(&request.jid, request.phone.as_ref()),
        requested_at: requested_at.map(|seconds| moment::rfc3339(Timestamp::from_secs(seconds))),
        method: request.method.map(|method| method.to_string()),
    }
}

impl Perform for GroupAnswer {
    async fn perform(self, call: &Call<'_>) -> Result<Vec<MemberResultView>, Failure> {
        let group = call.group_to_change(&self.group).await?;
        let approved = call.people(&self.approve).await?;
        let rejected = call.people(&self.reject).await?;
        if approved.is_empty() && rejected.is_empty() {
            return Err(nobody_named());
        }
        call.require_link().await?;
        let shown = Shown::new("let people into the group, or turn them down");
        let shown =
            call.labels(&approved).await?.iter().fold(shown, |shown, who| shown.line("in", who));
        let shown =
            call.labels(&rejected).await?.iter().fold(shown, |shown, who| shown.line("down", who));
        let answers = [("in", &approved), ("down", &rejected)];
        let answers: Vec<_> = answers
            .iter()
            .flat_map(|(answer, people)| people.iter().map(move |who| format!("{answer} {who}")))
            .collect();
        call.authorize_group(&group, shown, answers.iter().map(String::as_bytes)).await?;
        let client = call.online().await?;
        let groups = client.groups();
        let mut results = Vec::new();
        if !approved.is_empty() {
            results.extend(call.ask(groups.approve(&group, &approved)).await?);
        }
        if !rejected.is_empty() {
            results.extend(call.ask(groups.reject(&group, &rejected)).await?);
        }
        answered(results, call.store()).await
    }
}

async fn answered(
    results: Vec<(Jid, Option<u16>)>,
    store: &dyn Store,
) -> Result<Vec<MemberResultView>, Failure> {
    let people = People::look_up(results.iter().map(|(jid, _)| jid), store).await?;
    let views = results.into_iter().map(|(jid, error)| MemberResultView {
        person: people.view(&jid),
        done: error.is_none(),
        error,
        reason: error.map(reason),
        invite_code: None,
    });
    Ok(views.collect())
}
