"""Runs a module of the server, armed if a plan is meant for it: `python -m conformance.crash.child MODULE ...`.

Segments of the log are small, so that there is a next one often.
"""

from __future__ import annotations

import runpy
import sys

from catalog.log import Log
from conformance.crash.faults import Fault
from conformance.crash.points import Plan
from conformance.crash.recorder import Recorder

SEGMENT_SIZE = 512 * 1024


def main() -> None:
    module = sys.argv[1]
    del sys.argv[1]
    Log.__init__.__defaults__ = (SEGMENT_SIZE,)
    Recorder.arm_if_given()
    plan = Plan.given()
    if plan is not None and plan.point.process == module:
        plan.arm()
    fault = Fault.given()
    if fault is not None and fault[0].process == module:
        fault[0].arm(fault[1])
    runpy.run_module(module, run_name="__main__", alter_sys=True)


if __name__ == "__main__":
    main()
