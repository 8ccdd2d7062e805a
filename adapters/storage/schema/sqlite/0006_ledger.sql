-- A call of a model names the ticket it was made for.

ALTER TABLE usage ADD COLUMN ticket TEXT;
