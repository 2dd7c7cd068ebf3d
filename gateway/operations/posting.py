"""Objects from a browser's form."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

from gateway.operations import Context
from gateway.operations.objects import put_object
from gateway.s3.model import operation


@operation
async def post_object(cx: Context, bucket: str, key: str, **given: Any) -> dict[str, Any]:
    """As PutObject, of which the form's fields are the headers.

    https://docs.aws.amazon.com/AmazonS3/latest/API/RESTObjectPOST.html
    """
    request = cx.request
    assert request.form is not None
    fields = request.form.fields
    stored = await put_object(cx, bucket, key, **given)
    place = "" if request.host_bucket is not None else f"/{bucket}"
    return {
        "stored": stored,
        "etag": stored["etag"],
        "bucket": bucket,
        "key": key,
        "location": f"{request.scheme}://{request.host}{place}/{quote(key, safe='')}",
        "success_action_status": fields.get("success_action_status", ""),
        "success_action_redirect": fields.get("success_action_redirect") or fields.get("redirect", ""),
    }
