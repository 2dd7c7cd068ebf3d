"""Access logs as a reader of them sees them: configured by boto3, delivered by a server, taken apart by the format."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Callable
from typing import Any

SECONDS = 1  # after which a server delivers that is started for this

# https://docs.aws.amazon.com/AmazonS3/latest/userguide/LogFormat.html
WORD, NUMBER, QUOTED = r"(?P<%s>\S+)", r"(?P<%s>-|\d+)", r'(?P<%s>"[^"]*"|-)'
FIELDS = (
    *((WORD, "owner"), (WORD, "bucket"), (r"\[(?P<%s>[^\]]*)\]", "time"), (WORD, "ip"), (WORD, "requester")),
    *((r"(?P<%s>[0-9A-F]{16})", "request_id"), (r"(?P<%s>(?:REST|BATCH|S3)\.[A-Z_.]+)", "operation"), (WORD, "key")),
    *((QUOTED, "uri"), (r"(?P<%s>\d{3}|-)", "status"), (r"(?P<%s>-|\w+)", "error"), (NUMBER, "sent")),
    *((NUMBER, "size"), (NUMBER, "total"), (NUMBER, "turn_around"), (QUOTED, "referer"), (QUOTED, "agent")),
    *((WORD, "version"), (WORD, "host_id"), (r"(?P<%s>SigV2|SigV4|-)", "signature"), (WORD, "cipher")),
    *((r"(?P<%s>AuthHeader|QueryString|-)", "authentication"), (WORD, "host"), (r"(?P<%s>TLSv1\.\d|-)", "tls")),
    *((r"(?P<%s>-)", "access_point"), (r"(?P<%s>Yes|-)", "acl_required")),
)
LINE = re.compile(" ".join(pattern % name for pattern, name in FIELDS))

Line = dict[str, str]


def let_write(s3: Any, target: str, resource: str = "*", **statement: Any) -> None:
    """The policy of AWS's user guide."""
    usual = {
        "Effect": "Allow",
        "Principal": {"Service": "logging.s3.amazonaws.com"},
        "Action": ["s3:PutObject"],
        "Resource": f"arn:aws:s3:::{target}/{resource}",
    }
    policy = {"Version": "2012-10-17", "Statement": [usual | statement]}
    s3.put_bucket_policy(Bucket=target, Policy=json.dumps(policy))


def log_to(s3: Any, source: str, target: str, prefix: str = "", **more: Any) -> None:
    enabled = {"TargetBucket": target, "TargetPrefix": prefix} | more
    s3.put_bucket_logging(Bucket=source, BucketLoggingStatus={"LoggingEnabled": enabled})


def log_objects(s3: Any, target: str, prefix: str = "") -> list[str]:
    return [each["Key"] for each in s3.list_objects_v2(Bucket=target, Prefix=prefix).get("Contents", [])]


def read_lines(s3: Any, target: str, prefix: str = "") -> list[Line]:
    """All that was delivered so far; each line has to be one."""
    found: list[Line] = []
    for key in log_objects(s3, target, prefix):
        text = s3.get_object(Bucket=target, Key=key)["Body"].read().decode()
        assert text.endswith("\n")
        for line in text.removesuffix("\n").split("\n"):
            match = LINE.fullmatch(line)
            assert match is not None, line
            found.append(match.groupdict())
    return found


def delivered(
    s3: Any, target: str, count: int = 1, prefix: str = "", where: Callable[[Line], bool] = lambda line: True
) -> list[Line]:
    """So many lines of that kind, once they have come."""
    while len(found := [line for line in read_lines(s3, target, prefix) if where(line)]) < count:
        time.sleep(SECONDS / 4)
    assert len(found) == count, found
    return found
