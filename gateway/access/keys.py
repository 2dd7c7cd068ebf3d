"""The keys of conditions: what a request, its caller and its object say of each.

https://docs.aws.amazon.com/AmazonS3/latest/userguide/amazon-s3-policy-keys.html
https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-keys.html
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from urllib.parse import parse_qsl, unquote

from catalog.records import User
from gateway.access.asked import Asked

Getter = Callable[[Asked], Sequence[str] | None]

# There is one account here, as far as ARNs go; every user may own buckets.
ACCOUNT = "000000000000"
ROOT_ID = "4813494d137e1631bba301d5acab6e7bb7aa74ce1185d456565ef51d737677b2"
ROOT = User(ROOT_ID, "root", access_key="", secret_key="")
LISTINGS = frozenset({"s3:ListBucket", "s3:ListBucketVersions", "s3:ListBucketMultipartUploads"})


def getter_of(name: str) -> Getter | None:
    """What the key of this name is worth, None if there is no such key. Names know no case, keys of tags do."""
    plain, slash, tag = name.partition("/")
    if slash:
        of_tags = _TAGS.get(plain.lower())
        return _one_tag(of_tags, tag) if of_tags is not None and tag else None
    return KEYS.get(plain.lower())


def arn_of(user: User, account: str = ACCOUNT) -> str:
    return f"arn:aws:iam::{account}:root" if user.id == ROOT_ID else f"arn:aws:iam::{account}:user/{user.name}"


def header(name: str) -> Getter:
    def get(asked: Asked) -> Sequence[str] | None:
        value = asked.request.headers.get(name)
        return None if value is None else (value,)

    return get


def parameter(name: str) -> Getter:
    def get(asked: Asked) -> Sequence[str] | None:
        value = asked.request.query.get(name)
        return None if value is None else (value,)

    return get


def fixed(value: str | None) -> Getter:
    return lambda asked: None if value is None else (value,)


def source_ip(asked: Asked) -> Sequence[str] | None:
    return (asked.request.client_ip,) if asked.request.client_ip else None


def secure_transport(asked: Asked) -> Sequence[str]:
    return ("true" if asked.request.scheme == "https" else "false",)


def username(asked: Asked) -> Sequence[str] | None:
    return (asked.caller.name,) if asked.caller.id else None


def userid(asked: Asked) -> Sequence[str]:
    return (asked.caller.id or "anonymous",)


def principal_arn(asked: Asked) -> Sequence[str] | None:
    return (arn_of(asked.caller),) if asked.caller.id else None


def principal_type(asked: Asked) -> Sequence[str]:
    return ("Anonymous" if not asked.caller.id else "User" if asked.sender is None else "Service",)


def principal_account(asked: Asked) -> Sequence[str] | None:
    return (ACCOUNT,) if asked.caller.id else None


def is_service(asked: Asked) -> Sequence[str]:
    return ("false" if asked.sender is None else "true",)


def service_name(asked: Asked) -> Sequence[str] | None:
    return None if asked.sender is None else (asked.caller.id,)


def source_arn(asked: Asked) -> Sequence[str] | None:
    return None if asked.sender is None else (f"arn:aws:s3:::{asked.sender.bucket}",)


def source_account(asked: Asked) -> Sequence[str] | None:
    """The one there is in ARNs, or the owner's, for every user is an account of its own: a policy may name either."""
    return None if asked.sender is None else (ACCOUNT, asked.sender.owner)


def current_time(asked: Asked) -> Sequence[str]:
    return (datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),)


def epoch_time(asked: Asked) -> Sequence[str]:
    return (str(int(time.time())),)


def region(asked: Asked) -> Sequence[str]:
    return (asked.bucket.region,)


def prefix(asked: Asked) -> Sequence[str] | None:
    return (asked.prefix,) if asked.prefix is not None else _prefix(asked)


def version_id(asked: Asked) -> Sequence[str] | None:
    return None if asked.version_id is None else (asked.version_id,)


def copy_source(asked: Asked) -> Sequence[str] | None:
    """Bucket and key, in plain text and without a slash before them."""
    value = asked.request.headers.get("x-amz-copy-source")
    return None if value is None else (unquote(value.partition("?versionId=")[0]).removeprefix("/"),)


def if_match(asked: Asked) -> Sequence[str] | None:
    """Of the request, or of one of the keys that DeleteObjects names."""
    return _if_match(asked) or ((asked.given["etag"],) if asked.given.get("etag") else None)


def creates_object(asked: Asked) -> Sequence[str]:
    """False for the steps of a multipart upload before its end, which take no conditions."""
    query = asked.request.query
    return ("false" if "uploads" in query or "partNumber" in query else "true",)


def auth_type(asked: Asked) -> Sequence[str] | None:
    request = asked.request
    if request.form is not None:
        return ("POST",)
    if "authorization" in request.headers:
        return ("REST-HEADER",)
    return ("REST-QUERY-STRING",) if _is_presigned(asked) else None


def signature_version(asked: Asked) -> Sequence[str] | None:
    request = asked.request
    if request.form is not None:
        version_4 = "x-amz-signature" in request.form.fields
    elif "authorization" in request.headers:
        version_4 = request.headers["authorization"].startswith("AWS4-")
    elif _is_presigned(asked):
        version_4 = "X-Amz-Signature" in request.query
    else:
        return None
    return ("AWS4-HMAC-SHA256" if version_4 else "AWS",)


def signature_age(asked: Asked) -> Sequence[str] | None:
    """Milliseconds since a presigned URL was signed."""
    signed = asked.request.query.get("X-Amz-Date")
    if signed is None:
        return None
    try:
        moment = datetime.strptime(signed, "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
    except ValueError:
        return None
    return (str(int((time.time() - moment.timestamp()) * 1000)),)


def existing_tags(asked: Asked) -> dict[str, str] | None:
    found = asked.version()
    return None if found is None else found.tags


def request_tags(asked: Asked) -> dict[str, str] | None:
    """The tags that an object is to get: of a header, or of the document that PutObjectTagging brings."""
    text = asked.request.headers.get("x-amz-tagging")
    if text is not None:
        return dict(parse_qsl(text, keep_blank_values=True))
    document = asked.given.get("tagging")
    if not isinstance(document, dict):
        return None
    return {tag["key"]: tag["value"] for tag in document.get("tag_set") or []}


def request_tag_keys(asked: Asked) -> Sequence[str] | None:
    tags = request_tags(asked)
    return None if not tags else tuple(tags)


def lock_mode(asked: Asked) -> Sequence[str] | None:
    return _of_retention(asked, "mode") or _lock_mode(asked)


def retain_until(asked: Asked) -> Sequence[str] | None:
    return _of_retention(asked, "retain_until_date") or _retain_until(asked)


def remaining_days(asked: Asked) -> Sequence[str] | None:
    """Until the day that a lock is to end, from now on."""
    until = retain_until(asked)
    if until is None:
        return None
    try:
        moment = datetime.fromisoformat(until[0])
    except ValueError:
        return None
    left = (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp() - time.time()
    return (str(int(left // 86400)),)


def legal_hold(asked: Asked) -> Sequence[str] | None:
    document = asked.given.get("legal_hold")
    if isinstance(document, dict) and document.get("status"):
        return (str(document["status"]),)
    return _legal_hold(asked)


def _of_retention(asked: Asked, member: str) -> Sequence[str] | None:
    document = asked.given.get("retention")
    value = document.get(member) if isinstance(document, dict) else None
    if isinstance(value, int):
        return (datetime.fromtimestamp(value / 1000, UTC).isoformat(),)
    return None if value is None else (str(value),)


def _is_presigned(asked: Asked) -> bool:
    return "X-Amz-Signature" in asked.request.query or "Signature" in asked.request.query


def _one_tag(tags: Callable[[Asked], dict[str, str] | None], name: str) -> Getter:
    def get(asked: Asked) -> Sequence[str] | None:
        value = (tags(asked) or {}).get(name)
        return None if value is None else (value,)

    return get


_if_match = header("if-match")
_prefix = parameter("prefix")
_lock_mode = header("x-amz-object-lock-mode")
_retain_until = header("x-amz-object-lock-retain-until-date")
_legal_hold = header("x-amz-object-lock-legal-hold")
_TAGS: dict[str, Callable[[Asked], dict[str, str] | None]] = {
    "s3:existingobjecttag": existing_tags,
    "s3:requestobjecttag": request_tags,
    # Of identities and of other services' requests, which have none here.
    "aws:principaltag": lambda asked: None,
    "aws:requesttag": lambda asked: None,
    "aws:resourcetag": lambda asked: None,
}

# Headers that keys of the same name stand for.
HEADERS = (
    *("x-amz-acl", "x-amz-content-sha256", "x-amz-metadata-directive", "x-amz-storage-class"),
    *("x-amz-server-side-encryption", "x-amz-server-side-encryption-aws-kms-key-id"),
    *("x-amz-server-side-encryption-customer-algorithm", "x-amz-website-redirect-location"),
    *("x-amz-grant-full-control", "x-amz-grant-read", "x-amz-grant-read-acp"),
    *("x-amz-grant-write", "x-amz-grant-write-acp", "x-amz-object-ownership", "x-amz-request-payer", "if-none-match"),
)
# Keys that nothing here has a value for: what they say of a caller is never so.
ABSENT = (
    *("aws:calledvia", "aws:calledviafirst", "aws:calledvialast", "aws:federatedprovider"),
    *("aws:multifactorauthage", "aws:multifactorauthpresent", "aws:principalorgid", "aws:principalorgpaths"),
    *("aws:resourceaccount", "aws:resourceorgid"),
    *("aws:resourceorgpaths", "aws:sourceidentity", "aws:sourceorgid"),
    *("aws:sourceowner", "aws:sourcevpc", "aws:sourcevpce", "aws:tokenissuetime", "aws:vpcsourceip"),
    *("s3:dataaccesspointaccount", "s3:dataaccesspointarn", "s3:accesspointnetworkorigin"),
    *("s3:locationconstraint", "s3:tlsversion", "s3:inventoryaccessibleoptionalfields"),
)
KEYS: dict[str, Getter] = {
    **{f"s3:{name}": header(name) for name in HEADERS},
    **{name: fixed(None) for name in ABSENT},
    "aws:currenttime": current_time,
    "aws:epochtime": epoch_time,
    "aws:principalaccount": principal_account,
    "aws:principalarn": principal_arn,
    "aws:principalisawsservice": is_service,
    "aws:principalservicename": service_name,
    "aws:principalservicenameslist": service_name,
    "aws:principaltype": principal_type,
    "aws:referer": header("referer"),
    "aws:requestedregion": region,
    "aws:securetransport": secure_transport,
    "aws:sourceaccount": source_account,
    "aws:sourcearn": source_arn,
    "aws:sourceip": source_ip,
    "aws:useragent": header("user-agent"),
    "aws:userid": userid,
    "aws:username": username,
    "aws:viaawsservice": fixed("false"),
    "s3:authtype": auth_type,
    "s3:delimiter": parameter("delimiter"),
    "s3:if-match": if_match,
    "s3:max-keys": parameter("max-keys"),
    "s3:object-lock-legal-hold": legal_hold,
    "s3:object-lock-mode": lock_mode,
    "s3:object-lock-remaining-retention-days": remaining_days,
    "s3:object-lock-retain-until-date": retain_until,
    "s3:objectcreationoperation": creates_object,
    "s3:prefix": prefix,
    "s3:requestobjecttagkeys": request_tag_keys,
    "s3:resourceaccount": fixed(ACCOUNT),
    "s3:signatureage": signature_age,
    "s3:signatureversion": signature_version,
    "s3:versionid": version_id,
    "s3:x-amz-copy-source": copy_source,
}

# Keys whose value stands in a document: such an operation is asked for once that is read.
IN_DOCUMENTS = (
    *("s3:requestobjecttag", "s3:object-lock-legal-hold", "s3:object-lock-mode"),
    *("s3:object-lock-remaining-retention-days", "s3:object-lock-retain-until-date"),
)

# Keys that only some actions have a value for, by the beginning of their names.
_MAKING = frozenset({"s3:PutObject", "s3:PutObjectAcl", "s3:PutObjectVersionAcl"})
ONLY_FOR: dict[str, frozenset[str]] = {
    "s3:prefix": LISTINGS,
    "s3:delimiter": LISTINGS,
    "s3:max-keys": LISTINGS,
    "s3:x-amz-copy-source": _MAKING,
    "s3:x-amz-metadata-directive": _MAKING,
    "s3:x-amz-storage-class": _MAKING,
    "s3:x-amz-server-side-encryption": _MAKING,
    "s3:x-amz-website-redirect-location": _MAKING,
}
