INSERT INTO device_vouchers VALUES ('900200:3@lid', '900200@lid', x'000000000000000000000000000000000000000000000000000000000000000f', x'0000000000000000000000000000000000000000000000000000000000000009',
    1, 0);
INSERT INTO key_index_lists VALUES ('900200@lid', x'0a');
-- The lists of before were thrown away; those of now.
INSERT INTO device_lists (user, hash, fetched_at) VALUES ('900200@lid', '2:abcd', 1700000000);
INSERT INTO devices VALUES ('900200@lid', 0, 0, NULL, 0), ('900200@lid', 1, 3, 1, 0);
