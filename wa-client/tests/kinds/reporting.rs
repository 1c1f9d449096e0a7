//! The token for reports, on what is sent.

use wa_addon::{SecretContext, SecretUse, reported_content};
use wa_proto::{Content, Jid, MessageId, OwnedNode};

use super::{
    archived,
    handmade::{acquainted, content, said},
    key,
    parties::{Party, settle},
};

/// The token of a message that a party sent, and its version.
fn sent_token(party: &Party, id: &MessageId) -> Option<(Vec<u8>, String)> {
    let stanzas: Vec<OwnedNode> = said(party, "message", id.as_str());
    let token = stanzas.first().unwrap().find("reporting")?.find("reporting_token").unwrap();
    Some((content(token), token.attrs.text("v").unwrap().into_owned()))
}

/// The token that a recipient can make of what they have.
async fn expected(to: &Party, id: &MessageId, sender: &Jid, chat: &Jid) -> Vec<u8> {
    let message = archived(to, id.as_str()).await;
    let secret = to.store.message_secret(&message.key).await.unwrap().unwrap();
    let context = SecretContext {
        secret: secret.secret.as_bytes().try_into().unwrap(),
        message_id: id.as_str(),
        original_sender: sender,
        modification_sender: chat,
        secret_use: SecretUse::ReportToken,
    };
    context.reporting_token(&reported_content(message.raw.as_bytes()).unwrap()).to_vec()
}

#[tokio::test(start_paused = true)]
async fn a_recipient_can_prove_to_the_server_what_a_message_said() {
    let (_sim, ada, mut bob) = acquainted(381).await;
    let sent = ada.client.send(bob.phone.jid(), "hello").await.unwrap();
    bob.message().await;
    let token = expected(&bob, &sent.id, &ada.phone.lid(), &bob.phone.lid()).await;
    assert_eq!(sent_token(&ada, &sent.id), Some((token, "2".to_owned())));
}

#[tokio::test(start_paused = true)]
async fn a_message_to_a_group_has_a_token_that_names_the_group() {
    let (sim, ada, mut bob) = acquainted(382).await;
    let group = sim.create_group("Tea", &[&ada.phone, &bob.phone]).unwrap();
    settle().await;
    let sent = ada.client.send(group.clone(), "hello, all").await.unwrap();
    bob.message().await;
    let token = expected(&bob, &sent.id, &ada.phone.lid(), &group).await;
    assert_eq!(sent_token(&ada, &sent.id).unwrap().0, token);
}

#[tokio::test(start_paused = true)]
async fn reactions_edits_and_votes_have_no_token() {
    let (_sim, mut ada, mut bob) = acquainted(383).await;
    let poll = ada.client.send_poll(bob.phone.jid(), "tea?", ["yes", "no"]).await.unwrap();
    bob.message().await;
    assert!(sent_token(&ada, &poll.id).is_some());
    let on = key(&bob, &poll.id).await;
    let vote = bob.client.vote(&on, ["yes"]).await.unwrap();
    let reaction = bob.client.react(&on, "👍").await.unwrap();
    let text = bob.client.send(ada.phone.jid(), Content::from("helo")).await.unwrap();
    ada.message().await;
    let edit = bob.client.edit(&key(&bob, &text.id).await, "hello").await.unwrap();
    settle().await;
    for id in [vote.id, reaction.id, edit.id] {
        assert_eq!(sent_token(&bob, &id), None);
    }
    assert!(sent_token(&bob, &text.id).is_some());
}
