"""What goes on beside the requests whose tail is measured: each a loop in a process of its own, until its input ends.

`python -m bench.beside NAME ADDRESS DATA`, started by `bench.tail`. It says `ready` when it has begun.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
import os
import socket
import subprocess
import sys
import threading
import time
import traceback
from base64 import b64encode
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from http.client import HTTPConnection
from pathlib import Path

from bench import batches
from bench.batches import Tree
from bench.load import drive
from bench.sign import Signer
from bench.targets import Endpoint
from catalog import Catalog
from catalog.database.client import query
from catalog.priority import give_way
from catalog.records import Bucket, Checksum, Origin, Part, Piece, Upload, Version

NICENESS = 10
GROUPED_ROWS = 10_000_000
LARGE = 1 << 30
UPLOADS = 4
IDLE = 1000
SMALL_RATE, LARGE_RATE = 4000, 400  # changes a second
LIVING, PASSING = 3000, 100  # keys that are overwritten in turn, so that bodies live on for a while, or hardly
PARTS, PART, COMPLETED = 10_000, 5 << 20, 16
COMPLETING_PAUSE = 0.5  # seconds
CHUNK = 1000
# As nice as the catalog process's queries, until the process goes that began it.
SPIN = """
import os, sys
from catalog.database.session import give_way_to_changes
give_way_to_changes()
while os.getppid() == int(sys.argv[1]):
    for _ in range(10_000):
        pass
"""
NO_CHECKSUM = Checksum("CRC64NVME", "AAAAAAAAAAA=")
BUCKET = "beside"


@dataclass(frozen=True)
class Scene:
    """The server, its folder, and the keys that are in the measured bucket."""

    host: str
    port: int
    access_key: str
    secret_key: str
    data: str
    bucket: str
    keys: int

    @property
    def endpoint(self) -> Endpoint:
        return Endpoint("ducket", self.host, self.port, self.access_key, self.secret_key)

    @property
    def signer(self) -> Signer:
        return self.endpoint.signer


Work = Callable[[Scene, Callable[[], None]], None]


@contextmanager
def beside(name: str, scene: Scene) -> Iterator[None]:
    command = [sys.executable, "-m", "bench.beside", name, json.dumps(asdict(scene))]
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    assert process.stdin is not None and process.stdout is not None
    if process.stdout.readline().strip() != b"ready":
        raise SystemExit(f"{name} did not begin: status {process.wait()}")
    try:
        yield
    finally:
        if process.poll() is not None:
            raise SystemExit(f"{name} ended by itself with status {process.returncode}")
        process.stdin.close()
        process.wait()


def main() -> None:
    give_way(NICENESS)
    name, scene = sys.argv[1], Scene(**json.loads(sys.argv[2]))

    def work() -> None:
        try:
            LOADS[name](scene, ready)
        except BaseException:
            traceback.print_exc()
            os._exit(1)

    threading.Thread(target=work, daemon=True).start()
    sys.stdin.buffer.read()
    # Whatever it is in the middle of: the server bears that, and the folder is thrown away.
    os._exit(0)


def ready() -> None:
    os.write(1, b"ready\n")


def grouping(scene: Scene, begun: Callable[[], None]) -> None:
    """Over so many rows that there are ten million, however few keys."""
    times = max(1, GROUPED_ROWS // scene.keys)
    statement = (
        f"SELECT substr(key, 1, 9) AS folder, n % 3 AS third, count(*), sum(size), max(e_tag)"
        f" FROM objects, range({times}) AS times(n) GROUP BY ALL ORDER BY 3 DESC LIMIT 10"
    )
    begun()
    while True:
        query(Path(scene.data), statement, 600.0)


def changing(scene: Scene, begun: Callable[[], None]) -> None:
    """So many small changes that DuckDB's write-ahead log is full again and again: begins when it is almost."""
    wal = Path(scene.data) / "catalog.duckdb.wal"

    def told() -> None:
        while not wal.exists() or wal.stat().st_size < 40 << 20:
            time.sleep(0.1)
        begun()

    threading.Thread(target=told, daemon=True).start()
    asyncio.run(write(scene, 100, SMALL_RATE))


def filling_segments(scene: Scene, begun: Callable[[], None]) -> None:
    begun()
    asyncio.run(write(scene, 60_000, LARGE_RATE))


def compacting(scene: Scene, begun: Callable[[], None]) -> None:
    """Bodies of which three in ten live on: begins when the first segment that had some of them is emptied and gone."""
    folder = Path(scene.data) / "log"
    before = set(folder.glob("*.log"))

    def told() -> None:
        seen: set[Path] = set()
        while not seen - set(folder.glob("*.log")):
            seen |= set(folder.glob("*.log")) - before
            time.sleep(0.1)
        begun()

    threading.Thread(target=told, daemon=True).start()
    asyncio.run(write(scene, 60_000, LARGE_RATE, lambda number: number % (LIVING if number % 10 < 3 else PASSING)))


async def write(scene: Scene, size: int, rate: int, key: Callable[[int], int] = int) -> None:
    """Through the catalog's own door, as another worker would, eight at a time; `key` is of the how manieth."""
    catalog = Catalog.open(Path(scene.data))
    bucket, count, began = catalog.bucket(BUCKET), 0, time.monotonic()
    while True:
        await asyncio.gather(*(put(catalog, bucket, f"{size}/{key(count + number):09d}", size) for number in range(8)))
        count += 8
        await asyncio.sleep(max(0.0, began + count / rate - time.monotonic()))


async def put(catalog: Catalog, bucket: Bucket, key: str, size: int) -> None:
    body = key.encode().ljust(size, b".")
    etag = hashlib.md5(body, usedforsecurity=False).hexdigest()
    await catalog.put(Origin(bucket.owner), bucket, key, Version(0, "", 0, etag, size, "STANDARD", bucket.owner), body)


def uploading(scene: Scene, begun: Callable[[], None]) -> None:
    """Whole objects of 1 GiB in one PUT each, their SHA-256 signed, one after the other on each connection."""
    block = os.urandom(16 << 20)
    digest = hashlib.sha256()
    for _ in range(LARGE // len(block)):
        digest.update(block)

    def upload(number: int) -> None:
        while True:
            head = scene.signer.head("PUT", f"/{BUCKET}/large/{number}", payload=digest.hexdigest(), length=LARGE)
            with socket.create_connection((scene.host, scene.port)) as line:
                line.sendall(head)
                for _ in range(LARGE // len(block)):
                    line.sendall(block)
                assert line.recv(4096).startswith(b"HTTP/1.1 200")

    for number in range(UPLOADS):
        threading.Thread(target=upload, args=(number,), daemon=True).start()
    begun()


def listing(scene: Scene, begun: Callable[[], None]) -> None:
    """Page after page of a thousand, from the first key to the last, and again."""
    tree = Tree(scene.keys)
    starts = [tree.key(number) for number in range(0, tree.count - tree.page, tree.page)]
    begun()
    while True:
        drive((scene.host, scene.port), batches.list_page(scene.signer, scene.bucket, ["tree/", *starts], 1000), 1)


def deleting(scene: Scene, begun: Callable[[], None]) -> None:
    """Documents that name a thousand keys each."""
    begun()
    while True:
        names = "".join(f"<Object><Key>none/{number}</Key></Object>" for number in range(1000))
        post(scene, f"/{BUCKET}", {"delete": ""}, f"<Delete><Quiet>true</Quiet>{names}</Delete>".encode())


def post(scene: Scene, path: str, query: dict[str, str], body: bytes) -> None:
    head = scene.signer.head(
        "POST",
        path,
        query,
        payload=hashlib.sha256(body).hexdigest(),
        length=len(body),
        headers={"content-md5": b64encode(hashlib.md5(body).digest()).decode()},
    )
    with socket.create_connection((scene.host, scene.port)) as line:
        line.sendall(head + body)
        assert line.recv(65536).startswith(b"HTTP/1.1 200")


def completing(scene: Scene, begun: Callable[[], None]) -> None:
    """Uploads of ten thousand parts, of which only the records are there, onto one key, one after the other."""
    documents = asyncio.run(begin_uploads(scene))
    query(Path(scene.data), "SELECT 1", 600.0)  # when the catalog process has applied them all
    begun()
    for upload_id, document in documents:
        post(scene, f"/{BUCKET}/parts", {"uploadId": upload_id}, document)
        time.sleep(COMPLETING_PAUSE)
    threading.Event().wait()


async def begin_uploads(scene: Scene) -> list[tuple[str, bytes]]:
    """Their ids, and what completes each."""
    catalog = Catalog.open(Path(scene.data))
    bucket = catalog.bucket(BUCKET)
    begun = []
    for _ in range(COMPLETED):
        upload = await catalog.create_upload(Origin(bucket.owner), bucket, Upload("", 0, "parts", 0, bucket.owner))
        for start in range(1, PARTS, CHUNK):
            parts = [
                Part(number, PART, f"{number:032x}", 0, Piece(PART, blob=os.urandom(16)), NO_CHECKSUM)
                for number in range(start, start + CHUNK)
            ]
            await asyncio.gather(
                *(catalog.put_part(Origin(bucket.owner), bucket, "parts", upload.upload_id, part) for part in parts)
            )
        named = (f"<Part><PartNumber>{n}</PartNumber><ETag>{n:032x}</ETag></Part>" for n in range(1, PARTS + 1))
        document = f"<CompleteMultipartUpload>{''.join(named)}</CompleteMultipartUpload>"
        begun.append((upload.upload_id, document.encode()))
    return begun


def idling(scene: Scene, begun: Callable[[], None]) -> None:
    lines = [HTTPConnection(scene.host, scene.port) for _ in range(IDLE)]
    for line in lines:
        line.request("GET", "/-/health/live")
        line.getresponse().read()
    begun()
    threading.Event().wait()


def spinning(scene: Scene, begun: Callable[[], None]) -> None:
    """Nothing that concerns the server: what the machine itself does to who needs a core and the disk."""
    for _ in os.sched_getaffinity(0):
        subprocess.Popen([sys.executable, "-c", SPIN, f"{os.getpid()}"])
    begun()
    threading.Event().wait()


LOADS: dict[str, Work] = {
    "loops on every core": spinning,
    "a new segment": filling_segments,
    "GROUP BY": grouping,
    "checkpoints": changing,
    "compaction": compacting,
    "10,000 parts completed": completing,
    "4 uploads of 1 GiB": uploading,
    "listing everything": listing,
    "deletes by the thousand": deleting,
    "1,000 idle connections": idling,
}

if __name__ == "__main__":
    main()
