-- What an assistant sends without a person's agreement is of some kind, by which it is judged again
-- right before it leaves. What waits from before stays as it was judged then.
ALTER TABLE outbox ADD COLUMN unconfirmed TEXT;
