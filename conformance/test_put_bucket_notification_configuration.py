from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from conformance.conftest import ALICE, ALICE_ID
from conformance.policies import put_policy, statement
from conformance.raw import Raw
from conformance.refusals import refused
from conformance.server import Server, create_user, running

QUEUE, OTHER = "arn:minio:sqs::first:webhook", "arn:minio:sqs:us-east-1:SECOND_1:webhook"
CREATED = ["s3:ObjectCreated:*"]
RULE = {"Id": "rule", "QueueArn": QUEUE, "Events": CREATED}
DOCUMENT = "<NotificationConfiguration>%s</NotificationConfiguration>"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """One with targets, at which nobody listens."""
    hooks = "first=http://127.0.0.1:9/, SECOND_1=https://127.0.0.1:9/hook"
    with running(tmp_path_factory.mktemp("ducket") / "data", "--notify-webhook", hooks) as server:
        create_user(server.data, "alice", ALICE, id=ALICE_ID)
        yield server


@pytest.fixture(scope="module")
def s3(server: Server) -> Any:
    return server.client()


@pytest.fixture(scope="module")
def alice(server: Server) -> Any:
    return server.client(ALICE)


@pytest.fixture(scope="module")
def raw(server: Server) -> Raw:
    return Raw(server)


def put(s3: Any, bucket: str, *rules: dict[str, Any], **more: Any) -> Any:
    given = {"QueueConfigurations": list(rules)}
    return s3.put_bucket_notification_configuration(Bucket=bucket, NotificationConfiguration=given, **more)


def got(s3: Any, bucket: str) -> dict[str, Any]:
    answer: dict[str, Any] = s3.get_bucket_notification_configuration(Bucket=bucket)
    assert answer.pop("ResponseMetadata")["HTTPStatusCode"] == 200
    return answer


def filtered(*rules: tuple[str, str], **change: Any) -> dict[str, Any]:
    named = [{"Name": name, "Value": value} for name, value in rules]
    return RULE | {"Filter": {"Key": {"FilterRules": named}}} | change


@pytest.mark.parametrize(
    "rule",
    [
        RULE,
        RULE | {"QueueArn": OTHER},
        RULE | {"Id": "i" * 255},
        RULE | {"Id": "any <characters> & ünïcode"},
        RULE | {"Events": ["s3:ObjectCreated:Put", "s3:ObjectRemoved:*", "s3:ObjectTagging:Put", "s3:ObjectAcl:Put"]},
        RULE | {"Events": ["s3:LifecycleExpiration:*", "s3:ObjectRetention:Put"]},
        RULE | {"Filter": {"Key": {}}},
        filtered(("Prefix", "images/"), ("Suffix", ".jpg")),
        filtered(("Suffix", "a" * 1024)),
    ],
)
def test_comes_back_as_it_was_put(s3: Any, bucket: str, rule: dict[str, Any]) -> None:
    assert put(s3, bucket, rule)["ResponseMetadata"]["HTTPStatusCode"] == 200
    assert got(s3, bucket) == {"QueueConfigurations": [rule]}


def test_each_kind_of_destination(s3: Any, bucket: str) -> None:
    given = {
        "TopicConfigurations": [
            {"Id": "a", "TopicArn": "arn:minio:sns::first:webhook", "Events": ["s3:ObjectCreated:Put"]}
        ],
        "QueueConfigurations": [{"Id": "b", "QueueArn": QUEUE, "Events": ["s3:ObjectRemoved:*"]}],
        "LambdaFunctionConfigurations": [
            {"Id": "c", "LambdaFunctionArn": "arn:minio:lambda::first:webhook", "Events": ["s3:ObjectTagging:*"]}
        ],
    }
    s3.put_bucket_notification_configuration(Bucket=bucket, NotificationConfiguration=given)
    assert got(s3, bucket) == given


def test_names_of_filters_are_written_as_s3_writes_them(s3: Any, bucket: str) -> None:
    put(s3, bucket, filtered(("prefix", "a"), ("SUFFIX", "b")))
    assert got(s3, bucket) == {"QueueConfigurations": [filtered(("Prefix", "a"), ("Suffix", "b"))]}


def test_ids_are_made_up(s3: Any, bucket: str) -> None:
    rules = [{"QueueArn": QUEUE, "Events": [event]} for event in ("s3:ObjectCreated:Put", "s3:ObjectCreated:Copy")]
    put(s3, bucket, *rules)
    found = got(s3, bucket)["QueueConfigurations"]
    ids = {rule.pop("Id") for rule in found}
    assert len(ids) == 2 and all(ids)
    assert found == rules


def test_takes_the_place_of_what_was_there(s3: Any, bucket: str) -> None:
    put(s3, bucket, RULE)
    put(s3, bucket, RULE | {"Id": "another"})
    assert [rule["Id"] for rule in got(s3, bucket)["QueueConfigurations"]] == ["another"]
    s3.put_bucket_notification_configuration(Bucket=bucket, NotificationConfiguration={})
    assert got(s3, bucket) == {}


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (filtered(("Prefix", "images/")), filtered(("Prefix", "logs/"))),
        (filtered(("Suffix", ".jpg")), filtered(("Suffix", ".png"))),
        (filtered(("Prefix", "images"), ("Suffix", ".jpg")), filtered(("Prefix", "images"), ("Suffix", ".png"))),
        (RULE, RULE | {"Events": ["s3:ObjectRemoved:*"]}),
        (RULE | {"Events": ["s3:ObjectCreated:Put"]}, RULE | {"Events": ["s3:ObjectCreated:Post"]}),
    ],
)
def test_rules_that_never_mean_the_same_event(s3: Any, bucket: str, one: dict[str, Any], other: dict[str, Any]) -> None:
    put(s3, bucket, one, other | {"Id": "other"})
    assert len(got(s3, bucket)["QueueConfigurations"]) == 2


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (filtered(("Prefix", "images")), filtered(("Prefix", "images/jpg"))),
        (filtered(("Suffix", "jpg")), filtered(("Suffix", "pg"))),
        (filtered(("Prefix", "images")), filtered(("Suffix", ".jpg"))),
        (RULE, filtered(("Prefix", "images"))),
        (filtered(("Prefix", "a")), filtered(("Prefix", "ab"), Events=["s3:ObjectCreated:Put"], QueueArn=OTHER)),
    ],
)
def test_filters_that_overlap(s3: Any, bucket: str, one: dict[str, Any], other: dict[str, Any]) -> None:
    with refused("InvalidArgument", 400) as error:
        put(s3, bucket, one, other | {"Id": "other"})
    assert error["Message"] == (
        "Configuration is ambiguously defined. Cannot have overlapping suffixes in two rules if the prefixes are"
        " overlapping for the same event type."
    )
    assert got(s3, bucket) == {}


def test_events_that_overlap(s3: Any, bucket: str) -> None:
    with refused("InvalidArgument", 400) as error:
        put(s3, bucket, RULE, RULE | {"Id": "other", "QueueArn": OTHER, "Events": ["s3:ObjectCreated:Put"]})
    message = "Configurations overlap. Configurations on the same bucket cannot share a common event type."
    assert error["Message"] == message
    assert (error["ArgumentName"], error["ArgumentValue"]) == ("Event", "s3:ObjectCreated:*, s3:ObjectCreated:Put")


@pytest.mark.parametrize(
    ("rule", "message", "argument", "value"),
    [
        (RULE | {"QueueArn": "arn:first"}, "The ARN could not be parsed", "Queue", "arn:first"),
        (
            RULE | {"QueueArn": "arn:minio:sns::first:webhook"},
            "The ARN could not be parsed",
            "Queue",
            "arn:minio:sns::first:webhook",
        ),
        (RULE | {"Events": ["s3:Created"]}, "The event is not supported for notifications", "Event", "s3:Created"),
        (
            filtered(("INVALID", "a")),
            "filter rule name must be either prefix or suffix",
            "FilterRule.Name",
            "INVALID",
        ),
        (
            filtered(("prefix", "a"), ("Prefix", "b")),
            "Cannot specify more than one prefix rule in a filter.",
            "FilterRule.Name",
            "Prefix",
        ),
        (
            filtered(("prefix", "ü" * 513)),
            "Size of filter rule value cannot exceed 1024 bytes in UTF-8 representation",
            "FilterRule.Value",
            "ü" * 513,
        ),
        (RULE | {"Id": "i" * 256}, "ID length should not exceed allowed limit of 255", "Id", "i" * 256),
    ],
)
def test_what_s3_does_not_take(
    s3: Any, bucket: str, rule: dict[str, Any], message: str, argument: str, value: str
) -> None:
    with refused("InvalidArgument", 400) as error:
        put(s3, bucket, rule)
    assert (error["Message"], error["ArgumentName"], error["ArgumentValue"]) == (message, argument, value)


def test_an_id_twice(s3: Any, bucket: str) -> None:
    with refused("InvalidArgument", 400) as error:
        put(s3, bucket, RULE, RULE | {"Events": ["s3:ObjectRemoved:*"]})
    assert error["Message"] == "Same ID used for multiple configurations. IDs must be unique"


@pytest.mark.parametrize(
    "event",
    [
        *("s3:ReducedRedundancyLostObject", "s3:ObjectRestore:*", "s3:ObjectRestore:Completed", "s3:Replication:*"),
        *("s3:LifecycleTransition", "s3:IntelligentTiering", "s3:ObjectAnnotation:Put"),
    ],
)
def test_events_that_never_happen_here(s3: Any, bucket: str, event: str) -> None:
    with refused("NotImplemented", 501) as error:
        put(s3, bucket, RULE | {"Events": [event]})
    assert event in error["Message"]


def test_event_bridge(s3: Any, bucket: str) -> None:
    with refused("NotImplemented", 501) as error:
        s3.put_bucket_notification_configuration(
            Bucket=bucket, NotificationConfiguration={"EventBridgeConfiguration": {}}
        )
    assert "EventBridgeConfiguration" in error["Message"]


def test_targets_that_nobody_defined(s3: Any, bucket: str) -> None:
    missing, another = "arn:minio:sqs::missing:webhook", "arn:minio:sqs::First:webhook"
    rules = [
        RULE | {"QueueArn": missing},
        RULE | {"Id": "b", "QueueArn": another, "Events": ["s3:ObjectRemoved:*"]},
        RULE | {"Id": "c", "Events": ["s3:ObjectTagging:*"]},
    ]
    with refused("InvalidArgument", 400) as error:
        put(s3, bucket, *rules)
    assert error["Message"] == "Unable to validate the following destination configurations"
    named = {name: value for name, value in error.items() if name.startswith("Argument")}
    assert named == {
        "ArgumentName1": missing,
        "ArgumentValue1": "The destination queue does not exist",
        "ArgumentName2": another,
        "ArgumentValue2": "The destination queue does not exist",
    }
    put(s3, bucket, *rules, SkipDestinationValidation=True)
    assert got(s3, bucket) == {"QueueConfigurations": rules}


def test_more_than_a_hundred(s3: Any, bucket: str) -> None:
    rules = [filtered(("Prefix", f"{number:03}"), Id=str(number)) for number in range(101)]
    put(s3, bucket, *rules[:100])
    with refused("InvalidArgument", 400):
        put(s3, bucket, *rules)
    assert len(got(s3, bucket)["QueueConfigurations"]) == 100


@pytest.mark.parametrize(
    "inside",
    [
        "<QueueConfiguration><Event>s3:ObjectCreated:*</Event></QueueConfiguration>",
        f"<QueueConfiguration><Queue>{QUEUE}</Queue></QueueConfiguration>",
        "<QueueConfiguration>",
    ],
)
def test_documents_that_are_none(raw: Raw, bucket: str, inside: str) -> None:
    answer = raw.put_document(f"/{bucket}", (DOCUMENT % inside).encode(), {"notification": ""})
    assert (answer.status, answer.code) == (400, "MalformedXML")


def test_the_document_as_minio_s_clients_write_it(raw: Raw, s3: Any, bucket: str) -> None:
    inside = (
        f"<QueueConfiguration><Id>1</Id><Filter><S3Key><FilterRule><Name>prefix</Name><Value>p</Value></FilterRule>"
        f"</S3Key></Filter><Event>s3:ObjectCreated:Put</Event><Queue>{QUEUE}</Queue></QueueConfiguration>"
    )
    assert raw.put_document(f"/{bucket}", (DOCUMENT % inside).encode(), {"notification": ""}).status == 200
    (rule,) = got(s3, bucket)["QueueConfigurations"]
    assert rule == filtered(("Prefix", "p"), Id="1", Events=["s3:ObjectCreated:Put"])


def test_who_may(s3: Any, alice: Any, bucket: str) -> None:
    """The owner, and whom a policy gives leave."""
    with refused("AccessDenied", 403):
        put(alice, bucket, RULE)
    with refused("NoSuchBucket", 404):
        put(s3, "there-is-no-such-bucket", RULE)
    put_policy(s3, bucket, statement(bucket, "s3:PutBucketNotification", ""))
    put(alice, bucket, RULE)
    with refused("AccessDenied", 403):
        alice.get_bucket_notification_configuration(Bucket=bucket)
    put_policy(s3, bucket, statement(bucket, "s3:GetBucketNotification", ""))
    assert got(alice, bucket) == {"QueueConfigurations": [RULE]}


def test_goes_with_the_bucket(s3: Any, new_name: Callable[[str], str], server: Server) -> None:
    name = new_name("gone")
    s3.create_bucket(Bucket=name)
    put(s3, name, RULE)
    s3.delete_bucket(Bucket=name)
    s3.create_bucket(Bucket=name)
    assert got(s3, name) == {}
