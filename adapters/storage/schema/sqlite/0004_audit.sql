-- The audit log is a chain: each line names the one before it by a hash whose key is not in the database.
-- Lines from before the chain keep their numbers and have no link; it begins after them.

ALTER TABLE audit ADD COLUMN digest BLOB NOT NULL DEFAULT x'';
ALTER TABLE audit ADD COLUMN link BLOB NOT NULL DEFAULT x'';

CREATE TABLE audit_end (
    seq  INTEGER NOT NULL,
    link BLOB NOT NULL
) STRICT;
INSERT INTO audit_end (seq, link) SELECT coalesce(max(seq), 0), x'' FROM audit;

ALTER TABLE refusal ADD COLUMN moved INTEGER CONSTRAINT moved CHECK (moved IS NULL);
