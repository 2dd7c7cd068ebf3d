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
FROM private.parts p
JOIN private.buckets b ON b.id = p.bucket_id
