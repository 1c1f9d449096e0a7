//! The page on which a person lets drafts go: for whoever shows the token, and for nobody else.

use std::net::SocketAddr;

use tokio::net::TcpStream;
use wa_bridge::{
    Bridge, Cause, Failure,
    api::{DraftList, DraftView},
};

use crate::support::{BEN, MALLORY, World, arrives, exchange, refused, send, shown};

const FORM: &str = "content-type: application/x-www-form-urlencoded\r\n";

async fn get(address: SocketAddr) -> (u16, String) {
    let stream = TcpStream::connect(address).await.unwrap();
    exchange(stream, "GET", "/drafts", "", b"").await
}

async fn press(address: SocketAddr, headers: &str, form: &[(&str, &str)]) -> (u16, String) {
    let fields: Vec<_> = form.iter().map(|(name, value)| format!("{name}={value}")).collect();
    let stream = TcpStream::connect(address).await.unwrap();
    let headers = format!("{FORM}{headers}");
    exchange(stream, "POST", "/drafts", &headers, fields.join("&").as_bytes()).await
}

/// The key of a visit, out of the page.
fn visit(page: &str) -> String {
    let rest = page.split("name=\"visit\" value=\"").nth(1).unwrap();
    rest.split('"').next().unwrap().to_owned()
}

async fn enter(world: &World, address: SocketAddr) -> String {
    let (status, page) = press(address, "", &[("token", &world.http_token())]).await;
    assert_eq!(status, 200, "{page}");
    visit(&page)
}

fn draft(failure: Failure) -> DraftView {
    assert_eq!(failure.cause, Cause::ConfirmationRequired, "{failure}");
    *failure.draft.unwrap()
}

async fn waiting(bridge: &Bridge) -> usize {
    bridge.call(DraftList::default()).await.unwrap().len()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_person_with_the_token_sends_a_draft_once_and_drops_another() {
    let world = World::linked().await;
    let (owner, address) = world.listening().await;
    let robot = world.assistant().await;
    let failure = send(&robot, BEN, "<b>may I?</b> & \u{202e}so").await.unwrap_err();
    let url = format!("http://{address}/drafts");
    assert!(failure.remedy.as_deref().unwrap().contains(&url), "{failure}");
    let made = draft(failure);
    assert_eq!(made.page.as_deref(), Some(url.as_str()));
    let other = draft(send(&robot, MALLORY, "and I?").await.unwrap_err());

    let key = enter(&world, address).await;
    let (_, page) = press(address, "", &[("visit", &key)]).await;
    assert!(page.contains("&gt; &lt;b&gt;may I?&lt;/b&gt; &amp; ⟨U+202E⟩so"), "{page}");
    let shown_here = made.shown.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
    assert!(page.contains(&shown_here), "the page shows the draft's own text: {page}");
    assert!(page.contains("To Ben Okafor") && page.contains("and I?"), "{page}");

    let button = |draft: &DraftView, button: &'static str| {
        let (id, digest) = (draft.id.clone(), draft.digest.clone());
        let key = key.clone();
        async move {
            let form =
                [("visit", &*key), ("draft", &*id), ("digest", &*digest), ("button", button)];
            press(address, "", &form).await
        }
    };
    let (status, page) = button(&made, "send").await;
    assert_eq!((status, page.contains("It was sent.")), (200, true), "{page}");
    arrives(&world.ben, "<b>may I?</b> & \u{202e}so").await;
    let (_, page) = button(&made, "send").await;
    assert!(page.contains("no draft"), "{page}");
    let (_, page) = button(&other, "drop").await;
    assert!(page.contains("was dropped") && page.contains("Nothing waits"), "{page}");
    assert_eq!(waiting(&owner).await, 0);
    assert_eq!(shown(&world.mallory, "and I?"), 0);
    assert_eq!(shown(&world.ben, "<b>may I?</b> & \u{202e}so"), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_has_not_shown_the_token_sees_nothing_and_sends_nothing() {
    let world = World::linked().await;
    let (owner, address) = world.listening().await;
    let robot = world.assistant().await;
    let made = draft(send(&robot, BEN, "may I?").await.unwrap_err());
    let key = enter(&world, address).await;
    let wrong_key = key.replace(|c: char| c.is_ascii_digit(), "a");
    let token = world.http_token();
    let (id, digest) = (made.id.as_str(), made.digest.as_str());
    let agree = [("draft", id), ("digest", digest), ("button", "send")];

    let (_, page) = get(address).await;
    assert!(!page.contains("may I?") && !page.contains("Ben"), "{page}");
    for shown in [
        &[][..],
        &[("token", "")],
        &[("token", &token[1..])],
        &[("visit", "")],
        &[("visit", &wrong_key)],
        &[("visit", &token)],
    ] {
        let (status, page) = press(address, "", &[shown, &agree].concat()).await;
        assert_eq!(status, 401, "{shown:?}: {page}");
        assert!(!page.contains("may I?") && !page.contains("Ben"), "{page}");
    }
    let whole = [&[("visit", &*key)][..], &agree].concat();
    for origin in ["http://example.org", "null", "https://127.0.0.1.example.org"] {
        let (status, _) = press(address, &format!("origin: {origin}\r\n"), &whole).await;
        assert_eq!(status, 403, "{origin}");
    }
    let (status, _) = press(address, "host: example.org\r\n", &whole).await;
    assert!([400, 421].contains(&status), "{status}");
    let changed = [("visit", &*key), ("draft", id), ("digest", "0000"), ("button", "send")];
    let (_, page) = press(address, "", &changed).await;
    assert!(page.contains("not what the person saw"), "{page}");
    assert_eq!((shown(&world.ben, "may I?"), waiting(&owner).await), (0, 1));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_oldest_visit_ends_when_there_are_too_many() {
    let world = World::linked().await;
    let (_owner, address) = world.listening().await;
    let first = enter(&world, address).await;
    for _ in 0..16 {
        enter(&world, address).await;
    }
    assert_eq!(press(address, "", &[("visit", &first)]).await.0, 401);
    let no_page = World::linked().await;
    let (_owner, robot) = (no_page.person().await, no_page.assistant().await);
    let failure = refused(send(&robot, BEN, "may I?").await, Cause::ConfirmationRequired);
    assert_eq!(failure.draft.unwrap().page, None, "who has no page names none");
}
