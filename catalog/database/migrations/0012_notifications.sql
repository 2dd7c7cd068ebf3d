-- A bucket's event notifications, as JSON. Of those that were put before, the next change of the bucket tells.
ALTER TABLE private.buckets ADD COLUMN IF NOT EXISTS notification VARCHAR;
