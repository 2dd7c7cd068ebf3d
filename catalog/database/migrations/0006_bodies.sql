-- By what the body of a version is found: see `places`. NULL where there is none.
ALTER TABLE private.objects ADD COLUMN body BIGINT;
