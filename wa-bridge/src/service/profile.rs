//! What people show of themselves, and this account's own of it.

use wa_client::{MAX_PICTURE_LEN, ProfilePicture, Synced};
use wa_proto::Jid;
use wa_store::Timestamp;

use super::{
    Call, Perform,
    account::{Quiet, settle},
    chats::SYNC_TIME,
};
use crate::{
    api::{PersonView, ProfileChangedView, ProfileGet, ProfileUpdate, ProfileView},
    failure::{Cause, Failure},
    moment,
    policy::PaceClass,
};

impl Perform for ProfileGet {
    async fn perform(self, call: &Call<'_>) -> Result<ProfileView, Failure> {
        let person = match &self.person {
            Some(named) => call.person(named).await?,
            None => own_address(call).await?,
        };
        call.keep_pace(PaceClass::LookUp, 1).await?;
        let client = call.online().await?;
        let info = call.ask(client.people().info(std::slice::from_ref(&person))).await?;
        let Some(info) = info.into_iter().next() else {
            return Err(Failure::new(Cause::NotFound, "this person is not on WhatsApp"));
        };
        let picture = call.ask(client.profile().picture(&person)).await?;
        let (picture, picture_url) = match picture {
            ProfilePicture::Set(location) => ("set", Some(location.url)),
            ProfilePicture::Hidden => ("hidden", None),
            _ => ("none", None),
        };
        let said = info.about.as_ref().map(|about| about.text.as_str());
        call.note_texts(&person, said).await?;
        let (about, since) = info.about.map(|about| (about.text, about.timestamp)).unzip();
        let since = since.flatten().and_then(|seconds| i64::try_from(seconds).ok());
        Ok(ProfileView {
            person: PersonView::new(&person, call.store()).await?,
            about,
            about_set_at: since.map(|seconds| moment::rfc3339(Timestamp::from_secs(seconds))),
            picture: picture.to_owned(),
            picture_url,
            verified_name: info.verified_name,
            devices: info.devices.len(),
        })
    }
}

async fn own_address(call: &Call<'_>) -> Result<Jid, Failure> {
    let own = call.require_link().await?;
    let address = own.lid.or(own.jid).map(|jid| jid.to_user());
    address.ok_or_else(|| Failure::new(Cause::Failed, "this account has no address yet"))
}

impl Perform for ProfileUpdate {
    async fn perform(self, call: &Call<'_>) -> Result<ProfileChangedView, Failure> {
        let picture = match self.picture_path.as_deref() {
            None | Some("") => None,
            Some(path) => Some(call.picture(path, MAX_PICTURE_LEN).await?),
        };
        let client = call.online().await?;
        let profile = client.profile();
        let mut view =
            ProfileChangedView { changed: Vec::new(), state: "done".to_owned(), picture_id: None };
        if let Some(about) = &self.about {
            call.ask(profile.set_about(about.as_str())).await?;
            view.changed.push("about".to_owned());
        }
        if self.picture_path.is_some() {
            view.picture_id = match picture {
                Some(jpeg) => call.ask(profile.set_picture(jpeg)).await?,
                None => call.ask(profile.remove_picture()).await.map(|()| None)?,
            };
            view.changed.push("picture_path".to_owned());
        }
        if let Some(name) = &self.name {
            let settings = client.shared_settings();
            if call.ask(settings.set_push_name(name)).await? != Synced::Done {
                settle(call, SYNC_TIME, Quiet::Settings).await?;
                if !Quiet::Settings.holds(call.store()).await? {
                    view.state = "queued".to_owned();
                }
            }
            view.changed.push("name".to_owned());
        }
        if view.changed.is_empty() {
            return Err(Failure::new(Cause::Usage, "nothing of the profile is to be changed")
                .remedy("give a name, an about text or a picture"));
        }
        Ok(view)
    }
}
