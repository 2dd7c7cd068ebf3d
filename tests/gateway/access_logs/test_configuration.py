from __future__ import annotations

from catalog.records import Bucket, ObjectLock
from gateway.access.acl import Grant
from gateway.access_logs.configuration import DELIVERY_TIME, SETTING, Configuration, configuration, unfit

BUCKET = Bucket(1, "b", "a" * 64, 0, "us-east-1")


def test_it_is_kept_with_the_bucket() -> None:
    told = Configuration("logs", "p/", DELIVERY_TIME, (Grant("READ", "x"),))
    held = Bucket(1, "b", "a" * 64, 0, "us-east-1", settings={SETTING: told.dump()})
    assert configuration(held) == told
    assert told.partitioned and not Configuration("logs").partitioned
    assert configuration(BUCKET) is None


def test_a_target_that_retains_is_unfit() -> None:
    assert unfit(BUCKET) is None
    assert unfit(Bucket(1, "b", "a" * 64, 0, "us-east-1", object_lock=ObjectLock())) is None
    assert unfit(Bucket(1, "b", "a" * 64, 0, "us-east-1", object_lock=ObjectLock("GOVERNANCE", 1))) is not None
