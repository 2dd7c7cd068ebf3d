-- The parts of multipart uploads under way.
SELECT
    b.name AS bucket,
    p.key,
    p.upload_id,
    p.part_number,
    p.size,
    p.last_modified AS last_modified_date,
    p.e_tag,
    p.checksum_algorithm,
    p.checksum_value
FROM private.parts AS p
JOIN private.buckets AS b ON b.id = p.bucket_id
WHERE getvariable('sees_all') OR b.owner = getvariable('sees')
