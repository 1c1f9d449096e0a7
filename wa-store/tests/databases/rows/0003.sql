INSERT INTO sync_keys VALUES (x'000000000001', zeroblob(32), 1700000000, x'08');
INSERT INTO sync_key_requests VALUES (x'000000000002', 1700000000);
INSERT INTO collections VALUES ('regular', 3, zeroblob(128));
INSERT INTO collection_macs VALUES ('regular', zeroblob(32), zeroblob(32));
INSERT INTO pending_sync (id, collection, removes, index_json, value, action_version, made_at)
    VALUES ('P1', 'regular', 0, CAST('["pin_v1","900200@lid"]' AS BLOB), x'', 5, 1700000000);
INSERT INTO labels VALUES ('1', 'Garden', 2, NULL, NULL);
INSERT INTO labelled_chats VALUES ('900200@lid', '1');
INSERT INTO labelled_messages VALUES ('900200@lid', '900200@lid', 'M1', '1', 0);
INSERT INTO quick_replies VALUES ('q', 'thx', 'Thank you', '["thanks"]', 1);
INSERT INTO muted_status VALUES ('900200@lid');
INSERT INTO locked_chats VALUES ('900200@lid');
