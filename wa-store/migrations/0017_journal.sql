-- What commits did to the archive that listeners have not been told of yet.
CREATE TABLE IF NOT EXISTS journal (
    id INTEGER PRIMARY KEY,
    entry TEXT NOT NULL
) STRICT;
