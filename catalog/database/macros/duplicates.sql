-- The contents that a bucket holds more than once, by ETag and size: how often, and what the copies after the first take.
(bucket_name) AS TABLE (
    WITH suspect AS (
        SELECT hash(o.e_tag, o.size) AS content
        FROM objects AS o
        WHERE o.bucket = bucket_name AND o.size > 0
        GROUP BY content
        HAVING count(*) > 1
    )
    SELECT
        o.e_tag,
        o.size,
        count(*) AS objects,
        o.size * (count(*) - 1) AS bytes_wasted,
        list(o.key ORDER BY o.key) AS keys
    FROM objects AS o
    SEMI JOIN suspect AS s ON s.content = hash(o.e_tag, o.size)
    WHERE o.bucket = bucket_name AND o.size > 0
    GROUP BY o.e_tag, o.size
    HAVING count(*) > 1
)
