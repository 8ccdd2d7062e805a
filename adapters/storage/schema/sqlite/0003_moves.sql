-- An event that waits may go to another lane: what was said after "new" belongs to the conversation that begins there.

CREATE TRIGGER inbox_move AFTER UPDATE OF session ON inbox WHEN NEW.session <> OLD.session AND NEW.status = 'queued' BEGIN
    UPDATE lane SET pending = pending - 1 WHERE session = OLD.session;
    INSERT INTO lane (session, pending) VALUES (NEW.session, 1)
    ON CONFLICT (session) DO UPDATE SET pending = pending + 1;
END;
