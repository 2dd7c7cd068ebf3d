-- What keeps a version from ending; rows of before have none.
ALTER TABLE private.objects ADD COLUMN IF NOT EXISTS object_lock_mode VARCHAR;
ALTER TABLE private.objects ADD COLUMN IF NOT EXISTS object_lock_retain_until_date TIMESTAMP;
ALTER TABLE private.objects ADD COLUMN IF NOT EXISTS object_lock_legal_hold_status VARCHAR;
