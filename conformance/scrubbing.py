"""Folders with every kind of body, what damages them, and what `ducket scrub` says of them."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path
from typing import Any

from conformance.server import ducket, environment, run_command, running

BIG = os.urandom(300_000)
PART = os.urandom(5 << 20)


def filled_folder(data: Path) -> Path:
    """A stopped folder, for tests to copy."""
    with running(data) as server:
        fill(server.client())
    return data


def copied(filled: Path, folder: Path) -> Path:
    subprocess.run(["cp", "-a", str(filled), str(folder / "data")], check=True)
    return folder / "data"


def fill(s3: Any) -> None:
    """Small, large and empty bodies, versions and a delete marker, parts, copies, odd keys, an upload under way."""
    s3.create_bucket(Bucket="first")
    s3.create_bucket(Bucket="second")
    s3.put_bucket_versioning(Bucket="second", VersioningConfiguration={"Status": "Enabled"})
    for bucket in ("first", "second"):
        for key, body in (("small", b"small"), ("big", BIG), ("empty", b""), ("it's\n€\x01" + "k" * 900, b"odd")):
            s3.put_object(Bucket=bucket, Key=key, Body=body)
            s3.put_object(Bucket=bucket, Key=key, Body=body, ChecksumAlgorithm="SHA256")
        s3.delete_object(Bucket=bucket, Key="big")
        for algorithm in ({}, {"ChecksumAlgorithm": "SHA256"}):
            key = f"parts{len(algorithm)}"
            upload = s3.create_multipart_upload(Bucket=bucket, Key=key, **algorithm)["UploadId"]
            here = {"Bucket": bucket, "Key": key, "UploadId": upload}
            parts = []
            for number, body in ((1, PART), (2, b"rest")):
                answer = s3.upload_part(**here, PartNumber=number, Body=body, **algorithm)
                kept = {name: value for name, value in answer.items() if name in ("ETag", "ChecksumSHA256")}
                parts.append({"PartNumber": number, **kept})
            s3.complete_multipart_upload(**here, MultipartUpload={"Parts": parts})
            s3.copy_object(Bucket=bucket, Key=f"copy of {key}", CopySource=f"{bucket}/{key}")
        upload = s3.create_multipart_upload(Bucket=bucket, Key="under way")["UploadId"]
        here = {"Bucket": bucket, "Key": "under way", "UploadId": upload}
        s3.upload_part(**here, PartNumber=1, Body=BIG)
        s3.upload_part_copy(**here, PartNumber=2, CopySource=f"{bucket}/parts0", CopySourceRange="bytes=100-70000")


def scrub(data: Path, *options: str) -> tuple[int, dict[str, Any]]:
    command = ducket("scrub", "--json", "--data", str(data), *options)
    done = subprocess.run(command, capture_output=True, text=True, env=environment())
    assert done.stdout, done.stderr
    return done.returncode, json.loads(done.stdout)


def largest_blob(data: Path) -> Path:
    return max((path for path in (data / "blobs").rglob("*") if path.is_file()), key=lambda path: path.stat().st_size)


def flip(path: Path, at: int) -> None:
    with path.open("r+b") as file:
        file.seek(at)
        (byte,) = file.read(1)
        file.seek(at)
        file.write(bytes([byte ^ 1]))


def summary(data: Path, *options: str) -> dict[tuple[str | None, str], tuple[int, int]]:
    """How many passed and failed, by bucket and check."""
    found = json.loads(run_command("catalog", "validation-summary", "--json", "--data", str(data), *options))
    return {(each["bucket"], each["check_type"]): (each["passed"], each["failed"]) for each in found["items"]}
