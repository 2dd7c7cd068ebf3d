from __future__ import annotations

import pytest

from gateway.access import ANONYMOUS, ROOT_ID
from gateway.access.keys import KEYS, ONLY_FOR, getter_of
from tests.gateway.access.asking import BOB, ask
from tests.gateway.conftest import ROOT


@pytest.mark.parametrize(
    ("key", "given", "value"),
    [
        ("aws:SourceIp", {}, "203.0.113.7"),
        ("aws:SourceIp", {"ip": ""}, None),
        ("AWS:SECURETRANSPORT", {}, "false"),
        ("aws:SecureTransport", {"scheme": "https"}, "true"),
        ("aws:username", {}, "bob"),
        ("aws:username", {"caller": ANONYMOUS}, None),
        ("aws:userid", {}, BOB.id),
        ("aws:userid", {"caller": ANONYMOUS}, "anonymous"),
        ("aws:PrincipalArn", {}, "arn:aws:iam::000000000000:user/bob"),
        ("aws:PrincipalArn", {"caller": ROOT}, "arn:aws:iam::000000000000:root"),
        ("aws:PrincipalType", {"caller": ANONYMOUS}, "Anonymous"),
        ("aws:Referer", {"referer": "http://x/"}, "http://x/"),
        ("aws:UserAgent", {"user_agent": "curl"}, "curl"),
        ("aws:RequestedRegion", {}, "eu-west-1"),
        ("s3:prefix", {"query": "prefix=a%2Fb"}, "a/b"),
        ("s3:delimiter", {"query": "delimiter=/"}, "/"),
        ("s3:max-keys", {"query": "max-keys=7"}, "7"),
        ("s3:VersionId", {"version_id": "v1"}, "v1"),
        ("s3:x-amz-acl", {"x_amz_acl": "private"}, "private"),
        ("s3:x-amz-copy-source", {"x_amz_copy_source": "/other/a%20b?versionId=1"}, "other/a b"),
        ("s3:x-amz-server-side-encryption", {"x_amz_server_side_encryption": "AES256"}, "AES256"),
        ("s3:x-amz-content-sha256", {"x_amz_content_sha256": "UNSIGNED-PAYLOAD"}, "UNSIGNED-PAYLOAD"),
        ("s3:authType", {"authorization": "AWS4-HMAC-SHA256 x"}, "REST-HEADER"),
        ("s3:authType", {"query": "X-Amz-Signature=x"}, "REST-QUERY-STRING"),
        ("s3:authType", {"caller": ANONYMOUS}, None),
        ("s3:signatureversion", {"authorization": "AWS4-HMAC-SHA256 x"}, "AWS4-HMAC-SHA256"),
        ("s3:signatureversion", {"query": "Signature=x"}, "AWS"),
        ("s3:signatureversion", {}, None),
        ("s3:signatureAge", {"query": "X-Amz-Date=nonsense"}, None),
        ("s3:object-lock-mode", {"x_amz_object_lock_mode": "COMPLIANCE"}, "COMPLIANCE"),
        ("s3:object-lock-legal-hold", {"x_amz_object_lock_legal_hold": "ON"}, "ON"),
        ("aws:SourceVpce", {}, None),
        ("aws:PrincipalTag/team", {}, None),
        ("s3:if-match", {"if_match": '"x"'}, '"x"'),
        ("s3:if-none-match", {"if_none_match": "*"}, "*"),
        ("s3:ObjectCreationOperation", {}, "true"),
        ("s3:ObjectCreationOperation", {"query": "uploads"}, "false"),
        ("s3:ObjectCreationOperation", {"query": "partNumber=1&uploadId=x"}, "false"),
    ],
)
def test_what_a_key_is_worth(key: str, given: dict[str, str], value: str | None) -> None:
    get = getter_of(key)
    assert get is not None
    assert get(ask(**given)) == (None if value is None else (value,))


def test_the_age_of_a_presigned_url() -> None:
    get = getter_of("s3:signatureAge")
    assert get is not None
    (age,) = get(ask(query="X-Amz-Date=20200101T000000Z")) or ()
    assert int(age) > 1000 * 86400 * 365 * 5


def test_days_that_a_lock_is_to_last() -> None:
    get = getter_of("s3:object-lock-remaining-retention-days")
    assert get is not None
    assert get(ask(x_amz_object_lock_retain_until_date="nonsense")) is None
    (days,) = get(ask(x_amz_object_lock_retain_until_date="2300-01-01T00:00:00Z")) or ()
    assert int(days) > 80_000


def test_what_stands_in_a_document() -> None:
    asked = ask()
    asked.given = {
        "tagging": {"tag_set": [{"key": "a", "value": "1"}, {"key": "B", "value": ""}]},
        "retention": {"mode": "GOVERNANCE", "retain_until_date": 4102444800000},
        "legal_hold": {"status": "OFF"},
        "etag": '"x"',
    }
    for key, values in (
        ("s3:RequestObjectTag/a", ("1",)),
        ("s3:RequestObjectTag/b", None),
        ("s3:RequestObjectTagKeys", ("a", "B")),
        ("s3:object-lock-mode", ("GOVERNANCE",)),
        ("s3:object-lock-retain-until-date", ("2100-01-01T00:00:00+00:00",)),
        ("s3:object-lock-legal-hold", ("OFF",)),
        ("s3:if-match", ('"x"',)),
    ):
        get = getter_of(key)
        assert get is not None
        assert get(asked) == values, key


@pytest.mark.parametrize(
    "key", ["", "aws:", "aws:shoes", "s3:ExistingObjectTag", "s3:ExistingObjectTag/", "aws:userid/x"]
)
def test_keys_that_there_are_not(key: str) -> None:
    assert getter_of(key) is None


def test_keys_of_some_actions_are_keys() -> None:
    assert set(ONLY_FOR) <= set(KEYS)
    assert ROOT.id == ROOT_ID
