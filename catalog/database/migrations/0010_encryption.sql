-- As S3 Inventory has it: SSE-S3 or SSE-C. NULL of what is not encrypted, as everything of before.
ALTER TABLE private.objects ADD COLUMN encryption_status VARCHAR;
ALTER TABLE private.journal ADD COLUMN encryption_status VARCHAR;
