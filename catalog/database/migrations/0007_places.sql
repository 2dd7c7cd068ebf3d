-- `body` says of objects in parts, too, where the one part lies that is in the log, and is there for parts of uploads. Rows of
-- before get theirs by `places.fill`.
ALTER TABLE private.parts ADD COLUMN body BIGINT;
