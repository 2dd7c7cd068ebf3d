-- Every mutation, for good, in order: the columns of S3 Metadata's journal table up to request_id, then Ducket's.
-- version_seq: the version it made, altered or removed. ended: the version that ended by it, itself or the one replaced.
-- previous: the newest other version of the key that remained. s3_operation: what was asked for, where operation does not tell.
SELECT
    bucket,
    key,
    printf('%016x', seq) AS sequence_number,
    record_type,
    record_timestamp,
    version_id,
    is_delete_marker,
    size,
    last_modified_date,
    e_tag,
    storage_class,
    is_multipart,
    if(is_multipart IS NULL, NULL, coalesce(encryption_status, 'NOT-SSE')) AS encryption_status,
    NULL::BOOLEAN AS is_bucket_key_enabled,
    NULL::VARCHAR AS kms_key_arn,
    checksum_algorithm,
    object_tags,
    user_metadata,
    requester,
    source_ip_address,
    request_id,
    seq,
    operation,
    version_seq,
    ended,
    previous,
    upload_id,
    part_number,
    user_id,
    s3_operation
FROM private.journal
WHERE getvariable('sees_all')
    OR bucket_id IN (SELECT b.id FROM private.buckets AS b WHERE b.owner = getvariable('sees'))
