"""Small objects that are overwritten again and again give their room back, and all that lives stays readable."""

from __future__ import annotations

import random
import threading
import time
from pathlib import Path

from conformance.server import running

SIZE = 60_000


def content(name: str) -> bytes:
    return random.Random(name).randbytes(SIZE)


def test_room_comes_back_while_everything_is_read(tmp_path: Path) -> None:
    """Each of the six segments that 60 MB fill has a few living bodies in it: only compaction can empty it."""
    with running(tmp_path / "data", "--workers", "2") as server:
        client = server.client()
        client.create_bucket(Bucket="compacted")
        living = {}
        for number in range(1000):
            name = f"kept {number}" if number % 20 == 0 else "overwritten"
            living[name] = f"{name} {number}"
            client.put_object(Bucket="compacted", Key=name, Body=content(living[name]))
        stamps = {key["Key"]: key["LastModified"] for key in client.list_objects_v2(Bucket="compacted")["Contents"]}
        log = tmp_path / "data" / "log"
        done, wrong = threading.Event(), []

        def read_on() -> None:
            while not done.is_set():
                for key, name in living.items():
                    if client.get_object(Bucket="compacted", Key=key)["Body"].read() != content(name):
                        wrong.append(key)

        reader = threading.Thread(target=read_on)
        reader.start()
        while min(int(segment.stem, 16) for segment in log.glob("*.log")) < 5:
            time.sleep(0.1)
        client.copy_object(Bucket="compacted", Key="copy", CopySource={"Bucket": "compacted", "Key": "kept 0"})
        done.set()
        reader.join()
        assert not wrong
        living["copy"] = living["kept 0"]
        for key, name in living.items():
            assert client.get_object(Bucket="compacted", Key=key)["Body"].read() == content(name)
        now = {key["Key"]: key["LastModified"] for key in client.list_objects_v2(Bucket="compacted")["Contents"]}
        assert {key: now[key] for key in stamps} == stamps
    with running(tmp_path / "data", "--workers", "1") as server:
        client = server.client()
        for key, name in living.items():
            assert client.get_object(Bucket="compacted", Key=key)["Body"].read() == content(name)
