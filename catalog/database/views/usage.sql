-- What lies under each prefix now, counted with every write. At each depth, from 0 to 4, each object counts once: for the
-- folder it lies in, cut to so many levels.
SELECT
    b.name AS bucket,
    level.depth,
    u.prefix,
    sum(u.objects)::BIGINT AS objects,
    sum(u.bytes)::BIGINT AS bytes,
    sum(u.noncurrent_versions)::BIGINT AS noncurrent_versions,
    sum(u.noncurrent_bytes)::BIGINT AS noncurrent_bytes,
    sum(u.delete_markers)::BIGINT AS delete_markers
FROM (FROM private.usage_settled UNION ALL SELECT * EXCLUDE (day) FROM private.usage_recent) AS u
JOIN private.buckets AS b ON b.id = u.bucket_id
JOIN (VALUES (0), (1), (2), (3), (4)) AS level (depth)
    ON u.depth <= level.depth AND (u.depth = level.depth OR NOT u.below)
WHERE getvariable('sees_all') OR b.owner = getvariable('sees')
GROUP BY ALL
HAVING sum(u.objects) <> 0 OR sum(u.noncurrent_versions) <> 0 OR sum(u.delete_markers) <> 0
