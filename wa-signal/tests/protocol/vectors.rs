//! Replays the recorded sessions and sender keys of other implementations.

use std::{collections::HashMap, fs};

use serde_json::Value;
use wa_crypto::{KeyPair, PrivateKey, PublicKey, Signature};
use wa_signal::{
    BundleError, CiphertextMessage, PreKey, PreKeyBundle, PreKeyId, PreKeyPublic, RegistrationId,
    SenderKeyRecord, SessionRecord, SignedPreKey, SignedPreKeyId, SignedPreKeyPublic,
};

use crate::party::{Party, RecordedRng, vectors_dir};

#[test]
fn vectors_signal_session() {
    let cases = cases("signal-session.json");
    for case in &cases {
        let mut replay = SessionReplay {
            name: format!("{} ({})", text(case, "name"), text(case, "source")),
            parties: HashMap::from(["alice", "bob"].map(|who| (who, party(&case[who])))),
        };
        let events = case["events"].as_array().unwrap();
        for (at, event) in events.iter().enumerate() {
            replay.event(events, at, event);
        }
    }
}

struct SessionReplay {
    name: String,
    parties: HashMap<&'static str, Party>,
}

impl SessionReplay {
    fn event(&mut self, events: &[Value], at: usize, event: &Value) {
        let place = format!("{}, event {at}", self.name);
        let party = self.parties.get_mut(text(event, "who")).expect("alice or bob");
        match text(event, "op") {
            "process_bundle" => process_bundle(party, event, &place),
            "encrypt" => {
                let message = party.send(&bytes(event, "plaintext"));
                assert_eq!(message.kind_str(), text(event, "type"), "{place}");
                assert_eq!(hex::encode(message.bytes()), text(event, "ciphertext"), "{place}");
            }
            "encrypt_and_drop" => {
                for _ in 0..event["count"].as_u64().unwrap() {
                    party.send(&bytes(event, "plaintext"));
                }
            }
            "decrypt" => {
                let sent =
                    event.get("message").map(|index| &events[index.as_u64().unwrap() as usize]);
                decrypt(party, sent, event, &place);
            }
            other => panic!("{place}: unknown operation {other}"),
        }
    }
}

fn process_bundle(party: &mut Party, event: &Value, place: &str) {
    let mut rng = generated(event);
    let outcome = party.session.process_bundle(&party.local(), &bundle(&event["bundle"]), &mut rng);
    if is_error(event) {
        assert_eq!(outcome.unwrap_err(), BundleError::BadSignature, "{place}");
    } else {
        party.session = outcome.unwrap_or_else(|error| panic!("{place}: {error}"));
        assert!(rng.is_used_up(), "{place}: randomness left");
    }
}

fn decrypt(party: &mut Party, sent: Option<&Value>, event: &Value, place: &str) {
    let field = |name| event.get(name).or_else(|| sent?.get(name)).and_then(Value::as_str).unwrap();
    let ciphertext = hex::decode(field("ciphertext")).unwrap();
    let message = match field("type") {
        "msg" => CiphertextMessage::Signal(ciphertext),
        "pkmsg" => CiphertextMessage::PreKey(ciphertext),
        other => panic!("{place}: unknown type {other}"),
    };
    let mut rng = generated(event);
    match party.receive(&message, &mut rng) {
        Ok(plaintext) => {
            assert!(!is_error(event), "{place}: decrypted, {}", event["why"]);
            assert_eq!(hex::encode(plaintext), text(event, "plaintext"), "{place}");
            assert!(rng.is_used_up(), "{place}: randomness left");
        }
        Err(error) => assert!(is_error(event), "{place}: {error}"),
    }
}

#[test]
fn vectors_sender_keys() {
    for case in &cases("sender-keys.json") {
        let mut replay = SenderKeyReplay {
            name: text(case, "name"),
            signer: None,
            sender: SenderKeyRecord::new(),
            receiver: SenderKeyRecord::new(),
        };
        let events = case["events"].as_array().unwrap();
        for (at, event) in events.iter().enumerate() {
            replay.event(events, at, event);
        }
    }
}

struct SenderKeyReplay<'a> {
    name: &'a str,
    signer: Option<PublicKey>,
    sender: SenderKeyRecord,
    receiver: SenderKeyRecord,
}

impl SenderKeyReplay<'_> {
    fn event(&mut self, events: &[Value], at: usize, event: &Value) {
        let place = format!("{}, event {at}", self.name);
        let earlier = |name: &str| {
            let sent = event.get("message").map(|index| &events[index.as_u64().unwrap() as usize]);
            hex::decode(event.get(name).or_else(|| sent?.get(name)).unwrap().as_str().unwrap())
                .unwrap()
        };
        match text(event, "op") {
            "sender_key" => {
                let signing = private(event, "signing_private");
                assert_eq!(hex::encode(signing.public.as_bytes()), text(event, "signing_public"));
                let (id, iteration) = (number(event, "key_id"), number(event, "iteration"));
                let chain_key = bytes(event, "chain_key").try_into().unwrap();
                self.signer = Some(signing.public);
                self.sender = SenderKeyRecord::resume(id, iteration, &chain_key, signing);
            }
            "distribute" => {
                self.advance_to(number(event, "iteration"));
                let told = self.sender.distribution_message().unwrap();
                assert_eq!(hex::encode(told), text(event, "skdm"), "{place}");
            }
            "process_distribution" => {
                self.receiver = self.receiver.process_distribution(&earlier("skdm")).unwrap();
            }
            "encrypt" => {
                self.advance_to(number(event, "iteration"));
                self.encrypt(event, &place);
            }
            "decrypt" => self.decrypt(&earlier("ciphertext"), event, &place),
            other => panic!("{place}: unknown operation {other}"),
        }
    }

    /// Uses up iterations the recorded sender left out.
    fn advance_to(&mut self, iteration: u32) {
        while iteration_of(&self.sender) < iteration {
            self.sender = self.sender.encrypt(b"", &mut zeroes()).unwrap().0;
        }
        assert_eq!(iteration_of(&self.sender), iteration);
    }

    /// All but the signature has to be equal, for the recorded signer used another nonce.
    fn encrypt(&mut self, event: &Value, place: &str) {
        let (next, message) =
            self.sender.encrypt(&bytes(event, "plaintext"), &mut zeroes()).unwrap();
        self.sender = next;
        let recorded = bytes(event, "ciphertext");
        let (signed, _) = recorded.split_last_chunk::<64>().unwrap();
        let (ours, signature) = message.split_last_chunk::<64>().unwrap();
        assert_eq!(hex::encode(ours), hex::encode(signed), "{place}");
        let signer = self.signer.expect("a sender key before its messages");
        signer.verify(ours, &Signature::from_bytes(*signature)).expect("our own signature");
    }

    fn decrypt(&mut self, ciphertext: &[u8], event: &Value, place: &str) {
        let before = self.receiver.to_bytes();
        match self.receiver.decrypt(ciphertext) {
            Ok((next, plaintext)) => {
                assert!(!is_error(event), "{place}: decrypted, {}", event["why"]);
                assert_eq!(hex::encode(plaintext), text(event, "plaintext"), "{place}");
                self.receiver = SenderKeyRecord::from_bytes(&next.to_bytes()).unwrap();
            }
            Err(error) => {
                assert!(is_error(event), "{place}: {error}");
                assert_eq!(*self.receiver.to_bytes(), *before, "{place}");
            }
        }
    }
}

/// The iteration of the next message, as the distribution message tells it.
fn iteration_of(record: &SenderKeyRecord) -> u32 {
    let told = record.distribution_message().unwrap();
    // Behind the version byte: field 1, a varint; field 2, a varint.
    let (_, rest) = varint(&told[2..]);
    varint(&rest[1..]).0
}

fn varint(bytes: &[u8]) -> (u32, &[u8]) {
    let end = bytes.iter().position(|byte| byte & 0x80 == 0).unwrap();
    let value =
        bytes[..=end].iter().rev().fold(0, |value, byte| value << 7 | u32::from(byte & 0x7f));
    (value, &bytes[end + 1..])
}

fn zeroes() -> RecordedRng {
    RecordedRng::new([vec![0; 64]])
}

fn cases(file: &str) -> Vec<Value> {
    let text = fs::read_to_string(vectors_dir().join(file)).unwrap();
    let Value::Array(cases) = serde_json::from_str::<Value>(&text).unwrap()["cases"].take() else {
        panic!("{file}: cases are a list");
    };
    assert!(!cases.is_empty(), "{file} has no cases");
    cases
}

fn party(value: &Value) -> Party {
    let signed = &value["signed_prekey"];
    let prekey = |value: &Value| PreKey {
        id: PreKeyId::new(number(value, "id")).unwrap(),
        pair: private(value, "private"),
    };
    Party {
        identity: private(&value["identity"], "private"),
        registration_id: RegistrationId::new(number(value, "registration_id")),
        signed_prekey: SignedPreKey {
            id: SignedPreKeyId::new(number(signed, "id")).unwrap(),
            pair: private(signed, "private"),
            signature: Signature::from_slice(&bytes(signed, "signature")).unwrap(),
        },
        prekeys: value["prekeys"].as_array().unwrap().iter().map(prekey).collect(),
        next_prekey: PreKeyId::FIRST,
        session: SessionRecord::new(),
    }
}

fn bundle(value: &Value) -> PreKeyBundle {
    let signed = &value["signed_prekey"];
    let prekey = value.get("prekey").filter(|prekey| !prekey.is_null());
    PreKeyBundle {
        registration_id: RegistrationId::new(number(value, "registration_id")),
        identity: public(value, "identity"),
        signed_prekey: SignedPreKeyPublic {
            id: SignedPreKeyId::new(number(signed, "id")).unwrap(),
            key: public(signed, "public"),
            signature: Signature::from_slice(&bytes(signed, "signature")).unwrap(),
        },
        prekey: prekey.map(|prekey| PreKeyPublic {
            id: PreKeyId::new(number(prekey, "id")).unwrap(),
            key: public(prekey, "public"),
        }),
    }
}

fn generated(event: &Value) -> RecordedRng {
    let keys = event.get("generated").and_then(Value::as_array).into_iter().flatten();
    RecordedRng::new(keys.map(|key| hex::decode(key.as_str().unwrap()).unwrap()))
}

fn is_error(event: &Value) -> bool {
    event.get("error").and_then(Value::as_bool).unwrap_or(false)
}

fn private(value: &Value, field: &str) -> KeyPair {
    KeyPair::from_private(PrivateKey::from_bytes(bytes(value, field).try_into().unwrap()))
}

fn public(value: &Value, field: &str) -> PublicKey {
    PublicKey::from_slice(&bytes(value, field)).unwrap()
}

fn bytes(value: &Value, field: &str) -> Vec<u8> {
    hex::decode(text(value, field)).unwrap()
}

fn text<'a>(value: &'a Value, field: &str) -> &'a str {
    value[field].as_str().unwrap_or_else(|| panic!("no text field {field} in {value}"))
}

fn number(value: &Value, field: &str) -> u32 {
    value[field].as_u64().and_then(|n| n.try_into().ok()).unwrap()
}
