-- The delete markers; one that is the latest hides its key.
SELECT
    b.name AS bucket,
    o.key,
    printf('%016x', o.seq) AS sequence_number,
    o.seq,
    o.version_id,
    o.is_latest,
    o.last_modified AS last_modified_date,
    o.owner
FROM private.objects AS o
JOIN private.buckets AS b ON b.id = o.bucket_id
WHERE o.is_delete_marker AND (getvariable('sees_all') OR b.owner = getvariable('sees'))
