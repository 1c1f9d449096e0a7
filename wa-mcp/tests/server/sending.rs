//! What an assistant sends to somebody who is known, from a folder the policy names.

use std::{
    fs,
    io::{Read, Write},
    net::TcpStream,
};

use serde_json::json;

use crate::client::{PATIENCE, World};

/// A second of a tone, as a WAV file of 16-bit samples, 44,100 a second.
fn wav() -> Vec<u8> {
    const RATE: u32 = 44_100;
    let samples = (0..RATE).flat_map(|i| {
        let phase = f64::from(i) * 440.0 * std::f64::consts::TAU / f64::from(RATE);
        ((phase.sin() * 12_000.0).round() as i16).to_le_bytes()
    });
    let data: Vec<u8> = samples.collect();
    let len = u32::try_from(data.len()).unwrap();
    let mut file = Vec::new();
    file.extend(b"RIFF");
    file.extend((36 + len).to_le_bytes());
    file.extend(b"WAVEfmt ");
    file.extend(16_u32.to_le_bytes());
    file.extend(1_u16.to_le_bytes());
    file.extend(1_u16.to_le_bytes());
    file.extend(RATE.to_le_bytes());
    file.extend((RATE * 2).to_le_bytes());
    file.extend(2_u16.to_le_bytes());
    file.extend(16_u16.to_le_bytes());
    file.extend(b"data");
    file.extend(len.to_le_bytes());
    file.extend(data);
    file
}

#[tokio::test(flavor = "multi_thread")]
async fn a_recording_becomes_a_voice_message_and_a_file_arrives_as_it_is() {
    let world = World::new().await;
    let machine = world.machine("");
    let folder = machine.path("outgoing");
    fs::create_dir(&folder).unwrap();
    let policy = format!("[files]\nsend_from = [{:?}]\n", folder.display().to_string());
    fs::write(machine.path("config/wa/policy.toml"), policy).unwrap();
    fs::write(folder.join("tone.wav"), wav()).unwrap();
    fs::write(folder.join("beans.txt"), "kale").unwrap();

    let anna = world.sim.add_account("447700900101", "Anna").unwrap();
    let mut client = machine.start(&[]);
    client.link(&world.ada);
    anna.send_text(&world.ada.jid(), "send me a word").unwrap();
    world.ada.send_text(&anna.jid(), "in a minute").unwrap();
    let to = anna.jid().to_string();
    client.until("list_messages", &json!({ "chat_jid": to }), |answer| {
        answer["messages"].as_array().unwrap().len() == 2
    });

    let tone = folder.join("tone.wav").display().to_string();
    let (sent, text) =
        client.call("send_audio_message", json!({ "recipient": to, "media_path": tone }));
    assert_eq!(sent["success"], true, "{text}");
    let id = sent["message_id"].as_str().unwrap().to_owned();
    let voice = anna.wait_for_message(|message| message.id == id, PATIENCE).await.unwrap();
    assert_eq!(voice.kind, "voice-note");
    assert!(anna.media(&id).unwrap().starts_with(b"OggS"), "it is Opus in Ogg");

    let beans = folder.join("beans.txt").display().to_string();
    let (sent, _) = client.call("send_file", json!({ "recipient": to, "media_path": beans }));
    let id = sent["message_id"].as_str().unwrap().to_owned();
    assert!(anna.wait_for_message(|message| message.id == id, PATIENCE).await.is_some());
    assert_eq!(&anna.media(&id).unwrap()[..], b"kale");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_without_a_dialogue_is_told_of_the_page_where_the_person_agrees() {
    let world = World::new().await;
    let machine = world.machine("");
    let ben = world.sim.add_account("447700900102", "Ben").unwrap();
    let mut client = machine.start(&["--page", "127.0.0.1:0"]);
    client.link(&world.ada);
    let (answer, text) = client
        .call("send_message", json!({ "recipient": ben.jid().to_string(), "message": "may I?" }));
    assert_eq!(answer["success"], false, "{text}");
    let page = answer["draft"]["page"].as_str().unwrap();
    assert!(text.contains(page) && text.contains("wa-cli drafts approve"), "{text}");

    let token = fs::read_to_string(machine.path("config/wa/default.http-token")).unwrap();
    let list = press(page, &[("token", token.trim())]);
    assert!(list.contains("may I?"), "{list}");
    let hidden = |name: &str| {
        let (_, rest) = list.split_once(&format!("name=\"{name}\" value=\"")).unwrap();
        rest.split_once('"').unwrap().0.to_owned()
    };
    let (visit, draft, digest) = (hidden("visit"), hidden("draft"), hidden("digest"));
    let form = [("visit", &*visit), ("draft", &*draft), ("digest", &*digest), ("button", "send")];
    assert!(press(page, &form).contains("It was sent."));
    let came = ben.wait_for_message(|message| message.text.as_deref() == Some("may I?"), PATIENCE);
    assert!(came.await.is_some());
}

/// Sends a form, as a browser does; the page that comes back.
fn press(page: &str, form: &[(&str, &str)]) -> String {
    let (address, path) = page.strip_prefix("http://").unwrap().split_once('/').unwrap();
    let fields: Vec<_> = form.iter().map(|(name, value)| format!("{name}={value}")).collect();
    let body = fields.join("&");
    let mut stream = TcpStream::connect(address).unwrap();
    write!(
        stream,
        "POST /{path} HTTP/1.1\r\nhost: {address}\r\norigin: http://{address}\r\n\
         connection: close\r\ncontent-type: application/x-www-form-urlencoded\r\n\
         content-length: {}\r\n\r\n{body}",
        body.len()
    )
    .unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer
}
