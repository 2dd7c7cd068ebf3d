-- The sequence number of the last mutation up to a time (UTC); 0 before the first.
(at_time) AS (
    SELECT coalesce(max(j.seq), 0) FROM journal AS j WHERE j.record_timestamp <= at_time::TIMESTAMP
)
