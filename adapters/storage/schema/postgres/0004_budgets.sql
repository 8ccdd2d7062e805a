-- What was counted against budgets: each counter is of the newest period it was ever asked for. crossings counts how
-- often a count came to the share at which people are warned.

CREATE TABLE budget (
    counter   text COLLATE "C" PRIMARY KEY,
    period    bigint NOT NULL,
    tokens    bigint NOT NULL,
    nano      bigint NOT NULL,
    crossings bigint NOT NULL
);

ALTER TABLE refusal ADD COLUMN spent bigint CONSTRAINT spent CHECK (spent IS NULL);
