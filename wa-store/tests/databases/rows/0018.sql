INSERT INTO removals (chat, up_to_seq, until, keep_starred, reached)
    VALUES ('900299@lid', 9, 1700000000, 0, 0);
INSERT INTO left_groups (scope, since) VALUES ('120363000000000009@g.us', 1700000000);
INSERT INTO upkeep (pass, reached, begun_at) VALUES ('edits', '', 1700000000);
