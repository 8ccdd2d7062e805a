-- What was counted against budgets: each counter is of the newest period it was ever asked for. crossings counts how
-- often a count came to the share at which people are warned.

CREATE TABLE budget (
    counter   TEXT PRIMARY KEY,
    period    INTEGER NOT NULL,
    tokens    INTEGER NOT NULL,
    nano      INTEGER NOT NULL,
    crossings INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

ALTER TABLE refusal ADD COLUMN spent INTEGER CONSTRAINT spent CHECK (spent IS NULL);
