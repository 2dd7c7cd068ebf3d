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
FROM private.uploads u
JOIN private.buckets b ON b.id = u.bucket_id
