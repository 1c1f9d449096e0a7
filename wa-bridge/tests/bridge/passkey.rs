//! Linking where WhatsApp demands a passkey: the page leads a person through it, and neither another
//! page, a neighbour on this machine nor an assistant gets in between.

use std::net::SocketAddr;

use base64::{Engine as _, prelude::BASE64_URL_SAFE_NO_PAD};
use tokio::net::TcpStream;
use wa_bridge::{
    Bridge, Cause, Failure,
    api::{Link, LinkState, LinkView, PasskeyAnswer, PasskeyCompared},
};
use wa_sim::Passkey;

use crate::support::{World, exchange, refused};

const FORM: &str = "content-type: application/x-www-form-urlencoded\r\n";
const WEB: &str = "https://web.whatsapp.com";

/// A link that has come to where the passkey is to sign.
struct Demand {
    revision: u64,
    options: String,
    check: String,
    page: LinkPage,
}

/// The page, and where it is.
struct LinkPage {
    address: SocketAddr,
    path: String,
}

impl LinkPage {
    fn at(url: &str) -> Self {
        let rest = url.strip_prefix("http://").unwrap();
        let (host, path) = rest.split_once('/').unwrap();
        Self { address: host.parse().unwrap(), path: format!("/{path}") }
    }

    async fn get(&self, headers: &str) -> (u16, String) {
        self.ask("GET", &self.path, headers, "").await
    }

    async fn post(&self, headers: &str, form: &str) -> (u16, String) {
        self.ask("POST", &self.path, &format!("{FORM}{headers}"), form).await
    }

    async fn ask(&self, method: &str, path: &str, headers: &str, body: &str) -> (u16, String) {
        let host = match headers.starts_with("host:") {
            true => String::new(),
            false => format!("host: {}\r\n", self.address),
        };
        let stream = TcpStream::connect(self.address).await.unwrap();
        exchange(stream, method, path, &format!("{host}{headers}"), body.as_bytes()).await
    }
}

/// As the helper shows it: base64 in lines.
fn answer(passkey: &Passkey, options: &str, origin: &str) -> String {
    let text = BASE64_URL_SAFE_NO_PAD.encode(passkey.sign(options, origin).unwrap());
    let lines: Vec<_> = text.as_bytes().chunks(64).map(String::from_utf8_lossy).collect();
    lines.join("\n")
}

fn form(answer: &str) -> String {
    format!("answer={}", answer.replace('\n', "%0D%0A"))
}

async fn next(bridge: &Bridge, after: u64) -> Result<LinkView, Failure> {
    bridge.call(Link { after: Some(after), ..Link::default() }).await
}

async fn demanded(world: &World, bridge: &Bridge) -> Demand {
    world.ada.set_demands_passkey(true);
    let mut view = bridge.call(Link::default()).await.unwrap();
    loop {
        if let LinkState::Scan { code, .. } = &view.state {
            // A code that was replaced meanwhile demands nothing.
            let _ = world.ada.scan_qr(code);
        }
        if let LinkState::Passkey { request, check, page, expires_in } = view.state {
            assert!((590..=600).contains(&expires_in), "{expires_in}");
            let options = BASE64_URL_SAFE_NO_PAD.decode(request).unwrap();
            let options = String::from_utf8(options).unwrap();
            let page = LinkPage::at(&page.unwrap());
            return Demand { revision: view.revision, options, check, page };
        }
        view = next(bridge, view.revision).await.unwrap();
    }
}

async fn linked(bridge: &Bridge, mut revision: u64) {
    for _ in 0..6 {
        let view = next(bridge, revision).await.unwrap();
        if let LinkState::Linked { .. } = view.state {
            return;
        }
        revision = view.revision;
    }
    panic!("the device was not linked");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_page_explains_takes_the_answer_and_tells_that_the_device_is_linked() {
    let world = World::new().await;
    let passkey = world.ada.create_passkey();
    let bridge = world.person().await;
    let Demand { revision, options, check, page } = demanded(&world, &bridge).await;
    let (status, text) = page.get("").await;
    assert_eq!(status, 200);
    for shown in [check.as_str(), "href=\"javascript:", "https://web.whatsapp.com/#wa-passkey="] {
        assert!(text.contains(shown), "{shown}: {text}");
    }

    // What is wrong is told, and nothing is used up.
    let elsewhere = answer(&passkey, &options, "https://evil.example");
    let old = answer(&passkey, &options.replace("\"challenge\":\"", "\"challenge\":\"AAAA"), WEB);
    for (wrong, told) in [
        ("hello".to_owned(), "copy the whole answer"),
        (elsewhere, "open https://web.whatsapp.com"),
        (old, check.as_str()),
    ] {
        let (status, text) = page.post("", &form(&wrong)).await;
        assert!(status == 200 && text.contains("It did not work") && text.contains(told), "{text}");
        assert!(!text.contains(&wrong) || wrong == "hello", "what was pasted is not shown again");
    }
    let (_, text) = page.post("", &form(&answer(&passkey, &options, WEB))).await;
    assert!(text.contains("This device is linked"), "{text}");
    linked(&bridge, revision).await;
    assert_eq!(world.ada.devices().len(), 2);
    let again = bridge.call(PasskeyAnswer { answer: answer(&passkey, &options, WEB) }).await;
    refused(again, Cause::Usage);
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_without_the_address_and_no_other_page_reaches_the_link() {
    let world = World::new().await;
    let passkey = world.ada.create_passkey();
    let bridge = world.person().await;
    let Demand { options, page, .. } = demanded(&world, &bridge).await;
    let good = form(&answer(&passkey, &options, WEB));
    for headers in [
        "origin: https://web.whatsapp.com\r\n",
        "origin: null\r\n",
        "origin: http://localhost:3000\r\n",
        "origin: http://127.0.0.1\r\n",
    ] {
        assert_eq!(page.post(headers, &good).await.0, 403, "{headers}");
    }
    for host in ["evil.example", "localhost", "127.0.0.1"] {
        assert_eq!(page.get(&format!("host: {host}\r\n")).await.0, 421, "{host}");
    }
    let wrong = format!("{}0", &page.path[..page.path.len() - 1]);
    for path in ["/", "/link/", "/link/0", &wrong, &format!("{}0", page.path)] {
        let (status, text) = page.ask("GET", path, "", "").await;
        assert!(status == 404 && !text.contains("wa-passkey"), "{path}: {status}");
        let (status, _) = page.ask("POST", path, FORM, &good).await;
        assert!(status == 404, "{path}: {status}");
    }
    assert_eq!(world.ada.devices().len(), 1, "nothing was linked by any of these");

    // Another attempt has another address, and the one before is of no use.
    let other = demanded(&world, &bridge).await;
    assert_ne!(other.page.path, page.path);
    assert!(TcpStream::connect(page.address).await.is_err() || page.get("").await.0 == 404);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_assistant_begins_a_link_but_never_answers_for_the_passkey() {
    let world = World::new().await;
    let passkey = world.ada.create_passkey();
    let robot = world.assistant().await;
    let Demand { revision, options, page, .. } = demanded(&world, &robot).await;
    let signed = answer(&passkey, &options, WEB);
    refused(robot.call(PasskeyAnswer { answer: signed.clone() }).await, Cause::Forbidden);
    refused(robot.call(PasskeyCompared { same: true }).await, Cause::Forbidden);
    page.post("", &form(&signed)).await;
    linked(&robot, revision).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_passkey_that_is_not_the_accounts_ends_the_link_with_what_to_do() {
    let world = World::new().await;
    let bridge = world.person().await;
    let stranger = world.anna.create_passkey();
    let Demand { revision, options, page, .. } = demanded(&world, &bridge).await;
    let (_, text) = page.post("", &form(&answer(&stranger, &options, WEB))).await;
    assert!(text.contains("This device was not linked"), "{text}");
    assert!(text.contains("did not accept what the passkey signed"), "{text}");
    // The step after the answer may be seen first.
    let ended = match next(&bridge, revision).await {
        Ok(view) => next(&bridge, view.revision).await,
        ended => ended,
    };
    assert!(refused(ended, Cause::Failed).remedy.unwrap().contains("link again"));
    assert_eq!(world.ada.devices().len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_answer_is_in_no_log_and_no_audit() {
    let world = World::new().await;
    let passkey = world.ada.create_passkey();
    let bridge = world.person().await;
    let Demand { revision, options, .. } = demanded(&world, &bridge).await;
    let signed = answer(&passkey, &options, WEB);
    let shown = format!("{:?}", PasskeyAnswer { answer: signed.clone() });
    assert_eq!(shown, "PasskeyAnswer(…)");
    bridge.call(PasskeyAnswer { answer: signed.clone() }).await.unwrap();
    linked(&bridge, revision).await;
    let audit = bridge.call(wa_bridge::api::Audit::default()).await.unwrap();
    let audit = serde_json::to_string(&audit).unwrap();
    assert!(audit.contains("account/passkey"), "{audit}");
    assert!(!audit.contains(&signed[..32]), "{audit}");
}
