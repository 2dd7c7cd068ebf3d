from __future__ import annotations

import json
import os
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from conformance.server import running
from gateway.cli import main
from gateway.cli.catalog import BY, EVERY, SORTS, age, pairs
from gateway.cli.options import CommandError

Ask = Callable[..., Any]


@pytest.fixture
def ask(data: Path, capsys: pytest.CaptureFixture[str]) -> Ask:
    def run(*arguments: str, json_: bool = True, group: str = "catalog") -> Any:
        capsys.readouterr()
        assert main([group, *arguments, *(["--json"] if json_ else [])]) == 0
        out = capsys.readouterr().out
        return json.loads(out) if json_ else out

    return run


def test_the_questions_over_a_running_server_and_over_its_folder(
    data: Path, ask: Ask, capsys: pytest.CaptureFixture[str]
) -> None:
    with running(data, "--workers", "1") as server:
        s3 = server.client()
        s3.create_bucket(Bucket="photos")
        s3.put_bucket_versioning(Bucket="photos", VersioningConfiguration={"Status": "Enabled"})
        cat = {
            "ContentType": "image/jpeg",
            "Metadata": {"owner": "wanda"},
            "Tagging": "keep=yes",
            "ChecksumAlgorithm": "SHA256",
        }
        put = s3.put_object(Bucket="photos", Key="2025/cat.jpg", Body=b"x" * 100, **cat)
        s3.put_object(Bucket="photos", Key="2025/copy.jpg", Body=b"x" * 100, ContentType="image/jpeg")
        s3.put_object(Bucket="photos", Key="large", Body=b"y" * 100_000)
        s3.delete_object(Bucket="photos", Key="large")
        go_through(ask, put, data)
        go_wrong(capsys)
    go_through(ask, put, data)
    go_wrong(capsys)


def go_through(ask: Ask, put: dict[str, Any], data: Path) -> None:
    stats = ask("stats", "photos")
    assert (stats["objects"], stats["bytes"], stats["noncurrent_bytes"], stats["delete_markers"]) == (
        2,
        200,
        100_000,
        1,
    )
    filters = [
        "--prefix",
        "2025/",
        "--glob",
        "*.jpg",
        "--tag",
        "keep=yes",
        "--tag",
        "keep",
        "--metadata",
        "owner=wanda",
    ]
    filters += ["--min-size", "100", "--max-size", "100", "--min-age", "0s", "--max-age", "1d"]
    filters += ["--content-type", "image/*", "--storage-class", "STANDARD"]
    files = ask("files", "photos", *filters, "--sort", "size", "--descending")
    assert [(file["key"], file["object_tags"]) for file in files["items"]] == [("2025/cat.jpg", {"keep": "yes"})]
    assert [file["key"] for file in ask("files", "photos", "--at", "3")["items"]] == ["2025/cat.jpg"]
    first = ask("versions", "photos", "--limit", "2")
    second = ask("versions", "photos", "--limit", "2", "--after", first["next"])
    assert [each["key"] for each in first["items"] + second["items"]] == [
        "2025/cat.jpg",
        "2025/copy.jpg",
        "large",
        "large",
    ]
    delta = ask("delta", "photos", "3")
    assert [(each["key"], each["change"], each["bytes"]) for each in delta["items"]] == [
        ("2025/copy.jpg", "added", 100)
    ]
    assert ask("delta", "photos", "3", "5")["items"][1]["key"] == "large"
    usage = ask("usage", "--by", "prefix", "--bucket", "photos", "--depth", "1")
    assert {group["name"]: group["bytes"] for group in usage["groups"]} == {"2025/": 200, "": 0}
    assert usage["disk"]["blobs"] > 100_000
    growth = ask("growth", "--every", "week", "--bucket", "photos", "--since", "2020-01-01")["items"]
    assert [(each["bytes"], each["noncurrent_bytes_more"]) for each in growth] == [(200, 100_000)]
    assert [each["name"] for each in ask("growth", "--bucket", "photos", "--depth", "1")["items"]] == ["", "2025/"]
    forecast = ask("forecast", "--bucket", "photos", "--prefix", "2025/", "--capacity", "1000", "--days", "14")
    assert (forecast["bytes"], forecast["capacity"]) == (200, 1000) and "needed" in forecast["too_short"]
    assert ask("forecast")["capacity"] > 100_200
    assert [group["name"] for group in ask("usage", "--by", "tag", "--tag", "keep")["groups"]] == [None, "yes"]
    for wanted in (put["ETag"], put["ChecksumSHA256"], put["VersionId"]):
        assert "2025/cat.jpg" in [each["key"] for each in ask("find", wanted)["items"]]
    (large,) = [path for path in data.glob("blobs/*/*") if path.is_file()]
    assert [(each["key"], each["found_by"]) for each in ask("find", str(large))["items"]] == [("large", "body")]
    assert ask("duplicates", "photos")["items"][0]["keys"] == ["2025/cat.jpg", "2025/copy.jpg"]
    go_through_points(ask)
    assert "more: --after " in ask("versions", "photos", "--limit", "2", json_=False)
    assert "(all)" in ask("usage", json_=False)
    assert "too_short" in ask("forecast", json_=False)
    assert "100000" in ask("stats", "photos", json_=False)


def go_through_points(ask: Ask) -> None:
    assert point(ask, "set", "photos", "early", "--at", "3")["seq"] == 3
    assert b"early" in Path(os.environ["DUCKET_DATA"], "kept.json").read_bytes()
    now = point(ask, "set", "photos", "now")
    assert now == point(ask, "get", "photos", "now")
    assert now["seq"] == point(ask, "latest", "photos")["seq"] == 6
    assert [each["name"] for each in point(ask, "list", "photos")["items"]] == ["early", "now"]
    assert ask("delta", "photos", "early", "now") == ask("delta", "photos", "3")


def point(ask: Ask, *arguments: str) -> Any:
    return ask(*arguments, group="version")


def go_wrong(capsys: pytest.CaptureFixture[str]) -> None:
    capsys.readouterr()
    assert main(["catalog", "stats", "nowhere"]) == 1
    assert main(["catalog", "files", "photos", "--min-size", "2", "--max-size", "1"]) == 1
    assert main(["catalog", "files", "photos", "--min-age", "soon"]) == 1
    assert main(["catalog", "delta", "photos", "yesterday"]) == 1
    assert main(["catalog", "growth", "--since", "yesterday"]) == 1
    assert main(["catalog", "growth", "--depth", "1"]) == 1
    assert main(["catalog", "forecast", "--days", "1"]) == 1
    told = capsys.readouterr().err.splitlines()
    assert [line.split(": ")[1] for line in told] == [
        "bucket",
        "min_size",
        "--min-age",
        "since",
        "--since",
        "bucket",
        "days",
    ]


def test_an_age_has_a_unit() -> None:
    assert age("--min-age", "90m") == timedelta(minutes=90)
    assert age("--min-age", "2w") == timedelta(days=14)
    assert age("--min-age", None) is None
    with pytest.raises(CommandError, match="--max-age"):
        age("--max-age", "1 year")


def test_a_tag_s_value_may_be_anything_or_empty() -> None:
    assert pairs(["a", "b=", "c=d=e"]) == {"a": None, "b": "", "c": "d=e"}


def test_the_flags_know_what_the_questions_know() -> None:
    from catalog.queries.files import SORTS as sorts
    from catalog.queries.growth import EVERY as every
    from catalog.queries.usage import GROUPS

    assert tuple(GROUPS) == BY
    assert every == EVERY
    assert tuple(sorts) == SORTS
