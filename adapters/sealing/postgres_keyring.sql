-- The keyring in a database. `owner` is a keyed hash (empty for the look-up key): the table does not tell who is known
-- here. Times are microseconds since 1970 UTC.
CREATE SCHEMA deskmate_keyring;

CREATE TABLE deskmate_keyring.layout (number integer NOT NULL);
INSERT INTO deskmate_keyring.layout VALUES (1);

CREATE TABLE deskmate_keyring.key (
    owner   bytea NOT NULL,
    version integer NOT NULL,
    state   text NOT NULL CHECK (state IN ('live', 'erased')),
    wrapped bytea NOT NULL,
    made    bigint NOT NULL,
    PRIMARY KEY (owner, version)
);

-- One line per erased owner, so that a desk that serves sees what another one erased.
CREATE TABLE deskmate_keyring.erasure (
    seq   bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    owner bytea NOT NULL,
    at    bigint NOT NULL
);
