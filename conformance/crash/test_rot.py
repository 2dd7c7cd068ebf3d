"""A large body that the disk changed: not a byte of the damaged block reaches a client, whatever asks for it."""

from __future__ import annotations

import asyncio
import json
import os
from collections.abc import Callable, Iterator
from http.client import HTTPConnection, IncompleteRead
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError, IncompleteReadError, ResponseStreamingError

from conformance.crash.test_faults import log_lines
from conformance.multipart import Upload
from conformance.raw import Raw
from conformance.scrubbing import flip, scrub
from conformance.server import Server, run_command, running
from conformance.test_tls import Secured, secured
from gateway.blobs.sums import BLOCK, SUM, Sums
from gateway.doctor import examine
from gateway.publishing import publish

MIB = 1 << 20
BUCKET = "rot"
CONTENT = os.urandom(3 * MIB + 12_345)
SIZE = len(CONTENT)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with running(tmp_path_factory.mktemp("rot") / "data", "--workers", "1") as server:
        server.client().create_bucket(Bucket=BUCKET)
        yield server


def stored(data: Path, content: bytes) -> Path:
    """The file of a body."""
    files = (path for path in (data / "blobs").rglob("*") if path.is_file())
    return next(path for path in files if path.read_bytes().startswith(content))


def put(server: Server, key: str) -> tuple[bytes, Path]:
    """A body of its own, which was read once from end to end, and its file."""
    content = key.encode() + CONTENT[len(key) :]
    s3 = server.client()
    s3.put_object(Bucket=BUCKET, Key=key, Body=content)
    assert s3.get_object(Bucket=BUCKET, Key=key)["Body"].read() == content
    return content, stored(server.data, content)


def read(server: Server, key: str, given: str | None = None) -> bytes:
    range_ = {"Range": f"bytes={given}"} if given else {}
    body: bytes = server.client().get_object(Bucket=BUCKET, Key=key, **range_)["Body"].read()
    return body


def assert_told(server: Server, path: Path, where: int) -> None:
    """One line names the request, its traceback the blob and the block."""
    told = f"the bytes {where} to {min(SIZE, where + BLOCK) - 1} of the blob {path.name} are not what was written"
    lines = [line for line in log_lines(server) if told in line.get("traceback", "")]
    assert lines
    assert all(f"/{BUCKET}/" in line["message"] and line["request_id"] for line in lines)


def cut_answer(server: Server, key: str) -> tuple[int, bytes]:
    """The length that was promised, and what came of it until the connection ended."""
    url = server.client().generate_presigned_url("get_object", {"Bucket": BUCKET, "Key": key})
    connection = HTTPConnection(server.host, server.port)
    connection.request("GET", url.removeprefix(server.url))
    answer = connection.getresponse()
    assert answer.status == 200
    with pytest.raises(IncompleteRead) as came:
        answer.read()
    connection.close()
    return int(answer.headers["content-length"]), came.value.partial


@pytest.mark.parametrize("at", [0, BLOCK + 5, MIB - 1, SIZE, SIZE + 3 * SUM + 7], ids=lambda at: f"byte {at}")
def test_one_in_what_comes_first_is_an_error_of_ours(server: Server, at: int) -> None:
    _, path = put(server, f"first-{at}")
    flip(path, at)
    with pytest.raises(ClientError, match="InternalError"):
        read(server, f"first-{at}")
    assert_told(server, path, at // BLOCK * BLOCK if at < SIZE else (at - SIZE) // SUM * BLOCK)


@pytest.mark.parametrize("at", [MIB, 2 * MIB + 100_000, SIZE - 1, SIZE + 20 * SUM], ids=lambda at: f"byte {at}")
def test_one_further_on_ends_the_connection(server: Server, at: int) -> None:
    content, path = put(server, f"later-{at}")
    flip(path, at)
    block = (at if at < SIZE else (at - SIZE) // SUM * BLOCK) // BLOCK * BLOCK
    length, came = cut_answer(server, f"later-{at}")
    assert length == SIZE
    assert MIB <= len(came) <= block
    assert content.startswith(came)
    assert_told(server, path, block)


def test_what_does_not_touch_the_block_is_read(server: Server) -> None:
    content, path = put(server, "ranges")
    flip(path, 20 * BLOCK + 7)
    sound = [(0, 7), (0, 20 * BLOCK - 1), (21 * BLOCK, SIZE - 1), (19 * BLOCK + 1, 20 * BLOCK - 1)]
    for first, last in sound:
        assert read(server, "ranges", f"{first}-{last}") == content[first : last + 1]
    for first, last in [(20 * BLOCK, 20 * BLOCK), (21 * BLOCK - 1, SIZE - 1), (20 * BLOCK - 1, 20 * BLOCK + 300_000)]:
        with pytest.raises(ClientError, match="InternalError"):
            read(server, "ranges", f"{first}-{last}")


def test_a_part_of_a_multipart_object(server: Server) -> None:
    first, second = CONTENT + os.urandom(2 * MIB), os.urandom(MIB)
    Upload.begin(server.client(), BUCKET, "parts").put(first, second).complete()
    flip(stored(server.data, second), 100)
    assert cut_answer(server, "parts") == (len(first) + len(second), first)
    assert read(server, "parts", f"0-{len(first) - 1}") == first
    with pytest.raises(ClientError, match="InternalError"):
        server.client().get_object(Bucket=BUCKET, Key="parts", PartNumber=2)


CUTS: dict[str, Callable[[Path], object]] = {
    "a bit of the sums": lambda path: os.truncate(path, SIZE + SUM),
    "all sums": lambda path: os.truncate(path, SIZE),
    "some bytes": lambda path: os.truncate(path, SIZE - 100_000),
    "almost all": lambda path: os.truncate(path, 9),
}


@pytest.mark.parametrize("cut", CUTS.values(), ids=CUTS)
def test_one_that_was_cut(server: Server, cut: Callable[[Path], object]) -> None:
    key = f"cut {len(log_lines(server))}"
    _, path = put(server, key)
    cut(path)
    for given in (None, "5-9", f"{SIZE - 5}-"):
        with pytest.raises(ClientError, match="InternalError"):
            read(server, key, given)


def test_the_file_of_another_body_in_its_place(server: Server) -> None:
    _, one = put(server, "one")
    _, other = put(server, "two")
    one.write_bytes(other.read_bytes())
    with pytest.raises(ClientError, match="InternalError"):
        read(server, "one")


def copied(s3: Any) -> None:
    s3.copy_object(Bucket=BUCKET, Key="copy", CopySource=f"{BUCKET}/read", ChecksumAlgorithm="SHA256")


def copied_part(s3: Any) -> None:
    here = Upload.begin(s3, BUCKET, "copy").named
    s3.upload_part_copy(**here, PartNumber=1, CopySource=f"{BUCKET}/read")


@pytest.mark.parametrize("copy", [copied, copied_part])
def test_a_copy_that_is_read(server: Server, copy: Callable[[Any], None]) -> None:
    _, path = put(server, "read")
    flip(path, 2 * MIB)
    with pytest.raises(ClientError, match="InternalError"):
        copy(server.client())
    assert "copy" not in {each["Key"] for each in server.client().list_objects_v2(Bucket=BUCKET)["Contents"]}


@pytest.fixture(scope="module")
def https(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Secured]:
    with secured(tmp_path_factory.mktemp("rot-tls"), "--workers", "1") as made:
        made.client().create_bucket(Bucket=BUCKET)
        yield made


@pytest.mark.parametrize("at", [5, 2 * MIB])
def test_over_tls(https: Secured, at: int) -> None:
    s3, content = https.client(), f"{at}".encode() + CONTENT
    s3.put_object(Bucket=BUCKET, Key="key", Body=content)
    assert s3.get_object(Bucket=BUCKET, Key="key")["Body"].read() == content
    flip(stored(https.server.data, content), at)
    came = b""
    with pytest.raises((ClientError, IncompleteReadError, ResponseStreamingError)):
        for chunk in s3.get_object(Bucket=BUCKET, Key="key")["Body"].iter_chunks(10_000):
            came += chunk
    assert content.startswith(came)
    assert len(came) <= at


def test_a_restored_backup_is_verified_like_what_it_was_made_of(tmp_path: Path) -> None:
    with running(tmp_path / "data", "--workers", "1") as server:
        server.client().create_bucket(Bucket=BUCKET)
        content, _ = put(server, "key")
        run_command("backup", str(tmp_path / "backup"), "--data", str(server.data))
    run_command("restore", str(tmp_path / "backup"), "--data", str(tmp_path / "restored"))
    with running(tmp_path / "restored", "--workers", "1") as server:
        assert read(server, "key") == content
        path = stored(server.data, content)
        path.write_bytes(path.read_bytes())  # the backup's file may be the same
        flip(path, 5)
        with pytest.raises(ClientError, match="InternalError"):
            read(server, "key")


def test_a_body_of_before_there_were_sums_is_read_as_it_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with running(tmp_path / "data", "--workers", "1") as server:
        server.client().create_bucket(Bucket=BUCKET)
    (tmp_path / "old").write_bytes(CONTENT)
    monkeypatch.setattr("gateway.blobs.store.new_id", lambda: os.urandom(16))
    table = Sums.table
    monkeypatch.setattr(Sums, "table", lambda sums: table(sums)[:0])
    asyncio.run(publish(tmp_path / "data", BUCKET, "", tmp_path, ["old"]))
    with running(tmp_path / "data", "--workers", "1") as server:
        assert stored(server.data, CONTENT).stat().st_size == SIZE
        assert read(server, "old") == CONTENT
        assert read(server, "old", "2000000-2000009") == CONTENT[2_000_000:2_000_010]


def degraded(server: Server) -> str | None:
    """By the probe of a load balancer, who needs no signature: no key is named."""
    answer = Raw(server).send(Raw(server).plain("GET", "/-/health/ready"))
    assert answer.status == 200
    found: str | None = json.loads(answer.body)["degraded"]
    assert "a key" not in (found or "")
    return found


def damaged(data: Path) -> list[str]:
    """What `ducket status` and `ducket doctor` say of bodies, the same."""
    status = [line.partition(" ") for line in run_command("status", "--data", str(data)).splitlines()]
    told = [rest.strip() for what, _, rest in status if what == "damaged"]
    doctor = [word for word in examine(data) if word.level == "wrong"]
    assert [word.says for word in doctor if word.about == "body"] == told
    assert bool(told) == any(word.about == "bodies" for word in doctor)
    return told


LATE = 2 * MIB + 7  # is met when the answer is under way


@pytest.mark.parametrize("at, small", [(5, False), (LATE, False), (2500, True)], ids=["first", "later", "small"])
def test_it_is_told_at_once_by_all_who_are_asked_until_a_scrub_finds_it_sound(
    tmp_path: Path, at: int, small: bool
) -> None:
    content = os.urandom(5000) if small else CONTENT
    with running(tmp_path / "data", "--workers", "2") as server:
        s3 = server.client()
        s3.create_bucket(Bucket=BUCKET)
        s3.put_object(Bucket=BUCKET, Key="a key", Body=content)
        assert read(server, "a key") == content
        assert degraded(server) is None and damaged(server.data) == []
        if small:
            path, within = segment_with(server.data, content)
        else:
            path, within = stored(server.data, content), 0
        flip(path, within + at)
        for _ in range(10):  # by both workers
            with pytest.raises((ClientError, ResponseStreamingError, IncompleteReadError)):
                read(server, "a key")
        body = f"log/{path.name}:{within}" if small else f"blobs/{path.parent.name}/{path.name}"
        assert degraded(server) == f"1 bodies were found damaged when they were read ({body})"
        (told,) = damaged(server.data)
        notes = server.data / "damaged"
        assert [path for path in (notes, *notes.iterdir()) if path.stat().st_mode & 0o077] == []
        assert told.startswith(f"{BUCKET}/a key") and f" in {body}: the " in told
        assert told.endswith(" not what was written")
    with running(tmp_path / "data", "--workers", "2") as server:
        assert body in (degraded(server) or "")
        assert scrub(server.data, "--bucket", BUCKET)[0] == 1
        assert body in (degraded(server) or "")  # that of one bucket says nothing of the folder
        flip(path, within + at)
        assert scrub(server.data, "--bucket", BUCKET)[0] == 0
        assert degraded(server) is None and damaged(server.data) == []


@pytest.mark.parametrize("ended", ["overwritten", "deleted", "bucket deleted", "repaired"])
def test_what_is_nobodys_any_more_or_repaired_is_forgotten_by_the_next_scrub(tmp_path: Path, ended: str) -> None:
    with running(tmp_path / "data", "--workers", "1") as server:
        s3 = server.client()
        s3.create_bucket(Bucket=BUCKET)
        s3.put_object(Bucket=BUCKET, Key="a key", Body=CONTENT)
        path = stored(server.data, CONTENT)
        s3.put_object(Bucket=BUCKET, Key="another", Body=CONTENT)
        flip(path, LATE)
        with pytest.raises(ClientError):
            s3.copy_object(Bucket=BUCKET, Key="copy", CopySource=f"{BUCKET}/a key", ChecksumAlgorithm="SHA256")
        assert path.name in (degraded(server) or "")
        assert damaged(server.data)[0].startswith(f"{BUCKET}/a key ")
        if ended == "overwritten":
            s3.put_object(Bucket=BUCKET, Key="a key", Body=b"new")
        elif ended != "repaired":
            s3.delete_object(Bucket=BUCKET, Key="a key")
        if ended == "bucket deleted":
            s3.delete_object(Bucket=BUCKET, Key="another")
            s3.delete_bucket(Bucket=BUCKET)
        assert scrub(server.data, *(["--repair"] if ended == "repaired" else []))[0] == 0
        assert degraded(server) is None and damaged(server.data) == []


def segment_with(data: Path, content: bytes) -> tuple[Path, int]:
    """The segment of the log that holds a small body, and at which byte."""
    found = ((path, path.read_bytes().find(content)) for path in (data / "log").glob("*.log"))
    return next((path, at) for path, at in found if at >= 0)
