INSERT INTO history_chunks (id, notice, received_at, attempts) VALUES ('H1', x'0e', 1700000000, 0);
INSERT INTO history_gaps VALUES ('900200@lid', NULL, 1700000001, 'unreachable', 1);
