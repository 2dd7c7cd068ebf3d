-- What lay under each prefix at the end of each day (UTC; today: now), from the day of its first object on.
WITH change AS (
    SELECT u.bucket_id, level.depth, u.prefix, u.day, sum(u.objects) AS objects, sum(u.bytes) AS bytes, sum(u.noncurrent_versions) AS noncurrent_versions, sum(u.noncurrent_bytes) AS noncurrent_bytes, sum(u.delete_markers) AS delete_markers
    FROM (FROM private.usage_changes UNION ALL FROM private.usage_recent) AS u
    JOIN (VALUES (0), (1), (2), (3), (4)) AS level (depth)
        ON u.depth <= level.depth AND (u.depth = level.depth OR NOT u.below)
    GROUP BY ALL
),
state AS (
    SELECT
        bucket_id,
        depth,
        prefix,
        day,
        lead(day, 1, greatest(current_date, day) + 1) OVER days AS until,
        sum(objects) OVER days AS objects,
        sum(bytes) OVER days AS bytes,
        sum(noncurrent_versions) OVER days AS noncurrent_versions,
        sum(noncurrent_bytes) OVER days AS noncurrent_bytes,
        sum(delete_markers) OVER days AS delete_markers
    FROM change
    WINDOW days AS (PARTITION BY bucket_id, depth, prefix ORDER BY day)
)
SELECT
    s.day + unnest(range(s.until - s.day))::INTEGER AS day,
    b.name AS bucket,
    s.depth,
    s.prefix,
    s.objects::BIGINT AS objects,
    s.bytes::BIGINT AS bytes,
    s.noncurrent_versions::BIGINT AS noncurrent_versions,
    s.noncurrent_bytes::BIGINT AS noncurrent_bytes,
    s.delete_markers::BIGINT AS delete_markers
FROM state AS s
JOIN private.buckets AS b ON b.id = s.bucket_id
WHERE (s.objects <> 0 OR s.noncurrent_versions <> 0 OR s.delete_markers <> 0)
    AND (getvariable('sees_all') OR b.owner = getvariable('sees'))
