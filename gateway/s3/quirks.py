"""What S3 does and its service model does not say: data only, each with what it rests on."""

from __future__ import annotations

# --- Routes

# Twins that the model keeps for old SDKs beside the operation that took their place: never routed to.
SUPERSEDED = frozenset({"GetBucketLifecycle", "PutBucketLifecycle", "GetBucketNotification", "PutBucketNotification"})

# GET / is ListBuckets; directory buckets are listed at another endpoint: here only this parameter tells.
# https://docs.aws.amazon.com/AmazonS3/latest/API/API_ListDirectoryBuckets.html
EXTRA_NEEDS: dict[str, tuple[str, ...]] = {"ListDirectoryBuckets": ("max-directory-buckets",)}

# Query names that stand for a resource of a key, though the model has them as members: what has no such method is
# refused, and never done to the key itself. https://github.com/versity/versitygw/issues/1236
RESOURCES_OF_KEYS = frozenset({"uploadId"})

# The resource that a 405 names, by subresource, as in S3's own access log.
# https://docs.aws.amazon.com/AmazonS3/latest/userguide/LogFormat.html
RESOURCE_TYPES: dict[str, str] = {
    "policy": "BUCKETPOLICY",
    "logging": "LOGGING_STATUS",
    "uploads": "UPLOADS",
    "uploadId": "UPLOAD",
    "delete": "MULTI_OBJECT_DELETE",
    "versions": "BUCKETVERSIONS",
}

# A subresource at the wrong depth: (method, depth, query name) → code and message; an argument's value is its name.
# Without its key, what ends an upload must not end the bucket. https://github.com/versity/versitygw/issues/1237
STRAYS: dict[tuple[str, int, str], tuple[str, str]] = {
    ("PUT", 2, "partNumber"): (
        "InvalidArgument",
        "This operation does not accept partNumber without uploadId",
    ),
    **{(method, 1, "uploadId"): ("InvalidRequest", "A key must be specified") for method in ("DELETE", "GET", "PUT")},
    ("GET", 2, "uploads"): ("InvalidRequest", "Key is not expected for the GET method ?uploads subresource"),
    ("GET", 2, "versions"): (
        "InvalidRequest",
        "There is no such thing as the ?versions sub-resource for a key",
    ),
}

# --- Input

# Headers that every operation may get and none has to take. The endpoint compares the bucket's owner, a copy that of
# the bucket it reads; who pays, and which checksum an SDK meant to send, changes nothing here; Content-Length is the
# body's own.
HARMLESS = frozenset(
    {
        "content-length",
        "x-amz-expected-bucket-owner",
        "x-amz-request-payer",
        "x-amz-sdk-checksum-algorithm",
        "x-amz-source-expected-bucket-owner",
    }
)

# Checked here against the document itself, whatever the operation takes.
HARMLESS_WITH_DOCUMENT = frozenset({"content-md5"})

# Members of one kind that a handler takes together: `**checksums` stands for each of these as a keyword.
# https://docs.aws.amazon.com/AmazonS3/latest/userguide/checking-object-integrity-upload.html
GROUPS: dict[str, tuple[str, ...]] = {
    "checksums": (
        "ChecksumCRC32",
        "ChecksumCRC32C",
        "ChecksumCRC64NVME",
        "ChecksumMD5",
        "ChecksumSHA1",
        "ChecksumSHA256",
        "ChecksumSHA512",
        "ChecksumXXHASH128",
        "ChecksumXXHASH3",
        "ChecksumXXHASH64",
    ),
    "overrides": (
        "ResponseCacheControl",
        "ResponseContentDisposition",
        "ResponseContentEncoding",
        "ResponseContentLanguage",
        "ResponseContentType",
        "ResponseExpires",
    ),
}

# Operations that refuse a body without Content-MD5 or an x-amz-checksum-*; SDKs send it to more than these.
# https://docs.aws.amazon.com/AmazonS3/latest/API/API_DeleteObjects.html
CHECKSUM_REQUIRED = frozenset(
    {
        "DeleteObjects",
        "PutBucketCors",
        "PutBucketLifecycleConfiguration",
        "PutBucketReplication",
        "PutBucketTagging",
        "PutObjectLegalHold",
        "PutObjectLockConfiguration",
        "PutObjectRetention",
    }
)

# Bytes a document may have. 1 MiB is too little for 10,000 parts with checksums, or 1,000 long keys escaped.
BODY_LIMIT = 1 << 20
BODY_LIMITS: dict[str, int] = {"CompleteMultipartUpload": 8 << 20, "DeleteObjects": 8 << 20}

# S3 keeps Expires as it came and gives it back so, date or not; response-expires likewise.
# https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetObject.html
TEXT_TIMES = frozenset({"expires", "response-expires", "x-amz-fwd-header-expires"})

# Query values that go out again as response headers: they must be fit for one.
RESPONSE_OVERRIDES = "response-"

# Integers: wire name → lowest, highest, then the name and the message of the error for one too low.
MAX_INTEGER = 2**31 - 1
PART_NUMBER = "Part number must be an integer between 1 and 10000, inclusive"
NOT_AN_INTEGER = "Provided {name} not an integer or within integer range"
INTEGERS: dict[str, tuple[int, int, str, str]] = {
    "max-keys": (0, MAX_INTEGER, "maxKeys", "max-keys cannot be negative"),
    "max-parts": (
        0,
        MAX_INTEGER,
        "max-parts",
        f"Argument max-parts must be an integer between 0 and {MAX_INTEGER}",
    ),
    "max-uploads": (
        0,
        MAX_INTEGER,
        "max-uploads",
        f"Argument max-uploads must be an integer between 0 and {MAX_INTEGER}",
    ),
    "part-number-marker": (
        0,
        MAX_INTEGER,
        "part-number-marker",
        f"Argument part-number-marker must be an integer between 0 and {MAX_INTEGER}",
    ),
    "max-buckets": (1, 10000, "max-buckets", "Argument max-buckets must be an integer between 1 and 10000."),
    "partNumber": (1, 10000, "partNumber", PART_NUMBER),
}
# Integers of which S3 says the same of whatever is wrong with them.
ONE_MESSAGE = frozenset({"max-buckets", "partNumber"})
# Integers that S3 calls an invalid request, where it calls others an invalid argument.
# https://github.com/versity/versitygw/issues/1398
REQUEST_INTEGERS = frozenset({"x-amz-mp-object-size"})
# GetObjectAttributes passes over what it cannot read here, as S3 was seen to do.
LENIENT_INTEGERS = frozenset({"x-amz-max-parts", "x-amz-part-number-marker"})

# Values that the model enumerates: wire name → code and message for any other `{value}`; InvalidArgument unless listed.
ENUMS: dict[str, tuple[str, str | None]] = {
    "encoding-type": ("InvalidArgument", "Invalid Encoding Method specified in Request"),
    "x-amz-acl": ("InvalidArgument", ""),
    "x-amz-checksum-algorithm": (
        "InvalidRequest",
        "Checksum algorithm provided is unsupported. Please try again with any of the valid types: "
        "[CRC32, CRC32C, CRC64NVME, MD5, SHA1, SHA256, SHA512, XXHASH128, XXHASH3, XXHASH64]",
    ),
    "x-amz-checksum-type": ("InvalidRequest", "Value for x-amz-checksum-type header is invalid."),
    "x-amz-metadata-directive": ("InvalidArgument", "Unknown metadata directive."),
    "x-amz-object-attributes": ("InvalidArgument", "Invalid attribute name specified."),
    "x-amz-object-lock-legal-hold": ("InvalidArgument", "Legal Hold must be either of 'ON' or 'OFF'"),
    "x-amz-object-lock-mode": ("InvalidArgument", "Unknown wormMode directive."),
    "x-amz-object-ownership": ("InvalidArgument", "Invalid x-amz-object-ownership header: {value}"),
    "x-amz-sdk-checksum-algorithm": ("InvalidRequest", "Value for x-amz-sdk-checksum-algorithm header is invalid."),
    "x-amz-server-side-encryption": ("InvalidArgument", "The encryption method specified is not supported"),
    "x-amz-storage-class": ("InvalidStorageClass", None),
    "x-amz-tagging-directive": ("InvalidArgument", "Unknown tagging directive."),
    "x-amz-transition-default-minimum-object-size": (
        "InvalidRequest",
        "Invalid TransitionDefaultMinimumObjectSize found: {value}",
    ),
}

# Values that the model leaves out.
# https://docs.aws.amazon.com/AmazonS3/latest/userguide/acl-overview.html#canned-acl
MORE_OF = {"BucketCannedACL": frozenset({"aws-exec-read", "log-delivery-write"})}

# Enumerated values that clients write in small letters too: AWS's SDK for C++ does.
ANY_CASE = frozenset(
    {"x-amz-checksum-algorithm", "x-amz-checksum-mode", "x-amz-checksum-type", "x-amz-sdk-checksum-algorithm"}
)

# A header that says which operation is asked for, and is refused by every other.
COPY_SOURCE = "x-amz-copy-source"
COPY_SOURCE_ELSEWHERE = "You can only specify a copy source header for copy requests."

# Enumerated values that may be empty and then count as not given: s3fs sends its buckets' ACL so.
EMPTY_IS_NONE = frozenset({"x-amz-acl"})

# Shapes that the model enumerates and a document may still have otherwise: the operation says what is wrong with it.
# https://docs.aws.amazon.com/AmazonS3/latest/API/API_CreateBucket.html (InvalidLocationConstraint)
# Of the permissions on access logs AWS takes those of any ACL.
FREE_ENUMS = frozenset({"BucketLocationConstraint", "BucketLogsPermission", "Event", "FilterRuleName"})

# Roots of documents for which S3 has a code of its own where they are not as they should be.
DOCUMENT_ERRORS = {"AccessControlPolicy": "MalformedACLError"}

# Members that the model requires of a shape in documents, and that S3 was seen to do without: no tags at all.
DISPENSABLE = {"Tagging": frozenset({"TagSet"})}

# Required members that a request can leave out, and what S3 says then (otherwise: InvalidRequest, naming it).
MISSING: dict[str, tuple[str, str]] = {
    "x-amz-object-attributes": (
        "InvalidRequest",
        "The x-amz-object-attributes header specifying the attributes to be retrieved is either missing or empty",
    ),
}

# Query values that may not be empty: wire name → message.
NOT_EMPTY: dict[str, str] = {"versionId": "Version id cannot be the empty string"}

# What every operation refuses that takes no version: a PUT of one would go to another.
VERSION_ID = "versionId"
NO_VERSION_ID = "This operation does not accept a version-id."

# Query names that an operation refuses though the model gives them to another: operation → name → message.
# https://docs.aws.amazon.com/AmazonS3/latest/API/API_ListObjectsV2.html (list-type is 2 or absent)
REFUSED_QUERY: dict[str, dict[str, str]] = {
    "ListObjects": {"list-type": "Invalid List Type specified in Request"},
}

# Headers that say how to write, and that S3 does not let pass with these operations: operation → name → message.
# https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetObject.html
REFUSED_ON_READ: dict[str, dict[str, str]] = {
    name: {"x-amz-server-side-encryption": "x-amz-server-side-encryption header is not supported for this operation."}
    for name in ("GetObject", "HeadObject")
}

# User metadata: names and values, in UTF-8, without the prefix.
# https://docs.aws.amazon.com/AmazonS3/latest/userguide/UsingMetadata.html#UserMetadata
METADATA_LIMIT = 2048

# --- Output

# Names the error where a HEAD's answer has no body to. S3 sends no such header; MinIO's clients know it, and without it
# `mc alias set` takes a wrong secret key: https://github.com/minio/minio-go/blob/master/api-error-response.go
CODE_HEADER = "x-minio-error-code"

# Root elements, where the output shape's own name is not it (the Response Syntax of each operation's page).
ROOTS: dict[str, str] = {
    "CompleteMultipartUpload": "CompleteMultipartUploadResult",
    "CreateMultipartUpload": "InitiateMultipartUploadResult",
    "CreateSession": "CreateSessionResult",
    "DeleteObjects": "DeleteResult",
    "GetBucketAccelerateConfiguration": "AccelerateConfiguration",
    "GetBucketAcl": "AccessControlPolicy",
    "GetBucketCors": "CORSConfiguration",
    "GetBucketLifecycle": "LifecycleConfiguration",
    "GetBucketLifecycleConfiguration": "LifecycleConfiguration",
    "GetBucketLocation": "LocationConstraint",
    "GetBucketLogging": "BucketLoggingStatus",
    "GetBucketNotification": "NotificationConfiguration",
    "GetBucketNotificationConfiguration": "NotificationConfiguration",
    "GetBucketRequestPayment": "RequestPaymentConfiguration",
    "GetBucketTagging": "Tagging",
    "GetBucketVersioning": "VersioningConfiguration",
    "GetBucketWebsite": "WebsiteConfiguration",
    "GetObjectAcl": "AccessControlPolicy",
    "GetObjectAttributes": "GetObjectAttributesResponse",
    "GetObjectTagging": "Tagging",
    "ListBucketAnalyticsConfigurations": "ListBucketAnalyticsConfigurationResult",
    "ListBucketIntelligentTieringConfigurations": "ListBucketIntelligentTieringConfigurationsOutput",
    "ListBucketInventoryConfigurations": "ListInventoryConfigurationsResult",
    "ListBucketMetricsConfigurations": "ListMetricsConfigurationsResult",
    "ListBuckets": "ListAllMyBucketsResult",
    "ListDirectoryBuckets": "ListAllMyDirectoryBucketsResult",
    "ListMultipartUploads": "ListMultipartUploadsResult",
    "ListObjectAnnotations": "ListObjectAnnotationsResult",
    "ListObjectVersions": "ListVersionsResult",
    "ListObjects": "ListBucketResult",
    "ListObjectsV2": "ListBucketResult",
    "ListParts": "ListPartsResult",
    "PutObjectAnnotation": "PutObjectAnnotationResult",
}

# The root's text is this member, with no element of its own.
# https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetBucketLocation.html
BARE_ROOTS: dict[str, str] = {"GetBucketLocation": "LocationConstraint"}

# Members S3 writes first, in its order; the rest follow as the model has them.
ORDER: dict[str, tuple[str, ...]] = {
    "ListBuckets": ("Owner", "Buckets"),
    "ListMultipartUploads": (
        "Bucket",
        "KeyMarker",
        "UploadIdMarker",
        "NextKeyMarker",
        "NextUploadIdMarker",
        "Prefix",
        "Delimiter",
        "EncodingType",
        "MaxUploads",
        "IsTruncated",
    ),
    "ListObjectVersions": (
        "Name",
        "Prefix",
        "KeyMarker",
        "VersionIdMarker",
        "NextKeyMarker",
        "NextVersionIdMarker",
        "MaxKeys",
        "Delimiter",
        "EncodingType",
        "IsTruncated",
    ),
    "ListObjects": (
        "Name",
        "Prefix",
        "Marker",
        "NextMarker",
        "MaxKeys",
        "Delimiter",
        "EncodingType",
        "IsTruncated",
    ),
    "ListObjectsV2": (
        "Name",
        "Prefix",
        "StartAfter",
        "ContinuationToken",
        "NextContinuationToken",
        "KeyCount",
        "MaxKeys",
        "Delimiter",
        "EncodingType",
        "IsTruncated",
    ),
    "ListParts": (
        "Bucket",
        "Key",
        "UploadId",
        "Initiator",
        "Owner",
        "StorageClass",
        "PartNumberMarker",
        "NextPartNumberMarker",
        "MaxParts",
        "IsTruncated",
        "ChecksumAlgorithm",
        "ChecksumType",
    ),
}

# An ETag in this shape's XML has no quotes.
# https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetObjectAttributes.html
PLAIN_ETAGS = frozenset({"GetObjectAttributesOutput"})

# Statuses that differ from the model's; an operation may still give another as its output's `status`.
# https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutBucketTagging.html
STATUSES: dict[str, int] = {"PutBucketPolicy": 204, "PutBucketTagging": 204}

# Payloads that are neither XML nor an object's own bytes.
TEXT_PAYLOAD_TYPE = "application/json"
