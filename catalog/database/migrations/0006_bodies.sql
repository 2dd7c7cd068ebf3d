-- By what the body of a version is found: see `objects.body_number`. NULL where it is in parts, where there is none, and in
-- rows of before: of those the records are searched.
ALTER TABLE private.objects ADD COLUMN body BIGINT;
