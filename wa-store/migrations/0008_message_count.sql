-- How many messages there are, kept with each commit: counting a million takes a while, and a trigger
-- on each row takes nearly as long as the row.

ALTER TABLE meta ADD COLUMN messages INTEGER NOT NULL DEFAULT 0;
UPDATE meta SET messages = (SELECT count(*) FROM messages);
