-- Chats that were deleted or emptied, and whose messages are still being taken out, some at a time.
-- Of a chat all messages are concerned up to a number and a second; those with a star may stay.
CREATE TABLE removals (
    position INTEGER PRIMARY KEY AUTOINCREMENT,
    chat TEXT NOT NULL,
    up_to_seq INTEGER NOT NULL,
    until INTEGER NOT NULL,
    keep_starred INTEGER NOT NULL,
    -- What is older than this second is out already.
    reached INTEGER NOT NULL
);
CREATE INDEX removals_chat ON removals (chat);

-- The messages there are for whoever asks: without those that are being taken out.
CREATE VIEW live_messages AS
SELECT * FROM messages l WHERE NOT EXISTS (
    SELECT 1 FROM removals r
    WHERE r.chat = l.chat AND l.seq <= r.up_to_seq AND l.timestamp <= r.until
        AND NOT (l.starred AND r.keep_starred));

-- A message that somebody kept stays although its time is over, and is not looked at again each time.
ALTER TABLE messages ADD COLUMN kept INTEGER NOT NULL DEFAULT 0;
UPDATE messages SET kept = 1 WHERE expires_at IS NOT NULL AND EXISTS (
    SELECT 1 FROM additions a
    WHERE a.chat = messages.chat AND a.sender = messages.sender AND a.id = messages.id
        AND a.kind = 'keep' AND a.value = x'2001');
DROP INDEX messages_expiry;
CREATE INDEX messages_expiry ON messages (expires_at) WHERE expires_at IS NOT NULL AND NOT kept;

-- What is rare is found from its own side: pictures, polls, calls; and what an assistant sent.
CREATE INDEX messages_kind ON messages (kind, timestamp, seq) WHERE kind <> 'text';
CREATE INDEX messages_by_assistant ON messages (timestamp, seq) WHERE by_assistant;
CREATE INDEX messages_own ON messages (chat, timestamp, seq) WHERE from_me;

-- How texts were read when they were put into the search index; and, while it is made anew, up to which
-- message that is done, and from which on messages were put in as they came.
ALTER TABLE meta ADD COLUMN index_version INTEGER NOT NULL DEFAULT 1;
ALTER TABLE meta ADD COLUMN index_done INTEGER NOT NULL DEFAULT 0;
ALTER TABLE meta ADD COLUMN index_from INTEGER NOT NULL DEFAULT 0;

-- What is forgotten after a time is found by its time.
CREATE INDEX retries_sent_at ON retries_sent (at);
CREATE INDEX retries_sent_sender ON retries_sent (sender);
CREATE INDEX retries_answered_at ON retries_answered (at);
CREATE INDEX sessions_recreated_at ON sessions_recreated (at);
CREATE INDEX base_keys_at ON base_keys (at);
CREATE INDEX privacy_tokens_at ON privacy_tokens (timestamp);
CREATE INDEX device_lists_at ON device_lists (fetched_at);
CREATE INDEX sync_key_requests_at ON sync_key_requests (at);
CREATE INDEX placeholders_at ON placeholders (timestamp);
CREATE INDEX prekeys_waiting ON prekeys (id) WHERE NOT uploaded;

-- Until when something was seen to wait in the outbox: from then on its days are counted.
ALTER TABLE sent_messages ADD COLUMN waited_until INTEGER NOT NULL DEFAULT 0;
ALTER TABLE outbox ADD COLUMN waited_until INTEGER NOT NULL DEFAULT 0;
CREATE INDEX sent_messages_id ON sent_messages (id);
CREATE INDEX sent_messages_audience ON sent_messages (audience) WHERE audience IS NOT NULL;
CREATE INDEX sealed_untried ON sealed (chat, sender, id) WHERE NOT tried;
CREATE INDEX outbox_finished ON outbox (created_at) WHERE state >= 2;

-- Groups with sender keys of which nothing else is known, and since when.
CREATE TABLE left_groups (
    scope TEXT PRIMARY KEY,
    since INTEGER NOT NULL
) WITHOUT ROWID;

-- How far a pass through a table has come that looks at some rows at a time: the last key it saw.
CREATE TABLE upkeep (
    pass TEXT PRIMARY KEY,
    reached TEXT NOT NULL,
    begun_at INTEGER NOT NULL
) WITHOUT ROWID;
