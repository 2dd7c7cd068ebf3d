"""What an access log calls operations: REST, the method and a type of resource.

AWS lists none of them as a whole; these stand in its examples and in logs that it made.
https://docs.aws.amazon.com/AmazonS3/latest/userguide/LogFormat.html
"""

from __future__ import annotations

COPIES = {"CopyObject": "REST.COPY.OBJECT", "UploadPartCopy": "REST.COPY.PART"}
BATCH_DELETE = "BATCH.DELETE.OBJECT"

RESOURCES = {
    "AbortMultipartUpload": "UPLOAD",
    "CompleteMultipartUpload": "UPLOAD",
    "CreateMultipartUpload": "UPLOADS",
    "DeleteObjectTagging": "OBJECT_TAGGING",
    "DeleteObjects": "MULTI_OBJECT_DELETE",
    "GetBucketAccelerateConfiguration": "ACCELERATE",
    "GetBucketLogging": "LOGGING_STATUS",
    "GetBucketPolicy": "BUCKETPOLICY",
    "GetBucketPolicyStatus": "POLICY_STATUS",
    "GetBucketRequestPayment": "REQUEST_PAYMENT",
    "GetObjectAcl": "ACL",
    "GetObjectAttributes": "OBJECT_ATTRIBUTES",
    "GetObjectLegalHold": "OBJECT_LOCK_LEGALHOLD",
    "GetObjectLockConfiguration": "OBJECT_LOCK_CONFIGURATION",
    "GetObjectRetention": "OBJECT_LOCK_RETENTION",
    "GetObjectTagging": "OBJECT_TAGGING",
    "GetObjectTorrent": "TORRENT",
    "GetPublicAccessBlock": "PUBLIC_ACCESS_BLOCK",
    "ListMultipartUploads": "UPLOADS",
    "ListObjectVersions": "BUCKETVERSIONS",
    "ListParts": "UPLOAD",
    "RestoreObject": "RESTORE",
    "SelectObjectContent": "SELECT",
    "UploadPart": "PART",
}
OF_BUCKET = (
    *("Acl", "Cors", "Encryption", "Lifecycle", "LifecycleConfiguration", "Location", "Notification"),
    *("NotificationConfiguration", "OwnershipControls", "Replication", "Tagging", "Versioning", "Website"),
)
VERBS = ("Get", "Put", "Delete")


def resource_of(operation: str) -> str | None:
    """What operations that read, put and delete the same have in common is named once, by the first of them."""
    if operation in RESOURCES:
        return RESOURCES[operation]
    for verb in VERBS:
        if operation.startswith(verb):
            rest = operation.removeprefix(verb)
            if (of_reading := RESOURCES.get(f"Get{rest}")) is not None:
                return of_reading
            kind = rest.removeprefix("Bucket")
            return _upper(kind.removesuffix("Configuration")) if kind in OF_BUCKET else None
    return None


def name_of(operation: str | None, method: str, of_bucket: bool) -> str:
    """Of what is no operation, or of one on a bucket or on an object itself, just that."""
    if operation in COPIES:
        return COPIES[operation]
    if method == "OPTIONS":
        return "REST.OPTIONS.PREFLIGHT"
    resource = resource_of(operation) if operation is not None else None
    if operation == "PostObject":
        resource = "OBJECT"
    return f"REST.{method}.{resource or ('BUCKET' if of_bucket else 'OBJECT')}"


def _upper(name: str) -> str:
    """OwnershipControls: OWNERSHIP_CONTROLS."""
    return "".join(f"_{letter}" if letter.isupper() else letter for letter in name).removeprefix("_").upper()
