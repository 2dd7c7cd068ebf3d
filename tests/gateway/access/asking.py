"""Requests as the rules see them: a caller who asks for something of a bucket of alice's."""

from __future__ import annotations

import json
from typing import Any

from catalog.errors import NoObject, NoUpload
from catalog.records import Bucket, Upload, User, Version
from gateway.access.asked import Asked
from gateway.access.policy import PRINCIPALS, SETTING
from gateway.request import Request

ALICE = User("a" * 64, "alice", "ALICEACCESSKEY", "alice-secret-key")
BOB = User("b" * 64, "bob", "BOBACCESSKEY", "bob-secret-key")
CAROL = User("c" * 64, "carol", "CAROLACCESSKEY", "carol-secret-key")
USERS = {f"AWS:{user.name}": user.id for user in (ALICE, BOB, CAROL)}


class Held:
    """What a catalog would find: objects by key, all in one bucket."""

    def __init__(self, **objects: Version) -> None:
        self.objects = objects

    def get(self, bucket: Bucket, key: str, version_id: str | None = None) -> Version:
        if key not in self.objects:
            raise NoObject(bucket.name, key)
        return self.objects[key]

    def upload(self, bucket: Bucket, key: str, upload_id: str) -> Upload:
        raise NoUpload(bucket.name, key, upload_id)


def bucket_of(settings: dict[str, str] | None = None, name: str = "b") -> Bucket:
    return Bucket(1, name, ALICE.id, 0, "eu-west-1", settings=settings)


def ruled(*statements: dict[str, Any], version: str = "2012-10-17", **settings: str) -> Bucket:
    """A bucket with a policy of these statements: what they leave out is an Allow for everybody, of all keys."""
    return bucket_of(settings | {SETTING: policy(*statements, version=version), PRINCIPALS: json.dumps(USERS)})


def policy(*statements: dict[str, Any], version: str = "2012-10-17") -> str:
    whole = [filled(statement) for statement in statements]
    return json.dumps({"Version": version, "Statement": whole})


def filled(statement: dict[str, Any]) -> dict[str, Any]:
    usual = {"Effect": "Allow", "Principal": "*", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::b/*"}
    for name in ("Principal", "Action", "Resource"):
        if f"Not{name}" in statement:
            usual.pop(name)
    return usual | statement


def ask(
    bucket: Bucket | None = None,
    key: str | None = "key",
    caller: User = BOB,
    query: str = "",
    version_id: str | None = None,
    scheme: str = "http",
    ip: str = "203.0.113.7",
    method: str = "GET",
    held: Held | None = None,
    **headers: str,
) -> Asked:
    scope = {
        "type": "http",
        "method": method,
        "scheme": scheme,
        "raw_path": b"/b/key",
        "query_string": query.encode(),
        "headers": [(name.replace("_", "-").encode(), value.encode()) for name, value in headers.items()],
        "client": (ip, 50000),
    }

    async def receive() -> dict[str, Any]:
        return {"type": "http.disconnect"}

    request = Request.from_scope(scope, receive)
    return Asked(caller, bucket or bucket_of(), key, version_id, request, held or Held())
