-- A bucket's lifecycle configuration, as JSON; no bucket had one before.
ALTER TABLE private.buckets ADD COLUMN IF NOT EXISTS lifecycle VARCHAR;
