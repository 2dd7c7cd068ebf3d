-- The multipart uploads under way.
SELECT
    b.name AS bucket,
    u.key,
    u.upload_id,
    u.initiated,
    u.owner,
    u.storage_class,
    u.content_type,
    u.checksum_algorithm,
    u.checksum_type,
    u.object_tags,
    u.user_metadata,
    u.headers
FROM private.uploads AS u
JOIN private.buckets AS b ON b.id = u.bucket_id
WHERE getvariable('sees_all') OR b.owner = getvariable('sees')
