"""Which actions of a policy an operation needs, and on what.

https://docs.aws.amazon.com/AmazonS3/latest/userguide/using-with-s3-policy-actions.html
"""

from __future__ import annotations

from typing import NamedTuple

from gateway.request import Request


class Needs(NamedTuple):
    """`versioned` are asked in the place of `plain` where the request names a version."""

    plain: tuple[str, ...]
    versioned: tuple[str, ...]


# Operations on a bucket, asked of the bucket.
BUCKET: dict[str, str] = {
    "DeleteBucket": "s3:DeleteBucket",
    "DeleteBucketAnalyticsConfiguration": "s3:PutAnalyticsConfiguration",
    "DeleteBucketCors": "s3:PutBucketCORS",
    "DeleteBucketEncryption": "s3:PutEncryptionConfiguration",
    "DeleteBucketIntelligentTieringConfiguration": "s3:PutIntelligentTieringConfiguration",
    "DeleteBucketInventoryConfiguration": "s3:PutInventoryConfiguration",
    "DeleteBucketLifecycle": "s3:PutLifecycleConfiguration",
    "DeleteBucketMetricsConfiguration": "s3:PutMetricsConfiguration",
    "DeleteBucketOwnershipControls": "s3:PutBucketOwnershipControls",
    "DeleteBucketPolicy": "s3:DeleteBucketPolicy",
    "DeleteBucketReplication": "s3:PutReplicationConfiguration",
    "DeleteBucketTagging": "s3:PutBucketTagging",
    "DeleteBucketWebsite": "s3:DeleteBucketWebsite",
    "DeletePublicAccessBlock": "s3:PutBucketPublicAccessBlock",
    "GetBucketAccelerateConfiguration": "s3:GetAccelerateConfiguration",
    "GetBucketAcl": "s3:GetBucketAcl",
    "GetBucketAnalyticsConfiguration": "s3:GetAnalyticsConfiguration",
    "GetBucketCors": "s3:GetBucketCORS",
    "GetBucketEncryption": "s3:GetEncryptionConfiguration",
    "GetBucketIntelligentTieringConfiguration": "s3:GetIntelligentTieringConfiguration",
    "GetBucketInventoryConfiguration": "s3:GetInventoryConfiguration",
    "GetBucketLifecycleConfiguration": "s3:GetLifecycleConfiguration",
    "GetBucketLocation": "s3:GetBucketLocation",
    "GetBucketLogging": "s3:GetBucketLogging",
    "GetBucketMetricsConfiguration": "s3:GetMetricsConfiguration",
    "GetBucketNotificationConfiguration": "s3:GetBucketNotification",
    "GetBucketOwnershipControls": "s3:GetBucketOwnershipControls",
    "GetBucketPolicy": "s3:GetBucketPolicy",
    "GetBucketPolicyStatus": "s3:GetBucketPolicyStatus",
    "GetBucketReplication": "s3:GetReplicationConfiguration",
    "GetBucketRequestPayment": "s3:GetBucketRequestPayment",
    "GetBucketTagging": "s3:GetBucketTagging",
    "GetBucketVersioning": "s3:GetBucketVersioning",
    "GetBucketWebsite": "s3:GetBucketWebsite",
    "GetObjectLockConfiguration": "s3:GetBucketObjectLockConfiguration",
    "GetPublicAccessBlock": "s3:GetBucketPublicAccessBlock",
    "HeadBucket": "s3:ListBucket",
    "ListBucketAnalyticsConfigurations": "s3:GetAnalyticsConfiguration",
    "ListBucketIntelligentTieringConfigurations": "s3:GetIntelligentTieringConfiguration",
    "ListBucketInventoryConfigurations": "s3:GetInventoryConfiguration",
    "ListBucketMetricsConfigurations": "s3:GetMetricsConfiguration",
    "ListMultipartUploads": "s3:ListBucketMultipartUploads",
    "ListenBucketNotification": "s3:ListenBucketNotification",
    "ListObjectVersions": "s3:ListBucketVersions",
    "ListObjects": "s3:ListBucket",
    "ListObjectsV2": "s3:ListBucket",
    "PutBucketAccelerateConfiguration": "s3:PutAccelerateConfiguration",
    "PutBucketAcl": "s3:PutBucketAcl",
    "PutBucketAnalyticsConfiguration": "s3:PutAnalyticsConfiguration",
    "PutBucketCors": "s3:PutBucketCORS",
    "PutBucketEncryption": "s3:PutEncryptionConfiguration",
    "PutBucketIntelligentTieringConfiguration": "s3:PutIntelligentTieringConfiguration",
    "PutBucketInventoryConfiguration": "s3:PutInventoryConfiguration",
    "PutBucketLifecycleConfiguration": "s3:PutLifecycleConfiguration",
    "PutBucketLogging": "s3:PutBucketLogging",
    "PutBucketMetricsConfiguration": "s3:PutMetricsConfiguration",
    "PutBucketNotificationConfiguration": "s3:PutBucketNotification",
    "PutBucketOwnershipControls": "s3:PutBucketOwnershipControls",
    "PutBucketPolicy": "s3:PutBucketPolicy",
    "PutBucketReplication": "s3:PutReplicationConfiguration",
    "PutBucketRequestPayment": "s3:PutBucketRequestPayment",
    "PutBucketTagging": "s3:PutBucketTagging",
    "PutBucketVersioning": "s3:PutBucketVersioning",
    "PutBucketWebsite": "s3:PutBucketWebsite",
    "PutObjectLockConfiguration": "s3:PutBucketObjectLockConfiguration",
    "PutPublicAccessBlock": "s3:PutBucketPublicAccessBlock",
}

_PUT = Needs(("s3:PutObject",), ("s3:PutObject",))
_GET = Needs(("s3:GetObject",), ("s3:GetObjectVersion",))

# Operations on an object, asked of the object. What a copy reads is asked of its source besides.
OBJECT: dict[str, Needs] = {
    "AbortMultipartUpload": Needs(("s3:AbortMultipartUpload",), ("s3:AbortMultipartUpload",)),
    "CompleteMultipartUpload": _PUT,
    "CopyObject": _PUT,
    "CreateMultipartUpload": _PUT,
    "DeleteObject": Needs(("s3:DeleteObject",), ("s3:DeleteObjectVersion",)),
    "DeleteObjectTagging": Needs(("s3:DeleteObjectTagging",), ("s3:DeleteObjectVersionTagging",)),
    "GetObject": _GET,
    "GetObjectAcl": Needs(("s3:GetObjectAcl",), ("s3:GetObjectVersionAcl",)),
    "GetObjectAttributes": Needs(
        ("s3:GetObject", "s3:GetObjectAttributes"), ("s3:GetObjectVersion", "s3:GetObjectVersionAttributes")
    ),
    "GetObjectLegalHold": Needs(("s3:GetObjectLegalHold",), ("s3:GetObjectLegalHold",)),
    "GetObjectRetention": Needs(("s3:GetObjectRetention",), ("s3:GetObjectRetention",)),
    "GetObjectTagging": Needs(("s3:GetObjectTagging",), ("s3:GetObjectVersionTagging",)),
    "GetObjectTorrent": Needs(("s3:GetObjectTorrent",), ("s3:GetObjectVersionTorrent",)),
    "HeadObject": _GET,
    "ListParts": Needs(("s3:ListMultipartUploadParts",), ("s3:ListMultipartUploadParts",)),
    "PostObject": _PUT,
    "PutObject": _PUT,
    "PutObjectAcl": Needs(("s3:PutObjectAcl",), ("s3:PutObjectVersionAcl",)),
    "PutObjectLegalHold": Needs(("s3:PutObjectLegalHold",), ("s3:PutObjectLegalHold",)),
    "PutObjectRetention": Needs(("s3:PutObjectRetention",), ("s3:PutObjectRetention",)),
    "PutObjectTagging": Needs(("s3:PutObjectTagging",), ("s3:PutObjectVersionTagging",)),
    "RestoreObject": Needs(("s3:RestoreObject",), ("s3:RestoreObject",)),
    "SelectObjectContent": _GET,
    "UploadPart": _PUT,
    "UploadPartCopy": _PUT,
}

# Each key is asked for by itself, by the operation.
PER_KEY = frozenset({"DeleteObjects"})

# Operations that make an object, and what headers of theirs ask besides.
MAKERS = frozenset({"CopyObject", "CreateMultipartUpload", "PostObject", "PutObject"})
BY_HEADER: dict[str, str] = {
    "x-amz-tagging": "s3:PutObjectTagging",
    "x-amz-object-lock-mode": "s3:PutObjectRetention",
    "x-amz-object-lock-retain-until-date": "s3:PutObjectRetention",
    "x-amz-object-lock-legal-hold": "s3:PutObjectLegalHold",
}

# Who makes a change depend on what an object is has to have leave to read it.
# https://docs.aws.amazon.com/AmazonS3/latest/userguide/conditional-delete-enforce.html
CONDITIONAL = frozenset({"CompleteMultipartUpload", "CopyObject", "DeleteObject", "PostObject", "PutObject"})

BYPASS = "s3:BypassGovernanceRetention"
LIST = "s3:ListBucket"
POLICY_ACTIONS = frozenset({"s3:GetBucketPolicy", "s3:PutBucketPolicy", "s3:DeleteBucketPolicy"})

# Actions that policies may name though no operation here asks for them.
OTHER_BUCKET = frozenset(
    {
        *("s3:CreateBucket", "s3:CreateBucketMetadataTableConfiguration", "s3:DeleteBucketMetadataTableConfiguration"),
        *("s3:GetBucketMetadataTableConfiguration", "s3:UpdateBucketMetadataInventoryTableConfiguration"),
        "s3:UpdateBucketMetadataJournalTableConfiguration",
    }
)
OTHER_OBJECT = frozenset(
    {
        *(BYPASS, "s3:GetObjectVersionForReplication", "s3:InitiateReplication"),
        *("s3:ObjectOwnerOverrideToBucketOwner", "s3:ReplicateDelete", "s3:ReplicateObject", "s3:ReplicateTags"),
        *("s3:PutObjectVersionTagging", "s3:UpdateObjectEncryption"),
    }
)
OF_BUCKETS = frozenset(BUCKET.values()) | OTHER_BUCKET
OF_OBJECTS = frozenset(each for needs in OBJECT.values() for both in needs for each in both) | OTHER_OBJECT
OF_ACCOUNTS = frozenset({"s3:ListAllMyBuckets"})  # known, but nothing a bucket could allow
KNOWN = OF_BUCKETS | OF_OBJECTS | OF_ACCOUNTS


def needed(operation: str, request: Request) -> tuple[str, ...]:
    """What the request's operation asks for on its bucket or on its key. Empty: nothing could allow it."""
    action = BUCKET.get(operation)
    if action is not None:
        return (action,)
    needs = OBJECT.get(operation)
    if needs is None:
        return ()
    actions = needs.versioned if "versionId" in request.query else needs.plain
    more: list[str] = []
    if operation in MAKERS:
        more += [more for header, more in BY_HEADER.items() if header in request.headers]
    if operation in CONDITIONAL and request.headers.get("if-match", "*") != "*":
        more.append("s3:GetObject")
    return tuple(dict.fromkeys((*actions, *more))) if more else actions
