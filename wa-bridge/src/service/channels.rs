//! Channels, and what is posted in them.

use wa_client::{Client, NewsletterInfo, NewsletterRole};
use wa_proto::{Jid, Server, Unwrapped};
use wa_store::Timestamp;

use super::{Call, Perform};
use crate::{
    api::{
        ChannelFollow, ChannelGet, ChannelList, ChannelPosts, ChannelView, FollowedView, PostView,
    },
    failure::{Cause, Failure, remedy},
    moment,
};

/// How many posts are given unless that is said, and at most.
const COUNT: u32 = 20;
const MAX_COUNT: u32 = 100;

impl Perform for ChannelList {
    async fn perform(self, call: &Call<'_>) -> Result<Vec<ChannelView>, Failure> {
        let client = call.online().await?;
        let mut views = Vec::new();
        for info in call.ask(client.newsletters().subscribed()).await? {
            if call.may_read(&info.jid).await? {
                views.push(view(info));
            }
        }
        Ok(views)
    }
}

impl Perform for ChannelGet {
    async fn perform(self, call: &Call<'_>) -> Result<ChannelView, Failure> {
        let (_, info) = find(&self.channel, call).await?;
        call.note_texts(&info.jid, info.description.as_deref()).await?;
        Ok(view(info))
    }
}

impl Perform for ChannelFollow {
    async fn perform(self, call: &Call<'_>) -> Result<FollowedView, Failure> {
        let (client, info) = find(&self.channel, call).await?;
        call.note_chat(&info.jid);
        let channels = client.newsletters();
        match self.follow {
            true => call.ask(channels.follow(&info.jid)).await?,
            false => call.ask(channels.unfollow(&info.jid)).await?,
        }
        Ok(FollowedView { jid: info.jid.to_string(), name: info.name, follows: self.follow })
    }
}

impl Perform for ChannelPosts {
    async fn perform(self, call: &Call<'_>) -> Result<Vec<PostView>, Failure> {
        let (client, info) = find(&self.channel, call).await?;
        let count = self.count.unwrap_or(COUNT).clamp(1, MAX_COUNT);
        let asked = client.newsletters();
        let mut posts = call.ask(asked.messages(&info.jid, count, None)).await?;
        posts.sort_by_key(|post| post.server_id);
        let said: Vec<_> = posts
            .iter()
            .filter_map(|post| Unwrapped::decode(post.plaintext.clone()?).ok())
            .collect();
        call.note_texts(&info.jid, said.iter().filter_map(|said| said.content.text())).await?;
        let views = posts.into_iter().map(|post| {
            let said = post.plaintext.and_then(|bytes| Unwrapped::decode(bytes).ok());
            let at = post.timestamp.and_then(|seconds| i64::try_from(seconds).ok());
            PostView {
                number: post.server_id,
                id: post.id.map(|id| id.to_string()),
                timestamp: at.map(Timestamp::from_secs).map(moment::rfc3339),
                kind: said.as_ref().map(|said| said.kind().to_string()),
                text: said.as_ref().and_then(|said| said.content.text()).map(str::to_owned),
                views: post.views,
                reactions: post
                    .reactions
                    .iter()
                    .map(|(emoji, n)| (emoji.to_string(), *n))
                    .collect(),
            }
        });
        Ok(views.collect())
    }
}

/// Connects, and asks about the channel that was named, if it may be read.
async fn find(named: &str, call: &Call<'_>) -> Result<(Client, NewsletterInfo), Failure> {
    if named.contains("whatsapp.com/channel/") {
        let client = call.online().await?;
        let info = call.ask(client.newsletters().by_invite(named)).await?;
        if !call.may_read(&info.jid).await? {
            let message = "the policy keeps the channel of this link out of reach";
            return Err(Failure::new(Cause::Forbidden, message)
                .remedy("leave it, or have a person change the section [read] of policy.toml"));
        }
        return Ok((client, info));
    }
    let jid: Jid = call.recipient(named).await?;
    if jid.server != Server::Newsletter {
        return Err(
            Failure::new(Cause::Usage, format!("{named:?} is no channel")).remedy(remedy::CHANNELS)
        );
    }
    let client = call.online().await?;
    let info = call.ask(client.newsletters().info(&jid)).await?;
    Ok((client, info))
}

fn view(info: NewsletterInfo) -> ChannelView {
    let created = info.created_at.and_then(|seconds| i64::try_from(seconds).ok());
    let role = info.role.map(|role| match role {
        NewsletterRole::Guest => "guest",
        NewsletterRole::Subscriber => "follower",
        NewsletterRole::Admin => "admin",
        _ => "owner",
    });
    ChannelView {
        jid: info.jid.to_string(),
        name: info.name,
        description: info.description,
        link: info.invite.map(|code| format!("https://whatsapp.com/channel/{code}")),
        followers: info.subscribers,
        verified: info.is_verified,
        role: role.map(str::to_owned),
        muted: info.is_muted,
        created_at: created.map(|seconds| moment::rfc3339(Timestamp::from_secs(seconds))),
    }
}
