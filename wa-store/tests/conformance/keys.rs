//! Credentials, keys, sessions, device lists, and what a commit is.

use std::collections::HashMap;

use wa_crypto::Signature;
use wa_proto::{
    Jid,
    stanza::{
        AddressingMode, CommunityRole, GroupDescription, GroupInfo, GroupParticipant, GroupRole,
        MemberAddMode,
    },
};
use wa_store::{
    Change, Changes, Device, DeviceList, DeviceVoucher, FormerIdentity, PreKey, PreKeyCount,
    SecretBytes, SignedPreKey, Store, StoreError,
};

use super::samples::{account, ada, archive, at, bob, commit, group, pair, text};

pub(crate) async fn the_account_is_kept_whole(store: &dyn Store) {
    assert_eq!(store.account().await.unwrap(), None);
    let mut account = account();
    commit(store, [Change::PutAccount(Box::new(account.clone()))]).await;
    assert_eq!(store.account().await.unwrap(), Some(account.clone()));
    assert!(!account.is_linked());
    account.device_identity = Some(vec![1, 2]);
    account.jid = Some(ada().with_device(3));
    account.lid = Some(bob().with_device(3));
    account.push_name = Some("Ada".to_owned());
    account.business_name = Some("Engines".to_owned());
    account.platform = Some("android".to_owned());
    account.linked_at = Some(at(1));
    account.lid_migrated_at = Some(at(2));
    account.next_prekey_id = 813;
    account.next_signed_prekey_id = 2;
    account.routing_info = Some(vec![9]);
    account.server_static = Some(pair(5).public);
    commit(store, [Change::PutAccount(Box::new(account.clone()))]).await;
    assert_eq!(store.account().await.unwrap(), Some(account));
}

pub(crate) async fn prekeys_are_counted_until_they_are_used(store: &dyn Store) {
    let prekey = |id| PreKey { id, pair: pair(id as u8), uploaded: false };
    commit(store, [Change::PutPreKeys((1..=5).map(prekey).collect())]).await;
    commit(store, [Change::MarkPreKeysUploaded(vec![1, 2, 99])]).await;
    let count = store.prekey_count().await.unwrap();
    assert_eq!(count, PreKeyCount { uploaded: 2, not_uploaded: 3 });
    assert_eq!(store.prekeys_not_uploaded(2).await.unwrap(), [prekey(3), prekey(4)]);
    commit(store, [Change::RemovePreKey(1)]).await;
    assert_eq!(store.prekey(1).await.unwrap(), None);
    let uploaded = PreKey { uploaded: true, ..prekey(2) };
    assert_eq!(store.prekey(2).await.unwrap(), Some(uploaded));
}

pub(crate) async fn signed_prekeys_are_given_newest_first(store: &dyn Store) {
    let key = |id: u32, seconds| SignedPreKey {
        id,
        pair: pair(id as u8),
        signature: Signature::from_bytes([id as u8; 64]),
        created_at: at(seconds),
    };
    let put = |key| Change::PutSignedPreKey(Box::new(key));
    commit(store, [put(key(1, 5)), put(key(2, 9)), put(key(3, 7))]).await;
    let ids: Vec<u32> = store.signed_prekeys().await.unwrap().iter().map(|key| key.id).collect();
    assert_eq!(ids, [2, 3, 1]);
    commit(store, [Change::RemoveSignedPreKey(1)]).await;
    assert_eq!(store.signed_prekey(1).await.unwrap(), None);
    assert_eq!(store.signed_prekey(3).await.unwrap(), Some(key(3, 7)));
}

pub(crate) async fn sessions_and_identities_stand_under_exactly_their_device(store: &dyn Store) {
    let devices = [ada(), ada().with_device(2), bob()];
    for (device, byte) in devices.iter().zip(1..) {
        let record = SecretBytes::from([byte; 3]);
        commit(
            store,
            [
                Change::PutSession { device: device.clone(), record },
                Change::PutIdentity { device: device.clone(), key: pair(byte).public },
            ],
        )
        .await;
    }
    let sessions = store.sessions(&[bob(), ada(), ada().with_device(9)]).await.unwrap();
    let expected = [(bob(), [3; 3].into()), (ada(), [1; 3].into())];
    assert_eq!(sessions, HashMap::from(expected));
    assert_eq!(store.session_devices(&ada()).await.unwrap(), [ada(), ada().with_device(2)]);
    assert_eq!(store.identity(&bob()).await.unwrap(), Some(pair(3).public));
    assert_eq!(store.identities(&devices).await.unwrap().len(), 3);

    commit(store, [Change::DeleteSession(ada()), Change::DeleteIdentity(bob())]).await;
    assert_eq!(store.session(&ada()).await.unwrap(), None);
    assert!(store.session(&devices[1]).await.unwrap().is_some());
    assert_eq!(store.identity(&bob()).await.unwrap(), None);
    commit(store, [Change::DeleteSessionsOfUser(ada()), Change::DeleteIdentitiesOfUser(ada())])
        .await;
    assert_eq!(store.session(&devices[1]).await.unwrap(), None);
    assert!(store.session(&bob()).await.unwrap().is_some());
    assert!(store.identities(&devices).await.unwrap().is_empty());
}

pub(crate) async fn sender_keys_and_their_holders_are_forgotten_one_by_one(store: &dyn Store) {
    let sender = bob().with_device(4);
    let put = |record: [u8; 2]| Change::PutSenderKey {
        group: group(),
        sender: sender.clone(),
        record: record.into(),
    };
    commit(store, [put([1; 2]), put([2; 2])]).await;
    assert_eq!(store.sender_key(&group(), &sender).await.unwrap(), Some([2; 2].into()));
    assert_eq!(store.sender_key(&group(), &bob()).await.unwrap(), None);
    commit(store, [Change::DeleteSenderKey { group: group(), sender: sender.clone() }]).await;
    assert_eq!(store.sender_key(&group(), &sender).await.unwrap(), None);

    let mark = |group, devices, has_key| Change::MarkSenderKeyHolders { group, devices, has_key };
    commit(
        store,
        [
            mark(group(), vec![ada(), sender.clone()], true),
            mark(group(), vec![ada()], false),
            mark(Jid::status(), vec![sender.clone()], true),
        ],
    )
    .await;
    let holders = store.sender_key_holders(&group()).await.unwrap();
    assert_eq!(holders, HashMap::from([(ada(), false), (sender.clone(), true)]));
    commit(store, [Change::ForgetSenderKeyHolder(sender)]).await;
    assert!(store.sender_key_holders(&Jid::status()).await.unwrap().is_empty());
    assert_eq!(store.sender_key_holders(&group()).await.unwrap().len(), 1);
    commit(store, [Change::ForgetSenderKeyHolders(group())]).await;
    assert!(store.sender_key_holders(&group()).await.unwrap().is_empty());
}

pub(crate) async fn sender_keys_go_with_the_identity_under_which_they_were_told(store: &dyn Store) {
    let hosted = Jid::new(bob().user, wa_proto::Server::HostedLid).with_device(99);
    let (phone, companion) = (bob(), bob().with_device(5));
    let everybody = [phone.clone(), companion.clone(), hosted, ada()];
    let told = || {
        let put = |sender: &Jid| Change::PutSenderKey {
            group: group(),
            sender: sender.clone(),
            record: [1; 2].into(),
        };
        commit(store, everybody.iter().map(put).collect::<Vec<_>>())
    };
    let kept = async || {
        let mut kept = Vec::new();
        for sender in &everybody {
            kept.push(store.sender_key(&group(), sender).await.unwrap().is_some());
        }
        kept
    };
    accept(store, &phone, 1).await;
    accept(store, &companion, 2).await;
    told().await;
    for (device, seed) in [(&phone, 1), (&companion, 2)] {
        accept(store, device, seed).await;
        assert_eq!(kept().await, [true; 4], "the same identity again is nothing new");
    }
    accept(store, &companion, 3).await;
    assert_eq!(kept().await, [true, false, true, true]);
    told().await;
    accept(store, &phone, 4).await;
    assert_eq!(kept().await, [false, false, false, true], "all that the phone vouched for");
    told().await;
    commit(store, [Change::VoidIdentitiesOfUser(bob())]).await;
    assert_eq!(kept().await, [false, false, true, true]);
    told().await;
    commit(store, [Change::DeleteSenderKeysOfDevice(companion.clone())]).await;
    assert_eq!(kept().await, [true, false, true, true]);
}

pub(crate) async fn device_lists_are_replaced_whole(store: &dyn Store) {
    let device = |device, key_index| Device { device, key_index, hosted: device == 99 };
    let mut list = DeviceList {
        devices: vec![device(0, None), device(7, Some(2)), device(99, Some(1))],
        hash: Some("2:abc".to_owned()),
        fetched_at: at(4),
    };
    let put = |list: &DeviceList| Change::PutDeviceList { user: bob(), list: list.clone() };
    commit(store, [put(&list)]).await;
    assert_eq!(store.device_list(&bob().with_device(7)).await.unwrap(), Some(list.clone()));
    list.devices.truncate(1);
    commit(store, [put(&list)]).await;
    let lists = store.device_lists(&[ada(), bob()]).await.unwrap();
    assert_eq!(lists, HashMap::from([(bob(), list)]));
    commit(store, [Change::DeleteDeviceList(bob())]).await;
    assert_eq!(store.device_list(&bob()).await.unwrap(), None);
}

pub(crate) async fn what_was_verified_outlives_the_device_list(store: &dyn Store) {
    let voucher = |key_index| DeviceVoucher {
        identity: pair(1).public,
        account_key: pair(2).public,
        key_index,
        hosted: key_index == 99,
    };
    let put = |device: u16| Change::PutDeviceVoucher {
        device: bob().with_device(device),
        voucher: voucher(u32::from(device)),
    };
    let list = |byte| Change::PutKeyIndexList { user: bob(), list: vec![byte; 2] };
    let kept = DeviceList::default();
    let kept = Change::PutDeviceList { user: bob(), list: kept };
    commit(store, [kept, put(3), put(99), put(3), list(7), list(8)]).await;
    commit(store, [Change::DeleteDeviceList(bob()), Change::DeleteIdentitiesOfUser(bob())]).await;
    let devices = [bob().with_device(3), bob().with_device(99), bob()];
    let expected = [(devices[0].clone(), voucher(3)), (devices[1].clone(), voucher(99))];
    assert_eq!(store.device_vouchers(&devices).await.unwrap(), HashMap::from(expected));
    let lists = store.key_index_lists(&[bob(), ada()]).await.unwrap();
    assert_eq!(lists, HashMap::from([(bob(), vec![8, 8])]));
    commit(store, [Change::PutAccount(Box::new(account())), Change::Unlink]).await;
    assert!(store.device_vouchers(&devices).await.unwrap().is_empty());
    assert!(store.key_index_lists(&[bob()]).await.unwrap().is_empty());
}

pub(crate) async fn an_unlinked_device_takes_no_writes_until_the_next_account(store: &dyn Store) {
    let session = || Change::PutSession { device: bob(), record: [1; 2].into() };
    commit(
        store,
        [
            Change::PutAccount(Box::new(account())),
            session(),
            archive(text(&bob(), "A", 1, "kept")),
            Change::Unlink,
        ],
    )
    .await;
    assert_eq!(store.account().await.unwrap(), None);
    assert_eq!(store.session(&bob()).await.unwrap(), None);
    assert_eq!(store.stats().await.unwrap().messages, 1);

    let late = store.commit(Changes::from(session())).await;
    assert!(matches!(late, Err(StoreError::Unlinked)), "{late:?}");
    commit(store, [Change::PutSetting { name: "theme".to_owned(), value: Some(vec![1]) }]).await;
    commit(store, [Change::PutAccount(Box::new(account())), session()]).await;
    assert!(store.session(&bob()).await.unwrap().is_some());
}

pub(crate) async fn a_commit_lands_whole_or_not_at_all(store: &dyn Store) {
    commit(store, [Change::Unlink, Change::PutAccount(Box::new(account()))]).await;
    let refused = store
        .commit(
            Changes::new()
                .with(Change::PutSession { device: bob(), record: [1; 2].into() })
                .with(archive(text(&bob(), "A", 1, "not to be seen")))
                .with(Change::Unlink)
                .with(Change::DeleteSession(bob())),
        )
        .await;
    assert!(matches!(refused, Err(StoreError::Unlinked)), "{refused:?}");
    assert!(store.account().await.unwrap().is_some());
    assert_eq!(store.session(&bob()).await.unwrap(), None);
    let stats = store.stats().await.unwrap();
    assert_eq!((stats.messages, stats.chats, stats.last_seq.0), (0, 0, 0));
}

pub(crate) async fn a_closed_store_refuses(store: &dyn Store) {
    store.close().await.unwrap();
    assert!(matches!(store.commit(Changes::new()).await, Err(StoreError::Closed)));
    assert!(matches!(store.account().await, Err(StoreError::Closed)));
}

pub(crate) async fn groups_are_replaced_whole_and_forgotten(store: &dyn Store) {
    let mut tea = GroupInfo::new(group(), AddressingMode::Lid, "Tea");
    tea.subject_owner = Some(bob());
    tea.subject_time = Some(5);
    tea.created = Some(4);
    tea.creator = Some(bob());
    let mut about = GroupDescription::new(Some("d1".into()), "About tea");
    about.author = Some(bob());
    about.timestamp = Some(6);
    tea.description = Some(about);
    tea.size = Some(2);
    tea.participant_version = Some("17".into());
    tea.is_locked = true;
    tea.is_announcement = true;
    tea.ephemeral = 86_400;
    tea.needs_approval = true;
    tea.member_add_mode = MemberAddMode::Everybody;
    tea.is_suspended = true;
    let parent = Some(Jid::group("120363000000000009"));
    tea.community = CommunityRole::SubGroup { parent, is_default: true };
    let mut admin = GroupParticipant::new(bob());
    admin.phone = Some(ada());
    admin.role = GroupRole::SuperAdmin;
    admin.display_name = Some("+1 ∙∙∙ 00".to_owned());
    let mut by_phone = GroupParticipant::new(ada());
    by_phone.lid = Some(bob());
    by_phone.role = GroupRole::Admin;
    tea.participants = vec![admin, by_phone];
    let put = |info: &GroupInfo| Change::PutGroup(Box::new(info.clone()));
    commit(store, [put(&tea)]).await;
    assert_eq!(store.group(&group()).await.unwrap(), Some(tea.clone()));

    tea.participants.truncate(1);
    tea.community = CommunityRole::Parent;
    tea.description = None;
    let other = GroupInfo::new(Jid::group("120363000000000000"), AddressingMode::Phone, "");
    commit(store, [put(&tea), put(&other)]).await;
    assert_eq!(store.groups().await.unwrap(), [other.clone(), tea]);
    commit(store, [Change::DeleteGroup(group())]).await;
    assert_eq!(store.group(&group()).await.unwrap(), None);
    commit(store, [Change::PutAccount(Box::new(account())), Change::Unlink]).await;
    assert_eq!(store.groups().await.unwrap(), []);
}

async fn accept(store: &dyn Store, device: &Jid, seed: u8) {
    let accepted = Change::AcceptIdentity { device: device.clone(), key: pair(seed).public };
    commit(store, [accepted]).await;
}

async fn former(store: &dyn Store, user: &Jid, seed: u8) -> Option<FormerIdentity> {
    store.former_identity(user, &pair(seed).public).await.unwrap()
}

pub(crate) async fn a_key_that_another_replaced_is_a_former_one_until_its_device_has_it_again(
    store: &dyn Store,
) {
    let (phone, companion) = (bob(), bob().with_device(5));
    accept(store, &phone, 1).await;
    accept(store, &companion, 2).await;
    accept(store, &phone, 1).await;
    assert_eq!(former(store, &bob(), 1).await, None);
    accept(store, &phone, 3).await;
    assert_eq!(store.identity(&phone).await.unwrap(), Some(pair(3).public));
    assert_eq!(former(store, &bob(), 1).await, Some(FormerIdentity::Replaced));
    assert_eq!(former(store, &bob(), 2).await, None, "the other device keeps its own");
    assert_eq!(former(store, &ada(), 1).await, None);
    // Whichever device it comes from, and after whatever else.
    accept(store, &companion, 1).await;
    commit(store, [Change::VoidIdentitiesOfUser(bob())]).await;
    assert_eq!(former(store, &bob(), 1).await, Some(FormerIdentity::Replaced));
    // A key counts as replaced for as long as 64 later ones do.
    for seed in 10..=73 {
        accept(store, &phone, seed).await;
    }
    assert_eq!(former(store, &bob(), 10).await, Some(FormerIdentity::Replaced));
    assert_eq!(former(store, &bob(), 73).await, None);
    // Its device has it again.
    accept(store, &phone, 10).await;
    assert_eq!(former(store, &bob(), 10).await, None);
    assert_eq!(former(store, &bob(), 73).await, Some(FormerIdentity::Replaced));
    commit(store, [Change::Unlink]).await;
    assert_eq!(former(store, &bob(), 73).await, None);
}

pub(crate) async fn a_voided_key_is_a_former_one_until_it_is_accepted_again(store: &dyn Store) {
    let (by_phone, by_lid) = (Jid::phone("15550200"), Jid::lid("77"));
    accept(store, &by_phone, 1).await;
    accept(store, &by_phone.with_device(5), 2).await;
    commit(store, [Change::VoidIdentitiesOfUser(by_phone.clone())]).await;
    assert_eq!(store.identity(&by_phone).await.unwrap(), None);
    let moved = Change::MigrateToLid { phone: by_phone.clone(), lid: by_lid.clone() };
    commit(store, [moved]).await;
    assert_eq!(former(store, &by_phone, 1).await, None);
    assert_eq!(former(store, &by_lid, 1).await, Some(FormerIdentity::Voided));
    accept(store, &by_lid, 1).await;
    assert_eq!(former(store, &by_lid, 1).await, None, "it was not replaced");
    accept(store, &by_lid.with_device(5), 3).await;
    assert_eq!(former(store, &by_lid, 2).await, Some(FormerIdentity::Replaced));
}
