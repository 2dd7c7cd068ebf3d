-- What of several operations of S3's a mutation was asked for by, where it does not say so itself; rows of before do not.
ALTER TABLE private.journal ADD COLUMN s3_operation VARCHAR;
