//! Linking where WhatsApp demands a passkey: the tool sends the person to a page, and keeps out of
//! what is signed there.

use std::{
    fmt::Write as _,
    io::{Read, Write},
    net::TcpStream,
};

use serde_json::{Value, json};

use crate::client::{ADA, Client, World};

/// Calls the tool until its answer is as it should be.
fn until(client: &mut Client, mut revision: Value, wanted: impl Fn(&Value) -> bool) -> Value {
    for _ in 0..20 {
        let arguments = json!({ "phone": format!("+{ADA}"), "after": revision });
        let (answer, _) = client.call("link_device", arguments);
        if wanted(&answer) {
            return answer;
        }
        revision = answer["revision"].clone();
    }
    panic!("it did not come about");
}

/// What a person's browser does with the page.
fn browse(page: &str, method: &str, form: &str) -> String {
    let (host, path) = page.strip_prefix("http://").unwrap().split_once('/').unwrap();
    let mut stream = TcpStream::connect(host).unwrap();
    write!(
        stream,
        "{method} /{path} HTTP/1.1\r\nhost: {host}\r\norigin: http://{host}\r\nconnection: close\r\n\
         content-type: application/x-www-form-urlencoded\r\ncontent-length: {}\r\n\r\n{form}",
        form.len()
    )
    .unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer
}

/// The JSON that stands behind the request code.
fn options(page: &str) -> String {
    let code = page.split("#wa-passkey=").nth(1).unwrap().split('"').next().unwrap();
    let letter = |letter: u8| {
        let digits = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
        digits.iter().position(|digit| *digit == letter).unwrap()
    };
    let bits = code.bytes().flat_map(|byte| {
        let value = letter(byte);
        (0..6).rev().map(move |place| value >> place & 1)
    });
    let bits: Vec<_> = bits.collect();
    let bytes = bits.chunks_exact(8).map(|byte| byte.iter().fold(0, |sum, bit| sum << 1 | bit));
    String::from_utf8(bytes.map(|byte| u8::try_from(byte).unwrap()).collect()).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_tool_sends_the_person_to_a_page_and_the_device_is_linked_when_their_passkey_signed() {
    let world = World::new().await;
    let passkey = world.ada.create_passkey();
    world.ada.set_demands_passkey(true);
    let machine = world.machine("");
    let mut client = machine.start(&[]);
    let (answer, _) = client.call("link_device", json!({ "phone": format!("+{ADA}") }));
    world.ada.enter_code(answer["code"].as_str().unwrap()).unwrap();
    let asked =
        until(&mut client, answer["revision"].clone(), |answer| answer["page"] != json!(null));
    let (page, instruction) =
        (asked["page"].as_str().unwrap(), asked["instruction"].as_str().unwrap());
    assert!(page.starts_with("http://127.0.0.1:") && instruction.contains(page), "{asked}");
    assert!(instruction.contains("passkey") && instruction.contains("check code"), "{asked}");
    assert!(asked["expires_in"].as_u64().unwrap() > 500, "{asked}");

    let shown = browse(page, "GET", "");
    let signed = passkey.sign(&options(&shown), "https://web.whatsapp.com").unwrap();
    let form = signed.bytes().fold("answer=".to_owned(), |mut form, byte| {
        write!(form, "%{byte:02X}").unwrap();
        form
    });
    let told = browse(page, "POST", &form);
    assert!(told.contains("This device is linked"), "{told}");
    let linked = until(&mut client, asked["revision"].clone(), |answer| answer["linked"] == true);
    assert!(linked["instruction"].as_str().unwrap().contains(ADA), "{linked}");
    assert!(client.heard.iter().all(|line| !line.contains("clientDataJSON")), "what was signed");
}
