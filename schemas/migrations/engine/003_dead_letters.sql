-- The event's type as its header said it: what does not decode is told apart by it, and a retry sees the same headers.
ALTER TABLE engine.parked ADD COLUMN type text;
