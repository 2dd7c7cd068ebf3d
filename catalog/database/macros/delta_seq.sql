-- The objects that were added, removed or changed between two sequence numbers, and by which mutation they came to what
-- they are: one row a key, however often it was written. Changed is what was written anew, or got other tags.
(bucket_name, from_point, to_point) AS TABLE (
    FROM delta_page(bucket_name, from_point, to_point, NULL, NULL) AS d WHERE d.change IS NOT NULL
)
