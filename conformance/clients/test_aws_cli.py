from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from conformance.clients.programs import Program, aws_settings
from conformance.clients.tree import change, picture
from conformance.server import Server

CONFIG = "[default]\ns3 =\n  multipart_threshold = 5MB\n  multipart_chunksize = 5MB\n"


@pytest.fixture
def aws(server: Server, tmp_path: Path) -> Program:
    (tmp_path / "aws-config").write_text(CONFIG)
    return Program("aws", tmp_path, aws_settings(server, tmp_path))


@pytest.fixture
def s3uri(aws: Program, new_name: Callable[[str], str]) -> str:
    uri = f"s3://{new_name('aws-cli')}"
    aws("s3", "mb", uri)
    return uri


def test_sync_there_and_back(aws: Program, s3uri: str, tree: Path, tmp_path: Path) -> None:
    back = tmp_path / "back"
    aws("s3", "sync", "--only-show-errors", str(tree), s3uri)
    aws("s3", "sync", "--only-show-errors", s3uri, str(back))
    assert picture(back) == picture(tree)
    change(tree)
    aws("s3", "sync", "--only-show-errors", "--delete", str(tree), s3uri)
    assert aws("s3", "sync", "--delete", str(tree), s3uri) == b""
    aws("s3", "sync", "--only-show-errors", "--delete", s3uri, str(back))
    assert picture(back) == picture(tree)
    listed = aws.text("s3", "ls", "--recursive", "--summarize", s3uri)
    assert f"Total Objects: {len(picture(tree))}" in listed
    aws("s3", "rm", "--only-show-errors", "--recursive", s3uri)
    aws("s3", "rb", s3uri)


def test_streams_presigned_links_and_copies(aws: Program, s3uri: str, fetch: Callable[[str], bytes]) -> None:
    aws("s3", "cp", "-", f"{s3uri}/a b/ü+.txt", stdin=b"through a pipe")
    assert aws("s3", "cp", f"{s3uri}/a b/ü+.txt", "-") == b"through a pipe"
    link = aws.text("s3", "presign", f"{s3uri}/a b/ü+.txt").strip()
    assert fetch(link) == b"through a pipe"
    aws("s3", "mv", f"{s3uri}/a b/ü+.txt", f"{s3uri}/moved")
    assert aws.text("s3", "ls", f"{s3uri}/").split()[-1] == "moved"


def test_large_copy_in_parts(aws: Program, s3uri: str, tree: Path) -> None:
    aws("s3", "cp", "--only-show-errors", str(tree / "large.bin"), f"{s3uri}/large")
    aws("s3", "cp", "--only-show-errors", f"{s3uri}/large", f"{s3uri}/copied")
    assert aws("s3", "cp", f"{s3uri}/copied", "-") == (tree / "large.bin").read_bytes()
    bucket = s3uri.removeprefix("s3://")
    head = json.loads(aws("s3api", "head-object", "--bucket", bucket, "--key", "copied"))
    assert head["ETag"].endswith('-4"')


def test_versions(aws: Program, s3uri: str) -> None:
    bucket = s3uri.removeprefix("s3://")
    aws("s3api", "put-bucket-versioning", "--bucket", bucket, "--versioning-configuration", "Status=Enabled")
    for body in (b"first", b"second"):
        aws("s3", "cp", "-", f"{s3uri}/key", stdin=body)
    listed = json.loads(aws("s3api", "list-object-versions", "--bucket", bucket))
    assert [version["IsLatest"] for version in listed["Versions"]] == [True, False]


def test_object_lock(aws: Program, new_name: Callable[[str], str]) -> None:
    bucket = new_name("aws-cli-lock")

    def api(operation: str, *arguments: str) -> Any:
        said = aws("s3api", operation, "--bucket", bucket, *arguments)
        return json.loads(said) if said.strip() else {}

    api("create-bucket", "--object-lock-enabled-for-bucket")
    rule = {"DefaultRetention": {"Mode": "GOVERNANCE", "Days": 30}}
    configuration = {"ObjectLockEnabled": "Enabled", "Rule": rule}
    api("put-object-lock-configuration", "--object-lock-configuration", json.dumps(configuration))
    assert api("get-object-lock-configuration")["ObjectLockConfiguration"] == configuration
    aws("s3", "cp", "--only-show-errors", "-", f"s3://{bucket}/large", stdin=bytes(11_000_000))
    assert api("head-object", "--key", "large")["ObjectLockMode"] == "GOVERNANCE"
    until = "2140-01-01T00:00:00.000Z"
    locked = ("--object-lock-mode", "COMPLIANCE", "--object-lock-retain-until-date", until)
    version = api("put-object", "--key", "key", *locked)["VersionId"]
    api("put-object-legal-hold", "--key", "key", "--legal-hold", "Status=ON")
    assert api("get-object-legal-hold", "--key", "key") == {"LegalHold": {"Status": "ON"}}
    found = api("get-object-retention", "--key", "key", "--version-id", version)["Retention"]
    assert found == {"Mode": "COMPLIANCE", "RetainUntilDate": until}
    ending = ("delete-object", "--bucket", bucket, "--key", "key", "--version-id", version)
    done = aws.run("s3api", *ending, "--bypass-governance-retention")
    assert b"(AccessDenied)" in done.stderr and b"because object protected by object lock" in done.stderr
    aws("s3", "rm", "--only-show-errors", "--recursive", f"s3://{bucket}")
    assert len(api("list-object-versions")["Versions"]) == 2


def test_missing_bucket_is_told_plainly(aws: Program) -> None:
    done = aws.run("s3", "ls", "s3://there-is-no-such-bucket")
    assert done.returncode != 0
    assert b"NoSuchBucket" in done.stderr
