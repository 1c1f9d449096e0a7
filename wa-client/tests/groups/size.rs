//! Groups as large as they get.

use super::{
    handmade,
    parties::{Party, settle, simulation},
    sent, shows, told,
};

#[tokio::test(start_paused = true)]
async fn a_group_of_1024_is_written_to_and_asked_about_in_parts() {
    let sim = simulation(341);
    let ada = Party::join(&sim, "15550100", "Ada").await;
    let others: Vec<_> = (0..1_023)
        .map(|n| sim.add_account(&format!("1666{:07}", 1_000_000 + n), "Member").unwrap())
        .collect();
    let phones: Vec<_> = std::iter::once(&ada.phone).chain(&others).collect();
    let group = sim.create_group("Everybody", &phones).unwrap();
    settle().await;
    sim.listen();
    let written = ada.client.send(group.clone(), "to everybody").await.unwrap();
    let stanza = sent(&ada, &written.id);
    assert_eq!(told(&stanza), 1_024, "everybody's phone, Ada's among them");
    let asked = handmade::all_said(&ada, "iq");
    let people = |node: &wa_proto::OwnedNode| {
        node.find("usync").and_then(|usync| usync.find("list")).map(|list| list.nodes().len())
    };
    let devices = |node: &wa_proto::OwnedNode| {
        node.attrs
            .is("xmlns", "encrypt")
            .then(|| node.find("key"))
            .flatten()
            .map(|key| key.nodes().len())
    };
    let (people, devices): (Vec<_>, Vec<_>) =
        (asked.iter().filter_map(people).collect(), asked.iter().filter_map(devices).collect());
    assert!(people.len() >= 4 && people.iter().all(|count| *count <= 256), "{people:?}");
    assert!(devices.len() >= 20 && devices.iter().all(|count| *count <= 50), "{devices:?}");
    settle().await;
    assert!(others.iter().all(|phone| shows(phone, "to everybody")));
    let again = ada.client.send(group.clone(), "and again").await.unwrap();
    assert_eq!(told(&sent(&ada, &again.id)), 0);
    settle().await;
    assert!(others.iter().all(|phone| shows(phone, "and again")));
}
