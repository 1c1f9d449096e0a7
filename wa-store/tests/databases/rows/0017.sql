-- What was not announced yet.
INSERT INTO journal (id, entry) VALUES (1, '{"altered":[],"archived":[[1,false]],"origin":"retry"}');
