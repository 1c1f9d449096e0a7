//! `channels`: what channels there are, and what is posted in them.

use serde::Serialize;
use serde_json::json;
use wa_client::{NewsletterInfo, NewsletterRole};
use wa_proto::{Jid, Server, Unwrapped};
use wa_store::{Store, Timestamp};

use crate::{
    args::{ChannelCommand, GlobalArguments, NamedChannel, PostsArguments},
    failure::{Cause, Failure},
    moment,
    output::{Output, foreign},
    plan,
    session::{self, Session},
};

/// A channel in `--json`.
#[derive(Debug, Serialize)]
struct ChannelView {
    jid: String,
    name: String,
    description: Option<String>,
    link: Option<String>,
    followers: u64,
    verified: bool,
    /// `guest`, `follower`, `admin` or `owner`; null where the server does not say.
    role: Option<&'static str>,
    muted: bool,
    created_at: Option<String>,
}

/// A post in `--json`.
#[derive(Debug, Serialize)]
struct PostView {
    number: u64,
    id: Option<String>,
    timestamp: Option<String>,
    kind: Option<String>,
    text: Option<String>,
    views: Option<u64>,
    reactions: Vec<(String, u64)>,
}

pub(crate) async fn run(
    command: &ChannelCommand,
    global: &GlobalArguments,
    output: &Output,
) -> Result<(), Failure> {
    match command {
        ChannelCommand::List => list(global, output).await,
        ChannelCommand::Info(named) => info(named, global, output).await,
        ChannelCommand::Follow(named) => follow(named, true, global, output).await,
        ChannelCommand::Unfollow(named) => follow(named, false, global, output).await,
        ChannelCommand::Messages(arguments) => posts(arguments, global, output).await,
    }
}

async fn list(global: &GlobalArguments, output: &Output) -> Result<(), Failure> {
    let found = session::with(global, async |session, _| {
        session.begin().await?;
        let channels = session.client.newsletters();
        session.ask(channels.subscribed()).await
    });
    let views: Vec<ChannelView> = found.await?.into_iter().map(ChannelView::new).collect();
    if views.is_empty() {
        output.note("this account follows no channel");
    }
    let lines: String = views.iter().map(|view| view.line(output)).collect();
    Ok(output.result(&views, &lines)?)
}

async fn info(
    named: &NamedChannel,
    global: &GlobalArguments,
    output: &Output,
) -> Result<(), Failure> {
    let found = session::with(global, async |session, account| {
        find(named, session, account.store.as_ref()).await
    });
    let view = ChannelView::new(found.await?);
    let mut lines = view.line(output);
    if let Some(description) = &view.description {
        lines.push_str(&format!("    {}\n", foreign::plain(description, "\n    ")));
    }
    if let Some(link) = &view.link {
        lines.push_str(&format!("    {}\n", foreign::plain(link, " ")));
    }
    Ok(output.result(&view, &lines)?)
}

async fn follow(
    named: &NamedChannel,
    follows: bool,
    global: &GlobalArguments,
    output: &Output,
) -> Result<(), Failure> {
    let found = session::with(global, async |session, account| {
        let found = find(named, session, account.store.as_ref()).await?;
        let channels = session.client.newsletters();
        match follows {
            true => session.ask(channels.follow(&found.jid)).await?,
            false => session.ask(channels.unfollow(&found.jid)).await?,
        }
        Ok(found)
    });
    let found = found.await?;
    let done = if follows { "followed" } else { "no longer followed" };
    let view = json!({ "jid": found.jid.to_string(), "follows": follows });
    Ok(output.result(&view, &format!("{}: {done}", foreign::plain(&found.name, " ")))?)
}

async fn posts(
    arguments: &PostsArguments,
    global: &GlobalArguments,
    output: &Output,
) -> Result<(), Failure> {
    let posts = session::with(global, async |session, account| {
        let found = find(&arguments.channel, session, account.store.as_ref()).await?;
        let channels = session.client.newsletters();
        session.ask(channels.messages(&found.jid, arguments.count, None)).await
    });
    let mut posts = posts.await?;
    posts.sort_by_key(|post| post.server_id);
    let zone = jiff::tz::TimeZone::system();
    let mut views = Vec::new();
    let mut lines = String::new();
    for post in posts {
        let said = post.plaintext.and_then(|bytes| Unwrapped::decode(bytes).ok());
        let at = post.timestamp.and_then(|seconds| i64::try_from(seconds).ok());
        let at = at.map(Timestamp::from_secs);
        let view = PostView {
            number: post.server_id,
            id: post.id.map(|id| id.to_string()),
            timestamp: at.map(moment::rfc3339),
            kind: said.as_ref().map(|said| said.kind().to_string()),
            text: said.as_ref().and_then(|said| said.content.text()).map(str::to_owned),
            views: post.views,
            reactions: post.reactions.iter().map(|(emoji, n)| (emoji.to_string(), *n)).collect(),
        };
        let at = at.map_or_else(|| "-".into(), |at| moment::local(at, &zone));
        let text = foreign::plain(view.text.as_deref().unwrap_or("[no text]"), "\n    ");
        lines.push_str(&format!("{}  {text}\n", output.dim(&at)));
        views.push(view);
    }
    if views.is_empty() {
        output.note("no posts");
    }
    Ok(output.result(&views, &lines)?)
}

/// Connects, and asks about the channel that was named.
async fn find(
    named: &NamedChannel,
    session: &mut Session,
    store: &dyn Store,
) -> Result<NewsletterInfo, Failure> {
    let name = named.channel.as_str();
    if name.contains("whatsapp.com/channel/") {
        session.begin().await?;
        let channels = session.client.newsletters();
        return session.ask(channels.by_invite(name)).await;
    }
    let jid: Jid = plan::recipient(name, None, store).await?;
    if jid.server != Server::Newsletter {
        return Err(Failure::new(Cause::Usage, format!("{name:?} is no channel"))
            .remedy("see: wa-cli channels list"));
    }
    session.begin().await?;
    let channels = session.client.newsletters();
    session.ask(channels.info(&jid)).await
}

impl ChannelView {
    fn new(info: NewsletterInfo) -> Self {
        let created = info.created_at.and_then(|seconds| i64::try_from(seconds).ok());
        Self {
            jid: info.jid.to_string(),
            name: info.name,
            description: info.description,
            link: info.invite.map(|code| format!("https://whatsapp.com/channel/{code}")),
            followers: info.subscribers,
            verified: info.is_verified,
            role: info.role.map(|role| match role {
                NewsletterRole::Guest => "guest",
                NewsletterRole::Subscriber => "follower",
                NewsletterRole::Admin => "admin",
                _ => "owner",
            }),
            muted: info.is_muted,
            created_at: created.map(|seconds| moment::rfc3339(Timestamp::from_secs(seconds))),
        }
    }

    fn line(&self, output: &Output) -> String {
        let name = output.bold(&foreign::plain(&self.name, " "));
        format!("{name}  {}  ({} followers)\n", output.dim(&self.jid), self.followers)
    }
}
