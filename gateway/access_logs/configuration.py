"""Where a bucket's access logs go: kept with it as JSON.

https://docs.aws.amazon.com/AmazonS3/latest/API/API_LoggingEnabled.html
"""

from __future__ import annotations

from functools import lru_cache

import msgspec

from catalog.records import Bucket
from gateway.access.acl import Grants
from gateway.access.payer import requester_pays

SETTING = "logging"  # the name of a bucket's configuration

# How keys of log objects are made: with the day of what is in them, or of their delivery, in folders.
# Bytes; what is put behind a prefix has 200 at most.
MOST_PREFIX = 800
SIMPLE, EVENT_TIME, DELIVERY_TIME = "SimplePrefix", "EventTime", "DeliveryTime"


class Configuration(msgspec.Struct, frozen=True, omit_defaults=True):
    """`key_format` is "" where the client did not say: then it is SIMPLE."""

    target_bucket: str
    target_prefix: str = ""
    key_format: str = ""
    target_grants: Grants = ()

    @property
    def partitioned(self) -> bool:
        return self.key_format in (EVENT_TIME, DELIVERY_TIME)

    def dump(self) -> str:
        return msgspec.json.encode(self).decode()


def configuration(bucket: Bucket) -> Configuration | None:
    text = bucket.settings.get(SETTING) if bucket.settings else None
    return read(text) if text else None


@lru_cache(maxsize=256)
def read(text: str) -> Configuration:
    return msgspec.json.decode(text, type=Configuration)


def unfit(target: Bucket) -> str | None:
    """What a bucket that is to take access logs must not have.

    https://docs.aws.amazon.com/AmazonS3/latest/userguide/ServerLogs.html
    """
    lock = target.object_lock
    if lock is not None and lock.mode:
        return "has a default retention period"
    return "has Requester Pays enabled" if requester_pays(target) else None
