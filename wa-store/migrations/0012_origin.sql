-- Who asked for what is sent, and for what exactly. What an assistant sent does not count as said by
-- the person, so the message itself bears the mark; older messages get it by the audit.
ALTER TABLE outbox ADD COLUMN caller TEXT;
ALTER TABLE outbox ADD COLUMN by_assistant INTEGER NOT NULL DEFAULT 0;
ALTER TABLE outbox ADD COLUMN digest TEXT;
ALTER TABLE messages ADD COLUMN by_assistant INTEGER NOT NULL DEFAULT 0;
UPDATE messages SET by_assistant = 1
WHERE from_me AND id IN (
    SELECT detail FROM audit
    WHERE (caller LIKE 'assistant: %' OR caller LIKE 'client: %') AND detail IS NOT NULL
);

-- Where the person wrote: whoever they wrote to is no stranger.
DROP INDEX IF EXISTS messages_own;
CREATE INDEX messages_by_person ON messages (chat) WHERE from_me AND NOT by_assistant;
