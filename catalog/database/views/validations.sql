-- What scrubs came to. Of a scrub (named by when it began), a bucket and a check: one row with the number of items that
-- passed, and a row for each thing that failed or was repaired. Without a bucket: of the whole data folder.
SELECT
    v.id AS validation,
    v.scrub,
    v.validated AS validation_timestamp,
    b.name AS bucket,
    v.check_type,
    v.result,
    v.items,
    v.bytes,
    v.key,
    v.version_id,
    v.upload_id,
    v.part_number,
    v.body,
    v.detail
FROM private.validations AS v
LEFT JOIN private.buckets AS b ON b.id = v.bucket_id
WHERE (v.bucket_id IS NULL OR b.id IS NOT NULL)
    AND (getvariable('sees_all') OR b.owner = getvariable('sees'))
