from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from conformance.content import content_md5
from conformance.raw import Raw
from conformance.refusals import refused

EXPIRING = {"Expiration": {"Days": 3}}
RULE = {"ID": "rule", "Filter": {"Prefix": "logs/"}, "Status": "Enabled", **EXPIRING}
OLD = {"ID": "rule", "Prefix": "logs/", "Status": "Enabled", **EXPIRING}
DOCUMENT = "<LifecycleConfiguration>%s</LifecycleConfiguration>"
GIVEN = DOCUMENT % "<Rule><ID>%s</ID><Filter/><Status>Enabled</Status><Expiration><Days>1</Days></Expiration></Rule>"
TAG, OTHER = {"Key": "a", "Value": "1"}, {"Key": "b", "Value": ""}


def put(s3: Any, bucket: str, *rules: dict[str, Any], **more: Any) -> Any:
    return s3.put_bucket_lifecycle_configuration(Bucket=bucket, LifecycleConfiguration={"Rules": list(rules)}, **more)


def got(s3: Any, bucket: str) -> Any:
    return s3.get_bucket_lifecycle_configuration(Bucket=bucket)["Rules"]


@pytest.mark.parametrize(
    "change",
    [
        {},
        {"Status": "Disabled"},
        {"ID": "i" * 255},
        {"ID": "any <characters> & ünïcode"},
        {"Filter": {}},
        {"Filter": {"Prefix": ""}},
        {"Filter": {"Tag": TAG}},
        {"Filter": {"ObjectSizeGreaterThan": 0}},
        {"Filter": {"ObjectSizeLessThan": 1}},
        {"Filter": {"And": {"Tags": [TAG, OTHER]}}},
        {"Filter": {"And": {"Prefix": "", "Tags": [TAG]}}},
        {
            "Filter": {
                "And": {
                    "Prefix": "p",
                    "Tags": [TAG, OTHER],
                    "ObjectSizeGreaterThan": 500,
                    "ObjectSizeLessThan": 64000,
                }
            }
        },
        {"Expiration": {"Date": datetime(2030, 1, 1, tzinfo=UTC)}},
        {"Expiration": {"Days": 2**31 - 1}},
        {"Expiration": {"ExpiredObjectDeleteMarker": True}},
        {"Expiration": {"ExpiredObjectDeleteMarker": False}},
        {"NoncurrentVersionExpiration": {"NoncurrentDays": 1}},
        {"NoncurrentVersionExpiration": {"NoncurrentDays": 1, "NewerNoncurrentVersions": 100}},
        {"AbortIncompleteMultipartUpload": {"DaysAfterInitiation": 7}},
    ],
)
def test_comes_back_as_it_was_put(s3: Any, bucket: str, change: dict[str, Any]) -> None:
    answer = put(s3, bucket, RULE | change)
    assert answer["ResponseMetadata"]["HTTPStatusCode"] == 200
    assert got(s3, bucket) == [RULE | change]


@pytest.mark.parametrize("action", [EXPIRING, {"NoncurrentVersionExpiration": {"NoncurrentDays": 5}}])
def test_the_form_of_before_there_were_filters(s3: Any, bucket: str, action: dict[str, Any]) -> None:
    rules = [{"ID": f"rule {prefix}", "Prefix": prefix, "Status": "Enabled", **action} for prefix in ("b", "a", "c/d")]
    put(s3, bucket, *rules)
    assert got(s3, bucket) == rules


def test_takes_the_place_of_what_was_there(s3: Any, bucket: str) -> None:
    for days in (1, 2):
        rule = RULE | {"Expiration": {"Days": days}}
        put(s3, bucket, rule)
        assert got(s3, bucket) == [rule]


def test_a_rule_without_an_id_gets_one(s3: Any, bucket: str) -> None:
    rules = [{name: value for name, value in RULE.items() if name != "ID"} for _ in range(2)]
    put(s3, bucket, *rules)
    held = got(s3, bucket)
    ids = [rule.pop("ID") for rule in held]
    assert held == rules
    assert len(set(ids)) == 2 and all(len(each) == 48 for each in ids)
    assert [rule["ID"] for rule in got(s3, bucket)] == ids


def test_a_thousand_rules_at_most(s3: Any, bucket: str) -> None:
    rules = [RULE | {"ID": str(number), "Filter": {"Prefix": f"{number}/"}} for number in range(1001)]
    put(s3, bucket, *rules[:1000])
    with refused("MalformedXML", 400):
        put(s3, bucket, *rules)
    assert got(s3, bucket) == rules[:1000]


def test_the_minimum_size_of_transitions_is_kept_and_answered(s3: Any, bucket: str) -> None:
    name = "TransitionDefaultMinimumObjectSize"
    for given, kept in (({}, "all_storage_classes_128K"), ({name: "varies_by_storage_class"}, None)):
        expected = kept or given[name]
        assert put(s3, bucket, RULE, **given)[name] == expected
        assert s3.get_bucket_lifecycle_configuration(Bucket=bucket)[name] == expected
    with refused("InvalidRequest", 400):
        put(s3, bucket, RULE, **{name: "none"})


POSITIVE = "action must be a positive integer"
BOTH = {"Filter": {"And": {"ObjectSizeGreaterThan": 5, "ObjectSizeLessThan": 5}}}
REFUSED = [
    ({"ID": "i" * 256}, "InvalidArgument", "ID length should not exceed allowed limit of 255"),
    ({"Expiration": {"Days": 0}}, "InvalidArgument", f"'Days' for Expiration {POSITIVE}"),
    ({"Expiration": {"Days": -1}}, "InvalidArgument", f"'Days' for Expiration {POSITIVE}"),
    (
        {"Expiration": {"Date": datetime(2030, 1, 1, 10, tzinfo=UTC)}},
        "InvalidArgument",
        "'Date' must be at midnight GMT",
    ),
    (
        {"NoncurrentVersionExpiration": {"NoncurrentDays": 0}},
        "InvalidArgument",
        f"'NoncurrentDays' for NoncurrentVersionExpiration {POSITIVE}",
    ),
    (
        {"NoncurrentVersionExpiration": {"NoncurrentDays": 1, "NewerNoncurrentVersions": 0}},
        "InvalidArgument",
        f"'NewerNoncurrentVersions' for NoncurrentVersionExpiration {POSITIVE}",
    ),
    (
        {"AbortIncompleteMultipartUpload": {"DaysAfterInitiation": 0}},
        "InvalidArgument",
        f"'DaysAfterInitiation' for AbortIncompleteMultipartUpload {POSITIVE}",
    ),
    (
        {"Filter": {"Tag": TAG}, "AbortIncompleteMultipartUpload": {"DaysAfterInitiation": 1}},
        "InvalidRequest",
        "AbortIncompleteMultipartUpload cannot be specified with Tags.",
    ),
    (
        {"Filter": {"ObjectSizeLessThan": 9}, "AbortIncompleteMultipartUpload": {"DaysAfterInitiation": 1}},
        "InvalidRequest",
        "AbortIncompleteMultipartUpload cannot be specified with Object Size.",
    ),
    (
        {"Filter": {"ObjectSizeLessThan": 9}, "Expiration": {"ExpiredObjectDeleteMarker": False}},
        "InvalidRequest",
        "ExpiredObjectDeleteMarker cannot be specified with Object Size.",
    ),
    ({"Expiration": None}, "InvalidRequest", "At least one action needs to be specified in a rule"),
    (
        {"Filter": {"And": {"Tags": [TAG, TAG]}}},
        "InvalidRequest",
        "Duplicate Tag Keys are not allowed.",
    ),
    (
        {"Filter": {"ObjectSizeLessThan": 0}},
        "InvalidRequest",
        "'ObjectSizeLessThan' should be between 1 and 1099511627776000.",
    ),
    (BOTH, "InvalidRequest", "'ObjectSizeLessThan' has to be a value greater than 'ObjectSizeGreaterThan'."),
    ({"Expiration": {}}, "MalformedXML", None),
    ({"Expiration": {"Days": 1, "Date": datetime(2030, 1, 1, tzinfo=UTC)}}, "MalformedXML", None),
    ({"Expiration": {"Days": 1, "ExpiredObjectDeleteMarker": True}}, "MalformedXML", None),
    ({"NoncurrentVersionExpiration": {}}, "MalformedXML", None),
    ({"NoncurrentVersionExpiration": {"NewerNoncurrentVersions": 5}}, "MalformedXML", None),
    ({"AbortIncompleteMultipartUpload": {}}, "MalformedXML", None),
    ({"Filter": None}, "MalformedXML", None),
    ({"Prefix": "p"}, "MalformedXML", None),
    ({"Filter": {"Prefix": "p", "Tag": TAG}}, "MalformedXML", None),
    ({"Filter": {"Prefix": "p", "ObjectSizeGreaterThan": 5}}, "MalformedXML", None),
    ({"Filter": {"And": {"Prefix": "p"}}}, "MalformedXML", None),
    ({"Filter": {"And": {"Tags": [TAG]}}}, "MalformedXML", None),
    ({"Status": "enabled"}, "MalformedXML", None),
]


@pytest.mark.parametrize(("change", "code", "message"), REFUSED)
def test_rules_that_are_none(s3: Any, bucket: str, change: dict[str, Any], code: str, message: str | None) -> None:
    rule = {name: value for name, value in (RULE | change).items() if value is not None}
    with refused(code, 400) as error:
        put(s3, bucket, rule)
    assert message is None or error["Message"] == message
    with refused("NoSuchLifecycleConfiguration", 404):
        got(s3, bucket)


@pytest.mark.parametrize(
    ("rules", "code", "message"),
    [
        (
            [RULE, RULE | {"Filter": {}}],
            "InvalidArgument",
            "Rule ID must be unique. Found same ID for more than one rule",
        ),
        (
            [OLD, RULE | {"ID": "b"}],
            "InvalidRequest",
            "Filter element can only be used in Lifecycle V2.",
        ),
        (
            [RULE, OLD | {"ID": "b"}],
            "InvalidRequest",
            "Base level prefix cannot be used in Lifecycle V2, prefixes are only supported in the Filter.",
        ),
        (
            [OLD | {"NoncurrentVersionExpiration": {"NoncurrentDays": 1, "NewerNoncurrentVersions": 2}}],
            "InvalidRequest",
            "NewerNoncurrentVersions element can only be used in Lifecycle V2.",
        ),
        (
            [OLD | {"ID": "x", "Prefix": "logs"}, OLD | {"ID": "y", "Prefix": "a"}, OLD],
            "InvalidRequest",
            "Found overlapping prefixes 'logs' and 'logs/' for same action type 'Expiration'",
        ),
    ],
)
def test_rules_that_do_not_go_together(
    s3: Any, bucket: str, rules: list[dict[str, Any]], code: str, message: str
) -> None:
    with refused(code, 400) as error:
        put(s3, bucket, *rules)
    assert error["Message"] == message


@pytest.mark.parametrize(
    ("change", "code", "status"),
    [
        ({"Transitions": [{"Days": 30, "StorageClass": "GLACIER"}]}, "NotImplemented", 501),
        (
            {"NoncurrentVersionTransitions": [{"NoncurrentDays": 30, "StorageClass": "STANDARD_IA"}]},
            "NotImplemented",
            501,
        ),
        ({"Transitions": [{"Days": 30, "StorageClass": "STANDARD"}]}, "MalformedXML", 400),
        ({"Transitions": [{"Days": -1, "StorageClass": "GLACIER"}]}, "InvalidArgument", 400),
        ({"Transitions": [{"StorageClass": "GLACIER"}]}, "MalformedXML", 400),
        (
            {"Transitions": [{"Date": datetime(2030, 1, 1, 10, tzinfo=UTC), "StorageClass": "GLACIER"}]},
            "InvalidArgument",
            400,
        ),
    ],
)
def test_a_transition_is_refused_never_dropped(
    s3: Any, bucket: str, change: dict[str, Any], code: str, status: int
) -> None:
    with refused(code, status):
        put(s3, bucket, RULE | change)
    with refused("NoSuchLifecycleConfiguration", 404):
        got(s3, bucket)


@pytest.mark.parametrize(
    "document",
    [
        "<LifecycleConfiguration/>",
        GIVEN.replace("<Days>1</Days>", "<Days>soon</Days>") % "a",
        GIVEN.replace("<Days>1</Days>", "<Date>01.01.2030</Date>") % "a",
        GIVEN.replace("<Days>1</Days>", "<ExpiredObjectDeleteMarker>maybe</ExpiredObjectDeleteMarker>") % "a",
        GIVEN.replace("<Filter/>", "<Filter><Tag><Key>a</Key></Tag></Filter>") % "a",
        GIVEN.replace("<Status>Enabled</Status>", "") % "a",
    ],
)
def test_documents_that_are_none(raw: Raw, bucket: str, document: str) -> None:
    answer = raw.put_document(f"/{bucket}", document.encode(), {"lifecycle": ""})
    assert (answer.status, answer.code) == (400, "MalformedXML")


def test_needs_a_checksum_of_the_document(raw: Raw, bucket: str) -> None:
    body = (GIVEN % "a").encode()
    answer = raw.put(f"/{bucket}", body, {"lifecycle": ""})
    assert (answer.status, answer.code) == (400, "InvalidRequest")
    answer = raw.put(f"/{bucket}", body, {"lifecycle": ""}, {"Content-MD5": content_md5(b"else")})
    assert (answer.status, answer.code) == (400, "BadDigest")
    assert raw.put(f"/{bucket}", body, {"lifecycle": ""}, {"Content-MD5": content_md5(body)}).status == 200


def test_others_may_not(s3: Any, alice: Any, bucket: str) -> None:
    with refused("AccessDenied", 403):
        put(alice, bucket, RULE)
    with refused("NoSuchBucket", 404):
        put(s3, "there-is-no-such-bucket", RULE)
