//! `demo`: people, their phones and their computers, on a WhatsApp that runs in this process.
//!
//! Everything is real but the place: WebSockets on loopback, Noise, Signal sessions, encrypted
//! databases and files. Each step checks what it claims, and the first that does not hold ends the demo.

use std::{
    net::Ipv4Addr,
    path::Path,
    time::{Duration, Instant},
};

use serde_json::json;
use wa_sim::{Serving, Sim, SimConfig};
use wa_store::Store;

use crate::{
    args::DemoArguments,
    failure::{Cause, Failure},
    output::Output,
};

mod away;
mod direct;
mod files;
mod group;
mod media;
mod person;
mod stage;
mod transcript;

use group::Group;
use person::{PATIENCE, Person};
use stage::{Stage, hold};

pub(crate) async fn run(arguments: &DemoArguments, output: &Output) -> Result<(), Failure> {
    let folder = tempfile::Builder::new()
        .prefix("wa-demo-")
        .tempdir()
        .map_err(|error| Failure::new(Cause::Failed, format!("no temporary folder: {error}")))?;
    let mut stage = Stage::new(*output);
    play(arguments.seed, folder.path(), &mut stage).await.map_err(|mut failure| {
        failure.message = format!("the demo broke off: {}", failure.message);
        failure
    })?;
    stage.close()
}

/// How many messages everything below comes to: what is said about a message is none itself.
const MESSAGES: u64 = 11;

async fn play(seed: u64, folder: &Path, stage: &mut Stage) -> Result<(), Failure> {
    stage
        .title("Three people, three phones, two computers and a WhatsApp, all in this process.")?;
    let (sim, serving) = serve(seed, stage).await?;
    let [(first, number), (second, other), (third, last)] = cast(seed);
    let mut ada = link(&sim, &serving, first, &number, folder, stage).await?;
    let mut grace = link(&sim, &serving, second, &other, folder, stage).await?;

    let question = direct::first_message(&mut ada, &mut grace, stage).await?;
    direct::reply(&mut ada, &mut grace, &question, stage).await?;
    direct::read(&mut ada, &grace, &question, stage).await?;
    direct::from_the_phone(&mut ada, &mut grace, stage).await?;

    let mary = sim.add_account(&last, third).map_err(|error| failed(&error))?;
    let group = Group::make(&mut ada, &mut grace, &mary, third, stage).await?;
    let picture = media::picture(&ada, &mut grace, &group, stage).await?;
    media::voice_note(&mut ada, &grace, &group, stage).await?;
    group.react(&mut ada, &grace, &picture, stage).await?;
    group.edit(&ada, &mut grace, stage).await?;
    group.poll(&mut ada, &mut grace, stage).await?;

    let grace = away::restart(&mut ada, grace, &serving, stage).await?;
    away::search(&grace, stage).await?;
    transcript::show(&grace, &ada, &group, stage).await?;
    goodbye(&sim, &ada, &grace, stage).await?;
    serving.shutdown().await;
    Ok(())
}

/// The failure of what the simulation refuses.
fn failed(error: &dyn std::error::Error) -> Failure {
    Failure::new(Cause::Failed, error.to_string())
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
fn cast(seed: u64) -> [(&'static str, String); 3] {
    const NAMES: [[&str; 3]; 4] = [
        ["Ada", "Grace", "Mary"],
        ["Emmy", "Hedy", "Lise"],
        ["Katherine", "Radia", "Dorothy"],
        ["Sofya", "Rosalind", "Maria"],
    ];
    let place = usize::try_from(seed % 4).unwrap_or_default();
    let [first, second, third] = NAMES.get(place).copied().unwrap_or(["Ada", "Grace", "Mary"]);
    let number = |n: u64| format!("447700900{:03}", n % 1_000);
    let base = (seed % 997 + 1) * 37 % 997;
    [(first, number(base)), (second, number(base + 1)), (third, number(base + 2))]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seed_makes_three_different_people() {
        for seed in [0, 1, 7, u64::MAX] {
            let people = cast(seed);
            let names: std::collections::BTreeSet<_> =
                people.iter().map(|(name, _)| name).collect();
            let numbers: std::collections::BTreeSet<_> = people.iter().map(|(_, n)| n).collect();
            assert_eq!((names.len(), numbers.len()), (3, 3), "{seed}");
            assert!(numbers.iter().all(|number| number.len() == 12));
        }
    }
}
