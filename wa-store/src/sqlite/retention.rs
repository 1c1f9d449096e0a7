//! How long each table keeps its rows, and why: one rule for each, so that no table grows for ever
//! unnoticed. `docs/retention.md` is this list; [`upkeep`](super::upkeep) enforces it.
//!
//! Only the tests read it, which fail for a table without a rule.

#![cfg(test)]

use rusqlite::Connection;

/// A table (or several with one rule), how long its rows stay, and why so long and no longer.
const RULES: [(&str, &str, &str); 37] = [
    (
        "account, meta, audit_anchor",
        "one row",
        "it is replaced in its place, and goes with an unlinking where it is secret",
    ),
    (
        "prekeys",
        "until a message uses it",
        "there are as many as the client makes, and what was not used may still be",
    ),
    (
        "signed_prekeys",
        "until the client removes it",
        "first messages that were made with it may be on their way",
    ),
    (
        "sessions",
        "for ever; one record of bounded size for each device that was met",
        "a peer may write after years of silence; and the record recognises first messages that are said again, long after `seen` has forgotten them",
    ),
    (
        "identities",
        "for ever; 33 bytes for each device",
        "that somebody's keys changed has to be noticed after years too",
    ),
    (
        "former_identities",
        "the newest 64 of each device",
        "an old message must not bring a former key back",
    ),
    (
        "device_vouchers",
        "for ever; as many as identities",
        "a companion proves itself once, and outlives the device list",
    ),
    ("key_index_lists", "the newest of each person", "an older list has to be known to be older"),
    (
        "sender_keys",
        "until 30 days after nothing is known of the group any more",
        "what was sent before this account left may be on its way for weeks, and in a group that goes on the record recognises what is said again",
    ),
    (
        "sender_key_holders",
        "until the key is made anew, and as the group's sender keys",
        "it says who has the key that is in use",
    ),
    (
        "left_groups",
        "until the group's sender keys are gone, or it is known again",
        "it only counts the days",
    ),
    (
        "device_lists, devices",
        "30 days after it was fetched",
        "it is asked for again after a day; what was proven of devices is kept elsewhere",
    ),
    (
        "lids",
        "for ever; one row for each person",
        "without it one person's chat would fall into two",
    ),
    (
        "seen",
        "14 days",
        "a server gives again what was not acknowledged; sessions recognise what is older",
    ),
    (
        "retries_sent, retries_answered, sessions_recreated, base_keys",
        "14 days",
        "a message can be asked for no longer",
    ),
    (
        "sent_messages",
        "as long as its outbox entry waits, and 7 days from then",
        "devices ask again for what they could not read for so long",
    ),
    (
        "journal",
        "until it was announced",
        "listeners are told of each commit once, also after a restart",
    ),
    (
        "audiences",
        "as long as a copy for retries names it",
        "whoever was not among them is not given the message",
    ),
    (
        "outbox",
        "until it was sent or failed, and 7 days from then; what waits for 30 days fails",
        "its idempotency key has to be known for a while, and a message from last month would surprise",
    ),
    ("receipts", "until sent", "each stanza is answered"),
    (
        "placeholders",
        "30 days",
        "the phone does not give older ones; the message stays in the archive as unreadable",
    ),
    ("message_secrets", "as long as the message", "votes and edits come at any time"),
    ("privacy_tokens", "four weeks", "the server takes none that is older"),
    ("contacts", "for ever; one row for each person", "they are names of people in the archive"),
    ("chats, messages", "until deleted, or over", "they are the archive"),
    ("message_terms", "as long as the message", "it is how the message is found"),
    ("removals", "until its messages are out", "it says what is gone and not yet out"),
    (
        "edits, reactions, additions",
        "as long as the message; 30 days where none comes",
        "they may come before their message",
    ),
    ("sealed", "30 days", "they may come before their message, and it opens them"),
    ("settings", "until the client removes it", "they are its own"),
    (
        "groups, group_members",
        "until this account is not in it",
        "it is what is known of the group",
    ),
    (
        "sync_keys, collections, collection_macs",
        "until unlinked; as many as the account's settings",
        "a patch is checked against all that came before",
    ),
    (
        "sync_key_requests",
        "30 days",
        "a key is asked for once a day, so that it only has to be known what was asked lately",
    ),
    ("pending_sync", "until told", "the other devices have to hear of it"),
    (
        "labels, labelled_chats, labelled_messages, quick_replies, muted_status, locked_chats",
        "until the app state says otherwise",
        "they are the account's settings",
    ),
    ("audit", "400 days, the oldest first", "a year can be looked back at; the chain stays whole"),
    ("history_chunks, history_gaps, upkeep", "until read, closed or begun anew", "there are a few"),
];

/// The list as the documentation has it.
fn documented() -> String {
    let mut text = String::from(
        "# How long the store keeps what\n\n\
         One rule for each table. A test compares it with the schema, another with `sqlite/retention.rs`,\n\
         where it is written down; `Change::Upkeep` enforces it, some rows at a time. An unlinking removes all\n\
         keys, sessions, groups and queues at once, and leaves the archive. Writing the file anew so that it\n\
         gives back all free room (`VACUUM`) is never done by itself: new databases give it back while they are\n\
         idle, older ones after `SqliteStore::compact` was called once.\n\n\
         | table | how long | why |\n|---|---|---|\n",
    );
    for (tables, life, why) in RULES {
        let tables = tables.split(", ").map(|table| format!("`{table}`")).collect::<Vec<_>>();
        text.push_str(&format!("| {} | {life} | {why} |\n", tables.join(", ")));
    }
    text
}

#[test]
fn every_table_has_a_rule_for_its_life() {
    let db = Connection::open_in_memory().unwrap();
    for migration in super::open::MIGRATIONS {
        db.execute_batch(migration).unwrap();
    }
    let sql = "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%'
                   AND name NOT LIKE 'message_terms_%' ORDER BY name";
    let mut statement = db.prepare(sql).unwrap();
    let tables = statement.query_map([], |row| row.get::<_, String>(0)).unwrap();
    let tables: Vec<String> = tables.collect::<rusqlite::Result<_>>().unwrap();
    let mut ruled: Vec<&str> = RULES.iter().flat_map(|(names, ..)| names.split(", ")).collect();
    ruled.sort_unstable();
    assert_eq!(tables, ruled, "each table needs a rule in `sqlite/retention.rs`");
}

/// `UPDATE_DOCS=1` writes it.
#[test]
fn the_documentation_has_the_rules() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/retention.md");
    if std::env::var_os("UPDATE_DOCS").is_some() {
        std::fs::write(path, documented()).unwrap();
    }
    assert_eq!(std::fs::read_to_string(path).unwrap(), documented());
}
