from __future__ import annotations

import argparse
import subprocess
import sys

import pytest

from bench.load import Measured
from bench.targets import Endpoint
from bench.uploads import batch, report, sampled


def endpoint(process: int | None = None) -> Endpoint:
    return Endpoint("ducket", "127.0.0.1", 9000, "access", "secret", process=process)


def test_all_uploads_share_one_body() -> None:
    uploads = batch(endpoint(), 3, 2 << 20)
    assert len({request.data for request in uploads.requests}) == 3
    assert {len(request.rest or b"") for request in uploads.requests} == {2 << 20}


def test_memory_is_that_of_the_server_at_its_largest() -> None:
    grows = "import sys\ninput()\nkept = b'x' * (100 << 20)\nprint(flush=True)\ninput()"
    with subprocess.Popen([sys.executable, "-c", grows], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdin and process.stdout
        with sampled(endpoint(process.pid)) as sizes:
            process.stdin.write(b"\n")
            process.stdin.flush()
            process.stdout.readline()
            while max(sizes) - sizes[0] < 100 << 20:
                pass
        process.communicate(b"\n")


def test_an_upload_that_failed_fails_the_run() -> None:
    options = argparse.Namespace(size=1, workers=1, uploads=2)
    report(
        options,
        Measured(done=2, seconds=1.0),
        [1],
    )
    with pytest.raises(SystemExit):
        report(options, Measured(done=1, seconds=1.0), [1])
