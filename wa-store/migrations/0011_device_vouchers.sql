-- What companions proved when they were verified, by which account's key.
CREATE TABLE device_vouchers (
    device TEXT PRIMARY KEY,
    user TEXT NOT NULL,
    identity BLOB NOT NULL,
    account_key BLOB NOT NULL,
    key_index INTEGER NOT NULL,
    hosted INTEGER NOT NULL
);
CREATE INDEX device_vouchers_user ON device_vouchers (user);

-- The newest signed list of key indexes of each account. It outlives the device list, so that an
-- older one is known to be older.
CREATE TABLE key_index_lists (
    user TEXT PRIMARY KEY,
    list BLOB NOT NULL
) WITHOUT ROWID;

-- Every list is asked for again, since those from before have no signed list on file.
DELETE FROM device_lists;
ALTER TABLE device_lists DROP COLUMN timestamp;
ALTER TABLE device_lists DROP COLUMN key_index_list;
