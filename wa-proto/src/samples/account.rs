//! Notices about the account, about devices, and about what people show of themselves.

use super::{Cast, Named, notification, outside};
use crate::{Jid, Node, OwnedNode, Server};

pub(super) fn all(cast: &Cast) -> Vec<Named> {
    [devices(cast), own_account(cast), people(cast), linking(cast)].concat()
}

/// A list of devices, with what the account signs of it.
fn list(tag: &'static str, cast: &Cast) -> OwnedNode {
    let device = Node::new("device")
        .attr("jid", &cast.other_lid)
        .attr("lid", &cast.other_lid)
        .attr("key-index", "3");
    let signed = Node::new("key-index-list")
        .attr("ts", cast.now)
        .attr("expected_ts", cast.now)
        .bytes(vec![9; 20]);
    Node::new(tag).attr("device_hash", "2:abcdefgh").child(device).child(signed)
}

fn devices(cast: &Cast) -> Vec<Named> {
    let from = cast.other.to_user();
    let devices = |tag| {
        notification("devices", &from, cast, list(tag, cast)).attr("lid", cast.other_lid.to_user())
    };
    let count = Node::new("count").attr("value", "4");
    vec![
        ("a device was linked", devices("add")),
        ("a device was unlinked", devices("remove")),
        ("a list of devices changed", devices("update")),
        ("prekeys run low", notification("encrypt", &Jid::server(), cast, count)),
        ("an identity changed", {
            notification("encrypt", &from, cast, Node::new("identity"))
                .attr("lid", cast.other_lid.to_user())
        }),
    ]
}

fn own_account(cast: &Cast) -> Vec<Named> {
    let account = |change| notification("account_sync", &cast.own.to_user(), cast, change);
    let category = Node::new("category").attr("name", "last").attr("value", "contacts");
    let item = Node::new("item").attr("jid", Jid::lid("900000000000078")).attr("action", "block");
    let blocklist = Node::new("blocklist").attr("dhash", "h2").attr("prev_dhash", "h1").child(item);
    let collection = Node::new("collection").attr("name", "regular").attr("version", "1");
    let mode = || Node::new("disappearing_mode").attr("duration", "86400").attr("t", cast.now);
    vec![
        ("the own devices", account(list("devices", cast).attr("dhash", "2:abcdefgh"))),
        ("privacy settings", account(Node::new("privacy").child(category))),
        ("the own picture", account(Node::new("picture").attr("id", "5"))),
        ("the block list", account(blocklist)),
        ("the timer of new chats", account(mode())),
        ("another setting", account(Node::new("brand_new").attr("word", "new"))),
        ("app state", notification("server_sync", &Jid::server(), cast, collection)),
        ("somebody's timer", notification("disappearing_mode", &cast.other_lid, cast, mode())),
    ]
}

fn people(cast: &Cast) -> Vec<Named> {
    let from = cast.other_lid.to_user();
    let set = Node::new("set").attr("jid", &from).attr("author", &from).attr("id", "5");
    let token = Node::new("token")
        .attr("jid", &from)
        .attr("type", "trusted_contact")
        .attr("t", cast.now)
        .bytes(vec![4; 16]);
    let rmr = Node::new("rmr")
        .attr("jid", &from)
        .attr("from_me", "false")
        .attr("participant", &cast.other_lid);
    let encrypted = Node::new("encrypt")
        .child(Node::new("enc_p").bytes(vec![1; 40]))
        .child(Node::new("enc_iv").bytes(vec![2; 12]));
    let post = Node::new("message")
        .attr("server_id", "12")
        .attr("id", "3EB0POST")
        .attr("t", cast.now)
        .child(Node::new("views_count").attr("count", "9"))
        .child(
            Node::new("reactions")
                .child(Node::new("reaction").attr("code", "+1").attr("count", "3")),
        );
    let updates = Node::new("live_updates").child(Node::new("messages").child(post));
    let newsletter = Jid::new("120363000000000009", Server::Newsletter);
    let news = br#"{"data":{"xwa2_notify_account_reachout_timelock":{"is_active":false}}}"#;
    let update = Node::new("update")
        .attr("op_name", "NotificationUserReachoutTimelockUpdate")
        .bytes(news.to_vec());
    vec![
        ("a picture", notification("picture", &from, cast, set)),
        ("no picture", {
            notification("picture", &from, cast, Node::new("delete").attr("hash", "h"))
        }),
        ("an about text", {
            notification("status", &from, cast, Node::new("set").bytes(b"Busy".to_vec()))
        }),
        ("a business", notification("business", &from, cast, Node::new("profile"))),
        ("tokens", {
            notification("privacy_token", &from, cast, Node::new("tokens").child(token))
                .attr("sender_lid", &from)
        }),
        ("a medium again", notification("mediaretry", &from, cast, rmr).child(encrypted)),
        ("posts of a channel", notification("newsletter", &newsletter, cast, updates)),
        ("news in JSON", notification("mex", &Jid::server(), cast, update)),
        ("a notice of a new kind", notification("psa", &from, cast, Node::new("update"))),
        ("somebody is there", {
            Node::new("presence").attr("from", &from).attr("type", "available").attr("last", "1")
        }),
        ("somebody writes", {
            Node::new("chatstate")
                .attr("from", &cast.group)
                .attr("participant", &from)
                .child(Node::new("composing").attr("media", "audio"))
        }),
    ]
}

fn linking(cast: &Cast) -> Vec<Named> {
    let from = Jid::server();
    let code = |child: OwnedNode| {
        let stage = Node::new("link_code_companion_reg").attr("stage", "primary_hello");
        let reference = Node::new("link_code_pairing_ref").bytes(vec![7; 16]);
        let change = stage.child(reference).child(child);
        notification("link_code_companion_reg", &from, cast, change)
    };
    let wrapped = Node::new("link_code_pairing_wrapped_primary_ephemeral_pub").bytes(vec![1; 80]);
    let identity = Node::new("primary_identity_pub").bytes(vec![2; 32]);
    let answered = code(wrapped);
    let answered = match answered.find("link_code_companion_reg").cloned() {
        Some(stage) => outside("notification", "3EB0NOTICE", &from, cast)
            .attr("type", "link_code_companion_reg")
            .child(stage.child(identity)),
        None => answered,
    };
    let options = Node::new("passkey_request_options").bytes(b"{}".to_vec());
    let ephemeral = Node::new("primary_ephemeral_identity").bytes(vec![3; 40]);
    vec![
        ("the phone took the code", answered),
        ("another code", code(Node::new("force_manual_refresh"))),
        ("a passkey is asked for", {
            notification("passkey_prologue_request", &from, cast, options)
        }),
        ("the phone's half", notification("crsc_continuation", &from, cast, ephemeral)),
    ]
}
