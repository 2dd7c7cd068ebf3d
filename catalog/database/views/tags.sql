-- The tags of versions, a row each. Those of a bucket stand in buckets.
SELECT
    b.name AS bucket,
    o.key,
    o.version_id,
    o.is_latest,
    tag.key AS tag_key,
    tag.value AS tag_value
FROM private.objects AS o
JOIN private.buckets AS b ON b.id = o.bucket_id,
    LATERAL unnest(map_entries(o.object_tags)) AS tags (tag)
WHERE getvariable('sees_all') OR b.owner = getvariable('sees')
