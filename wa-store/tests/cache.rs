//! What the SQLite store has at hand is never other than what stands in its tables: whatever reads and
//! commits overlap, it answers as the store in memory does, which has no cache.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::{fmt::Write as _, future::Future, pin::Pin, task::Poll};

use proptest::{collection::vec, prelude::*, sample::select};
use wa_crypto::{KeyPair, PrivateKey, PublicKey};
use wa_proto::{
    Jid,
    stanza::{AddressingMode, GroupInfo},
};
use wa_store::{
    Account, AdvSecret, Change, Changes, DatabaseKey, Device, DeviceList, DeviceVoucher,
    MemoryStore, PreKey, Prefetch, Seen, SqliteStore, Store, Timestamp,
};

fn people() -> Vec<Jid> {
    vec![Jid::phone("15550100"), Jid::phone("15550101"), Jid::lid("900100"), Jid::lid("900101")]
}

fn devices() -> Vec<Jid> {
    people().iter().flat_map(|person| [0, 3].map(|device| person.with_device(device))).collect()
}

fn groups() -> Vec<Jid> {
    vec![Jid::group("120363000000000001"), Jid::group("120363000000000002")]
}

fn at(byte: u8) -> Timestamp {
    Timestamp::from_secs(1_700_000_000 + i64::from(byte))
}

fn pair(byte: u8) -> KeyPair {
    KeyPair::from_private(PrivateKey::from_bytes([byte; 32]))
}

fn public(byte: u8) -> PublicKey {
    pair(byte).public
}

fn seen(byte: u8) -> Seen {
    Seen([byte; 32])
}

fn account() -> Change {
    let secret = AdvSecret::from_bytes([3; 32]);
    Change::PutAccount(Box::new(Account::new(77, pair(1), pair(2), secret, at(0))))
}

/// What is asked of both stores.
#[derive(Debug, Clone)]
enum Ask {
    Devices(Vec<Jid>),
    Device(Jid),
    Person(Jid),
    Names,
    Group(Jid),
    Numbers(u8),
}

fn asks() -> Vec<Ask> {
    let mut asks = vec![Ask::Names, Ask::Devices(devices()), Ask::Numbers(0), Ask::Numbers(1)];
    asks.extend(devices().into_iter().map(Ask::Device));
    asks.extend(people().into_iter().map(Ask::Person));
    asks.extend(groups().into_iter().map(Ask::Group));
    asks
}

/// The answer, as a text that tells everything.
async fn answer(store: &dyn Store, ask: &Ask) -> String {
    let mut told = String::new();
    let mut tell = |what: &dyn std::fmt::Debug| write!(told, "{what:?} ").unwrap();
    match ask {
        Ask::Devices(devices) => {
            let sessions = store.sessions(devices).await.unwrap();
            let identities = store.identities(devices).await.unwrap();
            let vouchers = store.device_vouchers(devices).await.unwrap();
            for device in devices {
                tell(&sessions.get(device).map(|record| record.as_bytes().to_vec()));
                tell(&identities.get(device).map(PublicKey::as_bytes));
                tell(&vouchers.get(device).map(|voucher| voucher.key_index));
            }
        }
        Ask::Device(device) => {
            let session = store.session(device).await.unwrap();
            tell(&session.map(|record| record.as_bytes().to_vec()));
            tell(&store.identity(device).await.unwrap().map(|key| *key.as_bytes()));
            for group in groups() {
                let record = store.sender_key(&group, device).await.unwrap();
                tell(&record.map(|record| record.as_bytes().to_vec()));
            }
        }
        Ask::Person(person) => {
            tell(&store.device_list(person).await.unwrap());
            let lists = store.key_index_lists(std::slice::from_ref(person)).await.unwrap();
            tell(&lists.get(person));
        }
        Ask::Names => {
            let (lids, phones) = (
                store.lids_of(&people()).await.unwrap(),
                store.phones_of(&people()).await.unwrap(),
            );
            for person in people() {
                tell(&(lids.get(&person), phones.get(&person)));
                tell(&store.lid_of(&person).await.unwrap());
                tell(&store.phone_of(&person).await.unwrap());
            }
        }
        Ask::Group(group) => {
            let subject = store.group(group).await.unwrap().map(|group| group.subject);
            tell(&subject);
            let mut holders: Vec<_> =
                store.sender_key_holders(group).await.unwrap().into_iter().collect();
            holders.sort();
            tell(&holders);
        }
        Ask::Numbers(byte) => {
            tell(&store.is_seen(&seen(*byte)).await.unwrap());
            let prekey = store.prekey(u32::from(*byte)).await.unwrap();
            tell(&prekey.map(|key| (key.uploaded, *key.pair.public.as_bytes())));
            tell(&store.setting(&byte.to_string()).await.unwrap());
        }
    }
    told
}

fn change() -> impl Strategy<Value = Change> {
    prop_oneof![device_change(), person_change(), group_change(), number_change()]
}

fn device_change() -> impl Strategy<Value = Change> {
    (select(devices()), 1..4_u8, 0..7_u8).prop_map(|(device, byte, what)| match what {
        0 => Change::DeleteSession(device),
        1 => Change::PutIdentity { device, key: public(byte) },
        2 => Change::AcceptIdentity { device, key: public(byte) },
        3 => Change::DeleteIdentity(device),
        4 => {
            let (identity, account_key) = (public(byte), public(9));
            let voucher =
                DeviceVoucher { identity, account_key, key_index: byte.into(), hosted: false };
            Change::PutDeviceVoucher { device, voucher }
        }
        _ => Change::PutSession { device, record: [byte; 40].into() },
    })
}

fn person_change() -> impl Strategy<Value = Change> {
    let names = (select(people()), select(people()));
    (names, 0..4_u8, 0..9_u8).prop_map(|((user, other), byte, what)| match what {
        0 => Change::DeleteSessionsOfUser(user),
        1 => Change::VoidIdentitiesOfUser(user),
        2 => Change::DeleteIdentitiesOfUser(user),
        3 | 4 => Change::LearnLid { phone: user, lid: other },
        5 => Change::MigrateToLid { phone: user, lid: other },
        6 => Change::DeleteDeviceList(user),
        7 => Change::PutKeyIndexList { user, list: vec![byte; 8] },
        _ => {
            let devices =
                vec![Device { device: u16::from(byte), key_index: Some(1), hosted: false }];
            let list = DeviceList { devices, hash: None, fetched_at: at(byte) };
            Change::PutDeviceList { user, list }
        }
    })
}

fn group_change() -> impl Strategy<Value = Change> {
    (select(groups()), select(devices()), 0..4_u8, 0..8_u8).prop_map(
        |(group, device, byte, what)| match what {
            0 => Change::DeleteSenderKey { group, sender: device },
            1 => Change::ForgetSenderKeyHolders(group),
            2 => Change::ForgetSenderKeyHolder(device),
            3 | 4 => {
                Change::MarkSenderKeyHolders { group, devices: vec![device], has_key: byte > 1 }
            }
            5 => Change::DeleteGroup(group),
            6 => {
                let subject = byte.to_string();
                Change::PutGroup(Box::new(GroupInfo::new(group, AddressingMode::Lid, &subject)))
            }
            _ => Change::PutSenderKey { group, sender: device, record: [byte; 40].into() },
        },
    )
}

fn number_change() -> impl Strategy<Value = Change> {
    (0..2_u8, 1..4_u8, 0..20_u8).prop_map(|(n, byte, what)| match what {
        0 => Change::Unlink,
        1 => account(),
        2..5 => Change::RemovePreKey(n.into()),
        5..7 => Change::MarkPreKeysUploaded(vec![n.into()]),
        7..10 => Change::PutSetting { name: n.to_string(), value: None },
        10..13 => Change::PutSetting { name: n.to_string(), value: Some(vec![byte]) },
        13..16 => Change::MarkSeen { seen: seen(n), at: at(byte) },
        _ => Change::PutPreKeys(vec![PreKey { id: n.into(), pair: pair(byte), uploaded: false }]),
    })
}

/// Some commits, made at once, and what is asked beside them.
#[derive(Debug, Clone)]
struct Round {
    commits: Vec<Vec<Change>>,
    asks: Vec<Ask>,
    look_ahead: bool,
}

fn rounds() -> impl Strategy<Value = Vec<Round>> {
    let commits = vec(vec(change(), 1..4), 0..4);
    let round = (commits, vec(select(asks()), 0..6), any::<bool>());
    let round = round.prop_map(|(commits, asks, look_ahead)| Round { commits, asks, look_ahead });
    vec(round, 1..25)
}

fn ahead() -> Prefetch {
    let mut ahead = Prefetch::default();
    (ahead.devices, ahead.people, ahead.groups) = (devices(), people(), groups());
    ahead.seen = vec![seen(0), seen(1)];
    ahead.prekeys = vec![0, 1];
    let pairs = groups()
        .into_iter()
        .flat_map(|group| devices().into_iter().map(move |d| (group.clone(), d)));
    ahead.sender_keys = pairs.collect();
    ahead
}

type Under<'a, T> = Pin<Box<dyn Future<Output = T> + 'a>>;

/// Lets something begin.
async fn begin<T>(future: &mut Under<'_, T>) -> Option<T> {
    std::future::poll_fn(|context| {
        Poll::Ready(match future.as_mut().poll(context) {
            Poll::Ready(done) => Some(done),
            Poll::Pending => None,
        })
    })
    .await
}

/// Something that began, and its end if it has come.
struct Begun<'a, T>(Under<'a, T>, Option<T>);

impl<'a, T> Begun<'a, T> {
    async fn new(future: impl Future<Output = T> + 'a) -> Self {
        let mut future: Under<'a, T> = Box::pin(future);
        let done = begin(&mut future).await;
        Self(future, done)
    }

    async fn end(self) -> T {
        match self.1 {
            Some(done) => done,
            None => self.0.await,
        }
    }
}

async fn make(memory: &MemoryStore, sqlite: &SqliteStore, round: &Round) {
    let ahead = ahead();
    let look_ahead = match round.look_ahead {
        true => Some(Begun::new(sqlite.prefetch(&ahead)).await),
        false => None,
    };
    let (mut early, mut late) = (Vec::new(), Vec::new());
    for ask in &round.asks {
        early.push(Begun::new(answer(sqlite, ask)).await);
    }
    let mut commits = Vec::new();
    for changes in &round.commits {
        let changes = changes.iter().cloned().collect::<Changes>();
        commits.push(Begun::new(sqlite.commit(changes)).await);
    }
    for ask in &round.asks {
        late.push(Begun::new(answer(sqlite, ask)).await);
    }
    for (changes, commit) in round.commits.iter().zip(commits) {
        let same = memory.commit(changes.iter().cloned().collect::<Changes>()).await;
        let made = commit.end().await;
        assert_eq!(made.is_ok(), same.is_ok(), "{made:?} {same:?}");
    }
    if let Some(look_ahead) = look_ahead {
        look_ahead.end().await.unwrap();
    }
    for begun in early.into_iter().chain(late) {
        begun.end().await;
    }
    for ask in asks() {
        assert_eq!(answer(sqlite, &ask).await, answer(memory, &ask).await, "{ask:?}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, ..ProptestConfig::default() })]

    #[test]
    fn whatever_overlaps_the_store_answers_as_one_without_a_cache(rounds in rounds()) {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        runtime.block_on(async {
            let folder = tempfile::tempdir().unwrap();
            let key = DatabaseKey::from_bytes([7; 32]);
            let sqlite = SqliteStore::open(folder.path().join("wa.db"), key).await.unwrap();
            let memory = MemoryStore::new();
            for round in &rounds {
                make(&memory, &sqlite, round).await;
            }
            sqlite.close().await.unwrap();
        });
    }
}
