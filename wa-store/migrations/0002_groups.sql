-- What is known of the groups this account is in. Times are seconds since 1970; people stand under
-- the address by which the server names them in that group.

CREATE TABLE groups (
    jid TEXT PRIMARY KEY,
    by_lid INTEGER NOT NULL,
    subject TEXT NOT NULL,
    subject_owner TEXT,
    subject_time INTEGER,
    created INTEGER,
    creator TEXT,
    description TEXT,
    description_id TEXT,
    description_author TEXT,
    description_time INTEGER,
    size INTEGER,
    participant_version TEXT,
    locked INTEGER NOT NULL,
    announcement INTEGER NOT NULL,
    ephemeral INTEGER NOT NULL,
    needs_approval INTEGER NOT NULL,
    everybody_adds INTEGER NOT NULL,
    suspended INTEGER NOT NULL,
    -- 0 none, 1 a community itself, 2 a group of one, 3 its group for announcements
    community_role INTEGER NOT NULL,
    community TEXT
) WITHOUT ROWID;

CREATE TABLE group_members (
    group_jid TEXT NOT NULL REFERENCES groups (jid) ON DELETE CASCADE,
    position INTEGER NOT NULL,
    jid TEXT NOT NULL,
    phone TEXT,
    lid TEXT,
    -- 0 member, 1 admin, 2 made the group
    role INTEGER NOT NULL,
    display_name TEXT,
    PRIMARY KEY (group_jid, position)
) WITHOUT ROWID;
