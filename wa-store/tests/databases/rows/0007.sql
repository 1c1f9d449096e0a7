INSERT INTO audit (at_ms, caller, call, chat, outcome, detail, to_stranger) VALUES
    (1700000000000, 'client: robot', 'messages/send', '900200@lid', 'accepted', 'S1', 0),
    (1700000001000, 'person: terminal', 'messages/send', '900200@lid', 'accepted', 'S2', 0);
