"""Lifecycle rules carried out: what answers say of it beforehand, whole runs, and what comes in between."""

from __future__ import annotations

import json
import subprocess
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from conformance.clients.programs import Program, aws_settings
from conformance.multipart import Upload
from conformance.raw import Raw
from conformance.server import Server, ducket, environment, run_command, running

MIB = 1 << 20
DAY = 2  # seconds


def rule(id: str = "rule", filter: dict[str, Any] | None = None, **actions: Any) -> dict[str, Any]:
    return {"ID": id, "Filter": filter or {}, "Status": "Enabled", **actions}


def give(s3: Any, bucket: str, *rules: dict[str, Any]) -> None:
    s3.put_bucket_lifecycle_configuration(Bucket=bucket, LifecycleConfiguration={"Rules": list(rules)})


def midnight(days: int) -> str:
    """So many days after today, as the header has it."""
    return (datetime.now(UTC) + timedelta(days=days)).strftime("%a, %d %b %Y 00:00:00 GMT")


def expires(days: int, id: str = "rule") -> str:
    return f'expiry-date="{midnight(days + 1)}", rule-id="{id}"'


# What answers say


@pytest.fixture
def expiring(s3: Any, bucket: str) -> str:
    give(
        s3,
        bucket,
        rule("all", {"Prefix": "k"}, Expiration={"Days": 30}),
        rule("my logs", {"Prefix": "key"}, Expiration={"Days": 2}),
        rule("uploads", AbortIncompleteMultipartUpload={"DaysAfterInitiation": 7}),
    )
    return bucket


def test_every_answer_about_a_current_version_says_when_it_expires(s3: Any, expiring: str) -> None:
    said = expires(2, "my logs")
    at = {"Bucket": expiring, "Key": "key"}
    assert s3.put_object(**at, Body=b"hello")["Expiration"] == said
    assert s3.head_object(**at)["Expiration"] == said
    assert s3.get_object(**at)["Expiration"] == said
    copied = s3.copy_object(Bucket=expiring, Key="key 2", CopySource=f"{expiring}/key")
    assert copied["Expiration"] == said
    assert s3.head_object(Bucket=expiring, Key="key 2")["Expiration"] == said
    assert s3.put_object(Bucket=expiring, Key="kin")["Expiration"] == expires(30, "all")
    assert "Expiration" not in s3.put_object(Bucket=expiring, Key="other")
    version = s3.head_object(**at, VersionId="null")
    assert "Expiration" not in version


def test_every_answer_about_an_upload_says_when_it_is_aborted(s3: Any, expiring: str) -> None:
    at = {"Bucket": expiring, "Key": "key"}
    begun = s3.create_multipart_upload(**at)
    date = datetime.combine((datetime.now(UTC) + timedelta(days=8)).date(), datetime.min.time(), UTC)
    assert (begun["AbortDate"], begun["AbortRuleId"]) == (date, "uploads")
    listed = s3.list_parts(**at, UploadId=begun["UploadId"])
    assert (listed["AbortDate"], listed["AbortRuleId"]) == (date, "uploads")
    upload = Upload(s3, expiring, "key", begun["UploadId"])
    assert upload.put(b"hello").complete()["Expiration"] == expires(2, "my logs")


def test_what_a_rule_asks_of_an_object_is_asked_of_each(s3: Any, bucket: str) -> None:
    tagged = {"And": {"Tags": [{"Key": "a", "Value": "1"}], "ObjectSizeGreaterThan": 2}}
    give(s3, bucket, rule(filter=tagged, Expiration={"Days": 1}))
    assert "Expiration" in s3.put_object(Bucket=bucket, Key="k", Body=b"123", Tagging="a=1&b=2")
    assert "Expiration" not in s3.put_object(Bucket=bucket, Key="small", Body=b"12", Tagging="a=1")
    assert "Expiration" not in s3.put_object(Bucket=bucket, Key="other", Body=b"123", Tagging="a=2")
    s3.put_object_tagging(Bucket=bucket, Key="k", Tagging={"TagSet": []})
    assert "Expiration" not in s3.head_object(Bucket=bucket, Key="k")


@pytest.mark.parametrize(
    "change",
    [
        {"Status": "Disabled"},
        {"Filter": {"Prefix": "other"}},
        {"Expiration": {"ExpiredObjectDeleteMarker": True}},
    ],
)
def test_nothing_is_said_where_nothing_will_be_done(s3: Any, bucket: str, change: dict[str, Any]) -> None:
    give(s3, bucket, rule(Expiration={"Days": 1}) | change)
    assert "Expiration" not in s3.put_object(Bucket=bucket, Key="k")
    assert "AbortDate" not in s3.create_multipart_upload(Bucket=bucket, Key="k")


def test_a_date_is_said_as_it_is_and_an_id_so_that_a_header_can_carry_it(s3: Any, raw: Raw, bucket: str) -> None:
    give(s3, bucket, rule('all "ü" 100%', Expiration={"Date": datetime(2099, 5, 1, tzinfo=UTC)}))
    s3.put_object(Bucket=bucket, Key="k")
    said = raw.head(f"/{bucket}/k").header("x-amz-expiration")
    assert said == 'expiry-date="Fri, 01 May 2099 00:00:00 GMT", rule-id="all %22%C3%BC%22 100%25"'
    give(s3, bucket, rule(Expiration={"Days": 2**31 - 1}))
    said = raw.head(f"/{bucket}/k").header("x-amz-expiration")
    assert said == 'expiry-date="Fri, 31 Dec 9999 00:00:00 GMT", rule-id="rule"'


# Runs


@pytest.fixture(scope="module")
def days(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server whose rules have short days, and that carries none out by itself."""
    with running(
        tmp_path_factory.mktemp("days") / "data", "--lifecycle-rate", "0", "--lifecycle-day", str(DAY)
    ) as server:
        yield server


@pytest.fixture
def made(days: Server, new_name: Callable[[str], str]) -> Iterator[Callable[..., str]]:
    """Makes buckets whose rules are taken back in the end."""
    client, names = days.client(), []

    def make(versioning: str = "") -> str:
        names.append(name := new_name("runs"))
        client.create_bucket(Bucket=name)
        if versioning:
            client.put_bucket_versioning(Bucket=name, VersioningConfiguration={"Status": versioning})
        return name

    yield make
    for name in names:
        client.delete_bucket_lifecycle(Bucket=name)


def carry_out(server: Server, *more: str) -> dict[str, Any]:
    options = ("--lifecycle-rate", "0", "--lifecycle-day", str(DAY), "--json")
    report = json.loads(run_command("lifecycle", "run", "--data", str(server.data), *options, *more))
    assert isinstance(report, dict)
    return report


def pass_days(count: int) -> None:
    """Until what was made just now is so old, rounded up."""
    time.sleep((count + 1) * DAY + 0.1)


def versions(s3: Any, bucket: str) -> list[tuple[str, str, bool]]:
    page = s3.list_object_versions(Bucket=bucket)
    found = [(each["Key"], each["VersionId"], False) for each in page.get("Versions", [])]
    return found + [(each["Key"], each["VersionId"], True) for each in page.get("DeleteMarkers", [])]


def test_objects_end_versions_are_hidden_and_uploads_are_aborted(days: Server, made: Callable[..., str]) -> None:
    s3 = days.client()
    plain, enabled, suspended = made(), made("Enabled"), made("Suspended")
    for bucket in (plain, enabled, suspended):
        for key in ("old", "keep/this"):
            s3.put_object(Bucket=bucket, Key=key, Body=b"0" * 100_000)
        s3.create_multipart_upload(Bucket=bucket, Key="old")
        s3.create_multipart_upload(Bucket=bucket, Key="keep/this")
        give(
            s3,
            bucket,
            rule("old", {"Prefix": "old"}, Expiration={"Days": 1}),
            rule("uploads", {"Prefix": "old"}, AbortIncompleteMultipartUpload={"DaysAfterInitiation": 1}),
        )
    ids = {bucket: versions(s3, bucket) for bucket in (plain, enabled, suspended)}
    blobs = len([path for path in (days.data / "blobs").rglob("*") if path.is_file()])
    pass_days(1)
    planned = carry_out(days, "--dry-run")
    assert {bucket: versions(s3, bucket) for bucket in ids} == ids
    report = carry_out(days)
    assert planned["done"] == report["done"] == {"expire": 3, "abort upload": 3}
    assert report["bytes"] == 300_000
    assert [key for key, _, _ in versions(s3, plain)] == ["keep/this"]
    kept, hidden, marker = versions(s3, enabled)
    assert [kept, hidden] == ids[enabled] and (marker[0], marker[2]) == ("old", True) and marker[1] != "null"
    assert versions(s3, suspended) == [("keep/this", "null", False), ("old", "null", True)]
    for bucket in ids:
        assert [each["Key"] for each in s3.list_multipart_uploads(Bucket=bucket)["Uploads"]] == ["keep/this"]
    assert len([path for path in (days.data / "blobs").rglob("*") if path.is_file()]) == blobs - 2
    rows = run_command(
        "sql",
        f"SELECT operation, request_id FROM journal WHERE bucket = '{enabled}' AND requester = 'ducket:lifecycle'",
        "--format",
        "jsonl",
        "--data",
        str(days.data),
    )
    assert sorted(json.loads(line)["request_id"] for line in rows.splitlines()) == ["old", "uploads"]
    assert carry_out(days)["done"] == {}


def test_noncurrent_versions_end_and_then_the_marker_on_top(days: Server, made: Callable[..., str]) -> None:
    s3, bucket = days.client(), made("Enabled")
    for key in ("a", "b"):
        for body in (b"1", b"2", b"3"):
            s3.put_object(Bucket=bucket, Key=key, Body=body)
    s3.delete_object(Bucket=bucket, Key="b")
    give(
        s3,
        bucket,
        rule("versions", NoncurrentVersionExpiration={"NoncurrentDays": 1}),
        rule("markers", Expiration={"ExpiredObjectDeleteMarker": True}),
    )
    pass_days(1)
    assert carry_out(days)["done"] == {"remove noncurrent": 5, "remove marker": 1}
    assert [(key, marker) for key, _, marker in versions(s3, bucket)] == [("a", False)]
    assert s3.get_object(Bucket=bucket, Key="a")["Body"].read() == b"3"


def test_so_many_noncurrent_versions_stay(days: Server, made: Callable[..., str]) -> None:
    s3, bucket = days.client(), made("Enabled")
    for number in range(10):
        s3.put_object(Bucket=bucket, Key="k", Body=str(number).encode())
    five = {"NoncurrentDays": 1, "NewerNoncurrentVersions": 5}
    give(s3, bucket, rule(NoncurrentVersionExpiration=five))
    pass_days(1)
    before = versions(s3, bucket)
    assert carry_out(days)["done"] == {"remove noncurrent": 4}
    assert versions(s3, bucket) == before[:6]


def test_a_write_that_comes_in_between_wins(days: Server, made: Callable[..., str]) -> None:
    s3, bucket = days.client(), made()
    keys = [f"{number:03}" for number in range(400)]
    for key in keys:
        s3.put_object(Bucket=bucket, Key=key, Body=b"old")
    give(s3, bucket, rule(Expiration={"Days": 1}))
    pass_days(1)
    options = ("--lifecycle-rate", "300", "--lifecycle-day", str(DAY), "--data", str(days.data))
    run = subprocess.Popen(ducket("lifecycle", "run", *options), env=environment(), stdout=subprocess.DEVNULL)
    while s3.list_objects_v2(Bucket=bucket)["KeyCount"] == len(keys):
        time.sleep(0.01)
    written = set()  # what is younger than the run
    while run.poll() is None:
        key = keys[len(written) * 7 % len(keys)]
        s3.put_object(Bucket=bucket, Key=key, Body=b"new")
        written.add(key)
    assert run.returncode == 0
    left = {each["Key"] for each in s3.list_objects_v2(Bucket=bucket).get("Contents", [])}
    assert left == written
    for key in sorted(written):
        assert s3.get_object(Bucket=bucket, Key=key)["Body"].read() == b"new"


def test_a_run_that_is_killed_has_done_what_it_did(days: Server, made: Callable[..., str]) -> None:
    s3, bucket = days.client(), made("Enabled")
    for number in range(300):
        s3.put_object(Bucket=bucket, Key=f"{number:03}", Body=b"old")
    give(s3, bucket, rule(Expiration={"Days": 1}))
    pass_days(1)
    options = ("--lifecycle-rate", "100", "--lifecycle-day", str(DAY), "--data", str(days.data))
    run = subprocess.Popen(ducket("lifecycle", "run", *options), env=environment())
    while s3.list_objects_v2(Bucket=bucket)["KeyCount"] > 250:
        time.sleep(0.01)
    run.kill()
    run.wait()
    left = s3.list_objects_v2(Bucket=bucket)["KeyCount"]
    assert 0 < left <= 250
    assert carry_out(days)["done"] == {"expire": left}
    assert len(versions(s3, bucket)) == 600
    assert json.loads(run_command("scrub", "--json", "--bucket", bucket, "--data", str(days.data)))["findings"] == []


def test_a_server_carries_them_out_by_itself_and_says_so(tmp_path: Path) -> None:
    with running(tmp_path / "data", "--lifecycle-day", str(DAY)) as server:
        s3, raw = server.client(), Raw(server)
        s3.create_bucket(Bucket="bucket")
        s3.put_object(Bucket="bucket", Key="k", Body=b"0" * MIB)
        give(s3, "bucket", rule(Expiration={"Days": 1}))
        while s3.list_objects_v2(Bucket="bucket")["KeyCount"]:
            time.sleep(0.1)
        while not (found := json.loads(raw.send(raw.plain("GET", "/-/health/ready")).body)["lifecycle"]):
            time.sleep(0.1)
        assert datetime.now(UTC) - datetime.fromisoformat(found) < timedelta(days=1)
        status = run_command("status", "--data", str(server.data))
        assert any(line.startswith("lifecycle") for line in status.splitlines())
        assert "lifecycle: 1 objects expired" in (tmp_path / "data.log").read_text()
        assert json.loads(run_command("lifecycle", "status", "--json", "--data", str(server.data)))["started"]
    with running(tmp_path / "data", "--lifecycle-day", str(DAY), "--lifecycle-rate", "0") as server:
        server.client().put_object(Bucket="bucket", Key="k")
        pass_days(1)
        assert server.client().list_objects_v2(Bucket="bucket")["KeyCount"] == 1


def test_from_the_command_line_of_aws(server: Server, tmp_path: Path, bucket: str) -> None:
    aws = Program("aws", tmp_path, aws_settings(server, tmp_path))
    given = {
        "Rules": [rule(Expiration={"Days": 365})],
        "TransitionDefaultMinimumObjectSize": "all_storage_classes_128K",
    }
    document = json.dumps({"Rules": given["Rules"]})
    at = ("--bucket", bucket)
    aws("s3api", "put-bucket-lifecycle-configuration", *at, "--lifecycle-configuration", document)
    assert json.loads(aws("s3api", "get-bucket-lifecycle-configuration", *at))["Rules"] == given["Rules"]
    aws("s3api", "delete-bucket-lifecycle", *at)
