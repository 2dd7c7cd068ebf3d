-- What scrubs came to: of a scrub, a bucket (none: of the whole folder) and a check one row that says how many things
-- passed, and one for each that did not. `scrub` is when the scrub began.
CREATE TABLE private.validations (
    id BIGINT NOT NULL,
    scrub TIMESTAMP NOT NULL,
    validated TIMESTAMP NOT NULL,
    bucket_id BIGINT,
    check_type VARCHAR NOT NULL,
    result VARCHAR NOT NULL,
    items BIGINT NOT NULL,
    bytes BIGINT NOT NULL,
    key VARCHAR,
    version_id VARCHAR,
    upload_id VARCHAR,
    part_number INTEGER,
    body VARCHAR,
    detail VARCHAR
);
