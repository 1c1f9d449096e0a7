-- Parts of the history that wait to be read, and where the history is known to end early. A gap's
-- place is a chat, or the kind and number of a part.

CREATE TABLE history_chunks (
    position INTEGER PRIMARY KEY AUTOINCREMENT,
    id TEXT NOT NULL UNIQUE,
    notice BLOB NOT NULL,
    received_at INTEGER NOT NULL,
    attempts INTEGER NOT NULL
);

CREATE TABLE history_gaps (
    place TEXT PRIMARY KEY,
    starts INTEGER,
    ends INTEGER,
    reason TEXT NOT NULL,
    attempts INTEGER NOT NULL
) WITHOUT ROWID;

-- Where such parts waited before.
INSERT INTO history_chunks (id, notice, received_at, attempts)
    SELECT substr(name, 16), value, 0, 0 FROM settings WHERE name GLOB 'history-notice/*';
DELETE FROM settings WHERE name GLOB 'history-notice/*';

-- What waits for one chat is asked for an entry at a time.
CREATE INDEX outbox_pending_of ON outbox (chat, position) WHERE state < 2;
