-- What is kept for its time only. A line of the bill may stand for many calls, and the audit log may begin later.

ALTER TABLE usage ADD COLUMN calls bigint NOT NULL DEFAULT 1;

-- The last line that was cut off the log. A line that stays says so too, and the chain covers it.
CREATE TABLE audit_start (
    seq  bigint NOT NULL,
    link bytea NOT NULL
);
INSERT INTO audit_start (seq, link) VALUES (0, '');
