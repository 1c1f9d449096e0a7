-- What was done in the account's name, and who asked. Rows are added and never changed.

CREATE TABLE audit (
    seq INTEGER PRIMARY KEY AUTOINCREMENT,
    at_ms INTEGER NOT NULL,
    caller TEXT NOT NULL,
    call TEXT NOT NULL,
    chat TEXT,
    outcome TEXT NOT NULL,
    detail TEXT,
    to_stranger INTEGER NOT NULL
);

CREATE INDEX audit_time ON audit (at_ms);

CREATE TRIGGER audit_is_not_changed BEFORE UPDATE ON audit
BEGIN SELECT RAISE(ABORT, 'the audit is append-only'); END;

CREATE TRIGGER audit_is_not_deleted BEFORE DELETE ON audit
BEGIN SELECT RAISE(ABORT, 'the audit is append-only'); END;
