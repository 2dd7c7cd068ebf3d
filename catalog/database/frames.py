"""What goes over the catalog process's socket: a length, then one of these as MessagePack."""

from __future__ import annotations

from collections.abc import Callable

import msgspec

from catalog.errors import QueryFailed, QueryRefused, QueryStopped
from catalog.records import Piece, Position

SOCKET = "catalog.sock"
LENGTH = 4  # bytes of the length, big-endian
MAX_REQUEST = 4 * 1024 * 1024
MAX_ANSWER = 2**31

_FACTS = {fact.__name__: fact for fact in (QueryFailed, QueryRefused, QueryStopped)}


Value = str | int | float | bool | None


class Frame(msgspec.Struct, tag_field="kind"):
    pass


class Sql(Frame, tag="sql"):
    """Answered by Columns, any number of Rows, and End; by Failure at any point instead.

    0 seconds are as many as a query may take. `owner` is the id of the user whose buckets it sees, None for all. `form`
    is what the result comes as: see `formats.ENCODERS`. `parameters` are the values of `$name` in the statement.
    What is `plain`, and sees all, is planned across the views: better where a join keeps few rows.
    """

    statement: str
    seconds: float = 0.0
    owner: str | None = None
    form: str = "separate"
    parameters: dict[str, Value] = {}
    plain: bool = False


class AskHealth(Frame, tag="health"):
    """Answered by Health."""


class AskStatus(Frame, tag="status"):
    """Answered by Status."""


class Sync(Frame, tag="sync"):
    """Answered by Synced, once everything is applied that was acknowledged before it was asked."""


class AskViews(Frame, tag="views"):
    """Answered by Views."""


class ChangeView(Frame, tag="view"):
    """Add, remove, materialise or refresh: see `views.change`. Answered by Views, or Failure."""

    action: str
    name: str
    text: str = ""


class AskSchema(Frame, tag="schema"):
    """Answered by Schema."""


class AskStorage(Frame, tag="storage"):
    """Answered by Storage."""


class AskTables(Frame, tag="dump"):
    """Answered by OfTable and any number of Rows for each private table, all as of one moment, then End with how many.

    Tables with secrets are left out unless they are asked for. Answered by Failure at any point instead.
    """

    secrets: bool = False


class AskCheckpoint(Frame, tag="checkpoint"):
    """Take the database's write-ahead log into its file. Answered by Synced, once that is done, or Failure."""


class NamePoint(Frame, tag="point"):
    """Give a name to the state behind a mutation: see `points.put`. Answered by Synced, or Failure."""

    bucket: str
    name: str
    seq: int


class Validation(msgspec.Struct, frozen=True):
    """What a check came to: of one thing, or of so many `items` (and bytes) that passed. `body` is where bytes lie."""

    check: str
    result: str
    items: int = 1
    bytes: int = 0
    key: str | None = None
    version_id: str | None = None
    upload_id: str | None = None
    part: int | None = None
    body: str | None = None
    detail: str | None = None


class KeepValidations(Frame, tag="validations"):
    """What a scrub came to in a bucket, None for no bucket's; answered by Synced, or Failure: `kept.keep_validations`.

    `scrub` is when it began, in milliseconds.
    """

    scrub: int
    bucket_id: int | None
    validations: list[Validation]
    more: bool = False


class AskHolders(Frame, tag="holders"):
    """Who names a body: see `bodies.holders`. Answered by Holders."""

    body: Piece


class AskNamed(Frame, tag="named"):
    """Which of the blobs the database's rows name: see `bodies.named`. Answered by Named, or Failure."""

    blobs: list[bytes]


class Mend(Frame, tag="mend"):
    """Make the rows of these keys what the key index has: see `mending.mend`. Answered by Synced, or Failure."""

    bucket_id: int
    keys: list[str]


class Recount(Frame, tag="recount"):
    """Make the numbers of usage those of the rows: see `mending.recount`. Answered by Synced, or Failure."""


class Hold(Frame, tag="hold"):
    """Answered by Held, from when on nothing is written to the database, and no segment of the log is removed.

    The first Release behind it lets the database be written to again, the second lets segments go. So does hanging up.
    """


class Release(Frame, tag="release"):
    """Answered by Held."""


class Columns(Frame, tag="columns"):
    """`types` are DuckDB's names."""

    names: list[str]
    types: list[str]


class Rows(Frame, tag="rows"):
    """The next bytes of the result in the form that was asked for."""

    data: bytes


class OfTable(Frame, tag="table"):
    """The Rows that follow are of this one, the first without any rows."""

    name: str


class End(Frame, tag="end"):
    rows: int


class Failure(Frame, tag="error"):
    """`fact` is the name of the class in catalog.errors."""

    fact: str
    why: str

    def raised(self) -> Exception:
        """As it was raised in the catalog process."""
        return _FACTS[self.fact](self.why)


class Status(Frame, tag="status"):
    """`rows` by table, `sizes` of files by name; `problem` is why applying has stopped, if it has."""

    applied: Position
    end: Position
    rows: dict[str, int]
    sizes: dict[str, int]
    problem: str | None = None


class Health(Frame, tag="health"):
    """How far the database is, and why applying has stopped, if it has."""

    applied: int
    problem: str | None = None


class View(msgspec.Struct):
    """`kind` is view or macro (ours), own or materialised; `refreshed` is when the rows of the last were stored."""

    name: str
    kind: str
    description: str
    statement: str
    refreshed: str | None = None


class Table(msgspec.Struct):
    """`kind` is view, macro or table; a macro's name has its parameters behind it. Rows and bytes are a table's."""

    name: str
    kind: str
    description: str
    columns: list[tuple[str, str]] = []
    rows: int = 0
    bytes: int = 0
    indexes: int = 0


class Schema(Frame, tag="schema"):
    """`version` is how many migrations the database has had."""

    tables: list[Table]
    version: int = 0


class StoredTable(msgspec.Struct):
    """A private table in row groups: `dead` rows were removed and take space yet, `unsaved` ones are in the WAL only.

    `sparse` groups are less than half full, the last one aside; `overlapping` ones have sequence numbers among those of
    groups before them.
    """

    name: str
    rows: int
    row_groups: int
    dead: int
    unsaved: int
    sparse: int
    overlapping: int
    bytes: int


class Reads(msgspec.Struct):
    """Bytes that a process read of files, and those of them that came from the disk."""

    asked: int
    from_disk: int


class Storage(Frame, tag="storage"):
    """Bytes: of the database's file, of the free blocks in it, of its WAL, and of what DuckDB holds in memory.

    `reads` are the catalog process's, None where none runs.
    """

    tables: list[StoredTable]
    size: int
    free: int
    wal: int
    buffer: int
    buffer_limit: int
    reads: Reads | None = None


class Views(Frame, tag="views"):
    views: list[View]


class Synced(Frame, tag="synced"):
    applied: Position


class Holders(Frame, tag="holders"):
    """Versions by seq, each with the first of its parts that names the body (0: it has none), and parts of uploads."""

    versions: list[tuple[int, int]]
    parts: list[tuple[str, int]]


class Named(Frame, tag="named"):
    blobs: list[bytes]


class Held(Frame, tag="held"):
    """How far the database is."""

    applied: Position


Request = (
    Sql
    | Hold
    | Release
    | AskStatus
    | AskHealth
    | AskViews
    | AskSchema
    | AskStorage
    | AskTables
    | AskCheckpoint
    | AskHolders
    | AskNamed
    | ChangeView
    | NamePoint
    | KeepValidations
    | Mend
    | Recount
    | Sync
)
Answer = (
    Columns
    | OfTable
    | Rows
    | End
    | Failure
    | Status
    | Health
    | Views
    | Schema
    | Storage
    | Synced
    | Holders
    | Named
    | Held
)

_encode = msgspec.msgpack.Encoder().encode
decode_request: Callable[[bytes], Request] = msgspec.msgpack.Decoder(Request).decode
decode_answer: Callable[[bytes], Answer] = msgspec.msgpack.Decoder(Answer).decode


def pack(frame: Frame) -> bytes:
    body = _encode(frame)
    return len(body).to_bytes(LENGTH, "big") + body
