//! A raw client for the tests: it speaks the handshake, frames and nodes, and does by hand what
//! each test is about. Knows nothing of storage or of retries of its own.

#![expect(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, reason = "for tests")]

use std::time::Duration;

use base64::{Engine as _, engine::general_purpose::STANDARD};
use prost::Message as _;
use rand_chacha::{ChaCha20Rng, rand_core::SeedableRng};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, DuplexStream};
use wa_crypto::{KeyPair, PublicKey, Signature, hmac_sha256};
use wa_noise::{
    CertificatePolicy, ClientHandshake, ConnectionHeader, FrameDecoder, Opener, Prologue, Resumed,
    Sealer, encode_frame,
};
use wa_proto::{Jid, Node, OwnedNode, node, pb};
use wa_signal::{
    LocalIdentity, PreKey, PreKeyId, PreKeyMessageHeader, RegistrationId, SessionRecord,
    SignedPreKey, SignedPreKeyId, padding,
};
use wa_sim::{Phone, Sim};

/// How long a test waits for a stanza.
pub(crate) const PATIENCE: Duration = Duration::from_secs(5);

/// What a device keeps between its connections.
pub(crate) struct Companion {
    pub(crate) rng: ChaCha20Rng,
    pub(crate) noise: KeyPair,
    pub(crate) identity: KeyPair,
    pub(crate) registration_id: RegistrationId,
    pub(crate) signed_prekey: SignedPreKey,
    pub(crate) prekeys: Vec<PreKey>,
    pub(crate) adv_secret: [u8; 32],
    pub(crate) jid: Jid,
    pub(crate) lid: Jid,
    pub(crate) account_key: Vec<u8>,
    pub(crate) session: SessionRecord,
    /// The server's key, as the last full handshake showed it.
    pub(crate) server_static: Option<PublicKey>,
}

/// One connection of a device.
pub(crate) struct Link {
    stream: DuplexStream,
    sealer: Sealer,
    opener: Opener,
    frames: FrameDecoder,
    pub(crate) transcript: Vec<u8>,
    next_id: u32,
}

impl Companion {
    pub(crate) fn new(seed: u64) -> Self {
        let mut rng = ChaCha20Rng::seed_from_u64(seed);
        let identity = KeyPair::random(&mut rng);
        let signed_prekey = SignedPreKey::generate(SignedPreKeyId::FIRST, &identity, &mut rng);
        Self {
            noise: KeyPair::random(&mut rng),
            registration_id: RegistrationId::random(&mut rng),
            adv_secret: [seed as u8; 32],
            prekeys: Vec::new(),
            jid: Jid::server(),
            lid: Jid::server(),
            account_key: Vec::new(),
            session: SessionRecord::new(),
            server_static: None,
            signed_prekey,
            identity,
            rng,
        }
    }

    /// A device that is linked to the phone's account and is not connected.
    pub(crate) async fn linked(sim: &Sim, phone: &Phone, seed: u64) -> Self {
        // What it is told are the messages of the test alone.
        phone.withhold_sync_keys(true);
        let mut companion = Self::new(seed);
        let mut link = companion.connect_new(sim).await;
        let reference = link.first_ref().await;
        phone.scan_qr(&companion.qr(&reference)).unwrap();
        let success = link.expect(|node| node.find("pair-success").is_some()).await;
        let reply = companion.sign(&success);
        link.send(&reply).await;
        let restart = link.expect(|node| node.tag == "stream:error").await;
        assert!(restart.attrs.is("code", "515"));
        link.expect_end().await;
        companion
    }

    /// Connects as a client that wants to be linked.
    pub(crate) async fn connect_new(&mut self, sim: &Sim) -> Link {
        let registration = self.registration_payload();
        self.connect(sim, &registration).await.unwrap()
    }

    /// Connects and logs in; the answer to the login is still to be read.
    pub(crate) async fn log_in(&mut self, sim: &Sim) -> Link {
        let login = self.login_payload();
        self.connect(sim, &login).await.unwrap()
    }

    /// Logs in and becomes active; the backlog is still to be read.
    pub(crate) async fn online(&mut self, sim: &Sim) -> Link {
        let mut link = self.log_in(sim).await;
        link.expect(|node| node.tag == "success").await;
        link.activate().await;
        link
    }

    pub(crate) async fn connect(&mut self, sim: &Sim, payload: &pb::ClientPayload) -> Option<Link> {
        let mut stream = sim.connect();
        let (client, hello) =
            ClientHandshake::start(self.noise.clone(), Prologue::CURRENT, &mut self.rng);
        let mut wire = ConnectionHeader::default().encode().unwrap();
        wire.extend(encode_frame(&hello).unwrap());
        stream.write_all(&wire).await.ok()?;
        let mut frames = FrameDecoder::new();
        let hello = read_frame(&mut stream, &mut frames).await?;
        let policy = CertificatePolicy { root: sim.noise_root(), now: sim.now() };
        let verified = client.receive(&hello, &policy).unwrap();
        self.server_static = Some(verified.server().server_static);
        let (finish, transport) = verified.finish(&payload.encode_to_vec());
        stream.write_all(&encode_frame(&finish).unwrap()).await.ok()?;
        let (sealer, opener) = transport.split();
        Some(Link { stream, sealer, opener, frames, transcript: Vec::new(), next_id: 0 })
    }

    /// Logs in by a resumption with this server key; answers too whether the server knew it.
    pub(crate) async fn resume(&mut self, sim: &Sim, server_static: PublicKey) -> (Link, bool) {
        let mut stream = sim.connect();
        let payload = self.login_payload().encode_to_vec();
        let keys = self.noise.clone();
        let (client, hello) = ClientHandshake::resume(
            keys,
            server_static,
            &payload,
            Prologue::CURRENT,
            &mut self.rng,
        )
        .unwrap();
        let mut wire = ConnectionHeader::default().encode().unwrap();
        wire.extend(encode_frame(&hello).unwrap());
        stream.write_all(&wire).await.unwrap();
        let mut frames = FrameDecoder::new();
        let hello = read_frame(&mut stream, &mut frames).await.unwrap();
        let policy = CertificatePolicy { root: sim.noise_root(), now: sim.now() };
        let (transport, known) = match client.receive(&hello, &policy).unwrap() {
            Resumed::Established { transport, .. } => (transport, true),
            Resumed::FellBack(verified) => {
                let (finish, transport) = verified.finish(&payload);
                stream.write_all(&encode_frame(&finish).unwrap()).await.unwrap();
                (transport, false)
            }
        };
        let (sealer, opener) = transport.split();
        (Link { stream, sealer, opener, frames, transcript: Vec::new(), next_id: 0 }, known)
    }

    pub(crate) fn registration_payload(&self) -> pb::ClientPayload {
        let signed = self.signed_prekey.public();
        let data = pb::client_payload::DevicePairingRegistrationData {
            e_regid: Some(self.registration_id.as_u32().to_be_bytes().to_vec().into()),
            e_keytype: Some(vec![5].into()),
            e_ident: Some(self.identity.public.as_bytes().to_vec().into()),
            e_skey_id: Some(signed.id.to_be_bytes().to_vec().into()),
            e_skey_val: Some(signed.key.as_bytes().to_vec().into()),
            e_skey_sig: Some(signed.signature.as_bytes().to_vec().into()),
            ..Default::default()
        };
        pb::ClientPayload {
            device_pairing_data: Some(data),
            user_agent: Some(user_agent([2, 3000, 1])),
            ..Default::default()
        }
    }

    pub(crate) fn login_payload(&self) -> pb::ClientPayload {
        pb::ClientPayload {
            username: self.jid.user.parse().ok(),
            device: Some(u32::from(self.jid.device)),
            passive: Some(true),
            user_agent: Some(user_agent([2, 3000, 1])),
            ..Default::default()
        }
    }

    /// The comma form of the QR text for a ref.
    pub(crate) fn qr(&self, reference: &str) -> String {
        let keys =
            [self.noise.public.as_bytes(), self.identity.public.as_bytes(), &self.adv_secret];
        let [noise, identity, secret] = keys.map(|key| STANDARD.encode(key));
        format!("{reference},{noise},{identity},{secret},1")
    }

    /// Checks a `pair-success` and answers it with the device's signature.
    pub(crate) fn sign(&mut self, iq: &OwnedNode) -> OwnedNode {
        let success = iq.find("pair-success").unwrap();
        let device = success.find("device").unwrap();
        self.jid = device.attrs.jid("jid").unwrap();
        self.lid = device.attrs.jid("lid").unwrap();
        let sealed = success.find("device-identity").unwrap().content_bytes().unwrap();
        let sealed = pb::AdvSignedDeviceIdentityHmac::decode(sealed).unwrap();
        let details = sealed.details.unwrap();
        assert_eq!(sealed.hmac.unwrap(), hmac_sha256(&self.adv_secret, &[&details]).to_vec());
        let mut signed = pb::AdvSignedDeviceIdentity::decode(details).unwrap();
        let account_key = signed.account_signature_key.take().unwrap();
        let key = PublicKey::from_slice(&account_key).unwrap();
        let device = signed.details.clone().unwrap();
        let own = self.identity.public.as_bytes();
        let account_signature =
            Signature::from_slice(signed.account_signature.as_ref().unwrap()).unwrap();
        key.verify(&[&[6, 0][..], &device, own].concat(), &account_signature).unwrap();
        let message = [&[6, 1][..], &device, own, &account_key].concat();
        let signature = self.identity.private.sign(&message, &mut self.rng);
        signed.device_signature = Some(signature.as_bytes().to_vec().into());
        self.account_key = account_key.to_vec();
        let identity =
            Node::new("device-identity").attr("key-index", "1").bytes(signed.encode_to_vec());
        Node::new("iq")
            .attr("to", Jid::server())
            .attr("type", "result")
            .attr("id", iq.attrs.text("id").unwrap().into_owned())
            .child(Node::new("pair-device-sign").child(identity))
    }

    /// An upload of `count` fresh prekeys.
    pub(crate) fn prekey_upload(&mut self, count: u32) -> OwnedNode {
        let first = self.prekeys.len() as u32 + 1;
        let fresh: Vec<PreKey> = (first..first + count)
            .map(|id| PreKey::generate(PreKeyId::new(id).unwrap(), &mut self.rng))
            .collect();
        let keys = fresh.iter().map(|prekey| {
            Node::new("key")
                .child(Node::new("id").bytes(prekey.id.to_be_bytes().to_vec()))
                .child(Node::new("value").bytes(prekey.pair.public.as_bytes().to_vec()))
        });
        let signed = self.signed_prekey.public();
        let iq = Node::new("iq")
            .attr("xmlns", "encrypt")
            .attr("type", "set")
            .attr("to", Jid::server())
            .child(
                Node::new("registration")
                    .bytes(self.registration_id.as_u32().to_be_bytes().to_vec()),
            )
            .child(Node::new("type").bytes(vec![5]))
            .child(Node::new("identity").bytes(self.identity.public.as_bytes().to_vec()))
            .child(Node::new("list").children(keys))
            .child(
                Node::new("skey")
                    .child(Node::new("id").bytes(signed.id.to_be_bytes().to_vec()))
                    .child(Node::new("value").bytes(signed.key.as_bytes().to_vec()))
                    .child(Node::new("signature").bytes(signed.signature.as_bytes().to_vec())),
            );
        self.prekeys.extend(fresh);
        iq
    }

    /// Decrypts a message from the one device this companion has a session with.
    pub(crate) fn decrypt(&mut self, message: &OwnedNode) -> Option<pb::Message> {
        let enc = message.find("enc")?;
        let bytes = enc.content_bytes()?;
        let local = LocalIdentity::new(&self.identity, self.registration_id);
        let decrypted = if enc.attrs.is("type", "pkmsg") {
            let header = PreKeyMessageHeader::parse(bytes).ok()?;
            let prekey = self.prekeys.iter().find(|prekey| Some(prekey.id) == header.prekey_id);
            let signed = Some(&self.signed_prekey);
            self.session.decrypt_prekey(&local, prekey, signed, bytes, &mut self.rng).ok()?
        } else {
            self.session.decrypt_signal(&local, bytes, &mut self.rng).ok()?
        };
        self.session = decrypted.session;
        pb::Message::decode(padding::unpad(&decrypted.plaintext).ok()?).ok()
    }
}

pub(crate) fn user_agent(
    [primary, secondary, tertiary]: [u32; 3],
) -> pb::client_payload::UserAgent {
    pb::client_payload::UserAgent {
        app_version: Some(pb::client_payload::user_agent::AppVersion {
            primary: Some(primary),
            secondary: Some(secondary),
            tertiary: Some(tertiary),
            ..Default::default()
        }),
        ..Default::default()
    }
}

impl Link {
    pub(crate) async fn send(&mut self, node: &OwnedNode) {
        let frame = self.sealer.seal(&node.encode()).unwrap();
        self.stream.write_all(&encode_frame(&frame).unwrap()).await.unwrap();
    }

    /// The next stanza, or `None` at the end of the stream.
    ///
    /// # Panics
    /// If nothing comes for [`PATIENCE`], or something that does not decrypt.
    pub(crate) async fn receive(&mut self) -> Option<OwnedNode> {
        self.try_receive().await.expect("a frame that decrypts")
    }

    /// As [`Link::receive`]; an error is a frame that does not decrypt.
    pub(crate) async fn try_receive(&mut self) -> Result<Option<OwnedNode>, wa_noise::OpenError> {
        let read = read_frame(&mut self.stream, &mut self.frames);
        let Some(frame) = tokio::time::timeout(PATIENCE, read).await.expect("a stanza in time")
        else {
            return Ok(None);
        };
        let plaintext = self.opener.open(&frame)?;
        self.transcript.extend_from_slice(&plaintext);
        Ok(Some(node::read(&plaintext).unwrap()))
    }

    /// The next stanza like this; those before it are skipped.
    pub(crate) async fn expect(&mut self, matches: impl Fn(&OwnedNode) -> bool) -> OwnedNode {
        loop {
            let node = self.receive().await.expect("a stanza before the end of the stream");
            if matches(&node) {
                return node;
            }
        }
    }

    pub(crate) async fn expect_message(&mut self) -> OwnedNode {
        self.expect(|node| node.tag == "message").await
    }

    /// Whether nothing more comes for a while.
    pub(crate) async fn is_quiet(&mut self) -> bool {
        let read = read_frame(&mut self.stream, &mut self.frames);
        tokio::time::timeout(Duration::from_millis(200), read).await.is_err()
    }

    /// Reads to the end of the stream.
    pub(crate) async fn expect_end(&mut self) {
        while self.receive().await.is_some() {}
    }

    pub(crate) async fn first_ref(&mut self) -> String {
        let iq = self.expect(|node| node.find("pair-device").is_some()).await;
        let pair_device = iq.find("pair-device").unwrap();
        assert_eq!(pair_device.nodes().len(), 6);
        pair_device.nodes()[0].content_text().unwrap().to_owned()
    }

    /// A query with its answer.
    pub(crate) async fn request(&mut self, iq: OwnedNode) -> OwnedNode {
        self.next_id += 1;
        let id = format!("q{}", self.next_id);
        self.send(&iq.attr("id", id.clone())).await;
        self.expect(|node| node.tag == "iq" && node.attrs.is("id", &id)).await
    }

    pub(crate) async fn activate(&mut self) {
        let passive =
            Node::new("iq").attr("xmlns", "passive").attr("type", "set").attr("to", Jid::server());
        self.request(passive.child(Node::new("active"))).await;
    }

    /// Confirms a message by a delivery receipt.
    pub(crate) async fn confirm(&mut self, message: &OwnedNode) {
        let receipt = Node::new("receipt")
            .attr("id", message.attrs.text("id").unwrap().into_owned())
            .attr("to", message.attrs.jid("from").unwrap());
        self.send(&receipt).await;
        self.expect(|node| node.tag == "ack" && node.attrs.is("class", "receipt")).await;
    }
}

async fn read_frame(stream: &mut DuplexStream, frames: &mut FrameDecoder) -> Option<bytes::Bytes> {
    let mut buffer = [0; 4096];
    loop {
        if let Some(frame) = frames.next_frame().unwrap() {
            return Some(frame);
        }
        match stream.read(&mut buffer).await {
            Ok(read) if read > 0 => frames.push(&buffer[..read]),
            _ => return None,
        }
    }
}

/// The id of a stanza.
pub(crate) fn id(node: &OwnedNode) -> String {
    node.attrs.text("id").unwrap().into_owned()
}
