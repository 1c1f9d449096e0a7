//! Channels: followed, read, posted to, reacted to.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a test stops where it fails")]

mod handmade;
mod parties;

use std::time::Duration;

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use handmade::{all_said, content};
use parties::{Party, ada_and_bob, settle};
use wa_client::{
    Error, Event, NewsletterEvent, NewsletterRole,
    media::{MediaFile, OutgoingMedia},
};
use wa_crypto::sha256;
use wa_proto::{Content, Jid, MessageKey, content};
use wa_sim::{FileKind, OutgoingFile};

async fn news(party: &mut Party) -> NewsletterEvent {
    party
        .until(|event| match event {
            Event::Newsletter(told) => Some(told.clone()),
            _ => None,
        })
        .await
}

#[tokio::test(start_paused = true)]
async fn a_channel_is_found_by_address_and_by_invite_and_followed() {
    let (_sim, mut ada, bob) = ada_and_bob(701).await;
    let jid = bob.phone.create_newsletter("Harbour", "Tides and boats").unwrap();
    let channels = ada.client.newsletters();
    let info = channels.info(&jid).await.unwrap();
    assert_eq!((info.jid.clone(), info.name.as_str()), (jid.clone(), "Harbour"));
    assert_eq!(info.description.as_deref(), Some("Tides and boats"));
    assert_eq!((info.role, info.subscribers), (Some(NewsletterRole::Guest), 1));
    let link = format!("https://whatsapp.com/channel/{}?x=1", info.invite.unwrap());
    assert_eq!(channels.by_invite(&link).await.unwrap().jid, jid);
    assert!(channels.subscribed().await.unwrap().is_empty());
    channels.follow(&jid).await.unwrap();
    assert_eq!(news(&mut ada).await, NewsletterEvent::Joined { newsletter: jid.clone() });
    assert_eq!(channels.subscribed().await.unwrap().len(), 1);
    channels.set_muted(&jid, true).await.unwrap();
    let newsletter = jid.clone();
    assert_eq!(news(&mut ada).await, NewsletterEvent::MuteChanged { newsletter, is_muted: true });
    assert!(channels.info(&jid).await.unwrap().is_muted);
    channels.unfollow(&jid).await.unwrap();
    assert_eq!(news(&mut ada).await, NewsletterEvent::Left { newsletter: jid.clone() });
    assert!(channels.subscribed().await.unwrap().is_empty());
}

#[tokio::test(start_paused = true)]
async fn what_is_no_channel_or_not_there_is_an_error() {
    let (_sim, ada, bob) = ada_and_bob(702).await;
    let channels = ada.client.newsletters();
    for wrong in [bob.phone.jid(), Jid::group("1")] {
        assert!(matches!(channels.info(&wrong).await, Err(Error::InvalidInput(_))));
        assert!(matches!(channels.follow(&wrong).await, Err(Error::InvalidInput(_))));
        assert!(matches!(channels.react(&wrong, 1, "x").await, Err(Error::InvalidInput(_))));
    }
    let nowhere: Jid = "77@newsletter".parse().unwrap();
    assert!(matches!(channels.info(&nowhere).await, Err(Error::Server { code: 404 })));
    assert!(matches!(channels.follow(&nowhere).await, Err(Error::Server { code: 404 })));
    assert!(matches!(channels.messages(&nowhere, 0, None).await, Err(Error::InvalidInput(_))));
    assert!(matches!(channels.messages(&nowhere, 101, None).await, Err(Error::InvalidInput(_))));
    assert!(matches!(channels.by_invite("").await, Err(Error::InvalidInput(_))));
}

#[tokio::test(start_paused = true)]
async fn a_post_is_archived_under_its_channel_and_answered_by_an_ack_alone() {
    let (sim, mut ada, bob) = ada_and_bob(703).await;
    let jid = bob.phone.create_newsletter("Harbour", "").unwrap();
    ada.client.newsletters().follow(&jid).await.unwrap();
    settle().await;
    sim.listen();
    let number = bob.phone.post(&jid, "high tide at six").unwrap();
    let message = ada.message().await;
    assert_eq!(message.chat, jid);
    let told = news(&mut ada).await;
    let posted =
        NewsletterEvent::Posted { newsletter: jid.clone(), id: message.id, server_id: number };
    assert!(told == posted || news(&mut ada).await == posted);
    assert_eq!(ada.texts(&jid).await, ["high tide at six"]);
    settle().await;
    assert!(all_said(&ada, "receipt").is_empty());
    assert_eq!(ada.stats().acks_owed, 0);
}

#[tokio::test(start_paused = true)]
async fn posts_are_paged_from_the_newest_and_archived_once() {
    let (_sim, ada, bob) = ada_and_bob(704).await;
    let jid = bob.phone.create_newsletter("Harbour", "").unwrap();
    for day in 0..5 {
        bob.phone.post(&jid, &format!("day {day}")).unwrap();
    }
    let channels = ada.client.newsletters();
    let first = channels.messages(&jid, 2, None).await.unwrap();
    let numbers: Vec<_> = first.iter().map(|post| post.server_id).collect();
    assert_eq!(numbers, [104, 103]);
    let next = channels.messages(&jid, 2, Some(103)).await.unwrap();
    assert_eq!(next.first().unwrap().server_id, 102);
    channels.messages(&jid, 5, None).await.unwrap();
    let mut texts = ada.texts(&jid).await;
    texts.sort();
    assert_eq!(texts, ["day 0", "day 1", "day 2", "day 3", "day 4"]);
    assert_eq!(ada.store.chat(&jid).await.unwrap().unwrap().unread, 0);
}

#[tokio::test(start_paused = true)]
async fn reactions_and_views_come_live_and_on_request() {
    let (_sim, mut ada, bob) = ada_and_bob(705).await;
    let jid = bob.phone.create_newsletter("Harbour", "").unwrap();
    let number = bob.phone.post(&jid, "fog").unwrap();
    let channels = ada.client.newsletters();
    assert_eq!(channels.subscribe_live(&jid).await.unwrap(), Duration::from_secs(300));
    bob.phone.react_to_post(&jid, number, "🌫");
    let NewsletterEvent::Updated { posts, .. } = news(&mut ada).await else { panic!() };
    assert_eq!(posts.first().unwrap().reactions, [("🌫".into(), 1)]);
    channels.react(&jid, number, "🌫").await.unwrap();
    channels.mark_viewed(&jid, &[number]).await.unwrap();
    settle().await;
    let posts = channels.updates(&jid, 10, None, None).await.unwrap();
    let post = posts.first().unwrap();
    assert_eq!((post.views, post.reactions.clone()), (Some(1), vec![("🌫".into(), 2)]));
    assert!(post.plaintext.is_none());
    channels.react(&jid, number, "").await.unwrap();
    settle().await;
    let posts = channels.updates(&jid, 10, None, None).await.unwrap();
    assert_eq!(posts.first().unwrap().reactions, [("🌫".into(), 1)]);
}

#[tokio::test(start_paused = true)]
async fn a_post_of_ones_own_goes_in_the_open_and_is_changed_and_deleted_under_its_id() {
    let (sim, ada, bob) = ada_and_bob(706).await;
    let made = ada.client.newsletters().create("Tides", Some("twice a day")).await.unwrap();
    assert_eq!(made.role, Some(NewsletterRole::Owner));
    let jid = made.jid;
    settle().await;
    sim.listen();
    let sent = ada.client.send(jid.clone(), "low tied").await.unwrap();
    assert_eq!(ada.phone.posts(&jid), ["low tied"]);
    let said = all_said(&ada, "message").remove(0);
    assert!(said.find("enc").is_none() && said.find("participants").is_none());
    assert!(!content(said.find("plaintext").unwrap()).is_empty());
    let key =
        MessageKey { chat: Some(jid.clone()), from_me: true, id: sent.id.clone(), sender: None };
    let edit = content::Edit {
        target: Some(key.clone()),
        content: Box::new(Content::from("low tide")),
        at_ms: None,
    };
    ada.client.send(jid.clone(), Content::Edit(edit)).await.unwrap();
    assert_eq!(ada.phone.posts(&jid), ["low tide"]);
    let said = all_said(&ada, "message").pop().unwrap();
    assert!(said.attrs.is("id", sent.id.as_str()) && said.attrs.is("edit", "3"));
    let revoke = content::Revoke { target: Some(key) };
    ada.client.send(jid.clone(), Content::Revoke(revoke)).await.unwrap();
    assert_eq!(ada.phone.posts(&jid), [""]);
    assert!(ada.store.outbox_pending().await.unwrap().is_empty());
    // Only its owner posts.
    let refused = bob.client.send(jid, "me too").await;
    assert!(matches!(refused, Err(Error::SendRefused { code: 403 })), "{refused:?}");
}

#[tokio::test(start_paused = true)]
async fn a_file_in_a_channel_goes_and_comes_without_encryption() {
    let (sim, ada, mut bob) = ada_and_bob(707).await;
    let jid = ada.client.newsletters().create("Tides", None).await.unwrap().jid;
    bob.client.newsletters().follow(&jid).await.unwrap();
    settle().await;
    sim.listen();
    let picture = b"\x89PNG, as far as its first bytes say".to_vec();
    let media = OutgoingMedia::image(picture.clone()).caption("low tide");
    let sent = ada.client.send_media(jid.clone(), media).await.unwrap();
    // What lies on the media host is the file itself, and the stanza names it.
    assert_eq!(ada.phone.posted_file(&jid).as_deref(), Some(&picture[..]));
    let said = all_said(&ada, "message").remove(0);
    let handle = URL_SAFE_NO_PAD.encode(sha256(&[&picture]));
    assert!(said.attrs.is("media_id", &handle) && said.attrs.is("type", "media"));
    assert!(said.find("plaintext").unwrap().attrs.is("mediatype", "image"));
    assert!(said.find("enc").is_none() && said.find("reporting").is_none());
    let message = bob.message().await;
    assert_eq!((message.chat, message.id.as_str()), (jid.clone(), sent.id.as_str()));
    for party in [&ada, &bob] {
        let kept = party.archive(&jid).await.pop().unwrap();
        assert_eq!((kept.kind.as_str(), kept.text.as_deref()), ("image", Some("low tide")));
        let file = MediaFile::from_archive(&kept).unwrap();
        assert!(file.media.media_key.is_none() && file.media.file_enc_sha256.is_none());
        assert_eq!(party.client.download(file).to_bytes(1 << 20).await.unwrap(), picture);
    }
    // What is said of it can be changed like a text.
    let key = ada.archive(&jid).await.pop().unwrap().key;
    ada.client.edit(&key, "high tide").await.unwrap();
    let said = all_said(&ada, "message").pop().unwrap();
    assert!(said.find("plaintext").unwrap().attrs.is("mediatype", "image"));
}

#[tokio::test(start_paused = true)]
async fn a_file_that_another_posted_is_checked_by_its_hash() {
    let (_sim, mut ada, bob) = ada_and_bob(708).await;
    let jid = bob.phone.create_newsletter("Harbour", "").unwrap();
    ada.client.newsletters().follow(&jid).await.unwrap();
    settle().await;
    let plan = OutgoingFile::new(FileKind::Document, *b"the tides of May");
    bob.phone.post_file(&jid, plan).unwrap().unwrap();
    ada.message().await;
    let kept = ada.archive(&jid).await.pop().unwrap();
    let file = MediaFile::from_archive(&kept).unwrap();
    let bytes = ada.client.download(file.clone()).to_bytes(1 << 20).await.unwrap();
    assert_eq!(bytes, b"the tides of May");
    let mut other = file;
    other.media.file_sha256 = Some(vec![1; 32].into());
    let refused = ada.client.download(other).to_bytes(1 << 20).await;
    assert!(refused.is_err(), "{refused:?}");
}

#[tokio::test(start_paused = true)]
async fn what_is_encrypted_or_to_be_looked_at_once_is_not_posted() {
    let (_sim, ada, mut bob) = ada_and_bob(709).await;
    let jid = ada.client.newsletters().create("Tides", None).await.unwrap().jid;
    let once = OutgoingMedia::image(b"a picture".to_vec()).view_once();
    let refused = ada.client.send_media(jid.clone(), once).await;
    assert!(matches!(refused, Err(Error::InvalidInput(_))), "{refused:?}");
    let picture = OutgoingMedia::image(b"a picture".to_vec());
    ada.client.send_media(bob.phone.jid(), picture).await.unwrap();
    bob.message().await;
    let kept = ada.archive(&bob.phone.lid()).await.pop().unwrap();
    let refused = ada.client.forward(&kept.key, jid.clone()).await;
    assert!(matches!(refused, Err(Error::InvalidInput(_))), "{refused:?}");
    assert!(ada.phone.posts(&jid).is_empty());
}
