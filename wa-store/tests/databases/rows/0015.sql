-- Whom a message was sent to.
INSERT INTO audiences (id, hash, people) VALUES (1, x'0F15', '900100@lid' || char(10) || '900200@lid');
UPDATE sent_messages SET audience = 1;
