"""How a test says that a call must be refused."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from botocore.exceptions import ClientError

# Where the answer has no body (HEAD, 304) botocore reports the status in place of the code.
BODILESS = {304: "304", 400: "400", 403: "403", 404: "404", 405: "405", 412: "412", 416: "416"}


@contextmanager
def refused(code: str | int, status: int | None = None) -> Iterator[dict[str, Any]]:
    """Fails unless the block raises exactly this; yields a dict that then holds the error's fields.

    A bare status stands for an answer without a body.
    """
    wanted = (BODILESS[code], code) if isinstance(code, int) else (code, status)
    error: dict[str, Any] = {}
    with pytest.raises(ClientError) as caught:
        yield error
    response = caught.value.response
    error.update(response["Error"], Headers=response["ResponseMetadata"]["HTTPHeaders"])
    found = (response["Error"]["Code"], response["ResponseMetadata"]["HTTPStatusCode"])
    assert found == wanted, response["Error"]
