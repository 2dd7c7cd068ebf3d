-- The objects that were added, removed or changed between two times (UTC): see delta_seq.
(bucket_name, from_time, to_time) AS TABLE (
    FROM delta_seq(bucket_name, (SELECT seq_at(from_time)), (SELECT seq_at(to_time)))
)
