from __future__ import annotations

import json
from typing import Any

import pytest

from conformance.policies import ALICES, open_up, put_policy, statement
from conformance.raw import Raw
from conformance.refusals import refused


def test_policy_is_kept_as_it_was_given(s3: Any, raw: Raw, bucket: str) -> None:
    text = ' \t{"Statement": {"Effect":"Deny","Principal":"*","Action":"s3:GetObject","Resource":"*"}}\n'.strip(" \t")
    answer = raw.put(f"/{bucket}", text.encode(), {"policy": ""})
    assert (answer.status, answer.body) == (204, b"")
    assert s3.get_bucket_policy(Bucket=bucket)["Policy"] == text
    again = put_policy(s3, bucket, statement(bucket, "s3:GetObject"))
    assert s3.get_bucket_policy(Bucket=bucket)["Policy"] == again


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "Policies must be valid JSON and the first byte must be '{'"),
        ("{asdf", "This policy contains invalid Json"),
        ("<xml/>", "Policies must be valid JSON and the first byte must be '{'"),
        ("{}", "Missing required field Statement"),
    ],
)
def test_what_is_no_policy(s3: Any, bucket: str, text: str, message: str) -> None:
    with refused("MalformedPolicy", 400) as error:
        s3.put_bucket_policy(Bucket=bucket, Policy=text)
    assert error["Message"] == message
    with refused("NoSuchBucketPolicy", 404):
        s3.get_bucket_policy(Bucket=bucket)


@pytest.mark.parametrize("body", [b"", b"{\xff}", b"\x00", b'\xef\xbb\xbf{"Statement":[]}'])
def test_bytes_that_are_no_policy(raw: Raw, bucket: str, body: bytes) -> None:
    answer = raw.put(f"/{bucket}", body, {"policy": ""})
    assert answer.status == 400
    assert answer.code in ("MalformedPolicy", "MissingRequestBodyError")


def test_a_policy_may_have_20_kilobytes(s3: Any, bucket: str) -> None:
    for size, fits in ((20480, True), (20481, False)):
        text = json.dumps({"Id": "", "Statement": statement(bucket, "s3:GetObject")})
        text = text.replace('"Id": ""', f'"Id": "{"x" * (size - len(text))}"')
        assert len(text) == size
        if fits:
            s3.put_bucket_policy(Bucket=bucket, Policy=text)
        else:
            with refused("MalformedPolicy", 400) as error:
                s3.put_bucket_policy(Bucket=bucket, Policy=text)
            assert error["Message"] == "Policy exceeds the maximum allowed document size."


@pytest.mark.parametrize(
    "principal",
    [
        {"AWS": ALICES},
        {"AWS": [ALICES, "arn:aws:iam::000000000000:root"]},
        {"AWS": "arn:aws:iam:::user/alice"},
        {"AWS": "alice"},
        {"AWS": "ALICEACCESSKEY000001"},
        {"AWS": "a11ce0000000000000000000000000000000000000000000000000000000a11c"},
        {"CanonicalUser": "a11ce0000000000000000000000000000000000000000000000000000000a11c"},
    ],
)
def test_ways_to_name_a_user(s3: Any, alice: Any, bucket: str, principal: Any) -> None:
    s3.put_object(Bucket=bucket, Key="key", Body=b"shared")
    put_policy(s3, bucket, statement(bucket, "s3:GetObject", Principal=principal))
    assert alice.get_object(Bucket=bucket, Key="key")["Body"].read() == b"shared"


@pytest.mark.parametrize(
    "principal",
    [
        {"AWS": "arn:aws:iam::000000000000:user/nobody"},
        {"AWS": "arn:aws:iam::123456789012:user/alice"},
        {"AWS": "arn:aws:iam::000000000000:user/*"},
        {"AWS": "000000000000"},
        {"AWS": "nobody"},
        {"CanonicalUser": "alice"},
        {"Federated": "x"},
        "alice",
    ],
)
def test_principals_that_are_nobody(s3: Any, bucket: str, principal: Any) -> None:
    with refused("MalformedPolicy", 400) as error:
        put_policy(s3, bucket, statement(bucket, "s3:GetObject", Principal=principal))
    assert error["Message"] == "Invalid principal in policy"


def test_public_policies_are_blocked_in_a_new_bucket(s3: Any, bucket: str) -> None:
    public = statement(bucket, "s3:GetObject", Principal="*")
    with refused("AccessDenied", 403) as error:
        put_policy(s3, bucket, public)
    assert "BlockPublicPolicy" in error["Message"]
    put_policy(s3, bucket, public | {"Effect": "Deny"})
    put_policy(s3, bucket, public | {"Condition": {"IpAddress": {"aws:SourceIp": "192.0.2.0/24"}}})
    open_up(s3, bucket)
    put_policy(s3, bucket, public)


def test_others_may_not(s3: Any, alice: Any, bucket: str) -> None:
    own = statement(bucket, ["s3:GetBucketPolicy", "s3:PutBucketPolicy", "s3:DeleteBucketPolicy"], "")
    with refused("AccessDenied", 403):
        put_policy(alice, bucket, own)
    with refused("NoSuchBucket", 404):
        put_policy(alice, "there-is-no-such-bucket", own)
    put_policy(s3, bucket, own)
    # A policy is changed by who owns the bucket, whatever it says.
    for call, given in (
        (alice.put_bucket_policy, {"Policy": "{}"}),
        (alice.get_bucket_policy, {}),
        (alice.delete_bucket_policy, {}),
    ):
        with refused("MethodNotAllowed", 405):
            call(Bucket=bucket, **given)


def test_the_owner_cannot_be_shut_out(s3: Any, alice: Any, new_name: Any) -> None:
    hers = new_name("hers")
    alice.create_bucket(Bucket=hers)
    text = put_policy(alice, hers, statement(hers, "s3:*", Effect="Deny", Principal="*", Resource="*"))
    for client in (alice, s3):
        with refused("AccessDenied", 403):
            client.list_objects_v2(Bucket=hers)
        assert client.get_bucket_policy(Bucket=hers)["Policy"] == text
    alice.put_bucket_policy(Bucket=hers, Policy=text, ConfirmRemoveSelfBucketAccess=True)
    alice.delete_bucket_policy(Bucket=hers)
    alice.delete_bucket(Bucket=hers)
