"""Every option, once: a flag, a DUCKET_ variable and a key of ducket.toml, in that order of precedence."""

from __future__ import annotations

import os
import re
import tomllib
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, fields
from functools import cache
from pathlib import Path
from typing import Annotated, Any, NamedTuple, get_args, get_type_hints
from urllib.parse import urlsplit

import msgspec

CONFIG_FILE = "ducket.toml"
CONFIG_VARIABLE = "DUCKET_CONFIG"
OWNERSHIPS = ("BucketOwnerEnforced", "BucketOwnerPreferred", "ObjectWriter")


class SettingsError(Exception):
    """An option that cannot be used as it was given; the text says where it came from."""


class About(NamedTuple):
    """What the help says of an option, and what its value is called there."""

    help: str
    metavar: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    data: Annotated[Path, About("folder of the catalog, the commit log and the bodies", "DIR")] = Path("data")
    host: Annotated[str, About("address to listen on", "HOST")] = "127.0.0.1"
    port: Annotated[int, About("port to listen on; 0 takes a free one", "PORT")] = 9000
    workers: Annotated[int, About("worker processes; 0 means one a core", "N")] = 0
    region: Annotated[str, About("region that requests are signed for", "NAME")] = "us-east-1"
    domains: Annotated[
        tuple[str, ...], About("domains that have buckets as subdomains, separated by commas", "NAMES")
    ] = ()
    root_access_key: Annotated[str, About("access key of root; made at first start if not given", "KEY")] = ""
    root_secret_key: Annotated[str, About("secret key of root", "SECRET")] = ""
    object_ownership: Annotated[
        str,
        About("Object Ownership of a new bucket: BucketOwnerEnforced, BucketOwnerPreferred or ObjectWriter", "NAME"),
    ] = "BucketOwnerEnforced"
    block_public_access: Annotated[bool, About("whether a new bucket blocks public access", "yes|no")] = True
    tls_cert: Annotated[
        str, About("file with the certificate, in PEM, that the server shows; it speaks HTTPS then", "FILE")
    ] = ""
    tls_key: Annotated[str, About("file with the certificate's private key, in PEM, without a passphrase", "FILE")] = ""
    encryption_key: Annotated[
        str,
        About("keys of 32 bytes in base64, the one for what is new first; made at first use if none is given", "KEYS"),
    ] = ""
    encryption_key_file: Annotated[str, About("file with such keys, a line each", "FILE")] = ""
    kms_keys: Annotated[
        tuple[str, ...],
        About("names that clients may give as those of a KMS's keys (SSE-KMS), separated by commas", "NAMES"),
    ] = ()
    sse_c_over_http: Annotated[
        str,
        About("who may send keys of their own (SSE-C) without TLS: never, loopback or always", "WHO"),
    ] = "loopback"
    request_log: Annotated[str, About("file for a JSON line a request; - is standard error", "FILE")] = ""
    access_log_days: Annotated[
        int, About("days that records of the requests served are kept for SQL; 0 makes none", "N")
    ] = 30
    access_log_delivery: Annotated[
        int, About("seconds after which buckets' access logs (PutBucketLogging) are delivered", "SECONDS")
    ] = 300
    max_connections: Annotated[
        int, About("connections of one worker beyond which a new one is answered 503 SlowDown", "N")
    ] = 10_000
    max_requests: Annotated[
        int, About("requests under way in one worker beyond which a new one is answered 503 SlowDown", "N")
    ] = 2_000
    max_commits: Annotated[
        int, About("changes that wait for the disk in one worker beyond which a new one is answered 503 SlowDown", "N")
    ] = 20_000
    max_key_rate: Annotated[
        int,
        About(
            "requests a second, and at once, of a key in a worker beyond which one is answered 503 SlowDown; 0: any",
            "N",
        ),
    ] = 0
    sql_seconds: Annotated[int, About("seconds that a query in SQL may take", "SECONDS")] = 300
    sql_rows: Annotated[int, About("rows that the result of a query may have; 0 is any number", "N")] = 0
    sql_memory: Annotated[
        int, About("MiB that the database may take; 0 is a quarter of the machine's, 4 GiB at most", "N")
    ] = 0
    sql_threads: Annotated[int, About("threads of the database; 0 is one a core, eight at most", "N")] = 0
    compaction_rate: Annotated[
        int, About("MiB of small bodies a second that compaction moves at most; 0 is none", "N")
    ] = 16
    lifecycle_rate: Annotated[
        int, About("removals a second at which lifecycle rules are carried out at most; 0: they are not", "N")
    ] = 1000
    lifecycle_day: Annotated[
        int, About("seconds that a day of lifecycle rules has; fewer than there are is for tests", "SECONDS")
    ] = 86_400
    scrub_rate: Annotated[
        int, About("MB a second that the server reads at most to see whether its bodies are sound; 0 is none", "MB/s")
    ] = 1
    scrub_days: Annotated[int, About("days after which it begins to read them all again", "DAYS")] = 7
    scrub_repair: Annotated[
        bool, About("whether it repairs what it can, as `ducket scrub --repair` does", "yes|no")
    ] = False
    notify_webhook: Annotated[
        tuple[tuple[str, str], ...],
        About("where event notifications may go, by name, separated by commas: http or https URLs", "NAME=URL"),
    ] = ()
    notify_token: Annotated[
        tuple[tuple[str, str], ...],
        About("what is sent to those in the header Authorization: a bearer token, or `Kind token`", "NAME=TOKEN"),
    ] = ()
    keep_alive: Annotated[int, About("seconds that an idle connection is kept open", "SECONDS")] = 120
    request_timeout: Annotated[int, About("seconds without progress after which a client is given up", "SECONDS")] = 20
    drain_timeout: Annotated[int, About("seconds that requests get to finish at a stop", "SECONDS")] = 60

    def __post_init__(self) -> None:
        check(0 <= self.port <= 65535, "port", self.port, "a number from 0 to 65535")
        check(self.workers >= 0, "workers", self.workers, "0 or more")
        check(self.keep_alive > 0, "keep_alive", self.keep_alive, "1 or more")
        check(self.request_timeout > 0, "request_timeout", self.request_timeout, "1 or more")
        check(self.drain_timeout >= 0, "drain_timeout", self.drain_timeout, "0 or more")
        check(self.scrub_days > 0, "scrub_days", self.scrub_days, "1 or more")
        check(self.access_log_delivery > 0, "access_log_delivery", self.access_log_delivery, "1 or more")
        check(self.sql_seconds > 0, "sql_seconds", self.sql_seconds, "1 or more")
        check(self.lifecycle_day > 0, "lifecycle_day", self.lifecycle_day, "1 or more")
        rates = ("max_key_rate", "compaction_rate", "lifecycle_rate", "scrub_rate")
        for name in (*rates, "access_log_days", "sql_rows", "sql_memory", "sql_threads"):
            check(getattr(self, name) >= 0, name, getattr(self, name), "0 or more")
        for name in ("max_connections", "max_requests", "max_commits"):
            check(getattr(self, name) > 0, name, getattr(self, name), "1 or more")
        check(self.object_ownership in OWNERSHIPS, "object_ownership", self.object_ownership, f"one of {OWNERSHIPS}")
        check(bool(self.region), "region", self.region, "a name")
        check(self.sse_c_over_http in SSE_C_OVER_HTTP, "sse_c_over_http", self.sse_c_over_http, "one of those")
        for name, endpoint in self.notify_webhook:
            check(bool(NAME.fullmatch(name)), "notify_webhook", name, "a name of letters, digits, - and _")
            check(is_endpoint(endpoint), "notify_webhook", endpoint, "a URL of http or https")
        for name, _ in self.notify_token:
            check(name in dict(self.notify_webhook), "notify_token", name, "the name of a notify_webhook")
        if bool(self.root_access_key) != bool(self.root_secret_key):
            raise SettingsError("root_access_key and root_secret_key: give both or neither")
        if bool(self.tls_cert) != bool(self.tls_key):
            raise SettingsError("tls_cert and tls_key: give both or neither")

    @property
    def worker_count(self) -> int:
        return self.workers or len(os.sched_getaffinity(0))


class Option(NamedTuple):
    name: str
    kind: Any
    default: Any
    about: About

    @property
    def flag(self) -> str:
        return "--" + self.name.replace("_", "-")

    @property
    def variable(self) -> str:
        return "DUCKET_" + self.name.upper()


@cache
def options() -> tuple[Option, ...]:
    hints = get_type_hints(Settings, include_extras=True)
    return tuple(Option(each.name, *kind_and(each.default, hints[each.name])) for each in fields(Settings))


def kind_and(default: object, hint: Any) -> tuple[Any, object, About]:
    kind, about = get_args(hint)
    return kind, default, about


def load(flags: Mapping[str, str | None], environment: Mapping[str, str] = os.environ) -> Settings:
    """`flags` are the options given on the command line by field name; `config` among them names the file."""
    path = config_path(flags.get("config"), environment)
    in_file = read_file(path) if path else {}
    unknown = sorted(set(in_file) - {option.name for option in options()})
    if unknown:
        raise SettingsError(f"{path}: unknown key {', '.join(unknown)}")
    given: dict[str, Any] = {}
    for option in options():
        flag, variable = flags.get(option.name), environment.get(option.variable)
        if flag is not None:
            given[option.name] = converted(option, flag, option.flag)
        elif variable is not None:
            given[option.name] = converted(option, variable, option.variable)
        elif option.name in in_file:
            given[option.name] = converted(option, in_file[option.name], f"{path}: {option.name}")
    return Settings(**given)


def config_path(flag: str | None, environment: Mapping[str, str]) -> Path | None:
    named = flag or environment.get(CONFIG_VARIABLE)
    if named:
        return Path(named)
    usual = Path(CONFIG_FILE)
    return usual if usual.is_file() else None


def read_file(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text())
    except (OSError, ValueError) as error:
        raise SettingsError(f"{path}: {error}") from error


def converted(option: Option, value: Any, source: str) -> Any:
    try:
        return CONVERT[option.kind](value)
    except (TypeError, ValueError):
        shown = "what was given" if option.name in SECRET else repr(value)
        raise SettingsError(f"{source}: {shown} is no {option.about.metavar}") from None


def number(value: Any) -> int:
    if isinstance(value, bool) or not isinstance(value, int | str):
        raise TypeError
    return int(value)


def text(value: Any) -> str:
    if not isinstance(value, str):
        raise TypeError
    return value


def truth(value: Any) -> bool:
    if isinstance(value, bool):
        return value
    if text(value).lower() not in WORDS:
        raise ValueError
    return WORDS[value.lower()]


def names(value: Any) -> tuple[str, ...]:
    parts = value.split(",") if isinstance(value, str) else [text(each) for each in value]
    return tuple(part.strip().lower() for part in parts if part.strip())


def pairs(value: Any) -> tuple[tuple[str, str], ...]:
    """A table in the file, else `NAME=VALUE,…`."""
    if isinstance(value, str):
        given = [part.strip().partition("=") for part in value.split(",") if part.strip()]
        found = [(name.strip(), rest.strip()) for name, _, rest in given]
    else:
        found = [(name, text(each)) for name, each in dict(value).items()]
    if len(dict(found)) < len(found) or not all(name and rest for name, rest in found):
        raise ValueError
    return tuple(found)


def is_endpoint(url: str) -> bool:
    try:
        found = urlsplit(url)
        return (
            found.scheme in ("http", "https") and bool(found.hostname) and "@" not in found.netloc and found.port != 0
        )
    except ValueError:
        return False


SECRET = frozenset({"notify_token", "root_secret_key", "encryption_key"})
NAME = re.compile(r"[A-Za-z0-9_-]{1,64}")
SSE_C_OVER_HTTP = ("never", "loopback", "always")
WORDS = {"yes": True, "true": True, "1": True, "no": False, "false": False, "0": False}
CONVERT: dict[Any, Callable[[Any], Any]] = {
    Path: lambda value: Path(text(value)),
    str: text,
    int: number,
    bool: truth,
    tuple[str, ...]: names,
    tuple[tuple[str, str], ...]: pairs,
}


def check(holds: bool, name: str, value: object, wanted: str) -> None:
    if not holds:
        raise SettingsError(f"{name}: {value!r} is not {wanted}")


def dump(settings: Settings) -> bytes:
    """One line of JSON, as the supervisor hands the settings to a worker."""
    return msgspec.json.encode(asdict(settings), enc_hook=str) + b"\n"


def undump(line: bytes) -> Settings:
    return msgspec.json.decode(line, type=Settings, dec_hook=lambda kind, value: kind(value))
