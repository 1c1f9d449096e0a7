-- Whose secrets there are is asked for only where a person gets another name, and then their own chats
-- are done already: so the secrets of direct messages need no place in this index.
DROP INDEX IF EXISTS message_secrets_sender;
CREATE INDEX message_secrets_sender ON message_secrets (sender) WHERE sender <> chat;

-- Hashes are as good as random, so that each mark is a page of its own wherever they are in order. The
-- marks themselves are in the order they came, and only the beginnings of the hashes are in order: they
-- take a quarter of the pages.
CREATE TABLE seen_marks (
    hash BLOB NOT NULL,
    at INTEGER NOT NULL
);
INSERT INTO seen_marks (hash, at) SELECT hash, at FROM seen ORDER BY at;
DROP TABLE seen;
ALTER TABLE seen_marks RENAME TO seen;
CREATE INDEX seen_hash ON seen (substr(hash, 1, 6));
CREATE INDEX seen_at ON seen (at);
