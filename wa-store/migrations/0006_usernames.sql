-- The name by which a person can be found without their number.
ALTER TABLE contacts ADD COLUMN username TEXT;
