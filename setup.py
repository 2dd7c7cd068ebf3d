"""Compiles the rooms that each request passes through to C, with mypyc, where there is a compiler.

They run as well without, only slower: the Python files are the program, and a release that cannot be compiled is
installed as it is. `DUCKET_COMPILE=0` asks for that.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import sys
import sysconfig
from pathlib import Path

from setuptools import Extension, setup
from setuptools.command.build_ext import build_ext

# Pure functions on text, and the callbacks of a connection. Not among them: asynchronous functions, exceptions and
# classes that inherit from a library's, of which mypyc makes what crashes or leaks; operations, whose signatures are
# read; bodies and documents, whose bytes are of several types, where C insists on one; and what goes through parts by
# the thousand in a thread, for C gives the event loop no turns in between.
COMPILED = (
    "catalog/index/entries.py",
    "catalog/index/keys.py",
    "catalog/index/listing.py",
    "catalog/rows.py",
    "gateway/access/__init__.py",
    "gateway/auth/__init__.py",
    "gateway/auth/canonical.py",
    "gateway/auth/claim.py",
    "gateway/auth/dates.py",
    "gateway/auth/header.py",
    "gateway/auth/payload.py",
    "gateway/auth/proof.py",
    "gateway/auth/signing.py",
    "gateway/operations/conditions.py",
    "gateway/operations/described.py",
    "gateway/operations/ranges.py",
    "gateway/operations/rows.py",
    "gateway/operations/showing.py",
    "gateway/protocol.py",
    "gateway/recording.py",
    "gateway/request.py",
    "gateway/s3/parse.py",
    "gateway/s3/render.py",
    "gateway/s3/rendered.py",
    "gateway/s3/route.py",
    "gateway/s3/times.py",
    "gateway/s3/values.py",
    "gateway/s3/write.py",
    "gateway/s3/xml.py",
)
ROOT = Path(__file__).parent
MARK = ROOT / "gateway" / "compiled.sha256"


class BuildExtensions(build_ext):
    """Notes beside sources that are used where they lie what was compiled: `gateway/compiled.py` reads it."""

    def run(self) -> None:
        super().run()
        if self.extensions and (self.inplace or self.editable_mode):
            lines = [f"{hashlib.sha256((ROOT / path).read_bytes()).hexdigest()}  {path}\n" for path in COMPILED]
            MARK.write_text("".join(lines))


def extensions() -> list[Extension]:
    compiler = (sysconfig.get_config_var("CC") or "cc").split()[0]
    if os.environ.get("DUCKET_COMPILE") == "0" or shutil.which(compiler) is None:
        return []
    try:
        from mypyc.build import mypycify

        # The types of libraries are not looked at: what is compiled is the same with and without them installed.
        options = ["--config-file=", "--ignore-missing-imports", "--no-site-packages", "--disable-error-code=call-arg"]
        made: list[Extension] = mypycify([*options, *COMPILED], group_name="ducket")
    except (ImportError, SystemExit) as problem:
        print(f"ducket is installed without compiled modules: {problem!r}", file=sys.stderr)
        return []
    for extension in made:
        extension.optional = True
    return made


if __name__ == "__main__":
    os.chdir(ROOT)
    setup(ext_modules=extensions(), cmdclass={"build_ext": BuildExtensions})
