-- JIDs are text. Sessions, identities, sender keys and device lists stand under exactly the JID that
-- was given, beside the user it belongs to; everywhere else a person stands under the LID where it
-- is known, without a device. Times are seconds since 1970.

CREATE TABLE meta (
    only INTEGER PRIMARY KEY CHECK (only = 1),
    last_seq INTEGER NOT NULL,
    unlinked INTEGER NOT NULL,
    nct_salt BLOB
);
INSERT INTO meta (only, last_seq, unlinked) VALUES (1, 0, 0);

CREATE TABLE account (
    only INTEGER PRIMARY KEY CHECK (only = 1),
    registration_id INTEGER NOT NULL,
    noise_private BLOB NOT NULL,
    identity_private BLOB NOT NULL,
    adv_secret BLOB NOT NULL,
    device_identity BLOB,
    jid TEXT,
    lid TEXT,
    push_name TEXT,
    business_name TEXT,
    platform TEXT,
    created_at INTEGER NOT NULL,
    linked_at INTEGER,
    lid_migrated_at INTEGER,
    next_prekey_id INTEGER NOT NULL,
    next_signed_prekey_id INTEGER NOT NULL,
    routing_info BLOB,
    server_static BLOB
);

CREATE TABLE prekeys (
    id INTEGER PRIMARY KEY,
    private BLOB NOT NULL,
    uploaded INTEGER NOT NULL
);

CREATE TABLE signed_prekeys (
    id INTEGER PRIMARY KEY,
    private BLOB NOT NULL,
    signature BLOB NOT NULL,
    created_at INTEGER NOT NULL
);

CREATE TABLE sessions (
    device TEXT PRIMARY KEY,
    user TEXT NOT NULL,
    record BLOB NOT NULL
);
CREATE INDEX sessions_user ON sessions (user);

CREATE TABLE identities (
    device TEXT PRIMARY KEY,
    user TEXT NOT NULL,
    key BLOB NOT NULL
);
CREATE INDEX identities_user ON identities (user);

CREATE TABLE sender_keys (
    scope TEXT NOT NULL,
    device TEXT NOT NULL,
    user TEXT NOT NULL,
    record BLOB NOT NULL,
    PRIMARY KEY (scope, device)
);
CREATE INDEX sender_keys_user ON sender_keys (user);

-- Which devices have this device's own sender key of a group.
CREATE TABLE sender_key_holders (
    scope TEXT NOT NULL,
    device TEXT NOT NULL,
    user TEXT NOT NULL,
    has_key INTEGER NOT NULL,
    PRIMARY KEY (scope, device)
) WITHOUT ROWID;
CREATE INDEX sender_key_holders_user ON sender_key_holders (user);

CREATE TABLE device_lists (
    user TEXT PRIMARY KEY,
    timestamp INTEGER NOT NULL,
    key_index_list BLOB,
    hash TEXT,
    fetched_at INTEGER NOT NULL
) WITHOUT ROWID;

CREATE TABLE devices (
    user TEXT NOT NULL REFERENCES device_lists (user) ON UPDATE CASCADE ON DELETE CASCADE,
    position INTEGER NOT NULL,
    device INTEGER NOT NULL,
    key_index INTEGER,
    hosted INTEGER NOT NULL,
    PRIMARY KEY (user, position)
) WITHOUT ROWID;

CREATE TABLE lids (
    phone TEXT PRIMARY KEY,
    lid TEXT NOT NULL UNIQUE
) WITHOUT ROWID;

CREATE TABLE seen (
    hash BLOB PRIMARY KEY,
    at INTEGER NOT NULL
) WITHOUT ROWID;
CREATE INDEX seen_at ON seen (at);

CREATE TABLE retries_sent (
    chat TEXT NOT NULL,
    sender TEXT NOT NULL,
    id TEXT NOT NULL,
    count INTEGER NOT NULL,
    at INTEGER NOT NULL,
    PRIMARY KEY (chat, sender, id)
) WITHOUT ROWID;

CREATE TABLE retries_answered (
    user TEXT NOT NULL,
    device INTEGER NOT NULL,
    id TEXT NOT NULL,
    count INTEGER NOT NULL,
    at INTEGER NOT NULL,
    PRIMARY KEY (user, device, id)
) WITHOUT ROWID;

CREATE TABLE sessions_recreated (
    user TEXT NOT NULL,
    device INTEGER NOT NULL,
    at INTEGER NOT NULL,
    PRIMARY KEY (user, device)
) WITHOUT ROWID;

CREATE TABLE base_keys (
    user TEXT NOT NULL,
    device INTEGER NOT NULL,
    id TEXT NOT NULL,
    base_key BLOB NOT NULL,
    at INTEGER NOT NULL,
    PRIMARY KEY (user, device, id)
) WITHOUT ROWID;

CREATE TABLE sent_messages (
    chat TEXT NOT NULL,
    id TEXT NOT NULL,
    plaintext BLOB NOT NULL,
    envelope BLOB NOT NULL,
    sent_at INTEGER NOT NULL,
    PRIMARY KEY (chat, id)
);
CREATE INDEX sent_messages_at ON sent_messages (sent_at);

CREATE TABLE outbox (
    position INTEGER PRIMARY KEY AUTOINCREMENT,
    id TEXT NOT NULL UNIQUE,
    chat TEXT NOT NULL,
    payload BLOB NOT NULL,
    created_at INTEGER NOT NULL,
    state INTEGER NOT NULL,
    reason TEXT,
    attempts INTEGER NOT NULL,
    idempotency_key TEXT UNIQUE
);
CREATE INDEX outbox_pending ON outbox (position) WHERE state < 2;

CREATE TABLE receipts (
    position INTEGER PRIMARY KEY AUTOINCREMENT,
    name TEXT NOT NULL UNIQUE,
    stanza BLOB NOT NULL,
    created_at INTEGER NOT NULL
);

CREATE TABLE placeholders (
    chat TEXT NOT NULL,
    sender TEXT NOT NULL,
    id TEXT NOT NULL,
    from_me INTEGER NOT NULL,
    timestamp INTEGER NOT NULL,
    push_name TEXT,
    reason TEXT NOT NULL,
    requested_at INTEGER,
    attempts INTEGER NOT NULL,
    PRIMARY KEY (chat, sender, id)
) WITHOUT ROWID;
CREATE INDEX placeholders_sender ON placeholders (sender);

CREATE TABLE message_secrets (
    chat TEXT NOT NULL,
    sender TEXT NOT NULL,
    id TEXT NOT NULL,
    true_sender TEXT NOT NULL,
    secret BLOB NOT NULL,
    PRIMARY KEY (chat, sender, id)
) WITHOUT ROWID;
CREATE INDEX message_secrets_sender ON message_secrets (sender);

CREATE TABLE privacy_tokens (
    jid TEXT PRIMARY KEY,
    token BLOB NOT NULL,
    timestamp INTEGER NOT NULL,
    issued_at INTEGER
) WITHOUT ROWID;

CREATE TABLE contacts (
    jid TEXT PRIMARY KEY,
    full_name TEXT,
    first_name TEXT,
    push_name TEXT,
    business_name TEXT,
    redacted_phone TEXT
) WITHOUT ROWID;

CREATE TABLE chats (
    jid TEXT PRIMARY KEY,
    name TEXT,
    unread INTEGER NOT NULL,
    marked_unread INTEGER NOT NULL,
    muted_until INTEGER,
    pinned_at INTEGER,
    archived INTEGER NOT NULL,
    ephemeral_secs INTEGER
) WITHOUT ROWID;

CREATE TABLE settings (
    name TEXT PRIMARY KEY,
    value BLOB NOT NULL
) WITHOUT ROWID;

-- The raw plaintext comes last: it is long, and few questions want it.
CREATE TABLE messages (
    seq INTEGER PRIMARY KEY,
    chat TEXT NOT NULL,
    sender TEXT NOT NULL,
    id TEXT NOT NULL,
    from_me INTEGER NOT NULL,
    timestamp INTEGER NOT NULL,
    server_timestamp INTEGER,
    kind TEXT NOT NULL,
    status INTEGER NOT NULL,
    starred INTEGER NOT NULL,
    edited_at INTEGER,
    revoked_at INTEGER,
    revoked_by TEXT,
    reply_to TEXT,
    push_name TEXT,
    text TEXT,
    -- What an edited message said at first.
    original_text TEXT,
    media TEXT,
    raw BLOB NOT NULL
);
CREATE UNIQUE INDEX messages_place ON messages (chat, id, sender);
CREATE INDEX messages_chat ON messages (chat, timestamp, seq);
CREATE INDEX messages_time ON messages (timestamp, seq);
CREATE INDEX messages_sender ON messages (sender, timestamp, seq);

CREATE TABLE edits (
    chat TEXT NOT NULL,
    sender TEXT NOT NULL,
    id TEXT NOT NULL,
    edit_id TEXT NOT NULL,
    edited_at INTEGER NOT NULL,
    position INTEGER NOT NULL,
    text TEXT,
    raw BLOB NOT NULL,
    PRIMARY KEY (chat, sender, id, edit_id)
) WITHOUT ROWID;
CREATE INDEX edits_sender ON edits (sender);

-- One that was taken back stays with an empty emoji, so that an older one that comes late does not
-- show.
CREATE TABLE reactions (
    chat TEXT NOT NULL,
    sender TEXT NOT NULL,
    id TEXT NOT NULL,
    reactor TEXT NOT NULL,
    target_from_me INTEGER NOT NULL,
    emoji TEXT NOT NULL,
    timestamp INTEGER NOT NULL,
    PRIMARY KEY (chat, sender, id, reactor)
) WITHOUT ROWID;
CREATE INDEX reactions_sender ON reactions (sender);
CREATE INDEX reactions_reactor ON reactions (reactor);

-- Which message has which index term (three letters in a row, or a character that stands alone). It
-- narrows a search down; the text itself decides. So neither positions nor texts are kept here.
CREATE VIRTUAL TABLE message_terms USING fts5 (
    terms,
    content = '',
    columnsize = 0,
    detail = none,
    tokenize = "ascii tokenchars '^$'"
);
