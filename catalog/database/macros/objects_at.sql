-- The objects that were current at a time (UTC), as they were then.
(bucket_name, at_time) AS TABLE (
    FROM objects_at_seq(bucket_name, (SELECT seq_at(at_time)))
)
