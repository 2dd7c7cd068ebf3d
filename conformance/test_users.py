"""Users made while the server runs are known at once, in every worker."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from conformance.refusals import refused
from conformance.server import Keys, Server, create_user, run_command


def test_new_user_is_in_force_in_every_worker_at_once(two_workers: Server) -> None:
    keys = Keys("CAROLACCESSKEY000001", "carol-secret")
    with refused("InvalidAccessKeyId", 403):
        two_workers.client(keys).list_buckets()
    create_user(two_workers.data, "carol", keys, id="ca401")
    for _ in range(20):
        assert two_workers.client(keys).list_buckets()["Owner"] == {"ID": "ca401"}


def test_deleted_user_is_refused_at_once(two_workers: Server) -> None:
    keys = Keys("DAVEACCESSKEY0000001", "dave-secret")
    create_user(two_workers.data, "dave", keys)
    two_workers.client(keys).list_buckets()
    run_command("user", "delete", "dave", "--data", str(two_workers.data))
    for _ in range(10):
        with refused("InvalidAccessKeyId", 403):
            two_workers.client(keys).list_buckets()


def test_keys_are_made_and_shown_when_none_are_given(server: Server) -> None:
    shown = run_command("user", "create", "erin", "--data", str(server.data))
    words = shown.split()
    listed = run_command("user", "list", "--data", str(server.data))
    assert "erin" in listed
    access = next(word for word in words if word in listed and word != "erin" and word.isupper())
    secret = next(word for word in words if len(word) == 40 and word not in listed)
    server.client(Keys(access, secret)).list_buckets()


@pytest.mark.parametrize("stranger", ["alice", "nobody"])
def test_only_the_owner_and_root_reach_a_bucket(
    server: Server, s3: Any, alice: Any, bucket: str, new_name: Callable[[str], str], stranger: str
) -> None:
    hers = new_name("hers")
    alice.create_bucket(Bucket=hers)
    alice.put_object(Bucket=hers, Key="key", Body=b"hers")
    assert s3.get_object(Bucket=hers, Key="key")["Body"].read() == b"hers"
    client = alice if stranger == "alice" else server.client(Keys("NOBODY", "x"))
    code = "AccessDenied" if stranger == "alice" else "InvalidAccessKeyId"
    for call in (client.list_objects_v2, client.get_bucket_location, client.delete_bucket):
        with refused(code, 403):
            call(Bucket=bucket)


def test_owner_of_what_root_writes_into_a_users_bucket(s3: Any, alice: Any, new_name: Callable[[str], str]) -> None:
    hers = new_name("hers")
    alice.create_bucket(Bucket=hers)
    s3.put_object(Bucket=hers, Key="key", Body=b"by root")
    # With S3's default, Object Ownership "bucket owner enforced", whoever owns the bucket owns all that is in it.
    (found,) = alice.list_objects_v2(Bucket=hers, FetchOwner=True)["Contents"]
    assert found["Owner"] == alice.list_buckets()["Owner"]
