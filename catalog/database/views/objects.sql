-- The current objects, with the columns of S3 Metadata's live inventory table and Ducket's.
SELECT
    b.name AS bucket,
    o.key,
    printf('%016x', o.seq) AS sequence_number,
    o.seq,
    o.version_id,
    o.size,
    o.last_modified AS last_modified_date,
    o.e_tag,
    o.storage_class,
    o.parts_count IS NOT NULL AS is_multipart,
    coalesce(o.encryption_status, 'NOT-SSE') AS encryption_status,
    NULL::BOOLEAN AS is_bucket_key_enabled,
    NULL::VARCHAR AS kms_key_arn,
    o.checksum_algorithm,
    o.checksum_type,
    o.checksum_value,
    o.object_tags,
    o.user_metadata,
    o.content_type,
    o.headers,
    o.owner,
    o.parts_count,
    o.object_lock_mode,
    o.object_lock_retain_until_date,
    o.object_lock_legal_hold_status
FROM private.objects AS o
JOIN private.buckets AS b ON b.id = o.bucket_id
WHERE o.is_latest AND NOT o.is_delete_marker AND (getvariable('sees_all') OR b.owner = getvariable('sees'))
