//! A computer that was off, and what is found on it afterwards.

use std::time::Instant;

use serde_json::json;
use wa_sim::Serving;
use wa_store::{SearchQuery, Store};

use super::{
    MESSAGES,
    person::Person,
    stage::{self, Stage, hold},
};
use crate::failure::Failure;

/// One computer is off while the other goes on; nothing may be lost, doubled or out of order.
pub(super) async fn restart(
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
    hold(count == MESSAGES, "nothing arrived twice")?;
    stage.say(&format!("up again: {} missed messages, drained in {drained:.0} ms", ids.len()))?;
    stage.done(json!({ "missed": ids, "drain_ms": drained }))?;
    Ok(grace)
}

pub(super) async fn search(grace: &Person, stage: &mut Stage) -> Result<(), Failure> {
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
