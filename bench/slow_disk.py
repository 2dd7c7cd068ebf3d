"""A disk that is slow to sync: starts the command that follows with every fdatasync and fsync delayed.

`python -m bench.slow_disk MILLISECONDS FILE COMMAND…`. The delay holds while FILE exists. It is put into the processes
by Python's own `sitecustomize`, found through PYTHONPATH: the gateway knows nothing of it.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from pathlib import Path

MODULE = """
import os, time

def slowly(sync):
    def delayed(file):
        if os.path.exists({switch!r}):
            time.sleep({seconds!r})
        return sync(file)
    return delayed

os.fdatasync, os.fsync = slowly(os.fdatasync), slowly(os.fsync)
"""


def prepare(folder: Path, switch: Path, seconds: float) -> dict[str, str]:
    """What to set in the environment of a process whose disk is to be slow while `switch` exists."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "sitecustomize.py").write_text(MODULE.format(switch=f"{switch}", seconds=seconds))
    return {"PYTHONPATH": os.pathsep.join([f"{folder}", os.environ.get("PYTHONPATH") or f"{Path.cwd()}"])}


def main(arguments: Sequence[str]) -> None:
    milliseconds, switch, *command = arguments
    environment = prepare(Path(f"{switch}.modules"), Path(switch), float(milliseconds) / 1000)
    os.execvpe(command[0], command, {**os.environ, **environment})


if __name__ == "__main__":
    main(sys.argv[1:])
