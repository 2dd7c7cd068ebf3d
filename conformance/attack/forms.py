"""Browsers' forms as an attacker sends them."""

from __future__ import annotations

import hmac
import json
from base64 import b64encode

from hypothesis import strategies as st

from conformance.attack.inputs import BUCKET, KEY, TEXT, spoiled
from conformance.raw import Raw, Request

POLICY = json.dumps(
    {
        "expiration": "2100-01-01T00:00:00Z",
        "conditions": [
            {"bucket": BUCKET},
            ["content-length-range", 0, 100],
            *(
                ["starts-with", f"${name}", ""]
                for name in ("key", "x-amz-meta-a", "tagging", "success_action_redirect")
            ),
        ],
    }
)
POLICIES = ["", "[]", "{}", "null", "[" * 10_000, '{"expiration": 1, "conditions": [[]]}', '{"a": ' * 3000, "1e999"]
FIELDS = [
    *("key", "KEY", "acl", "tagging", "Content-Type", "Content-MD5", "policy", "signature", "AWSAccessKeyId", "bucket"),
    *("x-amz-meta-a", "x-amz-meta-\n", "x-amz-date", "x-amz-signature", "x-amz-credential", "x-amz-algorithm", "file"),
    *("success_action_status", "success_action_redirect", "x-ignore-a", "x-amz-checksum-crc32", "x-amz-copy-source"),
    *("x-amz-trailer", "x-amz-decoded-content-length", "x-amz-content-sha256", "x-amz-storage-class", ""),
]


@st.composite
def forms(draw: st.DrawFn, raw: Raw) -> Request:
    """A browser's form whose policy somebody signed, whatever is in it."""
    text = draw(st.one_of(st.just(POLICY), spoiled(POLICY), st.sampled_from(POLICIES)))
    policy = b64encode(text.encode("utf-8", "surrogatepass"))
    keys = raw.server.keys
    signature = b64encode(hmac.digest(keys.secret.encode(), policy, "sha1")).decode()
    fields = {"key": KEY, "AWSAccessKeyId": keys.access, "policy": policy.decode(), "signature": signature}
    fields |= {name: draw(TEXT) for name in ("x-amz-meta-a", "success_action_redirect")} | {
        "tagging": "<Tagging><TagSet/></Tagging>"
    }
    fields |= draw(st.dictionaries(st.sampled_from(FIELDS), TEXT, max_size=1))
    parts = [*fields.items(), (draw(st.sampled_from(["file", "file", "file", "File", "other"])), "content")]
    lines = [f'--b\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n' for name, value in parts]
    whole = "".join(lines) + "--b--\r\n"
    body = draw(st.one_of(st.just(whole), spoiled(whole))).encode("utf-8", "surrogatepass")
    types = ["multipart/form-data; boundary=b"] * 3 + ["multipart/form-data", 'multipart/form-data; boundary="', "a/b"]
    return raw.plain("POST", f"/{BUCKET}", {"Content-Type": draw(st.sampled_from(types))}, body)
