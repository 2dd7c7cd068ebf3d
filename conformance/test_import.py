"""`ducket db export` of a server at work, its catalog lost, `ducket db import`: every object compared through S3."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from pathlib import Path
from typing import Any

from catalog.database.client import query
from conformance.server import Keys, create_user, ducket, environment, run_command, running

PART = 5 << 20
ALICE = Keys("AKALICE", "secret-of-alice")


def fill(s3: Any) -> None:
    for bucket, state in (("plain", ""), ("versioned", "Enabled"), ("suspended", "Suspended")):
        s3.create_bucket(Bucket=bucket)
        if state:
            s3.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Enabled"})
        for number, size in enumerate((0, 1, 1000, 70_000, 300_000)):
            key = f"a/{number}/ключ &<>"
            for round in range(2):
                s3.put_object(
                    Bucket=bucket,
                    Key=key,
                    Body=os.urandom(size),
                    ContentType="text/plain",
                    Metadata={"round": str(round)},
                    Tagging="of=this",
                    ChecksumAlgorithm="SHA256",
                )
        if state == "Suspended":
            s3.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": state})
            s3.put_object(Bucket=bucket, Key="null", Body=b"of nobody's version")
        s3.delete_object(Bucket=bucket, Key="a/1/ключ &<>")
    s3.copy_object(Bucket="plain", Key="copy", CopySource="versioned/a/4/ключ &<>")
    compose(s3, "whole")
    s3.upload_part(**started(s3, "under way"), PartNumber=3, Body=os.urandom(200_000))


def started(s3: Any, key: str) -> dict[str, str]:
    here = {"Bucket": "plain", "Key": key}
    return here | {"UploadId": s3.create_multipart_upload(**here)["UploadId"]}


def compose(s3: Any, key: str) -> None:
    here = started(s3, key)
    etags = [s3.upload_part(**here, PartNumber=n, Body=os.urandom(size))["ETag"] for n, size in ((1, PART), (2, 1000))]
    parts = [{"PartNumber": number, "ETag": etag} for number, etag in enumerate(etags, 1)]
    s3.complete_multipart_upload(**here, MultipartUpload={"Parts": parts})


def everything(s3: Any) -> dict[str, Any]:
    """All that S3 shows, bodies and listings, in whatever version."""
    shown: dict[str, Any] = {"buckets": s3.list_buckets()["Buckets"]}
    for bucket in (each["Name"] for each in shown["buckets"]):
        listed = s3.list_object_versions(Bucket=bucket)
        uploads = s3.list_multipart_uploads(Bucket=bucket).get("Uploads", [])
        parts = [
            s3.list_parts(Bucket=bucket, Key=each["Key"], UploadId=each["UploadId"]).get("Parts") for each in uploads
        ]
        shown[bucket] = (
            listed.get("Versions"),
            listed.get("DeleteMarkers"),
            s3.list_objects_v2(Bucket=bucket)["Contents"],
            s3.get_bucket_versioning(Bucket=bucket).get("Status"),
            (uploads, parts),
        )
        for each in listed["Versions"]:
            which = {"Bucket": bucket, "Key": each["Key"], "VersionId": each["VersionId"]}
            got = s3.get_object(**which, ChecksumMode="ENABLED")
            body = got.pop("Body").read()
            got.pop("ResponseMetadata")
            shown[json.dumps(which)] = (got, body, s3.get_object_tagging(**which)["TagSet"])
    return shown


def lose_the_catalog(data: Path) -> None:
    shutil.rmtree(data / "index")
    for path in data.glob("catalog.duckdb*"):
        path.unlink()


def test_every_object_is_as_it_was(tmp_path: Path) -> None:
    data, out = tmp_path / "data", tmp_path / "out"
    create_user(data, "alice", ALICE)
    with running(data, "--workers", "2") as server:
        s3 = server.client()
        fill(s3)
        server.client(ALICE).create_bucket(Bucket="of-alice")
        server.client(ALICE).put_object(Bucket="of-alice", Key="k", Body=b"v")
        run_command("db", "export", str(out), "--secrets", "--data", str(data))
        # What comes later is in the log.
        s3.put_object(Bucket="plain", Key="later", Body=os.urandom(100_000))
        s3.delete_object(Bucket="plain", Key="copy")
        before = everything(s3)
    lose_the_catalog(data)
    with running(data, "--workers", "1") as lost:
        # The log alone is enough here: nothing of it is gone yet.
        assert everything(lost.client()) == before
    lose_the_catalog(data)
    done = json.loads(run_command("db", "import", str(out), "--json", "--data", str(data)))
    assert (done["missing"], done["as_of_export"], done["users"]) == ([], False, 1)
    with running(data, "--workers", "2") as server:
        s3 = server.client()
        assert everything(s3) == before
        assert server.client(ALICE).get_object(Bucket="of-alice", Key="k")["Body"].read() == b"v"
        s3.put_object(Bucket="plain", Key="it goes on", Body=b"yes")
        assert query(data, "SELECT count(*) FROM objects WHERE key = 'it goes on'").rows == [(1,)]
        requesters = "SELECT count(*) FROM journal WHERE requester IS NULL"
        assert query(data, requesters).rows == [(0,)]
    assert json.loads(run_command("scrub", "--json", "--data", str(data)))["findings"] == []


def test_of_the_bodies_folder_alone_the_large_ones_come_back(tmp_path: Path) -> None:
    data, out, again = tmp_path / "data", tmp_path / "out", tmp_path / "again"
    with running(data, "--workers", "1") as server:
        fill(server.client())
        before = everything(server.client())
        run_command("db", "export", str(out), "--data", str(data))
    again.mkdir()
    shutil.copytree(data / "blobs", again / "blobs")

    def imported(*more: str) -> subprocess.CompletedProcess[str]:
        command = ducket("db", "import", str(out), "--data", str(again), *more)
        return subprocess.run(command, capture_output=True, text=True, env=environment())

    refused = imported()
    assert refused.returncode == 1 and "--as-of-export" in refused.stderr
    done = imported("--as-of-export")
    assert done.returncode == 1 and "missing: plain/a/2/" in done.stderr and "were left out" in done.stderr
    assert "holds a catalog" in imported("--as-of-export").stderr
    with running(again, "--workers", "1") as server:
        after = everything(server.client())
        assert after["buckets"] == before["buckets"]
        bodies = {which: held for which, held in before.items() if which.startswith("{")}
        large = {which: held for which, held in bodies.items() if len(held[1]) > 64 * 1024 or not held[1]}
        large.pop(next(which for which in large if '"whole"' in which))  # its last part was small
        assert {which: held for which, held in after.items() if which.startswith("{")} == large
        server.client().put_object(Bucket="plain", Key="it goes on", Body=b"yes")
    assert json.loads(run_command("scrub", "--json", "--data", str(again)))["findings"] == []
