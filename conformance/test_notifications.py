"""Event notifications, from the change to the webhook: which there are, in what order, and what comes in between."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import requests

from conformance.conftest import ALICE, ALICE_ID
from conformance.multipart import Upload
from conformance.policies import open_up, put_policy, statement
from conformance.receiver import ARN, NAME, Receiver, Taken, notify, receiving
from conformance.server import Server, create_user, ducket, run_command, running

ALL = ("s3:ObjectCreated:*", "s3:ObjectRemoved:*", "s3:ObjectTagging:*", "s3:ObjectAcl:Put", "s3:ObjectRetention:Put")
PART = b"p" * (5 << 20)


@pytest.fixture(scope="module")
def hook() -> Iterator[Receiver]:
    with receiving() as receiver:
        yield receiver


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory, hook: Receiver) -> Iterator[Server]:
    with running(
        tmp_path_factory.mktemp("ducket") / "data", *hook.options, "--notify-token", f"{NAME}=s3cret"
    ) as server:
        create_user(server.data, "alice", ALICE, id=ALICE_ID)
        yield server


@pytest.fixture(scope="module")
def s3(server: Server) -> Any:
    return server.client()


def drain(hook: Receiver, s3: Any, bucket: str, key: str = "the end") -> list[Taken]:
    """The events of a bucket once all are there: what is put when one has come is sent behind all that was before."""
    for count in (1, 2):
        s3.put_object(Bucket=bucket, Key=key)
        hook.wait(lambda receiver, count=count: len(of_key(receiver, bucket, key)) == count)  # type: ignore[misc]
    found = [taken for taken in hook.events() if taken.record["s3"]["bucket"]["name"] == bucket]
    return [taken for taken in found if taken.key != key]


def of_key(hook: Receiver, bucket: str, key: str) -> list[Taken]:
    return [taken for taken in hook.events() if taken.message["Key"] == f"{bucket}/{key}"]


@pytest.fixture
def told(hook: Receiver, s3: Any, bucket: str) -> Callable[[], list[Taken]]:
    """What was told of the bucket since the test began, once all of it is there."""
    notify(s3, bucket, *ALL, Id="rule")
    return lambda: drain(hook, s3, bucket)


def names(taken: list[Taken]) -> list[str]:
    """Of the events of a key, which come in their order."""
    return [each.record["eventName"] for each in taken]


def test_a_message_is_aws_s_in_minio_s_wrapping(
    s3: Any, server: Server, bucket: str, told: Callable[[], list[Taken]]
) -> None:
    alice = server.client(ALICE)
    put_policy(s3, bucket, statement(bucket, "s3:PutObject"))
    answer = alice.put_object(Bucket=bucket, Key="red flower/ü+@.jpg", Body=b"hello")
    (taken,) = told()
    assert taken.path == "/some/path?a=b"
    assert taken.headers["authorization"] == "Bearer s3cret"
    assert taken.headers["content-type"] == "application/json"
    assert (taken.message["EventName"], taken.message["Key"]) == (
        "s3:ObjectCreated:Put",
        f"{bucket}/red flower/ü+@.jpg",
    )
    record = taken.record
    assert record.pop("eventTime")[:10] == time.strftime("%Y-%m-%d", time.gmtime(taken.time))
    sequencer = record["s3"]["object"].pop("sequencer")
    assert len(sequencer) == 16 and int(sequencer, 16) > 0
    owner = s3.list_buckets()["Owner"]["ID"]
    assert record == {
        "eventVersion": "2.1",
        "eventSource": "aws:s3",
        "awsRegion": "us-east-1",
        "eventName": "ObjectCreated:Put",
        "userIdentity": {"principalId": ALICE_ID},
        "requestParameters": {"sourceIPAddress": "127.0.0.1"},
        "responseElements": {
            "x-amz-request-id": answer["ResponseMetadata"]["RequestId"],
            "x-amz-id-2": "",
        },
        "s3": {
            "s3SchemaVersion": "1.0",
            "configurationId": "rule",
            "bucket": {"name": bucket, "ownerIdentity": {"principalId": owner}, "arn": f"arn:aws:s3:::{bucket}"},
            "object": {"key": "red+flower/%C3%BC%2B%40.jpg", "size": 5, "eTag": answer["ETag"].strip('"')},
        },
    }


def test_a_test_event_says_that_a_configuration_was_put(hook: Receiver, s3: Any, bucket: str) -> None:
    def tests() -> list[dict[str, Any]]:
        return [taken.message for taken in list(hook.taken) if taken.message.get("Bucket") == bucket]

    given = {"QueueConfigurations": [{"QueueArn": ARN, "Events": ["s3:ObjectCreated:*"]}]}
    at = {"Bucket": bucket, "NotificationConfiguration": given}
    answer = s3.put_bucket_notification_configuration(**at)
    hook.wait(lambda receiver: bool(tests()))
    (message,) = tests()
    assert message.pop("Time")
    assert message == {
        "Service": "Amazon S3",
        "Event": "s3:TestEvent",
        "Bucket": bucket,
        "RequestId": answer["ResponseMetadata"]["RequestId"],
        "HostId": "",
    }
    s3.put_bucket_notification_configuration(**at, SkipDestinationValidation=True)
    s3.put_bucket_tagging(Bucket=bucket, Tagging={"TagSet": []})
    s3.put_bucket_notification_configuration(**at)
    hook.wait(lambda receiver: len(tests()) > 1)
    assert len(tests()) == 2


def test_how_an_object_was_made(s3: Any, bucket: str, told: Callable[[], list[Taken]]) -> None:
    s3.put_object(Bucket=bucket, Key="key", Body=b"1")
    s3.copy_object(
        Bucket=bucket, Key="key", CopySource=f"{bucket}/key", Metadata={"a": "b"}, MetadataDirective="REPLACE"
    )
    upload = Upload.begin(s3, bucket, "key")
    upload.put(PART)
    etag = upload.complete()["ETag"].strip('"')
    form = s3.generate_presigned_post(bucket, "key")
    assert requests.post(form["url"], data=form["fields"], files={"file": b"posted"}).status_code == 204
    taken = [each for each in told() if each.key == "key"]
    assert names(taken) == [
        *("ObjectCreated:Put", "ObjectCreated:Copy", "ObjectCreated:CompleteMultipartUpload", "ObjectCreated:Post")
    ]
    objects = [each.record["s3"]["object"] for each in taken]
    assert [each["size"] for each in objects] == [1, 1, len(PART), 6]
    assert objects[2]["eTag"] == etag
    assert all("versionId" not in each for each in objects)
    assert [each["sequencer"] for each in objects] == sorted(each["sequencer"] for each in objects)


def test_how_an_object_went(s3: Any, bucket: str, told: Callable[[], list[Taken]]) -> None:
    at = {"Bucket": bucket, "Key": "key"}
    s3.put_object(**at)
    s3.delete_object(**at)
    s3.delete_object(**at)  # nothing was there, nothing is told
    s3.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Enabled"})
    version = s3.put_object(**at)["VersionId"]
    marker = s3.delete_object(**at)["VersionId"]
    s3.delete_object(**at, VersionId=version)
    s3.delete_objects(Bucket=bucket, Delete={"Objects": [{"Key": "key", "VersionId": marker}, {"Key": "no such"}]})
    taken = [each for each in told() if each.key == "key"]
    assert names(taken) == [
        *("ObjectCreated:Put", "ObjectRemoved:Delete", "ObjectCreated:Put", "ObjectRemoved:DeleteMarkerCreated"),
        *("ObjectRemoved:Delete", "ObjectRemoved:Delete"),
    ]
    objects = [each.record["s3"]["object"] for each in taken]
    assert set(objects[1]) == {"key", "sequencer"}
    assert [each.get("versionId") for each in objects] == [None, None, version, marker, version, marker]


def test_changes_of_what_is_there(s3: Any, bucket: str, told: Callable[[], list[Taken]]) -> None:
    at = {"Bucket": bucket, "Key": "key"}
    s3.put_bucket_ownership_controls(
        Bucket=bucket, OwnershipControls={"Rules": [{"ObjectOwnership": "BucketOwnerPreferred"}]}
    )
    etag = s3.put_object(**at)["ETag"].strip('"')
    s3.put_object_tagging(**at, Tagging={"TagSet": [{"Key": "a", "Value": "b"}]})
    s3.delete_object_tagging(**at)
    s3.put_object_acl(**at, ACL="private")
    taken = told()
    assert names(taken) == ["ObjectCreated:Put", "ObjectTagging:Put", "ObjectTagging:Delete", "ObjectAcl:Put"]
    for each in taken[1:]:
        assert each.record["eventVersion"] == "2.3"
        assert each.record["s3"]["object"] == {
            "key": "key",
            "eTag": etag,
            "sequencer": each.record["s3"]["object"]["sequencer"],
        }


def test_locks(hook: Receiver, s3: Any, locked: str) -> None:
    notify(s3, locked, "s3:ObjectRetention:Put")
    version = s3.put_object(Bucket=locked, Key="key", ChecksumAlgorithm="CRC32")["VersionId"]
    s3.put_object_legal_hold(Bucket=locked, Key="key", LegalHold={"Status": "OFF"})
    until = {"Mode": "GOVERNANCE", "RetainUntilDate": time.time() + 3600}
    s3.put_object_retention(Bucket=locked, Key="key", Retention=until)
    hook.wait(lambda receiver: any(taken.message.get("Key") == f"{locked}/key" for taken in receiver.taken))
    (taken,) = [each for each in hook.events() if each.message["Key"] == f"{locked}/key"]
    assert names([taken]) == ["ObjectRetention:Put"]
    assert taken.record["s3"]["object"]["versionId"] == version


def test_who_is_nobody(s3: Any, bucket: str, server: Server, told: Callable[[], list[Taken]]) -> None:
    open_up(s3, bucket)
    put_policy(s3, bucket, statement(bucket, "s3:PutObject", Principal="*"))
    assert requests.put(f"{server.url}/{bucket}/key", data=b"x").status_code == 200
    (taken,) = told()
    assert taken.record["userIdentity"] == {"principalId": "Anonymous"}


def test_only_what_the_filters_let_through(hook: Receiver, s3: Any, bucket: str) -> None:
    rules = [{"Name": "prefix", "Value": "images/"}, {"Name": "suffix", "Value": ".jpg"}]
    notify(s3, bucket, "s3:ObjectCreated:Put", Filter={"Key": {"FilterRules": rules}})
    for key in ("images/a.png", "images/.jpg", "a.jpg", "images/ä.jpg"):
        s3.put_object(Bucket=bucket, Key=key)
    s3.copy_object(Bucket=bucket, Key="images/copy.jpg", CopySource=f"{bucket}/a.jpg")
    s3.delete_object(Bucket=bucket, Key="images/.jpg")
    assert {each.key for each in drain(hook, s3, bucket, "images/end.jpg")} == {"images/.jpg", "images/ä.jpg"}


def test_nothing_of_before_and_nothing_once_it_is_taken_back(
    hook: Receiver, s3: Any, bucket: str, new_name: Callable[[str], str]
) -> None:
    s3.put_object(Bucket=bucket, Key="before")
    notify(s3, bucket, *ALL)
    s3.put_object(Bucket=bucket, Key="during")
    s3.put_bucket_notification_configuration(Bucket=bucket, NotificationConfiguration={})
    s3.put_object(Bucket=bucket, Key="after")
    end = new_name("end")
    s3.create_bucket(Bucket=end)
    notify(s3, end, *ALL)
    assert drain(hook, s3, end) == []
    assert [each.key for each in hook.events() if each.record["s3"]["bucket"]["name"] == bucket] == ["during"]


def test_what_a_bucket_held_is_told_though_it_went(hook: Receiver, s3: Any, new_name: Callable[[str], str]) -> None:
    name = new_name("gone")
    s3.create_bucket(Bucket=name)
    notify(s3, name, *ALL)
    s3.put_object(Bucket=name, Key="key")
    s3.delete_object(Bucket=name, Key="key")
    s3.delete_bucket(Bucket=name)
    hook.wait(lambda receiver: len(of_key(receiver, name, "key")) == 2)
    assert names(of_key(hook, name, "key")) == ["ObjectCreated:Put", "ObjectRemoved:Delete"]


def test_lifecycle(tmp_path: Path) -> None:
    with receiving() as hook, running(tmp_path / "data", *hook.options, "--lifecycle-day", "1") as server:
        s3 = server.client()
        for bucket, status in (("plain", "Suspended"), ("versioned", "Enabled")):
            s3.create_bucket(Bucket=bucket)
            if bucket == "versioned":
                s3.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": status})
            notify(s3, bucket, "s3:LifecycleExpiration:*")
            s3.put_object(Bucket=bucket, Key="key")
            rule = {"ID": "rule", "Filter": {}, "Status": "Enabled", "Expiration": {"Days": 1}}
            s3.put_bucket_lifecycle_configuration(Bucket=bucket, LifecycleConfiguration={"Rules": [rule]})
        taken = {each.record["s3"]["bucket"]["name"]: each.record for each in hook.wait_for(2)[:2]}
    assert taken["plain"]["eventName"] == "LifecycleExpiration:Delete"
    assert taken["versioned"]["eventName"] == "LifecycleExpiration:DeleteMarkerCreated"
    assert taken["plain"]["userIdentity"] == {"principalId": "s3.amazonaws.com"}
    assert taken["plain"]["requestParameters"] == {"sourceIPAddress": "s3.amazonaws.com"}
    assert taken["plain"]["eventVersion"] == "2.3"


# What comes in between


def write(s3: Any, count: int) -> dict[str, int]:
    """Several keys in turn, each overwritten and removed again and again; how often each was changed."""
    changes: dict[str, int] = {}
    for number in range(count):
        key = f"key {number % 7}"
        if number % 5 == 4 and changes.get(key):
            s3.delete_object(Bucket="bucket", Key=key)
        s3.put_object(Bucket="bucket", Key=key, Body=b"x")
        changes[key] = changes.get(key, 0) + (2 if number % 5 == 4 and changes.get(key) else 1)
    return changes


def check_all_came(hook: Receiver, changes: dict[str, int]) -> None:
    """Each at least once, and for each key in order, however often some came."""
    hook.wait(lambda receiver: all(len(set(receiver.by_key()[key])) == count for key, count in changes.items()))
    for key, sequencers in hook.by_key().items():
        first = list(dict.fromkeys(sequencers))
        assert first == sorted(first), key


def begun(server: Server) -> Any:
    s3 = server.client()
    s3.create_bucket(Bucket="bucket")
    notify(s3, "bucket", "s3:ObjectCreated:*", "s3:ObjectRemoved:*")
    return s3


def status(server: Server, hook: Receiver) -> dict[str, Any]:
    found = json.loads(run_command("notifications", "status", "--json", "--data", str(server.data), *hook.options))
    (row,) = found
    return dict(row)


def test_a_receiver_that_is_down_gets_everything_once_it_is_up(tmp_path: Path) -> None:
    with receiving() as hook:
        pass
    with running(tmp_path / "data", *hook.options) as server:
        s3 = begun(server)
        changes = write(s3, 60)
        found = status(server, hook)
        while found["state"] != "failing":
            found = status(server, hook)
        assert found["lag"] > 0 and "refused" in found["last_error"]
        hook.start()
        check_all_came(hook, changes)
        hook.stop()
        assert status(server, hook)["messages"] >= sum(changes.values())
    assert "takes messages again" in (tmp_path / "data.log").read_text()


def test_a_receiver_that_fails_now_and_then(tmp_path: Path) -> None:
    seen: set[str] = set()

    def answer(message: dict[str, Any]) -> int:
        """500, or 301 to nowhere, the first time that it sees a message."""
        text = json.dumps(message)
        if text in seen:
            return 200
        seen.add(text)
        return 500 if len(seen) % 2 else 301

    with receiving() as hook, running(tmp_path / "data", *hook.options) as server:
        hook.answer = answer
        changes = write(begun(server), 40)
        check_all_came(hook, changes)
        assert hook.refused >= sum(changes.values())


def test_a_receiver_that_is_slow_slows_nobody(tmp_path: Path) -> None:
    def answer(message: dict[str, Any]) -> int:
        time.sleep(0.3)
        return 200

    with receiving() as hook, running(tmp_path / "data", *hook.options) as server:
        s3 = begun(server)
        hook.answer = answer
        before = len(hook.taken)
        changes = write(s3, 30)
        assert len(hook.taken) - before < sum(changes.values())
        hook.answer = lambda message: 200
        check_all_came(hook, changes)


def notifier(server: Server) -> int:
    """The process that delivers."""
    mine = []
    for path in Path("/proc").glob("[0-9]*/stat"):
        try:
            parent, command = int(path.read_text().rsplit(")", 1)[1].split()[1]), (path.parent / "cmdline").read_bytes()
        except (FileNotFoundError, ProcessLookupError):
            continue
        if parent == server.process.pid and b"gateway.notifications.background" in command:
            mine.append(int(path.parent.name))
    return mine[0] if mine else 0


def test_it_is_killed_midway_again_and_again(tmp_path: Path) -> None:
    with receiving() as hook, running(tmp_path / "data", *hook.options) as server:
        s3 = begun(server)
        hook.answer = lambda message: time.sleep(0.01) or 200
        changes: dict[str, int] = {}
        for _ in range(4):
            for key, count in write(s3, 40).items():
                changes[key] = changes.get(key, 0) + count
            while not (process := notifier(server)):
                time.sleep(0.01)
            os.kill(process, signal.SIGKILL)
        check_all_came(hook, changes)


def test_the_server_is_killed_and_its_log_has_gone_meanwhile(tmp_path: Path) -> None:
    """What the log has no more comes out of the journal."""
    with receiving() as hook:
        pass
    body = os.urandom(60_000)
    with running(tmp_path / "data", *hook.options, "--compaction-rate", "0") as server:
        s3 = begun(server)
        changes = write(s3, 50)
        s3.copy_object(Bucket="bucket", Key="copy", CopySource="bucket/key 1")
        for key in (*changes, "copy"):
            s3.delete_object(Bucket="bucket", Key=key)
        first = server.data / "log" / f"{1:016x}.log"
        while first.exists():
            s3.put_object(Bucket="bucket", Key="large", Body=body)
            s3.delete_object(Bucket="bucket", Key="large")
        server.process.kill()
        server.process.wait()
    hook.start()
    with running(tmp_path / "data", *hook.options) as server:
        check_all_came(hook, {key: count + 1 for key, count in changes.items()} | {"copy": 2})
        assert names(of_key(hook, "bucket", "copy")) == ["ObjectCreated:Copy", "ObjectRemoved:Delete"]
        server.client().put_object(Bucket="bucket", Key="now", Body=b"now")
        hook.wait(lambda receiver: any(each.key == "now" for each in receiver.events()))
    hook.stop()


def test_a_target_is_defined_while_the_server_runs(tmp_path: Path) -> None:
    with receiving() as hook:
        file = tmp_path / "ducket.toml"
        file.write_text('[notify_webhook]\nother = "http://127.0.0.1:9/"\n')
        with running(tmp_path / "data", "--config", str(file)) as server:
            s3 = server.client()
            s3.create_bucket(Bucket="bucket")
            file.write_text(f'[notify_webhook]\n{NAME} = "{hook.url}"\n[notify_token]\n{NAME} = "Basic abc"\n')
            server.process.send_signal(signal.SIGHUP)
            while True:
                try:
                    notify(s3, "bucket", "s3:ObjectCreated:*")
                    break
                except s3.exceptions.ClientError as refused:
                    assert "Unable to validate" in str(refused)
            s3.put_object(Bucket="bucket", Key="key")
            (taken,) = hook.wait_for(1)
            assert taken.headers["authorization"] == "Basic abc"


def test_a_backup_remembers_what_was_delivered(tmp_path: Path) -> None:
    data = str(tmp_path / "data")
    with receiving() as hook:
        with running(tmp_path / "data", *hook.options) as server:
            s3 = begun(server)
            changes = write(s3, 10)
            check_all_came(hook, changes)
            while status(server, hook)["lag"]:
                pass
            run_command("backup", str(tmp_path / "backup"), "--data", data)
        run_command("restore", str(tmp_path / "backup"), "--data", str(tmp_path / "again"))
        before = len(hook.events())
        with running(tmp_path / "again", *hook.options) as server:
            server.client().put_object(Bucket="bucket", Key="new")
            hook.wait(lambda receiver: any(each.key == "new" for each in receiver.events()))
        assert len(hook.events()) == before + 1


def test_status_without_a_target(tmp_path: Path) -> None:
    with running(tmp_path / "data") as server:
        done = subprocess.run(
            ducket("notifications", "status", "--data", str(server.data)), capture_output=True, text=True
        )
        assert done.returncode == 1
        assert "no target of event notifications is defined" in done.stderr
