-- What the devices of an account keep in common. Key ids, MACs and hashes are bytes.

CREATE TABLE sync_keys (
    id BLOB PRIMARY KEY,
    data BLOB NOT NULL,
    timestamp INTEGER NOT NULL,
    fingerprint BLOB NOT NULL
) WITHOUT ROWID;

CREATE TABLE sync_key_requests (
    id BLOB PRIMARY KEY,
    at INTEGER NOT NULL
) WITHOUT ROWID;

CREATE TABLE collections (
    name TEXT PRIMARY KEY,
    version INTEGER NOT NULL,
    hash BLOB NOT NULL
) WITHOUT ROWID;

CREATE TABLE collection_macs (
    collection TEXT NOT NULL,
    index_mac BLOB NOT NULL,
    value_mac BLOB NOT NULL,
    PRIMARY KEY (collection, index_mac)
) WITHOUT ROWID;

-- Changes the other devices have not been told yet.
CREATE TABLE pending_sync (
    position INTEGER PRIMARY KEY AUTOINCREMENT,
    id TEXT NOT NULL UNIQUE,
    collection TEXT NOT NULL,
    removes INTEGER NOT NULL,
    index_json BLOB NOT NULL,
    value BLOB NOT NULL,
    action_version INTEGER NOT NULL,
    made_at INTEGER NOT NULL
);

CREATE TABLE labels (
    id TEXT PRIMARY KEY,
    name TEXT NOT NULL,
    color INTEGER,
    predefined_id INTEGER,
    position INTEGER
) WITHOUT ROWID;

CREATE TABLE labelled_chats (
    chat TEXT NOT NULL,
    label TEXT NOT NULL,
    PRIMARY KEY (chat, label)
) WITHOUT ROWID;
CREATE INDEX labelled_chats_label ON labelled_chats (label);

CREATE TABLE labelled_messages (
    chat TEXT NOT NULL,
    sender TEXT NOT NULL,
    id TEXT NOT NULL,
    label TEXT NOT NULL,
    from_me INTEGER NOT NULL,
    PRIMARY KEY (chat, sender, id, label)
) WITHOUT ROWID;
CREATE INDEX labelled_messages_label ON labelled_messages (label);
CREATE INDEX labelled_messages_sender ON labelled_messages (sender);

-- Keywords are a JSON array.
CREATE TABLE quick_replies (
    id TEXT PRIMARY KEY,
    shortcut TEXT NOT NULL,
    message TEXT NOT NULL,
    keywords TEXT NOT NULL,
    count INTEGER NOT NULL
) WITHOUT ROWID;

CREATE TABLE muted_status (
    jid TEXT PRIMARY KEY
) WITHOUT ROWID;

CREATE TABLE locked_chats (
    jid TEXT PRIMARY KEY
) WITHOUT ROWID;
