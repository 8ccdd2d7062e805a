-- What a platform's adapter has to remember over a restart: which stream it began, how far it read, who installed it.

CREATE TABLE note (
    platform TEXT NOT NULL,
    kind     TEXT NOT NULL,
    key      BLOB NOT NULL,
    at       INTEGER NOT NULL,
    body     BLOB NOT NULL,
    PRIMARY KEY (platform, kind, key)
) STRICT, WITHOUT ROWID;
