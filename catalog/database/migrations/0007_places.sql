-- `body` says of objects in parts, too, where the one part lies that is in the log, and is there for parts of uploads: see
-- `places`. Rows of before get theirs.
ALTER TABLE private.parts ADD COLUMN body BIGINT;
UPDATE private.parts SET body = place_of_part(entry);
UPDATE private.objects SET body = place_of_version(entry) WHERE body IS NULL AND NOT is_delete_marker;
