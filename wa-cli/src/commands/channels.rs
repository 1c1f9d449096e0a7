//! `channels`: what channels there are, and what is posted in them.

use jiff::tz::TimeZone;
use serde_json::json;
use wa_bridge::{
    api::{ChannelFollow, ChannelGet, ChannelList, ChannelPosts, ChannelView, PostView},
    foreign,
};

use crate::{
    args::{ChannelCommand, NamedChannel, PostsArguments},
    failure::Failure,
    output::Output,
    session::Session,
    view::shown_time,
};

pub(crate) async fn run(command: &ChannelCommand, session: &Session<'_>) -> Result<(), Failure> {
    match command {
        ChannelCommand::List => list(session).await,
        ChannelCommand::Info(named) => info(named, session).await,
        ChannelCommand::Follow(named) => follow(named, true, session).await,
        ChannelCommand::Unfollow(named) => follow(named, false, session).await,
        ChannelCommand::Messages(arguments) => posts(arguments, session).await,
    }
}

async fn list(session: &Session<'_>) -> Result<(), Failure> {
    let output = session.output;
    let views = session.call(ChannelList {}).await?;
    if views.is_empty() {
        output.note("this account follows no channel");
    }
    let lines: String = views.iter().map(|view| line(view, output)).collect();
    output.result(&views, &lines)
}

async fn info(named: &NamedChannel, session: &Session<'_>) -> Result<(), Failure> {
    let view = session.call(ChannelGet { channel: named.channel.clone() }).await?;
    let mut lines = line(&view, session.output);
    for text in [&view.description, &view.link].into_iter().flatten() {
        lines.push_str(&format!("    {}\n", foreign::plain(text, "\n    ")));
    }
    session.output.result(&view, &lines)
}

async fn follow(named: &NamedChannel, follow: bool, session: &Session<'_>) -> Result<(), Failure> {
    let view = session.call(ChannelFollow { channel: named.channel.clone(), follow }).await?;
    let done = if follow { "followed" } else { "no longer followed" };
    let text = format!("{}: {done}", foreign::plain(&view.name, " "));
    session.output.result(&json!({ "jid": view.jid, "follows": view.follows }), &text)
}

async fn posts(arguments: &PostsArguments, session: &Session<'_>) -> Result<(), Failure> {
    let (output, zone) = (session.output, TimeZone::system());
    let channel = arguments.channel.channel.clone();
    let views = session.call(ChannelPosts { channel, count: Some(arguments.count) }).await?;
    if views.is_empty() {
        output.note("no posts");
    }
    let line = |view: &PostView| {
        let at = view.timestamp.as_deref().map(|at| shown_time(at, &zone));
        let text = foreign::plain(view.text.as_deref().unwrap_or("[no text]"), "\n    ");
        format!("{}  {text}\n", output.dim(&at.unwrap_or_else(|| "-".into())))
    };
    let lines: String = views.iter().map(line).collect();
    output.result(&views, &lines)
}

fn line(view: &ChannelView, output: &Output) -> String {
    let name = output.bold(&foreign::plain(&view.name, " "));
    format!("{name}  {}  ({} followers)\n", output.dim(&view.jid), view.followers)
}
