-- Identity keys that devices had before, so that an old message does not bring one back.
CREATE TABLE IF NOT EXISTS former_identities (
    device TEXT NOT NULL,
    user TEXT NOT NULL,
    key BLOB NOT NULL,
    -- Whether another key took its place; else the server said that its person was set up anew.
    replaced INTEGER NOT NULL,
    PRIMARY KEY (device, key)
);
CREATE INDEX IF NOT EXISTS former_identities_user ON former_identities (user);
