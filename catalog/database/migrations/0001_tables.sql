-- One row: which catalog this is, and how far its log has been applied.
CREATE TABLE private.applied (
    catalog_id BLOB,
    segment BIGINT NOT NULL,
    log_offset BIGINT NOT NULL,
    seq BIGINT NOT NULL,
    chain BIGINT NOT NULL
);
INSERT INTO private.applied VALUES (NULL, 0, 0, 0, 0);

-- `entry` is the record as the key index holds it, in every table that has one.
CREATE TABLE private.buckets (
    id BIGINT NOT NULL,
    name VARCHAR NOT NULL,
    owner VARCHAR NOT NULL,
    created TIMESTAMP NOT NULL,
    region VARCHAR NOT NULL,
    versioning VARCHAR NOT NULL,
    tags MAP(VARCHAR, VARCHAR),
    entry BLOB NOT NULL
);

-- One row per version, delete markers among them. No index: rows come in the order of seq, so zone maps find them.
CREATE TABLE private.objects (
    seq BIGINT NOT NULL,
    bucket_id BIGINT NOT NULL,
    key VARCHAR NOT NULL,
    version_id VARCHAR NOT NULL,
    is_latest BOOLEAN NOT NULL,
    is_delete_marker BOOLEAN NOT NULL,
    size BIGINT,
    last_modified TIMESTAMP NOT NULL,
    e_tag VARCHAR,
    storage_class VARCHAR,
    owner VARCHAR NOT NULL,
    content_type VARCHAR,
    checksum_algorithm VARCHAR,
    checksum_type VARCHAR,
    checksum_value VARCHAR,
    parts_count INTEGER,
    headers MAP(VARCHAR, VARCHAR),
    user_metadata MAP(VARCHAR, VARCHAR),
    object_tags MAP(VARCHAR, VARCHAR),
    entry BLOB NOT NULL
);

CREATE TABLE private.uploads (
    bucket_id BIGINT NOT NULL,
    key VARCHAR NOT NULL,
    upload_id VARCHAR NOT NULL,
    initiated TIMESTAMP NOT NULL,
    owner VARCHAR NOT NULL,
    storage_class VARCHAR NOT NULL,
    content_type VARCHAR NOT NULL,
    checksum_algorithm VARCHAR,
    checksum_type VARCHAR,
    headers MAP(VARCHAR, VARCHAR),
    user_metadata MAP(VARCHAR, VARCHAR),
    object_tags MAP(VARCHAR, VARCHAR),
    entry BLOB NOT NULL
);

CREATE TABLE private.parts (
    bucket_id BIGINT NOT NULL,
    key VARCHAR NOT NULL,
    upload_id VARCHAR NOT NULL,
    part_number INTEGER NOT NULL,
    size BIGINT NOT NULL,
    last_modified TIMESTAMP NOT NULL,
    e_tag VARCHAR NOT NULL,
    checksum_algorithm VARCHAR,
    checksum_value VARCHAR,
    entry BLOB NOT NULL
);

-- The secret key is in `entry` alone.
CREATE TABLE private.users (
    id VARCHAR NOT NULL,
    name VARCHAR NOT NULL,
    access_key VARCHAR NOT NULL,
    display_name VARCHAR NOT NULL,
    email VARCHAR NOT NULL,
    created TIMESTAMP NOT NULL,
    entry BLOB NOT NULL
);

-- Every mutation, for good. record_type is NULL where the mutation was not to an object.
-- `version_seq` is the version in question, `ended` the one that the mutation ended: itself, or the one it replaced.
CREATE TABLE private.journal (
    seq BIGINT NOT NULL,
    operation VARCHAR NOT NULL,
    record_type VARCHAR,
    record_timestamp TIMESTAMP NOT NULL,
    bucket_id BIGINT,
    bucket VARCHAR,
    key VARCHAR,
    version_id VARCHAR,
    version_seq BIGINT,
    ended BIGINT,
    is_delete_marker BOOLEAN,
    size BIGINT,
    last_modified_date TIMESTAMP,
    e_tag VARCHAR,
    storage_class VARCHAR,
    is_multipart BOOLEAN,
    checksum_algorithm VARCHAR,
    object_tags MAP(VARCHAR, VARCHAR),
    user_metadata MAP(VARCHAR, VARCHAR),
    upload_id VARCHAR,
    part_number INTEGER,
    user_id VARCHAR,
    requester VARCHAR,
    source_ip_address VARCHAR,
    request_id VARCHAR
);
