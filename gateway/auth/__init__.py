"""Who sent a request, proved by Signature Version 4 or 2: in the Authorization header, in the query, or nobody.

https://docs.aws.amazon.com/AmazonS3/latest/API/sig-v4-authenticating-requests.html
"""

from __future__ import annotations

from gateway.auth import version2
from gateway.auth.form import authenticate_form
from gateway.auth.header import authenticate_header
from gateway.auth.payload import Payload, anonymous_payload
from gateway.auth.presigned import authenticate_query, is_presigned
from gateway.auth.proof import FindUser, Identity
from gateway.request import Request
from gateway.s3.errors import invalid_argument

__all__ = ["FindUser", "Identity", "Payload", "authenticate"]


def authenticate(request: Request, find_user: FindUser, region: str, now: float) -> Identity:
    """`now` is seconds since the epoch. A request that names no key is the anonymous one's, not an error.

    Parameters of a presigned URL that stand for headers are put among `request.headers` once they are proved.
    """
    if request.form is not None:
        return authenticate_form(request.form, request.bucket or "", find_user, region, now)
    authorization = request.headers.get("authorization")
    presigned = presigned_2 = False
    if request.query:
        presigned, presigned_2 = is_presigned(request.query), version2.is_presigned(request.query)
    if bool(authorization) + presigned + presigned_2 > 1:
        raise invalid_argument(
            "Only one auth mechanism allowed; only the X-Amz-Algorithm query parameter, Signature query"
            " string parameter or the Authorization header should be specified",
            *(("Authorization", authorization) if authorization else ("Signature", request.query.get("Signature", ""))),
        )
    if authorization:
        if authorization.startswith(version2.SCHEME):
            return version2.authenticate_header(request, authorization, find_user, now)
        return authenticate_header(request, authorization, find_user, region, now)
    if presigned:
        return authenticate_query(request, find_user, region, now)
    if presigned_2:
        return version2.authenticate_query(request, find_user, now)
    return Identity(None, "", anonymous_payload(request))
