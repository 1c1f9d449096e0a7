INSERT INTO additions VALUES ('900200@lid', '900200@lid', 'M1', 'keep', '', 0, '900100@lid', 0, 1700000006, 0,
    'K1', x'01');
INSERT INTO sealed VALUES ('900200@lid', '900200@lid', 'M7', '900200@lid', 'V1', 0, 0, 1700000006, 0, 0, x'0d');
