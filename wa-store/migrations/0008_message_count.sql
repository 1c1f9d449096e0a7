-- How many messages there are, kept as they come and go: counting a million takes a while.

ALTER TABLE meta ADD COLUMN messages INTEGER NOT NULL DEFAULT 0;
UPDATE meta SET messages = (SELECT count(*) FROM messages);

CREATE TRIGGER messages_come AFTER INSERT ON messages
BEGIN UPDATE meta SET messages = messages + 1; END;

CREATE TRIGGER messages_go AFTER DELETE ON messages
BEGIN UPDATE meta SET messages = messages - 1; END;
