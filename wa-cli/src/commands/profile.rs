//! `profile`: what people show of themselves, and this account's own of it.

use serde::Serialize;
use serde_json::json;
use wa_client::{MAX_PICTURE_LEN, ProfilePicture, Synced};
use wa_store::Timestamp;

use crate::{
    args::{
        AboutArguments, GlobalArguments, NameArguments, PictureArguments, ProfileCommand,
        ProfileShowArguments,
    },
    failure::{Cause, Failure},
    file, moment,
    output::{Output, foreign},
    plan, session,
    view::PersonView,
};

/// What somebody shows, in `--json`.
#[derive(Debug, Serialize)]
struct ProfileView {
    #[serde(flatten)]
    person: PersonView,
    about: Option<String>,
    about_set_at: Option<String>,
    /// `set`, `none` or `hidden`.
    picture: &'static str,
    /// Where the picture can be had by anybody who knows this.
    picture_url: Option<String>,
    verified_name: Option<String>,
    devices: usize,
}

pub(crate) async fn run(
    command: &ProfileCommand,
    global: &GlobalArguments,
    output: &Output,
) -> Result<(), Failure> {
    match command {
        ProfileCommand::Show(arguments) => show(arguments, global, output).await,
        ProfileCommand::Name(arguments) => name(arguments, global, output).await,
        ProfileCommand::About(arguments) => about(arguments, global, output).await,
        ProfileCommand::Picture(arguments) => picture(arguments, global, output).await,
    }
}

async fn show(
    arguments: &ProfileShowArguments,
    global: &GlobalArguments,
    output: &Output,
) -> Result<(), Failure> {
    let view = session::with(global, async |session, account| {
        let store = account.store.as_ref();
        let person = match &arguments.person {
            Some(named) => plan::person(named, arguments.pick, store).await?,
            None => {
                let own = account.require_link().await?;
                own.lid
                    .or(own.jid)
                    .map(|jid| jid.to_user())
                    .ok_or_else(|| Failure::new(Cause::Failed, "this account has no address yet"))?
            }
        };
        session.begin().await?;
        let (people, profile) = (session.client.people(), session.client.profile());
        let info = session.ask(people.info(std::slice::from_ref(&person))).await?;
        let Some(info) = info.into_iter().next() else {
            return Err(Failure::new(Cause::Failed, "this person is not on WhatsApp"));
        };
        let (picture, picture_url) = match session.ask(profile.picture(&person)).await? {
            ProfilePicture::Set(location) => ("set", Some(location.url)),
            ProfilePicture::Hidden => ("hidden", None),
            _ => ("none", None),
        };
        let (about, since) = info.about.map(|about| (about.text, about.timestamp)).unzip();
        let since = since.flatten().and_then(|seconds| i64::try_from(seconds).ok());
        Ok(ProfileView {
            person: PersonView::new(&person, store).await?,
            about,
            about_set_at: since.map(|seconds| moment::rfc3339(Timestamp::from_secs(seconds))),
            picture,
            picture_url,
            verified_name: info.verified_name,
            devices: info.devices.len(),
        })
    });
    let view = view.await?;
    let mut lines = format!("{}\n", output.bold(&view.person.line()));
    let mut line = |name: &str, value: &str| {
        lines.push_str(&format!("{}  {value}\n", output.dim(&format!("{name:>9}"))));
    };
    line("jid", &view.person.jid);
    for (name, value) in [("about", &view.about), ("business", &view.verified_name)] {
        if let Some(value) = value {
            line(name, &foreign::plain(value, " "));
        }
    }
    line("picture", view.picture_url.as_deref().unwrap_or(view.picture));
    line("devices", &view.devices.to_string());
    Ok(output.result(&view, &lines)?)
}

async fn name(
    arguments: &NameArguments,
    global: &GlobalArguments,
    output: &Output,
) -> Result<(), Failure> {
    let state = session::with(global, async |session, account| {
        session.begin().await?;
        let settings = session.client.shared_settings();
        match session.ask(settings.set_push_name(&arguments.name)).await? {
            Synced::Done => Ok("done"),
            _ => session.until_synced(account).await,
        }
    });
    Ok(output.result(&json!({ "name": arguments.name, "state": state.await? }), "changed")?)
}

async fn about(
    arguments: &AboutArguments,
    global: &GlobalArguments,
    output: &Output,
) -> Result<(), Failure> {
    session::with(global, async |session, _| {
        session.begin().await?;
        let profile = session.client.profile();
        session.ask(profile.set_about(arguments.text.as_str())).await
    })
    .await?;
    Ok(output.result(&json!({ "about": arguments.text }), "changed")?)
}

async fn picture(
    arguments: &PictureArguments,
    global: &GlobalArguments,
    output: &Output,
) -> Result<(), Failure> {
    let jpeg = match &arguments.file {
        Some(path) => Some(file::read(path, MAX_PICTURE_LEN)?),
        None => None,
    };
    let removed = jpeg.is_none();
    let id = session::with(global, async |session, _| {
        session.begin().await?;
        let profile = session.client.profile();
        match jpeg {
            Some(jpeg) => session.ask(profile.set_picture(jpeg)).await,
            None => session.ask(profile.remove_picture()).await.map(|()| None),
        }
    });
    let view = json!({ "picture_id": id.await? });
    Ok(output.result(&view, if removed { "removed" } else { "changed" })?)
}
