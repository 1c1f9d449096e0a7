//! The same over HTTPS, on loopback and on a clock that runs.

use std::sync::Arc;

use async_trait::async_trait;
use wa_client::{
    Client, Clock, ConnectError, ConnectTarget, Connector, Event, Wire,
    media::{MediaError, MediaFile, MediaType},
};
use wa_sim::{Chance, MediaAct, MediaFault, MediaFaultKind, Sim, SimConfig};
use wa_store::MemoryStore;

use crate::downloads::{media_faults, noise};

/// Connects in the process: only media are to go over the network.
struct InProcess(Sim);

impl std::fmt::Debug for InProcess {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("InProcess")
    }
}

#[async_trait]
impl Connector for InProcess {
    async fn connect(&self, _: &ConnectTarget) -> Result<Wire, ConnectError> {
        Ok(Wire::from_stream(self.0.connect()))
    }
}

async fn linked(sim: &Sim, ca: Option<&str>) -> Client {
    let mut builder = Client::builder(Arc::new(MemoryStore::new()))
        .noise_root(sim.noise_root())
        .connector(Arc::new(InProcess(sim.clone())))
        .clock(Clock::starting_at(sim.now()))
        .version_source(None);
    if let Some(ca) = ca {
        builder = builder.media_ca_pem(ca);
    }
    let client = builder.build().await.unwrap();
    let mut events = client.events();
    client.connect().unwrap();
    loop {
        match events.next().await.unwrap() {
            Event::Qr { code, .. } => drop(sim.phone("15550100").unwrap().scan_qr(&code).unwrap()),
            Event::Connected => return client,
            _ => {}
        }
    }
}

#[tokio::test]
async fn files_go_up_and_down_over_https_and_over_hosts_that_fail() {
    let sim = Sim::new(SimConfig::seeded(481));
    sim.add_account("15550100", "Ada").unwrap();
    let serving = sim.serve("127.0.0.1:0".parse().unwrap()).await.unwrap();
    let client = linked(&sim, Some(&serving.media_ca)).await;
    for fault in [
        None,
        Some((MediaFaultKind::Cut, MediaAct::Upload)),
        Some((MediaFaultKind::Cut, MediaAct::Download)),
        Some((MediaFaultKind::Truncated, MediaAct::Download)),
        Some((MediaFaultKind::Status { status: 503, retry_after: Some(0) }, MediaAct::Upload)),
    ] {
        let faults = fault.map(|(kind, act)| MediaFault::new(kind, Chance::times(1)).on(act));
        media_faults(&sim, faults);
        let uploaded = client.upload(MediaType::Video, noise()).await.unwrap();
        let file = MediaFile::new(MediaType::Video, uploaded.to_media());
        let bytes = client.download(file).to_bytes(1 << 20).await.unwrap();
        assert_eq!(bytes, noise(), "{fault:?}");
    }
}

#[tokio::test]
async fn a_host_that_nobody_vouches_for_is_not_talked_to() {
    let sim = Sim::new(SimConfig::seeded(482));
    sim.add_account("15550100", "Ada").unwrap();
    let _serving = sim.serve("127.0.0.1:0".parse().unwrap()).await.unwrap();
    let stranger = Sim::new(SimConfig::seeded(483));
    let other = stranger.serve("127.0.0.1:0".parse().unwrap()).await.unwrap();
    let client = linked(&sim, Some(&other.media_ca)).await;
    let refused = client.upload(MediaType::Image, noise()).await;
    assert!(matches!(refused, Err(MediaError::Unavailable { .. })), "{refused:?}");
    assert_eq!(sim.media_count(), 0);
}
