//! Linking by a typed code and by a passkey.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a test stops where it fails")]

mod hooked_store;
#[allow(
    dead_code,
    unreachable_pub,
    clippy::allow_attributes,
    reason = "more than one test file uses it, and not every one all of it"
)]
#[path = "script/moody_store.rs"]
mod moody_store;
mod parties;

use std::{sync::Arc, time::Duration};

use moody_store::MoodyStore;
use parties::{Party, settle, simulation};
use wa_client::{
    Client, Error, Event, PASSKEY_ORIGIN, PairingFailure, PasskeyAssertion, PasskeyRequest,
    Platform, pairing_code::PairingCode,
};
use wa_proto::Jid;
use wa_sim::{Passkey, Sim};
use wa_store::{MemoryStore, Store as _};

const NUMBER: &str = "+1 (555) 0100";

async fn unlinked(sim: &Sim) -> Party {
    let phone = sim.add_account("15550100", "Ada").unwrap();
    Party::build(sim, phone, Arc::new(MemoryStore::new())).await
}

/// A client that is connected and shows QR codes, and the first of them.
async fn showing(sim: &Sim) -> (Party, String) {
    let mut ada = unlinked(sim).await;
    ada.client.connect().unwrap();
    let code = ada
        .until(|event| match event {
            Event::Qr { code, .. } => Some(code.clone()),
            _ => None,
        })
        .await;
    (ada, code)
}

async fn next_code(ada: &mut Party) -> String {
    ada.until(|event| match event {
        Event::PairingCode { code, .. } => Some(code.clone()),
        _ => None,
    })
    .await
}

#[tokio::test(start_paused = true)]
async fn a_code_typed_on_the_phone_links_the_device() {
    let sim = simulation(201);
    let mut ada = unlinked(&sim).await;
    ada.client.connect().unwrap();
    let code = ada.client.pair_with_code(NUMBER).await.unwrap();
    assert_eq!(next_code(&mut ada).await, code.grouped());
    ada.phone.enter_code(code.as_str()).unwrap();
    let jid = ada
        .until(|event| match event {
            Event::PairingSucceeded { jid, .. } => Some(jid.clone()),
            _ => None,
        })
        .await;
    assert_eq!(jid.to_user(), ada.phone.jid());
    ada.connected().await;
    let again = ada.client.pair_with_code(NUMBER).await;
    assert!(matches!(again, Err(Error::InvalidInput(_))));
}

#[tokio::test(start_paused = true)]
async fn a_code_of_ones_own_choice_links_too() {
    let sim = simulation(202);
    let (mut ada, _) = showing(&sim).await;
    let code = PairingCode::from_text("what-sapp").unwrap();
    let shown = ada.client.pair_with_code(NUMBER).code(code).await.unwrap();
    assert_eq!(shown.as_str(), "WHATSAPP");
    ada.phone.enter_code("WHAT-SAPP").unwrap();
    ada.connected().await;
}

#[tokio::test(start_paused = true)]
async fn a_wrong_code_links_nothing() {
    let sim = simulation(203);
    let (ada, _) = showing(&sim).await;
    ada.client.pair_with_code(NUMBER).await.unwrap();
    // Every other wrong code unwraps to something that is no key, which the phone sees by itself.
    let _ = ada.phone.enter_code("WRNG-CDE2");
    settle().await;
    assert_eq!(ada.phone.devices().len(), 1);
    assert!(ada.client.jid().is_none());
}

#[tokio::test(start_paused = true)]
async fn the_qr_codes_end_where_a_code_is_typed_because_they_carry_another_secret() {
    let sim = simulation(204);
    let (mut ada, _) = showing(&sim).await;
    ada.client.pair_with_code(NUMBER).await.unwrap();
    next_code(&mut ada).await;
    tokio::time::sleep(Duration::from_secs(170)).await;
    while let Some(event) = ada.events.try_next() {
        assert!(!matches!(event, Event::Qr { .. } | Event::PairingFailed { .. }), "{event:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_code_that_expired_or_that_the_server_wants_replaced_is_replaced() {
    let sim = simulation(205);
    let (mut ada, _) = showing(&sim).await;
    let first = ada.client.pair_with_code(NUMBER).await.unwrap().grouped();
    assert_eq!(next_code(&mut ada).await, first);
    assert!(ada.phone.refresh_code());
    let second = next_code(&mut ada).await;
    assert_ne!(second, first);
    tokio::time::sleep(Duration::from_secs(400)).await;
    let third = next_code(&mut ada).await;
    assert_ne!(third, second);
    ada.phone.enter_code(&third).unwrap();
    ada.connected().await;
}

#[tokio::test(start_paused = true)]
async fn codes_that_nobody_types_end_after_some_time() {
    let sim = simulation(206);
    let (mut ada, _) = showing(&sim).await;
    ada.client.pair_with_code(NUMBER).await.unwrap();
    let failed = ada
        .until(|event| match event {
            Event::PairingFailed { reason } => Some(*reason),
            _ => None,
        })
        .await;
    assert_eq!(failed, PairingFailure::Timeout);
}

#[tokio::test(start_paused = true)]
async fn a_code_shows_a_common_browser_and_system_whatever_the_device_is_called() {
    // The server refuses every other name.
    let wanted = [
        (Platform::Desktop, ""),
        (Platform::Desktop, "Kitchen (Ada's)"),
        (Platform::InternetExplorer, "Windows 11"),
        (Platform::Firefox, "macOS 15"),
    ];
    for (at, (platform, os)) in wanted.into_iter().enumerate() {
        let sim = simulation(207 + at as u64);
        let phone = sim.add_account("15550100", "Ada").unwrap();
        let ada = Party::build(&sim, phone, Arc::new(MemoryStore::new())).await;
        let client = Client::builder(Arc::new(MemoryStore::new()))
            .noise_root(sim.noise_root())
            .connector(Arc::new(ada.line.clone()))
            .clock(wa_client::Clock::starting_at(sim.now()))
            .platform(platform)
            .os(os)
            .build()
            .await
            .unwrap();
        client.connect().unwrap();
        let code = client.pair_with_code(NUMBER).await;
        assert!(code.is_ok(), "{os}: {code:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_number_is_checked_and_a_connection_needed() {
    let sim = simulation(208);
    let ada = unlinked(&sim).await;
    for number in ["0555 0100", "call me", "123"] {
        let refused = ada.client.pair_with_code(number).await;
        assert!(matches!(refused, Err(Error::InvalidInput(_))), "{refused:?}");
    }
    let refused = ada.client.pair_with_code(NUMBER).await;
    assert!(matches!(refused, Err(Error::NotConnected)));
}

/// What the account's passkey signs on WhatsApp's own page.
fn assertion(passkey: &Passkey, options: &str) -> PasskeyAssertion {
    let request = PasskeyRequest::parse(options).unwrap();
    let signed = passkey.sign(options, PASSKEY_ORIGIN).unwrap();
    let assertion = PasskeyAssertion::from_json(&signed).unwrap();
    request.check(&assertion).unwrap();
    assertion
}

async fn requested(ada: &mut Party) -> String {
    ada.until(|event| match event {
        Event::PasskeyRequested { options } => Some(options.clone()),
        _ => None,
    })
    .await
}

#[tokio::test(start_paused = true)]
async fn a_passkey_links_the_device_once_both_sides_show_the_same_code() {
    let sim = simulation(209);
    let (mut ada, code) = showing(&sim).await;
    let passkey = ada.phone.create_passkey();
    let early = ada.client.confirm_passkey().await;
    assert!(matches!(early, Err(Error::InvalidInput(_))));
    ada.phone.demand_passkey(&code).unwrap();
    let options = requested(&mut ada).await;
    ada.client.answer_passkey(&assertion(&passkey, &options)).await.unwrap();
    let (code, may_skip) = ada
        .until(|event| match event {
            Event::PasskeyConfirmation { code, may_skip } => Some((code.clone(), *may_skip)),
            _ => None,
        })
        .await;
    assert_eq!(ada.phone.passkey_code(), Some(code));
    assert!(may_skip, "the phone scanned this device's code moments ago");
    ada.client.confirm_passkey().await.unwrap();
    ada.connected().await;
    assert_eq!(ada.client.jid().map(|jid| jid.to_user()), Some(ada.phone.jid()));
}

#[tokio::test(start_paused = true)]
async fn another_challenge_than_the_phones_links_nothing() {
    let sim = simulation(210);
    let (mut ada, code) = showing(&sim).await;
    let passkey = ada.phone.create_passkey();
    ada.phone.demand_passkey(&code).unwrap();
    requested(&mut ada).await;
    let another = r#"{"challenge":"AAECAwQFBgcICQoLDA0ODw","rpId":"whatsapp.com"}"#;
    let refused = ada.client.answer_passkey(&assertion(&passkey, another)).await;
    assert!(matches!(refused, Err(Error::Server { code: 403 })), "{refused:?}");
    settle().await;
    assert_eq!(ada.phone.passkey_code(), None);
    assert_eq!(ada.client.jid(), None::<Jid>);
}

#[tokio::test(start_paused = true)]
async fn an_account_that_demands_a_passkey_asks_for_it_after_a_typed_code_too() {
    let sim = simulation(211);
    let (mut ada, _) = showing(&sim).await;
    let passkey = ada.phone.create_passkey();
    ada.phone.set_demands_passkey(true);
    let code = ada.client.pair_with_code(NUMBER).await.unwrap();
    ada.phone.enter_code(code.as_str()).unwrap();
    let options = requested(&mut ada).await;
    assert_eq!(ada.phone.devices().len(), 1, "nothing is linked before the passkey has signed");
    ada.client.answer_passkey(&assertion(&passkey, &options)).await.unwrap();
    ada.until(|event| matches!(event, Event::PasskeyConfirmation { .. }).then_some(())).await;
    ada.client.confirm_passkey().await.unwrap();
    ada.connected().await;
    assert_eq!(ada.client.jid().map(|jid| jid.to_user()), Some(ada.phone.jid()));
}

#[tokio::test(start_paused = true)]
async fn a_person_who_took_more_than_five_minutes_has_to_compare_the_code() {
    let sim = simulation(212);
    let (mut ada, code) = showing(&sim).await;
    let passkey = ada.phone.create_passkey();
    ada.phone.demand_passkey(&code).unwrap();
    let options = requested(&mut ada).await;
    tokio::time::sleep(Duration::from_secs(301)).await;
    ada.client.answer_passkey(&assertion(&passkey, &options)).await.unwrap();
    let (code, may_skip) = ada
        .until(|event| match event {
            Event::PasskeyConfirmation { code, may_skip } => Some((code.clone(), *may_skip)),
            _ => None,
        })
        .await;
    assert!(!may_skip, "nothing proves any more that it is the device whose code was taken");
    assert_eq!(ada.phone.passkey_code(), Some(code));
    assert_eq!(ada.phone.devices().len(), 1);
    ada.client.confirm_passkey().await.unwrap();
    ada.connected().await;
}

#[tokio::test(start_paused = true)]
async fn a_link_that_is_cut_off_while_it_is_saved_is_known_as_it_was_saved() {
    for hold in [MoodyStore::hold, MoodyStore::hold_landed] {
        let sim = simulation(240);
        let phone = sim.add_account("15550100", "Ada").unwrap();
        let store = MoodyStore::new();
        let mut ada = Party::build(&sim, phone, Arc::new(store.clone())).await;
        ada.client.connect().unwrap();
        let code = ada
            .until(|event| match event {
                Event::Qr { code, .. } => Some(code.clone()),
                _ => None,
            })
            .await;
        hold(&store);
        let _ = ada.phone.scan_qr(&code);
        tokio::time::sleep(Duration::from_millis(500)).await;
        ada.line.cut();
        tokio::time::sleep(Duration::from_millis(100)).await;
        store.release();
        tokio::time::sleep(Duration::from_millis(100)).await;
        let saved = store.account().await.unwrap().unwrap().jid;
        assert!(saved.is_some(), "the phone's word was saved");
        assert_eq!(ada.client.jid(), saved);
    }
}
