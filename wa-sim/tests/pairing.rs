//! Linking by QR, as a raw client sees it.

#![expect(clippy::unwrap_used, reason = "for tests")]

#[expect(dead_code, reason = "each test binary uses its own part")]
mod support;

use std::time::Duration;

use support::Companion;
use wa_proto::{Jid, Node};
use wa_sim::{LinkError, Phone, Sim, SimConfig, UnlinkError};

fn sim() -> (Sim, Phone) {
    let sim = Sim::new(SimConfig::seeded(1));
    let phone = sim.add_account("15550001", "Alice").unwrap();
    (sim, phone)
}

#[tokio::test(start_paused = true)]
async fn a_client_is_linked_restarted_and_logs_in() {
    let (sim, phone) = sim();
    let mut companion = Companion::linked(&sim, &phone, 7).await;
    assert_eq!(companion.jid, phone.jid().with_device(1));
    assert_eq!(companion.lid, phone.lid().with_device(1));
    let mut link = companion.log_in(&sim).await;
    let success = link.expect(|node| node.tag == "success").await;
    assert_eq!(success.attrs.jid("lid"), Some(companion.lid.clone()));
    assert_eq!(success.attrs.number("t"), Some(sim.now()));
    assert!(phone.devices()[1].connected);
}

#[tokio::test(start_paused = true)]
async fn the_url_form_of_a_code_is_scanned_too() {
    let (sim, phone) = sim();
    let mut companion = Companion::new(7);
    let mut link = companion.connect_new(&sim).await;
    let reference = link.first_ref().await;
    let url = format!("https://wa.me/settings/linked_devices#{}", companion.qr(&reference));
    assert_eq!(phone.scan_qr(&url).unwrap().device, 1);
}

#[tokio::test(start_paused = true)]
async fn a_client_that_waits_to_be_linked_may_ping() {
    let (sim, _phone) = sim();
    let mut link = Companion::new(7).connect_new(&sim).await;
    link.first_ref().await;
    let ping = Node::new("iq").attr("xmlns", "w:p").attr("type", "get").attr("to", Jid::server());
    assert!(link.request(ping).await.attrs.is("type", "result"));
}

#[tokio::test(start_paused = true)]
async fn a_code_is_refused_once_expired_or_used_or_with_other_keys() {
    let (sim, phone) = sim();
    let mut companion = Companion::new(7);
    let mut link = companion.connect_new(&sim).await;
    let reference = link.first_ref().await;
    assert_eq!(phone.scan_qr("no code"), Err(LinkError::NotACode));
    assert_eq!(phone.scan_qr(&companion.qr("2@other")), Err(LinkError::Expired));
    assert_eq!(phone.scan_qr(&Companion::new(8).qr(&reference)), Err(LinkError::OtherKeys));
    tokio::time::advance(Duration::from_secs(161)).await;
    assert_eq!(phone.scan_qr(&companion.qr(&reference)), Err(LinkError::Expired));

    let mut link = companion.connect_new(&sim).await;
    let reference = link.first_ref().await;
    phone.scan_qr(&companion.qr(&reference)).unwrap();
    assert_eq!(phone.scan_qr(&companion.qr(&reference)), Err(LinkError::Expired));
}

#[tokio::test(start_paused = true)]
async fn a_client_that_does_not_prove_its_identity_key_is_not_linked() {
    let (sim, phone) = sim();
    let mut companion = Companion::new(7);
    let mut link = companion.connect_new(&sim).await;
    let reference = link.first_ref().await;
    phone.scan_qr(&companion.qr(&reference)).unwrap();
    let success = link.expect(|node| node.find("pair-success").is_some()).await;
    let mut thief = Companion::new(8);
    thief.adv_secret = companion.adv_secret;
    // The signature of another key than the one the code told.
    thief.identity.public = companion.identity.public;
    let forged = thief.sign(&success);
    link.send(&forged).await;
    let refused = link.expect(|node| node.tag == "stream:error").await;
    assert!(refused.attrs.is("code", "401"));
    assert_eq!(phone.devices().len(), 1);
}

#[tokio::test(start_paused = true)]
async fn an_unlinked_device_is_told_and_can_not_log_in_again() {
    let (sim, phone) = sim();
    let mut companion = Companion::linked(&sim, &phone, 7).await;
    let mut link = companion.online(&sim).await;
    assert_eq!(phone.unlink(2), Err(UnlinkError::NoSuchDevice));
    assert_eq!(phone.unlink(0), Err(UnlinkError::NoSuchDevice));
    phone.unlink(1).unwrap();
    let told = link.expect(|node| node.tag == "stream:error").await;
    assert!(told.attrs.is("code", "401"));
    assert!(told.find("conflict").unwrap().attrs.is("type", "device_removed"));
    link.expect_end().await;

    let mut link = companion.log_in(&sim).await;
    let failure = link.expect(|node| node.tag == "failure").await;
    assert!(failure.attrs.is("reason", "401"));
    link.expect_end().await;
}

#[tokio::test(start_paused = true)]
async fn a_device_that_logs_out_is_unlinked() {
    let (sim, phone) = sim();
    let mut companion = Companion::linked(&sim, &phone, 7).await;
    let mut link = companion.online(&sim).await;
    let remove = Node::new("remove-companion-device")
        .attr("jid", companion.jid.clone())
        .attr("reason", "user_initiated");
    let iq = Node::new("iq").attr("xmlns", "md").attr("type", "set").attr("to", Jid::server());
    assert!(link.request(iq.child(remove)).await.attrs.is("type", "result"));
    link.expect_end().await;
    assert_eq!(phone.devices().len(), 1);
}

#[tokio::test(start_paused = true)]
async fn other_companions_are_told_of_a_new_one() {
    let (sim, phone) = sim();
    let mut first = Companion::linked(&sim, &phone, 7).await;
    let mut link = first.online(&sim).await;
    let second = Companion::linked(&sim, &phone, 8).await;
    let told = link.expect(|node| node.attrs.is("type", "devices")).await;
    let device = told.find("add").unwrap().find("device").unwrap();
    assert_eq!(device.attrs.jid("jid"), Some(second.jid));
    assert_eq!(device.attrs.number("key-index"), Some(2));
}
