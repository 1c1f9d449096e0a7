//! Messages, receipts, acks and calls.

use super::{Cast, Named, outside};
use crate::{Jid, Node, OwnedNode, Server};

pub(super) fn all(cast: &Cast) -> Vec<Named> {
    [messages(cast), receipts(cast), calls(cast)].concat()
}

fn message(from: &Jid, cast: &Cast) -> OwnedNode {
    outside("message", "3EB0MESSAGE", from, cast)
        .attr("type", "text")
        .attr("notify", "Somebody")
        .attr("offline", "0")
        .attr("verified_name", "7")
}

fn enc(kind: &'static str) -> OwnedNode {
    Node::new("enc").attr("v", "2").attr("type", kind).bytes(vec![0x33; 90])
}

fn in_group(from: &Jid, cast: &Cast) -> OwnedNode {
    message(from, cast)
        .attr("participant", &cast.other_lid)
        .attr("participant_pn", cast.other.to_user())
        .attr("addressing_mode", "lid")
}

fn messages(cast: &Cast) -> Vec<Named> {
    let direct = || message(&cast.other_lid, cast).attr("sender_pn", cast.other.to_user());
    let own = message(&cast.own_lid.with_device(0), cast)
        .attr("recipient", cast.other_lid.to_user())
        .attr("peer_recipient_pn", cast.other.to_user())
        .attr("peer_recipient_username", "somebody");
    let to = Node::new("to").attr("jid", &cast.own_lid).child(enc("msg"));
    let newsletter = Jid::new("120363000000000009", Server::Newsletter);
    let list = Jid::new("1700000000", Server::Broadcast);
    let unavailable = Node::new("unavailable").attr("type", "view_once");
    vec![
        ("a direct message", direct().child(enc("msg"))),
        (
            "the first message of a session",
            direct()
                .child(enc("pkmsg").attr("count", "1"))
                .child(Node::new("device-identity").bytes(vec![9; 20])),
        ),
        ("a message by phone number", {
            message(&cast.other, cast).attr("sender_lid", &cast.other_lid).child(enc("msg"))
        }),
        ("an edit", {
            let meta = Node::new("meta").attr("target_id", "3EB0").attr("polltype", "vote");
            let enc = enc("msg").attr("decrypt-fail", "hide").attr("mediatype", "image");
            direct().attr("edit", "1").child(enc).child(meta)
        }),
        ("a message of an own device", own.child(enc("msg"))),
        ("a message between own devices", {
            message(&cast.own_lid.with_device(0), cast).attr("category", "peer").child(enc("msg"))
        }),
        ("a group message", in_group(&cast.group, cast).child(enc("skmsg"))),
        ("a group message with a key", {
            in_group(&cast.group, cast)
                .attr("participant_username", "somebody")
                .child(Node::new("participants").child(to))
                .child(enc("skmsg"))
                .child(
                    Node::new("reporting").child(Node::new("reporting_token").bytes(vec![1; 16])),
                )
        }),
        ("a status post", in_group(&Jid::status(), cast).child(enc("skmsg"))),
        ("a message of a list", in_group(&list, cast).child(enc("msg"))),
        ("a post of a channel", {
            let text = vec![0x0a, 2, b'h', b'i'];
            message(&newsletter, cast)
                .attr("server_id", "12")
                .child(Node::new("plaintext").bytes(text))
        }),
        ("a message that is withheld", direct().child(unavailable)),
        ("a message of an assistant", {
            let bot = Jid::new("867051314767696", Server::Bot);
            message(&bot, cast).child(enc("msg")).child(Node::new("bot").attr("edit", "first"))
        }),
    ]
}

fn receipt(kind: Option<&'static str>, cast: &Cast) -> OwnedNode {
    outside("receipt", "3EB0RECEIPT", &cast.other_lid, cast).attr_opt("type", kind)
}

fn receipts(cast: &Cast) -> Vec<Named> {
    let own = |kind| {
        outside("receipt", "3EB0RECEIPT", &cast.own_lid.with_device(0), cast)
            .attr("type", kind)
            .attr("recipient", cast.other_lid.to_user())
    };
    let items = ["3EB0A", "3EB0B"].map(|id| Node::new("item").attr("id", id));
    let user = Node::new("user").attr("jid", &cast.other_lid).attr("t", cast.now);
    vec![
        ("a delivery", receipt(None, cast).attr("offline", "1")),
        ("an inactive delivery", receipt(Some("inactive"), cast)),
        ("a reading", receipt(Some("read"), cast).child(Node::new("list").children(items))),
        ("a playing", receipt(Some("played"), cast)),
        ("a reading in a group", {
            outside("receipt", "3EB0RECEIPT", &cast.group, cast)
                .attr("type", "read")
                .attr("participant", &cast.other_lid)
                .attr("participant_pn", &cast.other)
                .child(Node::new("participants").attr("key", "3EB0A").child(user))
        }),
        ("the sender's receipt", own("sender")),
        ("a reading on an own device", own("read-self")),
        ("a playing on an own device", own("played-self")),
        ("a receipt between own devices", own("peer_msg")),
        ("a receipt of history", own("hist_sync")),
        ("a medium that is gone", receipt(Some("server-error"), cast)),
        ("a receipt of a new kind", receipt(Some("brand_new"), cast)),
        ("a request to send again", retry(cast)),
        ("an ack", {
            Node::new("ack")
                .attr("class", "message")
                .attr("id", "3EB0ACK")
                .attr("from", cast.other_lid.to_user())
                .attr("participant", &cast.other_lid)
                .attr("t", cast.now)
                .attr("phash", "2:abcdefgh")
                .attr("error", "479")
                .attr("refresh_lid", "true")
                .attr("edit", "1")
        }),
    ]
}

fn retry(cast: &Cast) -> OwnedNode {
    let retry = Node::new("retry")
        .attr("v", "1")
        .attr("count", "2")
        .attr("id", "3EB0RECEIPT")
        .attr("t", cast.now)
        .attr("error", "1");
    let key = |tag: &'static str| {
        Node::new(tag)
            .child(Node::new("id").bytes(vec![0, 0, 1]))
            .child(Node::new("value").bytes(vec![9; 32]))
    };
    let keys = Node::new("keys")
        .child(Node::new("type").bytes(vec![5]))
        .child(Node::new("identity").bytes(vec![9; 32]))
        .child(key("key"))
        .child(key("skey").child(Node::new("signature").bytes(vec![7; 64])))
        .child(Node::new("device-identity").bytes(vec![9; 20]));
    receipt(Some("retry"), cast)
        .child(retry)
        .child(Node::new("registration").bytes(vec![0, 0, 0, 9]))
        .child(keys)
}

fn calls(cast: &Cast) -> Vec<Named> {
    let call = |word: OwnedNode| {
        let word = word
            .attr("call-id", "CALL1")
            .attr("call-creator", &cast.other_lid)
            .attr("caller_pn", cast.other.to_user());
        outside("call", "3EB0CALL", &cast.other_lid, cast).attr("offline", "0").child(word)
    };
    vec![
        ("a call", call(Node::new("offer").child(Node::new("video")))),
        ("a call in a group", {
            call(Node::new("offer_notice").attr("group-jid", &cast.group).attr("type", "group"))
        }),
        ("a call about to be taken", call(Node::new("preaccept"))),
        ("a call that was taken", call(Node::new("accept"))),
        ("a call turned down", call(Node::new("reject"))),
        ("a call that ended", call(Node::new("terminate").attr("reason", "timeout"))),
        ("another word about a call", call(Node::new("transport"))),
    ]
}
