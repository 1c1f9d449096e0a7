-- What hangs on messages besides edits and reactions: votes, options, answers, pins, keeps,
-- positions. Of what shares a slot the greatest of (rank, at, sender_ms, added_by) stays.
CREATE TABLE additions (
    chat TEXT NOT NULL,
    sender TEXT NOT NULL,
    id TEXT NOT NULL,
    kind TEXT NOT NULL,
    slot TEXT NOT NULL,
    from_me INTEGER NOT NULL,
    author TEXT NOT NULL,
    rank INTEGER NOT NULL,
    at INTEGER NOT NULL,
    sender_ms INTEGER NOT NULL,
    added_by TEXT NOT NULL,
    value BLOB NOT NULL,
    PRIMARY KEY (chat, sender, id, kind, slot)
) WITHOUT ROWID;
CREATE INDEX additions_sender ON additions (sender);
CREATE INDEX additions_author ON additions (author);
CREATE INDEX additions_pins ON additions (chat) WHERE kind = 'pin';

-- What was added to a message whose secret is not known yet.
CREATE TABLE sealed (
    chat TEXT NOT NULL,
    sender TEXT NOT NULL,
    id TEXT NOT NULL,
    author TEXT NOT NULL,
    added_by TEXT NOT NULL,
    target_from_me INTEGER NOT NULL,
    from_me INTEGER NOT NULL,
    at INTEGER NOT NULL,
    sender_ms INTEGER NOT NULL,
    tried INTEGER NOT NULL,
    raw BLOB NOT NULL,
    PRIMARY KEY (chat, sender, id, author, added_by)
);
CREATE INDEX sealed_sender ON sealed (sender);
CREATE INDEX sealed_author ON sealed (author);
CREATE INDEX sealed_at ON sealed (at);

ALTER TABLE messages ADD COLUMN expires_at INTEGER;
ALTER TABLE messages ADD COLUMN view_once INTEGER NOT NULL DEFAULT 0;
ALTER TABLE messages ADD COLUMN forwarding_score INTEGER;
CREATE INDEX messages_expiry ON messages (expires_at) WHERE expires_at IS NOT NULL;
CREATE INDEX messages_comments ON messages (chat, reply_to) WHERE kind = 'comment';

-- What stands in one second is ordered by the sender's clock and not by who comes first.
ALTER TABLE edits ADD COLUMN sender_ms INTEGER NOT NULL DEFAULT 0;
ALTER TABLE edits DROP COLUMN position;
ALTER TABLE reactions ADD COLUMN sender_ms INTEGER NOT NULL DEFAULT 0;

ALTER TABLE chats ADD COLUMN ephemeral_set_at INTEGER;
