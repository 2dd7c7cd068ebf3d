-- What lies under each prefix of a bucket at a depth: each object counts once, for its folder cut to so many levels. To 4
-- levels the numbers are kept with every write; deeper they are counted when asked for.
(bucket_name, levels) AS TABLE (
    SELECT u.prefix, u.objects, u.bytes, u.noncurrent_versions, u.noncurrent_bytes, u.delete_markers
    FROM usage AS u
    WHERE u.bucket = bucket_name AND u.depth = levels AND levels <= 4
    UNION ALL
    SELECT
        coalesce(array_to_string(string_split(v.key, '/')[:least(levels, len(string_split(v.key, '/')) - 1)], '/')
            || if(contains(v.key, '/'), '/', ''), '') AS prefix,
        count(*) FILTER (v.is_latest AND NOT v.is_delete_marker),
        coalesce(sum(v.size) FILTER (v.is_latest AND NOT v.is_delete_marker), 0)::BIGINT,
        count(*) FILTER (NOT v.is_latest AND NOT v.is_delete_marker),
        coalesce(sum(v.size) FILTER (NOT v.is_latest AND NOT v.is_delete_marker), 0)::BIGINT,
        count(*) FILTER (v.is_delete_marker)
    FROM versions AS v
    WHERE v.bucket = bucket_name AND levels > 4
    GROUP BY 1
)
