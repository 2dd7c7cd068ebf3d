"""May access logs be written to a bucket: the service that delivers them is a principal like any other.

https://docs.aws.amazon.com/AmazonS3/latest/userguide/enable-server-access-logging.html
"""

from __future__ import annotations

from catalog.records import Bucket, User
from gateway.access.acl import LOGGING_ID
from gateway.access.asked import Asked, Lookup, Sender
from gateway.access.deciding import decide
from gateway.access.policy import Verdict
from gateway.request import Request

LOGGING = User(LOGGING_ID, "logging", access_key="", secret_key="")
PUT = "s3:PutObject"


def may_deliver(target: Bucket, key: str, prefix: str, sender: Sender, catalog: Lookup) -> bool:
    """Whether the target's policy or its ACL lets the key be written.

    A policy may also name the prefix and no more, as other servers want it, where AWS's examples end in a star.
    """
    verdicts = {decide(PUT, asked(target, name, sender, catalog)) for name in (key, prefix)}
    return Verdict.ALLOW in verdicts and Verdict.DENY not in verdicts


def asked(target: Bucket, key: str, sender: Sender, catalog: Lookup) -> Asked:
    made = Asked(LOGGING, target, key, None, own_request(), catalog)
    made.sender = sender
    return made


def own_request() -> Request:
    """What conditions ask of a request: it comes from within, and so goes over no network in the clear."""

    async def nothing() -> dict[str, object]:
        return {"type": "http.disconnect"}

    scope = {"method": "PUT", "raw_path": b"/", "query_string": b"", "scheme": "https", "headers": []}
    return Request.identify(scope, nothing)
