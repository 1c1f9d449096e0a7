-- Where this account wrote: whoever it wrote to is no stranger, which is asked with each question that
-- leaves strangers out.

CREATE INDEX IF NOT EXISTS messages_own ON messages (chat) WHERE from_me;
