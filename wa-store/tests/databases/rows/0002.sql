INSERT INTO groups VALUES ('1203630@g.us', 1, 'Allotment', '900200@lid', 1700000000, 1700000000,
    '900200@lid', 'Beds and tools', 'D1', '900200@lid', 1700000000, 2, 'v1', 0, 0, 0, 0, 1, 0, 0, NULL);
INSERT INTO group_members VALUES ('1203630@g.us', 0, '900200@lid', '15550200@s.whatsapp.net', NULL, 2, NULL),
    ('1203630@g.us', 1, '900100@lid', '15550100@s.whatsapp.net', NULL, 0, NULL);
