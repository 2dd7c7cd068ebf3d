from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any
from urllib.request import urlopen

import pytest
from botocore.exceptions import ClientError

from conformance.conftest import ALICE
from conformance.raw import Raw
from conformance.refusals import refused
from conformance.server import Server
from conformance.unconfigured import check_others

CHARGED = {"RequestPayer": "requester"}
DOCUMENT = (
    '<RequestPaymentConfiguration xmlns="http://s3.amazonaws.com/doc/2006-03-01/">%s</RequestPaymentConfiguration>'
)


def set_payer(s3: Any, bucket: str, payer: str) -> None:
    s3.put_bucket_request_payment(Bucket=bucket, RequestPaymentConfiguration={"Payer": payer})


@pytest.fixture
def paid(s3: Any, new_name: Callable[[str], str]) -> str:
    """A bucket that everybody may use, if they pay."""
    name = new_name("paid")
    s3.create_bucket(Bucket=name)
    s3.delete_public_access_block(Bucket=name)
    resources = [f"arn:aws:s3:::{name}", f"arn:aws:s3:::{name}/*"]
    allow = {"Effect": "Allow", "Principal": "*", "Action": "s3:*", "Resource": resources}
    s3.put_bucket_policy(Bucket=name, Policy=json.dumps({"Version": "2012-10-17", "Statement": [allow]}))
    s3.put_object(Bucket=name, Key="key", Body=b"12345")
    set_payer(s3, name, "Requester")
    return name


def test_comes_back_as_it_was_put(s3: Any, bucket: str) -> None:
    for payer in ("Requester", "Requester", "BucketOwner", "BucketOwner"):
        set_payer(s3, bucket, payer)
        assert s3.get_bucket_request_payment(Bucket=bucket)["Payer"] == payer


@pytest.mark.parametrize("inner", ["", "<Payer/>", "<Payer>Nobody</Payer>"])
def test_document_that_names_no_payer(raw: Raw, bucket: str, inner: str) -> None:
    answer = raw.put_document(f"/{bucket}", (DOCUMENT % inner).encode(), {"requestPayment": ""})
    assert (answer.status, answer.code) == (400, "MalformedXML")


CALLS: list[tuple[str, dict[str, Any]]] = [
    ("put_object", {"Key": "new", "Body": b"1"}),
    ("get_object", {"Key": "key"}),
    ("list_objects_v2", {}),
    ("list_objects", {}),
    ("list_object_versions", {}),
    ("list_multipart_uploads", {}),
    ("create_multipart_upload", {"Key": "big"}),
    ("get_object_attributes", {"Key": "key", "ObjectAttributes": ["ETag"]}),
    ("delete_object", {"Key": "other"}),
    ("delete_objects", {"Delete": {"Objects": [{"Key": "other"}]}}),
]


@pytest.mark.parametrize(("call", "given"), CALLS, ids=[call for call, _ in CALLS])
def test_others_have_to_say_that_they_pay(s3: Any, alice: Any, paid: str, call: str, given: dict[str, Any]) -> None:
    with refused("AccessDenied", 403):
        getattr(alice, call)(Bucket=paid, **given)
    answer = getattr(alice, call)(Bucket=paid, **given, **CHARGED)
    assert answer["RequestCharged"] == "requester"
    assert "RequestCharged" not in getattr(s3, call)(Bucket=paid, **given)
    assert "RequestCharged" not in getattr(s3, call)(Bucket=paid, **given, **CHARGED)


def test_head_and_a_copy_from_there(alice: Any, paid: str, new_name: Callable[[str], str]) -> None:
    hers = new_name("hers")
    alice.create_bucket(Bucket=hers)
    with refused(403):
        alice.head_object(Bucket=paid, Key="key")
    assert alice.head_object(Bucket=paid, Key="key", **CHARGED)["RequestCharged"] == "requester"
    copy = {"Bucket": hers, "Key": "key", "CopySource": {"Bucket": paid, "Key": "key"}}
    with refused("AccessDenied", 403):
        alice.copy_object(**copy)
    assert alice.copy_object(**copy, **CHARGED)["RequestCharged"] == "requester"


def test_a_presigned_url_says_it_in_its_query(server: Server, raw: Raw, paid: str) -> None:
    at, said = {"Bucket": paid, "Key": "key"}, {"x-amz-request-payer": "requester"}
    version_2 = server.client(ALICE, signature_version="s3").generate_presigned_url("get_object", at | CHARGED)
    with urlopen(version_2) as answer:
        assert (answer.read(), answer.headers["x-amz-request-charged"]) == (b"12345", "requester")
    signer = raw.signing(keys=ALICE)
    presigned = raw.send(raw.presign("GET", f"/{paid}/key", said, signer=signer))
    assert (presigned.body, presigned.header("x-amz-request-charged")) == (b"12345", "requester")
    assert raw.send(raw.presign("GET", f"/{paid}/key", signer=signer)).status == 403


def test_the_anonymous_cannot_pay(raw: Raw, s3: Any, paid: str) -> None:
    for headers in ({}, {"x-amz-request-payer": "requester"}):
        answer = raw.send(raw.plain("GET", f"/{paid}/key", headers))
        assert (answer.status, answer.code) == (403, "AccessDenied")
    set_payer(s3, paid, "BucketOwner")
    assert raw.send(raw.plain("GET", f"/{paid}/key")).body == b"12345"


def test_who_does_not_have_to_pay_may_say_so(alice: Any, s3: Any, paid: str) -> None:
    set_payer(s3, paid, "BucketOwner")
    assert "RequestCharged" not in alice.get_object(Bucket=paid, Key="key", **CHARGED)


def test_what_costs_nothing_needs_no_word(alice: Any, paid: str) -> None:
    assert alice.get_bucket_request_payment(Bucket=paid)["Payer"] == "Requester"
    alice.head_bucket(Bucket=paid)


def test_a_refusal_is_not_charged(alice: Any, paid: str) -> None:
    with pytest.raises(ClientError) as missing:
        alice.get_object(Bucket=paid, Key="absent", **CHARGED)
    assert "x-amz-request-charged" not in missing.value.response["ResponseMetadata"]["HTTPHeaders"]


def test_no_logs_are_delivered_there(s3: Any, bucket: str, paid: str) -> None:
    with refused("InvalidTargetBucketForLogging", 400):
        enabled = {"TargetBucket": paid, "TargetPrefix": ""}
        s3.put_bucket_logging(Bucket=bucket, BucketLoggingStatus={"LoggingEnabled": enabled})


def test_bucket_of_others(s3: Any, alice: Any, bucket: str) -> None:
    given = {"RequestPaymentConfiguration": {"Payer": "Requester"}}
    check_others(s3, alice, bucket, "put_bucket_request_payment", **given)
