-- The current objects of a bucket that its lifecycle rules will remove: when, and by which of them. A time past is for the next run.
(bucket_name) AS TABLE (
    WITH rule AS (
        SELECT r.* FROM lifecycle_rules AS r
        WHERE r.bucket = bucket_name
            AND r.status = 'Enabled'
            AND (r.expiration_days IS NOT NULL OR r.expiration_date IS NOT NULL)
    ),
    -- No date is so late that days beyond these would tell.
    due AS (
        SELECT
            o.seq,
            r.rule_id,
            r.rule_number,
            coalesce(
                r.expiration_date,
                (o.last_modified_date::DATE + 1 + least(r.expiration_days, 2000000)::INTEGER)::TIMESTAMP
            ) AS expiration_date
        FROM objects AS o
        JOIN rule AS r
            ON starts_with(o.key, r.prefix)
            AND o.size > coalesce(r.object_size_greater_than, -1)
            AND o.size < coalesce(r.object_size_less_than, 9223372036854775807)
            AND list_has_all(map_entries(o.object_tags), map_entries(r.object_tags))
        WHERE o.bucket = bucket_name
    ),
    first AS (
        SELECT seq, min(expiration_date) AS expiration_date, arg_min(rule_id, (expiration_date, rule_number)) AS rule_id
        FROM due
        GROUP BY seq
    )
    SELECT o.bucket, o.key, o.version_id, o.size, o.last_modified_date, f.expiration_date, f.rule_id
    FROM objects AS o
    JOIN first AS f USING (seq)
    WHERE o.bucket = bucket_name
)
