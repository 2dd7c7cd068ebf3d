"""Runs ceph/s3-tests from a checkout against a server started here, and compares with the committed lists.

    python -m conformance.ceph CHECKOUT [--all] [pytest options]

`ceph_passing.txt` names the tests that pass. Those in `ceph_passing_with_acls.txt` want buckets as AWS made them until
2023, with ACLs and without a public access block, and pass on a second server that makes such ones.
`ceph_excluded.txt` has each other test and why it does not:

    unbuilt:  it needs what is not built, such as IAM
    outside:  it needs what is not S3 (additions of RGW's own), or does not do what it says
    aws:      AWS answers otherwise, as its pages or its recorded answers show
    fails:    it ought to pass

What is not built runs with --all only.
"""

from __future__ import annotations

import os
import subprocess
import sys
import venv
from collections.abc import Iterable, Mapping
from configparser import RawConfigParser
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from lxml import etree

from conformance.server import REGION, ROOT, Keys, Server, create_user, environment, running

HERE = Path(__file__).parent
FOLDER = "s3tests/functional"
DIFFERS = "differs:"
OLD_BUCKETS = ("--object-ownership", "ObjectWriter", "--block-public-access", "no")

# It waits for lifecycle rules, and takes a day of theirs for INTERVAL seconds. That it rounds none up to a midnight, as
# AWS does, a shorter day makes good.
INTERVAL, DAY = 10, 8
# For access logs it waits 5.5 seconds after requests that may take some themselves, and wants one object of all.
PACE = ("--lifecycle-day", str(DAY), "--access-log-delivery", "4")

KMS_KEYS = ("testkey-1", "testkey-2")

# Section of its configuration → user. It wants all of them, whether or not the tests that run need them.
USERS = {
    "s3 main": ("main", Keys("CEPHMAINACCESSKEY001", "ceph-main-secret-key")),
    "s3 alt": ("alt", Keys("CEPHALTACCESSKEY0001", "ceph-alt-secret-key")),
    "s3 tenant": ("tenant", Keys("CEPHTENANTACCESSKEY1", "ceph-tenant-secret-key")),
    "iam": ("iam", Keys("CEPHIAMACCESSKEY0001", "ceph-iam-secret-key")),
    "iam root": ("iam-root", Keys("CEPHIAMROOTACCESSKEY", "ceph-iam-root-secret-key")),
    "iam alt root": ("iam-alt-root", Keys("CEPHIAMALTACCESSKEY1", "ceph-iam-alt-secret-key")),
}


@dataclass(frozen=True)
class Lists:
    """What is expected of each test, by file::function: that it passes, or else the reason why not."""

    passing: frozenset[str]
    with_acls: frozenset[str]
    excluded: Mapping[str, str]

    def because(self, *kinds: str) -> set[str]:
        return {test for test, why in self.excluded.items() if why.startswith(kinds)}

    @property
    def expected(self) -> frozenset[str]:
        return self.passing | self.with_acls

    def known(self, test: str) -> bool:
        return test in self.expected or test in self.excluded or test.partition("::")[0] in self.excluded

    def runs(self, test: str) -> bool:
        return test in self.expected or test in self.because("outside:", "aws:", "fails:")


def main(arguments: list[str]) -> int:
    checkout, options = Path(arguments[0]).resolve(), arguments[1:]
    everything = "--all" in options
    options = [option for option in options if option != "--all"]
    python, lists = prepare(checkout), read_lists()
    found: list[str] = []
    passed: set[str] = set()
    for old in (False, True):
        settings = OLD_BUCKETS if old else ()
        with (
            TemporaryDirectory() as folder,
            running(Path(folder) / "data", *PACE, "--kms-keys", ",".join(KMS_KEYS), *settings) as server,
        ):
            configuration = Path(folder) / "s3tests.conf"
            write_configuration(configuration, server)
            found = found or collect(python, checkout, configuration)
            wanted = [test for test in found if (everything or lists.runs(test)) and (test in lists.with_acls) == old]
            passed |= run(python, checkout, configuration, wanted, options)
    wanted = [test for test in found if everything or lists.runs(test)]
    return report(lists, found, wanted, passed)


def prepare(checkout: Path) -> Path:
    """Its own virtual environment, made once, with what the checkout asks for; returns its Python."""
    requirements = checkout / "requirements.txt"
    if not requirements.exists():
        sys.exit(f"{checkout} is no checkout of ceph/s3-tests")
    home = ROOT / "build" / "ceph-s3-tests"
    python, done = home / "bin" / "python", home / "installed.txt"
    if not done.exists() or done.read_text() != requirements.read_text():
        venv.create(home, with_pip=True)
        pip = [str(python), "-m", "pip", "--disable-pip-version-check"]
        subprocess.run([*pip, "install", "--quiet", "-r", str(requirements)], check=True)
        done.write_text(requirements.read_text())
    return python


def write_configuration(path: Path, server: Server) -> None:
    configuration = RawConfigParser()
    configuration["DEFAULT"] = {
        "host": server.host,
        "port": str(server.port),
        "is_secure": "False",
        "ssl_verify": "False",
    }
    configuration["fixtures"] = {
        "bucket prefix": "ceph-{random}-",
        "iam name prefix": "ceph-",
        "iam path prefix": "/ceph/",
    }
    for number, (section, (name, keys)) in enumerate(USERS.items(), 1):
        user = {"user_id": f"{number:064x}", "display_name": name, "email": f"{name}@example.com"}
        create_user(server.data, name, keys, id=user["user_id"], display_name=name, email=user["email"])
        configuration[section] = user | {"access_key": keys.access, "secret_key": keys.secret}
    configuration["s3 main"]["api_name"] = REGION
    configuration["s3 main"]["kms_keyid"], configuration["s3 main"]["kms_keyid2"] = KMS_KEYS
    configuration["s3 main"]["lc_debug_interval"] = str(INTERVAL)
    configuration["s3 tenant"]["tenant"] = "tenant"
    with path.open("w") as file:
        configuration.write(file)


def read_lists() -> Lists:
    passing = (HERE / "ceph_passing.txt").read_text().split()
    excluded = (HERE / "ceph_excluded.txt").read_text().splitlines()
    with_acls = (HERE / "ceph_passing_with_acls.txt").read_text().split()
    return Lists(frozenset(passing), frozenset(with_acls), dict(line.split(maxsplit=1) for line in excluded))


def collect(python: Path, checkout: Path, configuration: Path) -> list[str]:
    """Every test function there is, in the checkout's order."""
    done = pytest(python, checkout, configuration, ["--collect-only", FOLDER], stdout=subprocess.PIPE)
    names = (line.partition("[")[0] for line in done.stdout.splitlines() if "::" in line)
    return list(dict.fromkeys(name.removeprefix(f"{FOLDER}/") for name in names))


def run(python: Path, checkout: Path, configuration: Path, tests: Iterable[str], options: list[str]) -> set[str]:
    """The tests that pass, with all of their parameters."""
    results = configuration.with_name("results.xml")
    named = [f"{FOLDER}/{test}" for test in tests]
    pytest(python, checkout, configuration, [f"--junitxml={results}", "--tb=short", *options, *named])
    good: set[str] = set()
    bad: set[str] = set()
    for case in etree.parse(results).iter("testcase"):
        file = case.get("classname", "").rpartition(".")[2] + ".py"
        test = f"{file}::{case.get('name', '').partition('[')[0]}"
        (bad if len(case) and case[0].tag in ("failure", "error", "skipped") else good).add(test)
    return good - bad


def pytest(
    python: Path, checkout: Path, configuration: Path, arguments: list[str], stdout: int | None = None
) -> subprocess.CompletedProcess[str]:
    settings = environment() | {"S3TEST_CONF": str(configuration), "AWS_EC2_METADATA_DISABLED": "true"}
    settings.pop("PYTHONPATH")
    settings["PATH"] = f"{python.parent}{os.pathsep}{settings['PATH']}"
    command = [str(python), "-m", "pytest", "-q", "-p", "no:cacheprovider", *arguments]
    return subprocess.run(command, cwd=checkout, env=settings, text=True, stdout=stdout)


def report(lists: Lists, found: list[str], ran: list[str], passed: set[str]) -> int:
    expected = lists.expected
    broken, mended = expected - passed, passed & lists.because("outside:", "aws:", "fails:")
    show("Expected to pass, but did not", sorted(broken))
    show("Expected to fail, but passed", sorted(mended))
    show("In neither list", [test for test in found if not lists.known(test)])
    good = len(passed & expected)
    share("ask for what AWS does", good, len(expected) + len(lists.because("fails:")))
    share("do so or want another answer than AWS gives", good, len(expected) + len(lists.because("fails:", "aws:")))
    share("need nothing that is not built", good, sum(map(lists.runs, found)))
    return 1 if broken or mended else 0


def share(which: str, good: int, of: int) -> None:
    print(f"{good} of the {of} tests that {which} pass: {100 * good / max(1, of):.1f}%")


def show(title: str, tests: list[str]) -> None:
    if tests:
        print(f"{title} ({len(tests)}):", *tests, sep="\n  ")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
