//! What stanzas mean, and the form of those that are sent.
#![expect(clippy::unwrap_used, clippy::panic, reason = "a test may panic")]

use wa_proto::{
    Jid, MessageId, Node, OwnedNode, Stanza, node,
    stanza::{
        AccountChange, Activity, AddressingMode, CallEvent, ChatKind, DevicesChangeKind, Edit,
        EncKind, FailureReason, GroupChange, GroupRole, IncomingMessage, InfoItem, Iq, IqErrorKind,
        MessageSource, NackReason, NotificationBody, OutgoingEnc, OutgoingMessage, OwnJids,
        ParseError, ParticipantChangeKind, PeerPriority, Receipt, ReceiptKind, RetryReason,
        RetryReceipt, SentReceipt, SentReceiptKind, ServerRequest, SourceError, StreamError,
        Unavailable, WireKeyBundle, WirePreKey, WireSignedPreKey, chat_state, offline_batch,
        pair_device_sign, presence, unified_session,
    },
};

const ME: &str = "15550000001:7@s.whatsapp.net";
const MY_LID: &str = "900000000000001:7@lid";
const GROUP: &str = "120363000000000001@g.us";

fn jid(text: &str) -> Jid {
    text.parse().unwrap()
}

fn id(text: &str) -> MessageId {
    MessageId::new(text).unwrap()
}

fn own() -> OwnJids {
    OwnJids { phone: jid(ME), lid: Some(jid(MY_LID)) }
}

/// Parses what a node is after a journey over the wire.
fn parse(node: &Node<'_>) -> Stanza {
    Stanza::parse(node::read(&node.encode()).unwrap())
}

fn stanza(tag: &'static str, from: &str) -> OwnedNode {
    Node::new(tag).attr("from", jid(from)).attr("id", "3EB0AA").attr("t", "1700000000")
}

fn message_from(from: &str) -> OwnedNode {
    stanza("message", from).attr("type", "text")
}

fn message(node: &Node<'_>) -> IncomingMessage {
    match parse(node) {
        Stanza::Message(message) => *message,
        other => panic!("{other:?}"),
    }
}

fn source(node: &Node<'_>) -> MessageSource {
    message(node).source(&own()).unwrap()
}

fn receipt(node: &Node<'_>) -> Receipt {
    match parse(node) {
        Stanza::Receipt(receipt) => *receipt,
        other => panic!("{other:?}"),
    }
}

fn notification(kind: &'static str, from: &str, child: OwnedNode) -> NotificationBody {
    match parse(&stanza("notification", from).attr("type", kind).child(child)) {
        Stanza::Notification(notification) => notification.body,
        other => panic!("{other:?}"),
    }
}

mod messages {
    use super::*;

    #[test]
    fn every_ciphertext_is_read_also_beside_a_broken_one() {
        let node = message_from("15550002222:3@s.whatsapp.net")
            .attr("offline", "2")
            .attr("notify", "Ada")
            .attr("edit", "7")
            .attr("category", "peer")
            .child(Node::new("enc"))
            .child(
                Node::new("enc")
                    .attr("v", "2")
                    .attr("type", "pkmsg")
                    .attr("count", "3")
                    .bytes(vec![1, 2]),
            )
            .child(
                Node::new("enc")
                    .attr("v", "3")
                    .attr("type", "skmsg")
                    .attr("mediatype", "image")
                    .attr("decrypt-fail", "hide")
                    .bytes(vec![3]),
            )
            .child(Node::new("device-identity").bytes(vec![9]));
        let message = message(&node);
        let kinds: Vec<_> = message.encs.iter().map(|enc| enc.kind.clone()).collect();
        let broken = EncKind::Other("".into());
        assert_eq!(kinds, [broken, EncKind::PreKeyMessage, EncKind::SenderKeyMessage]);
        let [_, pkmsg, skmsg] = message.encs.as_slice() else { panic!() };
        assert_eq!(
            (pkmsg.version, pkmsg.ciphertext.as_ref(), pkmsg.retry_count),
            (2, &[1, 2][..], 3)
        );
        assert_eq!((skmsg.version, skmsg.hide_failure), (3, true));
        assert_eq!(skmsg.media_type.as_deref(), Some("image"));
        assert_eq!(message.retry_count(), 3);
        assert_eq!(
            (message.timestamp, message.offline, message.is_peer),
            (1_700_000_000, Some(2), true)
        );
        assert_eq!(message.push_name.as_deref(), Some("Ada"));
        assert_eq!(message.edit, Edit::SenderRevoke);
        assert_eq!(message.device_identity.as_deref(), Some(&[9][..]));
    }

    #[test]
    fn what_is_withheld_says_why() {
        let unavailable = |kind: Option<&'static str>| {
            let child = Node::new("unavailable").attr_opt("type", kind);
            message(&message_from("1555@s.whatsapp.net").child(child)).unavailable
        };
        assert_eq!(unavailable(None), Some(Unavailable::Unspecified));
        assert_eq!(unavailable(Some("bot_unavailable_fanout")), Some(Unavailable::Bot));
        assert_eq!(unavailable(Some("hosted_unavailable_fanout")), Some(Unavailable::Hosted));
        assert_eq!(unavailable(Some("view_once_unavailable_fanout")), Some(Unavailable::ViewOnce));
    }

    #[test]
    fn a_direct_message_belongs_to_its_sender_under_both_addresses() {
        let node = message_from("900000000000002:3@lid")
            .attr("sender_pn", jid("15550002222@s.whatsapp.net"));
        let source = source(&node);
        assert_eq!(source.chat, jid("900000000000002@lid"));
        assert_eq!(source.chat_alt, Some(jid("15550002222@s.whatsapp.net")));
        assert_eq!(source.sender, jid("900000000000002:3@lid"));
        assert_eq!(source.sender_alt, Some(jid("15550002222:3@s.whatsapp.net")));
        assert_eq!((source.is_from_me, source.kind), (false, ChatKind::Direct));
        assert_eq!(source.addressing_mode, AddressingMode::Lid);
    }

    #[test]
    fn an_own_message_belongs_to_its_recipient() {
        for own_device in ["15550000001:2@s.whatsapp.net", "900000000000001:2@lid"] {
            let node = message_from(own_device)
                .attr("recipient", jid("900000000000002@lid"))
                .attr("peer_recipient_pn", jid("15550002222@s.whatsapp.net"));
            let source = source(&node);
            assert!(source.is_from_me);
            assert_eq!(source.chat, jid("900000000000002@lid"));
            assert_eq!(source.chat_alt, Some(jid("15550002222@s.whatsapp.net")));
            assert_eq!(source.sender, jid(own_device));
            let alt = source.sender_alt.unwrap();
            assert!(own().is_me(&alt) && alt.device == 2 && alt.is_lid() != source.sender.is_lid());
        }
    }

    #[test]
    fn an_own_message_without_recipient_belongs_to_the_own_chat() {
        let source = source(&message_from("15550000001@s.whatsapp.net"));
        assert!(source.is_from_me);
        assert_eq!(source.chat, jid("15550000001@s.whatsapp.net"));
        assert_eq!(source.chat_alt, Some(jid("900000000000001@lid")));
    }

    #[test]
    fn only_own_messages_may_name_a_recipient() {
        let node = message_from("15550002222@s.whatsapp.net")
            .attr("recipient", jid("15550003333@s.whatsapp.net"));
        assert_eq!(message(&node).source(&own()), Err(SourceError::ForeignRecipient));
    }

    #[test]
    fn a_group_message_belongs_to_the_group_and_its_participant() {
        let node = message_from(GROUP)
            .attr("participant", jid("900000000000002:3@lid"))
            .attr("participant_pn", jid("15550002222@s.whatsapp.net"))
            .attr("addressing_mode", "lid");
        let source = source(&node);
        assert_eq!((source.chat, source.kind), (jid(GROUP), ChatKind::Group));
        assert_eq!(source.sender, jid("900000000000002:3@lid"));
        assert_eq!(source.sender_alt, Some(jid("15550002222:3@s.whatsapp.net")));
        assert_eq!(source.chat_alt, None);
    }

    #[test]
    fn a_group_message_without_participant_has_no_sender() {
        assert_eq!(message(&message_from(GROUP)).source(&own()), Err(SourceError::NoParticipant));
    }

    #[test]
    fn an_own_group_message_is_known_by_either_address() {
        for device in ["15550000001:2@s.whatsapp.net", "900000000000001:2@lid"] {
            assert!(source(&message_from(GROUP).attr("participant", jid(device))).is_from_me);
        }
    }

    #[test]
    fn status_lists_channels_and_assistants_are_told_apart() {
        let sender = jid("15550002222@s.whatsapp.net");
        let kind = |from| source(&message_from(from).attr("participant", &sender)).kind;
        assert_eq!(kind("status@broadcast"), ChatKind::Status);
        assert_eq!(kind("12345@broadcast"), ChatKind::Broadcast);
        let channel = message_from("120363000000000009@newsletter")
            .attr("server_id", "77")
            .child(Node::new("plaintext").bytes(vec![5]));
        assert_eq!(source(&channel).kind, ChatKind::Newsletter);
        assert_eq!(message(&channel).server_id, Some(77));
        assert_eq!(message(&channel).plaintext.as_deref(), Some(&[5][..]));
        let bot = source(&message_from("867051314767696@bot").attr("recipient", jid(ME)));
        assert_eq!((bot.kind, bot.is_from_me), (ChatKind::Bot, false));
    }

    #[test]
    fn the_server_itself_sends_no_messages() {
        let node = message_from("s.whatsapp.net");
        assert_eq!(message(&node).source(&own()), Err(SourceError::From));
    }

    #[test]
    fn a_fan_out_has_a_ciphertext_for_each_device() {
        let to = jid("900000000000002@lid");
        let mut outgoing = OutgoingMessage::new(to.clone(), id("3EB0AA"), "text");
        let enc = OutgoingEnc::new(EncKind::PreKeyMessage, vec![1]);
        outgoing.participants =
            vec![(to.clone(), enc.clone()), (jid("900000000000001:2@lid"), enc)];
        outgoing.participant_hash = Some("2:abcd".into());
        outgoing.device_identity = Some(vec![8].into());
        outgoing.tctoken = Some(vec![7].into());
        outgoing.extra = vec![Node::new("meta")];
        let node = outgoing.to_node();
        let tags: Vec<_> = node.nodes().iter().map(|child| child.tag.as_ref()).collect();
        assert_eq!(tags, ["participants", "device-identity", "tctoken", "meta"]);
        assert!(node.attrs.is("phash", "2:abcd") && node.attrs.jid("to") == Some(to));
        let devices = node.find("participants").unwrap();
        assert_eq!(devices.find_all("to").count(), 2);
        let enc = devices.find("to").unwrap().find("enc").unwrap();
        assert!(enc.attrs.is("v", "2") && enc.attrs.is("type", "pkmsg"));
        assert!(enc.attrs.value("count").is_none());
    }

    #[test]
    fn a_resend_goes_to_the_asking_device_alone() {
        let mut outgoing = OutgoingMessage::new(jid(GROUP), id("3EB0AA"), "text");
        outgoing.participant = Some(jid("900000000000002:3@lid"));
        outgoing.is_resend = true;
        outgoing.timestamp = Some(1_700_000_000);
        outgoing.edit = Edit::AdminRevoke;
        outgoing.encs =
            vec![OutgoingEnc { retry_count: 2, ..OutgoingEnc::new(EncKind::Message, vec![1]) }];
        let node = outgoing.to_node();
        assert!(node.attrs.is("device_fanout", "false"));
        assert!(node.attrs.is("t", "1700000000") && node.attrs.is("edit", "8"));
        assert_eq!(node.attrs.jid("participant"), Some(jid("900000000000002:3@lid")));
        assert!(node.find("enc").unwrap().attrs.is("count", "2"));
    }

    #[test]
    fn a_peer_message_says_how_urgent_it_is_and_carries_no_token() {
        let mut outgoing = OutgoingMessage::new(jid(ME).to_user(), id("3EB0AA"), "text");
        outgoing.tctoken = Some(vec![7].into());
        outgoing.cstoken = Some(vec![7].into());
        outgoing.peer = Some(PeerPriority::HighForce);
        outgoing.is_private = true;
        let node = outgoing.to_node();
        assert!(node.attrs.is("category", "peer") && node.attrs.is("push_priority", "high_force"));
        assert!(node.attrs.is("privacy_sensitive", "1"));
        assert!(node.find("meta").unwrap().attrs.is("appdata", "default"));
        assert!(node.find("tctoken").is_none() && node.find("cstoken").is_none());
    }
}

mod answers {
    use super::*;

    #[test]
    fn an_ack_of_a_message_has_no_type_but_every_other_has() {
        let group_message = message_from(GROUP).attr("participant", jid("1555:3@s.whatsapp.net"));
        let envelope = parse(&group_message).envelope().unwrap().clone();
        let ack = envelope.ack().from(&jid(ME)).to_node();
        assert!(ack.attrs.is("class", "message") && ack.attrs.is("id", "3EB0AA"));
        assert_eq!(ack.attrs.jid("to"), Some(jid(GROUP)));
        assert_eq!(ack.attrs.jid("from"), Some(jid(ME)));
        assert_eq!(ack.attrs.jid("participant"), Some(jid("1555:3@s.whatsapp.net")));
        assert!(ack.attrs.value("type").is_none() && ack.attrs.value("error").is_none());

        let read = stanza("receipt", "1555@s.whatsapp.net")
            .attr("type", "read")
            .attr("recipient", jid("1666@s.whatsapp.net"));
        let ack = parse(&read).envelope().unwrap().ack().from(&jid(ME)).to_node();
        assert!(ack.attrs.is("class", "receipt") && ack.attrs.is("type", "read"));
        assert_eq!(ack.attrs.jid("recipient"), Some(jid("1666@s.whatsapp.net")));
        assert!(ack.attrs.value("from").is_none());
    }

    #[test]
    fn a_nack_names_its_reason() {
        let codes = [
            (NackReason::ParsingError, "487"),
            (NackReason::UnrecognizedStanza, "488"),
            (NackReason::UnrecognizedStanzaClass, "489"),
            (NackReason::UnrecognizedStanzaType, "490"),
            (NackReason::InvalidProtobuf, "491"),
            (NackReason::InvalidHostedCompanionStanza, "493"),
            (NackReason::MissingMessageSecret, "495"),
            (NackReason::SignalErrorOldCounter, "496"),
            (NackReason::MessageDeletedOnPeer, "499"),
            (NackReason::UnhandledError, "500"),
            (NackReason::UnsupportedAdminRevoke, "550"),
            (NackReason::UnsupportedLidGroup, "551"),
            (NackReason::DatabaseFailed, "552"),
        ];
        let stanza = parse(&message_from("1555@s.whatsapp.net"));
        for (reason, code) in codes {
            assert!(stanza.envelope().unwrap().nack(reason).to_node().attrs.is("error", code));
        }
    }

    #[test]
    fn a_stanza_that_cannot_be_read_can_still_be_nacked() {
        let node = Node::new("message").attr("from", jid(GROUP)).attr("id", "X1").attr("t", "soon");
        let Stanza::Malformed(malformed) = parse(&node) else { panic!() };
        assert_eq!(malformed.reason, ParseError::MalformedAttr("t"));
        let nack = malformed.nack().unwrap().to_node();
        assert!(nack.attrs.is("error", "487") && nack.attrs.is("id", "X1"));
        assert_eq!(nack.attrs.jid("to"), Some(jid(GROUP)));

        let retry = stanza("receipt", "1555@s.whatsapp.net").attr("type", "retry");
        let Stanza::Malformed(malformed) = parse(&retry) else { panic!() };
        assert_eq!(malformed.reason, ParseError::MissingChild("retry"));
        assert!(malformed.nack().unwrap().to_node().attrs.is("type", "retry"));
    }

    #[test]
    fn a_stanza_that_nobody_waits_for_is_not_nacked() {
        let Stanza::Malformed(malformed) = parse(&Node::new("presence")) else { panic!() };
        assert_eq!(malformed.nack(), None);
    }

    #[test]
    fn an_unknown_tag_is_kept_whole() {
        let node = Node::new("surprise").attr("id", "1").child(Node::new("x"));
        assert_eq!(parse(&node), Stanza::Unknown(node));
    }

    #[test]
    fn a_receipt_has_its_first_id_outside_and_the_others_in_a_list() {
        let sent = SentReceipt {
            to: jid(GROUP),
            participant: Some(jid("1555@s.whatsapp.net")),
            recipient: None,
            ids: vec![id("A"), id("B"), id("C")],
            kind: SentReceiptKind::Read,
            timestamp: Some(1_700_000_000),
        };
        let node = sent.to_node();
        assert!(node.attrs.is("id", "A") && node.attrs.is("type", "read"));
        assert!(node.attrs.is("t", "1700000000"));
        let listed: Vec<_> = node
            .find("list")
            .unwrap()
            .find_all("item")
            .filter_map(|i| i.attrs.text("id"))
            .collect();
        assert_eq!(listed, ["B", "C"]);
    }

    #[test]
    fn a_delivery_receipt_has_no_type_and_the_others_their_own() {
        let message = parse(&message_from("1555:3@s.whatsapp.net"));
        let kind = |kind| {
            let node = message.envelope().unwrap().receipt(id("3EB0AA"), kind).to_node();
            assert_eq!(node.attrs.jid("to"), Some(jid("1555:3@s.whatsapp.net")));
            assert!(node.find("list").is_none());
            node.attrs.text("type").map(|kind| kind.into_owned())
        };
        assert_eq!(kind(SentReceiptKind::Delivered), None);
        for (sent, text) in [
            (SentReceiptKind::Inactive, "inactive"),
            (SentReceiptKind::Sender, "sender"),
            (SentReceiptKind::ReadSelf, "read-self"),
            (SentReceiptKind::PlayedSelf, "played-self"),
            (SentReceiptKind::PeerMessage, "peer_msg"),
            (SentReceiptKind::HistorySync, "hist_sync"),
            (SentReceiptKind::ServerError, "server-error"),
        ] {
            assert_eq!(kind(sent).as_deref(), Some(text));
        }
    }
}

mod receipts {
    use super::*;

    fn bundle() -> WireKeyBundle {
        WireKeyBundle {
            identity: [1; 32],
            signed_prekey: WireSignedPreKey { id: 0x01_0203, key: [2; 32], signature: [3; 64] },
            prekey: Some(WirePreKey { id: 7, key: [4; 32] }),
            device_identity: Some(vec![5].into()),
        }
    }

    #[test]
    fn all_ids_and_all_people_of_a_receipt_are_read() {
        let node =
            stanza("receipt", GROUP)
                .attr("type", "read-self")
                .child(Node::new("list").child(Node::new("item").attr("id", "B")))
                .child(Node::new("participants").attr("key", "3EB0AA").child(
                    Node::new("user").attr("jid", jid("1555@s.whatsapp.net")).attr("t", "5"),
                ));
        let receipt = receipt(&node);
        assert_eq!(receipt.kind, ReceiptKind::ReadSelf);
        assert_eq!(receipt.ids, [id("3EB0AA"), id("B")]);
        let [grouped] = receipt.grouped.as_slice() else { panic!() };
        assert_eq!(grouped.users, [(jid("1555@s.whatsapp.net"), Some(5))]);
    }

    #[test]
    fn every_receipt_type_has_its_meaning() {
        let kind = |kind: Option<&'static str>| {
            receipt(&stanza("receipt", "1555@s.whatsapp.net").attr_opt("type", kind)).kind
        };
        assert_eq!(kind(None), ReceiptKind::Delivered);
        assert_eq!(kind(Some("inactive")), ReceiptKind::Inactive);
        assert_eq!(kind(Some("sender")), ReceiptKind::Sender);
        assert_eq!(kind(Some("read")), ReceiptKind::Read);
        assert_eq!(kind(Some("played")), ReceiptKind::Played);
        assert_eq!(kind(Some("played-self")), ReceiptKind::PlayedSelf);
        assert_eq!(kind(Some("server-error")), ReceiptKind::ServerError);
        assert_eq!(kind(Some("peer_msg")), ReceiptKind::PeerMessage);
        assert_eq!(kind(Some("hist_sync")), ReceiptKind::HistorySync);
        assert_eq!(kind(Some("brand-new")), ReceiptKind::Other("brand-new".into()));
    }

    #[test]
    fn a_retry_request_survives_the_journey_with_its_reason_and_keys() {
        let node = message_from(GROUP).attr("participant", jid("1555:3@s.whatsapp.net"));
        let sent = RetryReceipt {
            envelope: parse(&node).envelope().unwrap().clone(),
            id: id("3EB0AA"),
            timestamp: 1_700_000_000,
            count: 2,
            reason: RetryReason::BadMac,
            registration_id: 0x0102_0304,
            keys: Some(bundle()),
        };
        let sent = sent.to_node();
        assert_eq!(sent.attrs.jid("to"), Some(jid(GROUP)));
        assert_eq!(sent.attrs.jid("participant"), Some(jid("1555:3@s.whatsapp.net")));
        // The server replaces `to` by `from`.
        let arrived = sent.attr("from", jid(GROUP));
        let ReceiptKind::Retry(request) = receipt(&arrived).kind else { panic!() };
        assert_eq!((request.count, request.id), (2, id("3EB0AA")));
        assert_eq!(request.reason, Some(RetryReason::BadMac));
        assert_eq!(request.registration_id, 0x0102_0304);
        assert_eq!(request.keys, Some(bundle()));
    }

    #[test]
    fn retry_reasons_are_numbered_0_to_13() {
        for code in 0..=13 {
            assert_eq!(RetryReason::from_code(code).code(), code);
        }
        assert_eq!(RetryReason::from_code(14), RetryReason::Unknown);
        assert_eq!(RetryReason::BadMac.code(), 7);
        assert_eq!(RetryReason::StatusRevokeDelay.code(), 13);
    }

    #[test]
    fn a_server_ack_tells_of_hashes_and_errors() {
        let node = Node::new("ack")
            .attr("class", "message")
            .attr("id", "3EB0AA")
            .attr("from", jid(GROUP))
            .attr("t", "1700000000")
            .attr("phash", "2:abcd")
            .attr("refresh_lid", "true")
            .attr("backoff", "30")
            .attr("addressing_mode", "pn")
            .attr("error", "463");
        let Stanza::Ack(ack) = parse(&node) else { panic!() };
        assert_eq!(
            (ack.timestamp, ack.error, ack.refresh_lid),
            (Some(1_700_000_000), Some(463), true)
        );
        assert_eq!(ack.participant_hash.as_deref(), Some("2:abcd"));
        assert_eq!((ack.backoff, ack.addressing_mode), (Some(30), Some(AddressingMode::Phone)));
    }
}

mod notifications {
    use super::*;

    #[test]
    fn the_prekey_count_and_identity_changes_are_told_apart() {
        let count = Node::new("count").attr("value", "4");
        let body = notification("encrypt", "s.whatsapp.net", count);
        assert_eq!(body, NotificationBody::PreKeysLeft { count: 4 });
        let body = notification("encrypt", "1555@s.whatsapp.net", Node::new("identity"));
        let user = jid("1555@s.whatsapp.net");
        assert_eq!(body, NotificationBody::IdentityChanged { user, lid: None });
    }

    #[test]
    fn a_device_change_has_devices_hash_and_signed_list() {
        let add = Node::new("add")
            .attr("device_hash", "2:abcd")
            .child(
                Node::new("device")
                    .attr("jid", jid("1555:3@s.whatsapp.net"))
                    .attr("key-index", "2"),
            )
            .child(Node::new("key-index-list").attr("ts", "9").bytes(vec![1]));
        let NotificationBody::Devices(change) = notification("devices", "1555@s.whatsapp.net", add)
        else {
            panic!()
        };
        assert_eq!(change.kind, DevicesChangeKind::Add);
        assert_eq!(change.hash.as_deref(), Some("2:abcd"));
        let [device] = change.devices.as_slice() else { panic!() };
        assert_eq!((&device.jid, device.key_index), (&jid("1555:3@s.whatsapp.net"), Some(2)));
        assert_eq!(change.key_index_list.unwrap().timestamp, Some(9));
    }

    #[test]
    fn group_changes_are_read_with_both_addresses_of_the_people() {
        let node = stanza("notification", GROUP)
            .attr("type", "w:gp2")
            .attr("participant", jid("900000000000002@lid"))
            .attr("participant_pn", jid("15550002222@s.whatsapp.net"))
            .child(
                Node::new("add").attr("reason", "invite").attr("v_id", "2").child(
                    Node::new("participant")
                        .attr("jid", jid("900000000000003@lid"))
                        .attr("phone_number", jid("15550003333@s.whatsapp.net"))
                        .attr("type", "admin"),
                ),
            )
            .child(Node::new("subject").attr("subject", "Lab").attr("s_t", "5"))
            .child(Node::new("description").attr("id", "d1").child(Node::new("body").text("About")))
            .child(Node::new("locked"))
            .child(Node::new("not_announcement"))
            .child(Node::new("ephemeral").attr("expiration", "86400"))
            .child(Node::new("not_ephemeral"))
            .child(Node::new("brand_new"));
        let Stanza::Notification(notification) = parse(&node) else { panic!() };
        let NotificationBody::Group(group) = notification.body else { panic!() };
        assert_eq!(group.actor, Some(jid("900000000000002@lid")));
        assert_eq!(group.actor_alt, Some(jid("15550002222@s.whatsapp.net")));
        let [add, rest @ ..] = group.changes.as_slice() else { panic!() };
        let GroupChange::Participants(add) = add else { panic!() };
        assert_eq!((add.kind, add.reason.as_deref()), (ParticipantChangeKind::Add, Some("invite")));
        let [participant] = add.participants.as_slice() else { panic!() };
        assert_eq!(participant.phone, Some(jid("15550003333@s.whatsapp.net")));
        assert_eq!(participant.role, GroupRole::Admin);
        let subject =
            GroupChange::Subject { subject: "Lab".into(), owner: None, timestamp: Some(5) };
        let description =
            GroupChange::Description { id: Some("d1".into()), text: Some("About".into()) };
        let raw = GroupChange::Raw(Node::new("brand_new"));
        assert_eq!(
            rest,
            [
                subject,
                description,
                GroupChange::Locked(true),
                GroupChange::Announcement(false),
                GroupChange::Ephemeral(86_400),
                GroupChange::Ephemeral(0),
                raw,
            ]
        );
    }

    #[test]
    fn settings_collections_pictures_and_tokens_are_read() {
        let item = Node::new("item").attr("jid", jid("1555@lid")).attr("action", "block");
        let body = notification("account_sync", ME, Node::new("blocklist").child(item));
        let NotificationBody::Account(changes) = body else { panic!() };
        let [AccountChange::Blocklist(change)] = changes.as_slice() else { panic!() };
        assert_eq!(change.items, [(jid("1555@lid"), true)]);

        let collection = Node::new("collection").attr("name", "regular").attr("version", "12");
        let body = notification("server_sync", "s.whatsapp.net", collection);
        let NotificationBody::ServerSync(news) = body else { panic!() };
        let named: Vec<_> = news.iter().map(|news| (news.name.as_str(), news.version)).collect();
        assert_eq!(named, [("regular", Some(12))]);

        let delete = Node::new("delete").attr("jid", jid(GROUP)).attr("author", jid("1555@lid"));
        let NotificationBody::Picture(change) = notification("picture", GROUP, delete) else {
            panic!()
        };
        assert_eq!((change.of, change.id), (Some(jid(GROUP)), None));

        let token = Node::new("token").attr("type", "trusted_contact").attr("t", "5");
        let tokens = Node::new("tokens").child(token.bytes(vec![42, 42]));
        let body = notification("privacy_token", "1555@lid", tokens);
        assert!(!format!("{body:?}").contains("42"), "a token is a secret");
        let NotificationBody::PrivacyTokens { tokens, .. } = body else { panic!() };
        assert_eq!(tokens.first().unwrap().token.as_ref(), [42, 42]);
    }

    #[test]
    fn the_phones_answer_about_media_is_a_ciphertext_or_an_error() {
        let message = Node::new("rmr").attr("jid", jid(GROUP)).attr("from_me", "false");
        let node = stanza("notification", GROUP).attr("type", "mediaretry").child(message);
        let encrypted = Node::new("encrypt")
            .child(Node::new("enc_p").bytes(vec![1]))
            .child(Node::new("enc_iv").bytes(vec![0; 12]));
        let body = |node: OwnedNode| match parse(&node) {
            Stanza::Notification(notification) => notification.body,
            other => panic!("{other:?}"),
        };
        let NotificationBody::MediaRetry(answer) = body(node.clone().child(encrypted)) else {
            panic!()
        };
        assert_eq!(answer.result.unwrap().ciphertext.as_ref(), [1]);
        let error = Node::new("error").attr("code", "2");
        let NotificationBody::MediaRetry(answer) = body(node.child(error)) else { panic!() };
        assert_eq!(answer.result, Err(2));
    }

    #[test]
    fn other_types_are_handed_on_whole() {
        let body = notification("psa", "s.whatsapp.net", Node::new("update"));
        let NotificationBody::Raw(node) = body else { panic!() };
        assert!(node.find("update").is_some());
    }
}

mod connection {
    use super::*;

    #[test]
    fn success_gives_time_and_lid() {
        let node = Node::new("success").attr("t", "1700000000").attr("lid", jid(MY_LID));
        let Stanza::Success(success) = parse(&node) else { panic!() };
        assert_eq!((success.timestamp, success.lid), (1_700_000_000, Some(jid(MY_LID))));
    }

    #[test]
    fn a_refused_login_says_why() {
        let reason = |reason: &'static str| {
            let node = Node::new("failure").attr("reason", reason).attr("expire", "60");
            let Stanza::Failure(failure) = parse(&node) else { panic!() };
            assert_eq!(failure.expire, Some(60));
            failure.reason
        };
        assert_eq!(reason("401"), FailureReason::LoggedOut);
        assert_eq!(reason("402"), FailureReason::TemporarilyBanned);
        assert_eq!(reason("403"), FailureReason::MainDeviceGone);
        assert_eq!(reason("405"), FailureReason::ClientOutdated);
        assert_eq!(reason("406"), FailureReason::UnknownLogout);
        assert_eq!(reason("409"), FailureReason::BadUserAgent);
        assert_eq!(reason("503"), FailureReason::ServiceUnavailable);
        assert_eq!(reason("777"), FailureReason::Other(777));
    }

    #[test]
    fn stream_errors_are_told_apart() {
        let error = |code: Option<&'static str>, child: Option<OwnedNode>| {
            let node = Node::new("stream:error").attr_opt("code", code).children(child);
            let Stanza::StreamError(error) = parse(&node) else { panic!() };
            error
        };
        let conflict = |kind: &'static str| Some(Node::new("conflict").attr("type", kind));
        assert_eq!(error(Some("515"), None), StreamError::RestartRequired);
        assert_eq!(error(Some("401"), conflict("device_removed")), StreamError::DeviceRemoved);
        assert_eq!(error(None, conflict("replaced")), StreamError::Replaced);
        assert_eq!(error(Some("503"), None), StreamError::ServiceUnavailable);
        assert_eq!(error(Some("403"), None), StreamError::NotAuthorized(403));
        let xml = Some(Node::new("xml-not-well-formed"));
        assert_eq!(error(None, xml), StreamError::XmlNotWellFormed);
        let ack = Node::new("ack").attr("class", "receipt").attr("id", "X");
        let missing =
            StreamError::AckMissing { class: Some("receipt".into()), id: Some("X".into()) };
        assert_eq!(error(None, Some(ack)), missing);
        let other = StreamError::Other { code: Some(999), tag: None };
        assert_eq!(error(Some("999"), None), other);
        assert_eq!(parse(&Node::new("xmlstreamend")), Stanza::StreamEnd);
    }

    #[test]
    fn the_backlog_is_announced_asked_for_and_ended() {
        let info = |child: OwnedNode| {
            let Stanza::Info(items) = parse(&Node::new("ib").child(child)) else { panic!() };
            items.into_iter().next().unwrap()
        };
        let preview = Node::new("offline_preview").attr("count", "72").attr("message", "70");
        let InfoItem::OfflinePreview { count, messages, receipts, .. } = info(preview) else {
            panic!()
        };
        assert_eq!((count, messages, receipts), (72, 70, 0));
        let end = Node::new("offline").attr("count", "72");
        assert_eq!(info(end), InfoItem::Offline { count: 72 });
        let routing = Node::new("edge_routing").child(Node::new("routing_info").bytes(vec![8, 2]));
        assert_eq!(info(routing), InfoItem::EdgeRouting(vec![8, 2].into()));
        let dirty = Node::new("dirty").attr("type", "groups").attr("timestamp", "5");
        assert_eq!(info(dirty), InfoItem::Dirty { kind: "groups".into(), timestamp: Some(5) });
        let batch = offline_batch(100);
        assert!(batch.find("offline_batch").unwrap().attrs.is("count", "100"));
        assert!(unified_session(9).find("unified_session").unwrap().attrs.is("id", "9"));
    }

    #[test]
    fn answers_and_refusals_are_told_apart() {
        let iq = |kind: &'static str| Node::new("iq").attr("id", "1").attr("type", kind);
        let Stanza::Iq(Iq::Result { id, .. }) = parse(&iq("result")) else { panic!() };
        assert_eq!(id, "1");
        let error = Node::new("error")
            .attr("code", "429")
            .attr("text", "rate-overlimit")
            .attr("backoff", "30");
        let Stanza::Iq(Iq::Error { error, .. }) = parse(&iq("error").child(error)) else {
            panic!()
        };
        assert_eq!(
            (error.code, error.kind, error.backoff),
            (429, IqErrorKind::RateOverlimit, Some(30))
        );
        let ping = iq("get").attr("xmlns", "urn:xmpp:ping").attr("from", Jid::server());
        let Stanza::Iq(Iq::Request { request, .. }) = parse(&ping) else { panic!() };
        assert_eq!(request, ServerRequest::Ping);
    }

    #[test]
    fn pairing_gives_references_then_an_identity_to_sign() {
        let iq = Node::new("iq").attr("id", "1").attr("type", "set").attr("from", Jid::server());
        let refs = ["2@abc", "2@def"].map(|text| Node::new("ref").bytes(text.as_bytes()));
        let node = iq.clone().child(Node::new("pair-device").children(refs));
        let Stanza::Iq(Iq::Request { request: ServerRequest::PairDevice(pair), .. }) = parse(&node)
        else {
            panic!()
        };
        assert_eq!(pair.refs, ["2@abc", "2@def"]);

        let success = Node::new("pair-success")
            .child(Node::new("device-identity").bytes(vec![1]))
            .child(Node::new("device").attr("jid", jid(ME)).attr("lid", jid(MY_LID)))
            .child(Node::new("platform").attr("name", "android"));
        let Stanza::Iq(Iq::Request { request: ServerRequest::PairSuccess(pair), .. }) =
            parse(&iq.child(success))
        else {
            panic!()
        };
        assert_eq!((pair.jid, pair.lid), (jid(ME), Some(jid(MY_LID))));
        assert_eq!(pair.platform.as_deref(), Some("android"));

        let reply = pair_device_sign("1", 4, vec![9].into());
        assert!(reply.attrs.is("type", "result") && reply.attrs.is("id", "1"));
        let identity = reply.find("pair-device-sign").unwrap().find("device-identity").unwrap();
        assert!(identity.attrs.is("key-index", "4"));
    }

    #[test]
    fn presence_and_writing_go_both_ways() {
        let node = Node::new("presence")
            .attr("from", jid("1555@s.whatsapp.net"))
            .attr("type", "unavailable")
            .attr("last", "deny");
        let Stanza::Presence(presence_in) = parse(&node) else { panic!() };
        assert_eq!((presence_in.is_available, presence_in.last_seen), (false, None));
        assert!(presence(false, "Ada").attrs.is("type", "unavailable"));
        for activity in [Activity::Composing, Activity::Recording, Activity::Paused] {
            let node = chat_state(&jid("1555@lid"), &jid(MY_LID), activity);
            let Stanza::ChatState(state) = parse(&node) else { panic!() };
            assert_eq!((state.activity, state.from), (activity, jid("1555@lid")));
        }
    }

    #[test]
    fn a_call_tells_who_rings() {
        let offer = Node::new("offer")
            .attr("call-id", "C1")
            .attr("call-creator", jid("1555@lid"))
            .child(Node::new("video"));
        let Stanza::Call(call) = parse(&stanza("call", "1555@lid").child(offer)) else { panic!() };
        assert_eq!(call.event, CallEvent::Offer { is_video: true, is_group: false });
        assert_eq!((call.call_id.as_str(), call.creator), ("C1", Some(jid("1555@lid"))));
    }
}
