-- A row in every table, as the first schema's programs wrote them.
UPDATE meta SET last_seq = 3, nct_salt = x'0909';
INSERT INTO account VALUES (1, 7, x'0000000000000000000000000000000000000000000000000000000000000001', x'0000000000000000000000000000000000000000000000000000000000000002', zeroblob(32), x'0a00',
    '15550100:2@s.whatsapp.net', '900100:2@lid', 'Ada', NULL, 'android', 1700000000, 1700000001, NULL,
    813, 2, x'08', NULL);
INSERT INTO prekeys VALUES (5, x'0000000000000000000000000000000000000000000000000000000000000005', 1), (6, x'0000000000000000000000000000000000000000000000000000000000000006', 0);
INSERT INTO signed_prekeys VALUES (1, x'0000000000000000000000000000000000000000000000000000000000000007', zeroblob(64), 1700000000);
INSERT INTO sessions VALUES ('900200@lid', '900200@lid', x'0102'), ('900200:3@lid', '900200@lid', x'0103');
INSERT INTO identities VALUES ('900200@lid', '900200@lid', x'0000000000000000000000000000000000000000000000000000000000000009');
INSERT INTO sender_keys VALUES ('1203630@g.us', '900200@lid', '900200@lid', x'0104');
INSERT INTO sender_key_holders VALUES ('1203630@g.us', '900200@lid', '900200@lid', 1);
INSERT INTO device_lists VALUES ('900200@lid', 1700000000, x'0a', '2:abcd', 1700000000);
INSERT INTO devices VALUES ('900200@lid', 0, 0, NULL, 0), ('900200@lid', 1, 3, 1, 0);
INSERT INTO lids VALUES ('15550200@s.whatsapp.net', '900200@lid');
INSERT INTO seen VALUES (x'0000000000000000000000000000000000000000000000000000000000000001', 1700000000);
INSERT INTO retries_sent VALUES ('900200@lid', '900200@lid', 'M9', 1, 1700000000);
INSERT INTO retries_answered VALUES ('900200@lid', 3, 'S1', 1, 1700000000);
INSERT INTO sessions_recreated VALUES ('900200@lid', 3, 1700000000);
INSERT INTO base_keys VALUES ('900200@lid', 3, 'S1', x'000000000000000000000000000000000000000000000000000000000000000b', 1700000000);
INSERT INTO sent_messages VALUES ('900200@lid', 'S1', x'0a02', x'00', 1700000000);
INSERT INTO outbox (id, chat, payload, created_at, state, reason, attempts, idempotency_key) VALUES
    ('S2', '900200@lid', x'0a03', 1700000002, 0, NULL, 0, 'order 7'),
    ('S3', '900200@lid', x'0a04', 1700000003, 3, '463', 1, NULL);
INSERT INTO receipts (name, stanza, created_at) VALUES ('read 900200@lid', x'00f8', 1700000000);
INSERT INTO placeholders VALUES ('900200@lid', '900200@lid', 'M9', 0, 1700000000, 'Bob', 'bad-mac', NULL, 1);
INSERT INTO message_secrets VALUES ('900200@lid', '900200@lid', 'M1', '900200@lid', zeroblob(32));
INSERT INTO privacy_tokens VALUES ('900200@lid', x'0c', 1700000000, 1700000000);
INSERT INTO contacts VALUES ('900200@lid', 'Bob Berg', 'Bob', 'bobby', NULL, NULL);
INSERT INTO chats VALUES ('900200@lid', NULL, 2, 0, NULL, 1700000000, 0, 86400),
    ('1203630@g.us', 'Allotment', 0, 0, -1, NULL, 1, NULL);
INSERT INTO settings VALUES ('a setting', x'01');
INSERT INTO messages VALUES
    (1, '900200@lid', '900200@lid', 'M1', 0, 1700000001, NULL, 'text', 4, 0, NULL, NULL, NULL, NULL, 'Bob',
     'the first tomatoes', NULL, NULL, x'0a01'),
    (2, '900200@lid', '900100@lid', 'S1', 1, 1700000002, NULL, 'text', 3, 1, 1700000005, NULL, NULL, 'M1',
     NULL, 'how many of them', 'how many', NULL, x'0a02'),
    (3, '1203630@g.us', '900200@lid', 'M3', 0, 1700000003, NULL, 'image', 4, 0, NULL, NULL, NULL, NULL,
     'Bob', 'a picture', NULL, NULL, x'1a00');
INSERT INTO edits VALUES ('900200@lid', '900100@lid', 'S1', 'S4', 1700000005, 0, 'how many of them', x'0a02');
INSERT INTO reactions VALUES ('900200@lid', '900200@lid', 'M1', '900100@lid', 0, '🍅', 1700000004);
INSERT INTO message_terms (rowid, terms) VALUES (1, 'tom oma mat'), (2, 'how man any'), (3, 'pic ict ctu');
