//! `demo`: two people, their phones and their computers, on a WhatsApp that runs in this process.
//!
//! Everything is real but the place: WebSockets on loopback, Noise, Signal sessions, encrypted
//! databases. Each step checks what it claims, and the first that does not hold ends the demo.

use std::{
    net::Ipv4Addr,
    path::Path,
    time::{Duration, Instant},
};

use serde_json::json;
use wa_sim::{Serving, Sim, SimConfig};
use wa_store::{MessageStatus, SearchQuery, Store};

use crate::{
    args::DemoArguments,
    failure::{Cause, Failure},
    output::Output,
};

mod person;
mod stage;
mod transcript;

use person::{PATIENCE, Person};
use stage::{Stage, hold};

pub(crate) async fn run(arguments: &DemoArguments, output: &Output) -> Result<(), Failure> {
    let folder = tempfile::Builder::new()
        .prefix("wa-demo-")
        .tempdir()
        .map_err(|error| Failure::new(Cause::Failed, format!("no temporary folder: {error}")))?;
    let mut stage = Stage::new(*output);
    play(arguments.seed, folder.path(), &mut stage).await.map_err(|failure| Failure {
        message: format!("the demo broke off: {}", failure.message),
        ..failure
    })?;
    stage.close()
}

async fn play(seed: u64, folder: &Path, stage: &mut Stage) -> Result<(), Failure> {
    stage.title("Two people, two phones, two computers and a WhatsApp, all in this process.")?;
    let (sim, serving) = serve(seed, stage).await?;
    let [(first, number), (second, other)] = cast(seed);
    let mut ada = link(&sim, &serving, first, &number, folder, stage).await?;
    let mut grace = link(&sim, &serving, second, &other, folder, stage).await?;

    let question = first_message(&mut ada, &mut grace, stage).await?;
    reply(&mut ada, &mut grace, &question, stage).await?;
    read(&mut ada, &grace, &question, stage).await?;
    from_the_phone(&mut ada, &mut grace, stage).await?;
    let grace = restart(&mut ada, grace, &serving, stage).await?;
    search(&grace, stage).await?;
    transcript::show(&grace, &ada, stage).await?;
    goodbye(&sim, &ada, &grace, stage).await?;
    serving.shutdown().await;
    Ok(())
}

async fn serve(seed: u64, stage: &mut Stage) -> Result<(Sim, Serving), Failure> {
    stage.begin("serve", "A WhatsApp of our own")?;
    let now = u64::try_from(jiff::Timestamp::now().as_second()).unwrap_or_default();
    let sim = Sim::new(SimConfig::seeded(seed).starting_at(now));
    let serving = sim
        .serve((Ipv4Addr::LOCALHOST, 0).into())
        .await
        .map_err(|error| Failure::new(Cause::Failed, format!("{error}")))?;
    stage.say(&format!("listening on {}", serving.ws_url))?;
    stage.done(json!({ "ws_url": serving.ws_url }))?;
    Ok((sim, serving))
}

/// A computer shows a code, the phone scans it, the computer logs in.
async fn link(
    sim: &Sim,
    serving: &Serving,
    name: &'static str,
    number: &str,
    folder: &Path,
    stage: &mut Stage,
) -> Result<Person, Failure> {
    stage.begin("link", &format!("{name} links a computer to the phone"))?;
    let phone = sim
        .add_account(number, name)
        .map_err(|error| Failure::new(Cause::Failed, error.to_string()))?;
    let mut person = Person::new(name, phone, folder, serving).await?;
    let code = person.qr().await?;
    stage.qr(&code)?;
    person.phone.scan_qr(&code).map_err(|error| Failure::new(Cause::Failed, error.to_string()))?;
    person.until_connected().await?;

    let device = person.client.jid().map(|jid| jid.device).unwrap_or_default();
    let devices = person.phone.devices();
    let listed = devices.iter().any(|listed| listed.id == device && listed.connected);
    hold(device != 0 && listed, "the phone lists the computer as connected")?;
    let stats = sim.stats();
    let left = stats.devices.get(&format!("{number}:{device}")).map(|device| device.prekeys_left);
    let prekeys = left.unwrap_or_default();
    hold(prekeys > 0, "the server has prekeys of the computer")?;
    stage
        .say(&format!("+{number} scanned it: device {device}, {prekeys} prekeys on the server"))?;
    stage.done(json!({ "name": name, "qr": code, "device": device, "prekeys": prekeys }))?;
    Ok(person)
}

/// The first message makes the session; it must arrive on the computer and on the phone.
async fn first_message(
    ada: &mut Person,
    grace: &mut Person,
    stage: &mut Stage,
) -> Result<String, Failure> {
    let title = format!("{} writes to {}, who never heard of this device", ada.name, grace.name);
    stage.begin("send", &title)?;
    let text = "Tea at the café at five? I finally understood the engine.";
    let started = Instant::now();
    let id = ada.send(grace, text).await?;
    let acked = stage::milliseconds(started);
    let arrived = grace.archived(ada, &id).await?;
    let received = stage::milliseconds(started);
    hold(arrived.text.as_deref() == Some(text), "the text arrived as it was written")?;
    hold(!arrived.key.from_me, "it counts as received")?;
    grace.on_phone(&id).await?;
    stage.quote(&ada.name, text)?;
    stage.say(&format!("server ack after {acked:.0} ms, in the archive after {received:.0} ms"))?;
    stage.done(json!({ "id": id, "ack_ms": acked, "received_ms": received }))?;
    Ok(id)
}

async fn reply(
    ada: &mut Person,
    grace: &mut Person,
    question: &str,
    stage: &mut Stage,
) -> Result<(), Failure> {
    stage.begin("reply", &format!("{} answers, quoting", grace.name))?;
    let text = "Five is perfect. Bring the punched cards!";
    let id = grace.reply(ada, text, question).await?;
    let arrived = ada.archived(grace, &id).await?;
    hold(arrived.text.as_deref() == Some(text), "the answer arrived as it was written")?;
    let quoted = arrived.reply_to.as_ref().map(ToString::to_string);
    hold(quoted.as_deref() == Some(question), "the answer quotes the question")?;
    stage.quote(&grace.name, text)?;
    stage.done(json!({ "id": id, "quotes": question }))
}

async fn read(
    ada: &mut Person,
    grace: &Person,
    question: &str,
    stage: &mut Stage,
) -> Result<(), Failure> {
    stage.begin("receipts", &format!("{} opens the chat, and {} sees it", grace.name, ada.name))?;
    let delivered = ada.reached(grace, question, MessageStatus::Delivered).await?;
    hold(delivered == MessageStatus::Delivered, "delivered, and not yet read")?;
    let started = Instant::now();
    grace.mark_read(ada, question).await?;
    ada.reached(grace, question, MessageStatus::Read).await?;
    let read = stage::milliseconds(started);
    stage.say(&format!("✓ sent   ✓✓ delivered   ✓✓ read, {read:.0} ms later"))?;
    stage.done(json!({ "id": question, "delivered": true, "read": true, "read_ms": read }))
}

/// What a phone sends reaches the other person's computer and the own one.
async fn from_the_phone(
    ada: &mut Person,
    grace: &mut Person,
    stage: &mut Stage,
) -> Result<(), Failure> {
    stage.begin("phone", &format!("{} goes on from the phone", grace.name))?;
    let text = "On my way. The nanosecond wire is in my bag.";
    let id = grace
        .phone
        .send_text(&ada.phone.jid(), text)
        .map_err(|error| Failure::new(Cause::Failed, error.to_string()))?;
    let theirs = ada.archived(grace, &id).await?;
    let own = grace.archived(ada, &id).await?;
    hold(theirs.text.as_deref() == Some(text), "the other computer has it")?;
    hold(own.text.as_deref() == Some(text) && own.key.from_me, "the own computer has it as sent")?;
    stage.quote(&grace.name, text)?;
    stage.say("it is on both computers, on one as received, on the other as sent")?;
    stage.done(json!({ "id": id }))
}

/// One computer is off while the other goes on; nothing may be lost, doubled or out of order.
async fn restart(
    ada: &mut Person,
    grace: Person,
    serving: &Serving,
    stage: &mut Stage,
) -> Result<Person, Failure> {
    stage
        .begin("restart", &format!("{}'s computer goes down; {} goes on", grace.name, ada.name))?;
    let off = grace.shut_down().await?;
    let texts =
        ["Are you there yet?", "I ordered two scones.", "And jam. The café is out of cream."];
    let mut ids = Vec::new();
    for text in texts {
        ids.push(ada.send_to(off.phone.jid(), text).await?);
        stage.quote(&ada.name, text)?;
    }
    off.check_sealed(texts).await?;
    stage.say("her database on disk shows none of it, and opens with no other key")?;

    let started = Instant::now();
    let mut grace = off.start(serving).await?;
    grace.until_drained().await?;
    let drained = stage::milliseconds(started);
    let mut places = Vec::new();
    for (id, text) in ids.iter().zip(texts) {
        let arrived = grace.archived(ada, id).await?;
        hold(arrived.text.as_deref() == Some(text), "what was missed arrived as it was written")?;
        places.push(arrived.seq);
    }
    hold(places.is_sorted(), "what was missed arrived in its order")?;
    let count = grace.store.stats().await?.messages;
    hold(count == 6, "nothing arrived twice")?;
    stage.say(&format!("up again: {} missed messages, drained in {drained:.0} ms", ids.len()))?;
    stage.done(json!({ "missed": ids, "drain_ms": drained }))?;
    Ok(grace)
}

async fn search(grace: &Person, stage: &mut Stage) -> Result<(), Failure> {
    stage.begin("search", &format!("{} searches her archive for “cafe”", grace.name))?;
    let started = Instant::now();
    let page = grace.store.search(&SearchQuery::new("cafe")).await?;
    let took = stage::milliseconds(started);
    hold(page.hits.len() == 2, "both messages with the word are found, accent or not")?;
    for hit in &page.hits {
        let text = hit.message.text.as_deref().unwrap_or_default();
        hold(!hit.snippet.highlights.is_empty(), "what matched is marked")?;
        stage.hit(&hit.snippet, text)?;
    }
    let none = grace.store.search(&SearchQuery::new("coffee")).await?;
    hold(none.hits.is_empty(), "a word nobody wrote is not found")?;
    stage.say(&format!("found in {took:.1} ms"))?;
    stage.done(json!({ "query": "cafe", "hits": page.hits.len(), "search_ms": took }))
}

async fn goodbye(
    sim: &Sim,
    ada: &Person,
    grace: &Person,
    stage: &mut Stage,
) -> Result<(), Failure> {
    stage.begin("close", "Both say goodbye, and nobody owes anybody an answer")?;
    let deadline = Instant::now() + PATIENCE;
    let owed = || sim.stats().devices.values().map(|device| device.acks_owed).sum::<usize>();
    while owed() > 0 && Instant::now() < deadline {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    hold(owed() == 0, "everything that was delivered was acknowledged")?;
    for person in [ada, grace] {
        person.client.disconnect().await;
        person.store.close().await?;
    }
    stage.done(json!({ "acks_owed": owed() }))
}

/// Who plays: names, and numbers that the British regulator keeps free for fiction.
fn cast(seed: u64) -> [(&'static str, String); 2] {
    const NAMES: [[&str; 2]; 4] =
        [["Ada", "Grace"], ["Emmy", "Hedy"], ["Katherine", "Radia"], ["Sofya", "Rosalind"]];
    let place = usize::try_from(seed % 4).unwrap_or_default();
    let [first, second] = NAMES.get(place).copied().unwrap_or(["Ada", "Grace"]);
    let number = |n: u64| format!("447700900{:03}", n % 1_000);
    let base = (seed % 998 + 1) * 37 % 998;
    [(first, number(base)), (second, number(base + 1))]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seed_makes_two_different_people() {
        for seed in [0, 1, 7, u64::MAX] {
            let [(name, number), (other_name, other)] = cast(seed);
            assert!(name != other_name && number != other && number.len() == 12, "{seed}");
        }
    }
}
