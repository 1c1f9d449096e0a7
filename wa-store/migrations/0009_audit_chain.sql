-- Each entry of the audit carries a digest of what was sent, and a hash over itself and the hash of the
-- entry before it. Entries of older versions have none: they come before the chain's beginning.

ALTER TABLE audit ADD COLUMN digest BLOB;
ALTER TABLE audit ADD COLUMN hash BLOB;

-- The entry on which the first one that is left builds: the last that was taken out, or the last one
-- before the chain's beginning.
CREATE TABLE audit_anchor (
    id INTEGER PRIMARY KEY CHECK (id = 0),
    seq INTEGER NOT NULL,
    at_ms INTEGER,
    hash BLOB NOT NULL
);

INSERT INTO audit_anchor (id, seq, at_ms, hash)
VALUES (0, (SELECT coalesce(max(seq), 0) FROM audit), NULL, zeroblob(32));

-- Only what lies behind the anchor may be taken out.
DROP TRIGGER audit_is_not_deleted;
CREATE TRIGGER audit_is_not_deleted BEFORE DELETE ON audit
WHEN OLD.seq > (SELECT seq FROM audit_anchor)
BEGIN SELECT RAISE(ABORT, 'the audit is append-only'); END;
