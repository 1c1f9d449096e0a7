-- Why a message was given up: a word, and the server's code where it refused. Before, some reasons
-- were numbers that no server had said.
UPDATE outbox SET reason = CASE
    WHEN reason = '404' THEN 'not-on-whatsapp'
    WHEN reason = '424' THEN 'no-device'
    WHEN reason = '451' THEN 'not-allowed'
    WHEN reason = '463' THEN 'restricted'
    WHEN reason = '479' THEN 'malformed'
    WHEN reason = '403' AND chat LIKE '%@g.us' THEN 'not-in-group'
    WHEN reason GLOB '[0-9]*' THEN 'refused ' || reason
    ELSE 'unknown'
END
WHERE state = 3;

-- To whom messages were sent, each set of people once: who was not among them is not given the
-- message when they ask for it. Messages from before were sent to nobody known.
CREATE TABLE audiences (
    id INTEGER PRIMARY KEY,
    -- Over the people, sorted.
    hash BLOB NOT NULL UNIQUE,
    -- One JID a line.
    people TEXT NOT NULL
);
ALTER TABLE sent_messages ADD COLUMN audience INTEGER;
