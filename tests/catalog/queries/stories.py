"""What a catalog is told through its own doors, beside the state that each mutation should leave, in plain Python."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from msgspec.structs import replace as altered

from catalog import Catalog
from catalog.queries import FileFilter
from catalog.records import NULL_VERSION, Bucket, Checksum, Origin, Part, Piece, Upload, Version

KEYS = ("top", "a/x", "a/b/y", "a/b/c/d/e/z", "//w", "a/[1]*.txt", "ä/%_\\", "b" * 600)
HOUR = 3_600_000

Place = tuple[str, str]  # bucket and key
Held = dict[Place, tuple[Version, ...]]  # the newest first


@dataclass(frozen=True)
class State:
    """`versioning` by bucket; uploads under way by id, with their parts by number."""

    versioning: dict[str, str] = field(default_factory=dict)
    held: Held = field(default_factory=dict)
    uploads: dict[str, tuple[str, Upload, dict[int, Part]]] = field(default_factory=dict)

    def current(self, bucket: str) -> dict[str, Version]:
        return {
            key: held[0] for (of, key), held in self.held.items() if of == bucket and held and not held[0].delete_marker
        }


@dataclass(frozen=True)
class Told:
    """Of a mutation: when, by whom, and to which version of which key (0: to which there are)."""

    time: int
    origin: Origin
    place: Place = ("", "")
    altered: int = 0


class Story:
    """`states[seq]` is what the mutation `seq` should leave, `told[seq]` what it was."""

    def __init__(self, catalog: Catalog, start: int, pause: int) -> None:
        self.catalog = catalog
        self.states = [State()]
        self.told = [Told(0, Origin())]
        self._time = start
        self._pause = pause

    @property
    def now(self) -> State:
        return self.states[-1]

    def seq_at(self, time: datetime) -> int:
        milliseconds = time.replace(tzinfo=UTC).timestamp() * 1000
        return max(seq for seq, told in enumerate(self.told) if told.time <= milliseconds)

    def time(self, seq: int) -> datetime:
        return datetime.fromtimestamp(self.told[seq].time / 1000, UTC).replace(tzinfo=None)

    async def take(self, step: str, which: int, number: int) -> None:
        """One of STEPS; nothing where there is nothing to do it to."""
        with self._clock():
            if not self.now.versioning:
                await self.create_bucket(which, number)
            else:
                await getattr(self, step)(which, number)

    @contextmanager
    def _clock(self) -> Iterator[None]:
        """Years pass in a second: the time of a mutation is what the story says."""
        self._time += self._pause
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr("catalog.commit.time.time_ns", lambda: self._time * 1_000_000)
            yield

    async def create_bucket(self, which: int, number: int) -> None:
        name = f"bucket-{which % 3}"
        if name not in self.now.versioning:
            await self.catalog.create_bucket(self._origin(number), name, f"owner-{which % 2}", "us-east-1")
            self._then(number, lambda state: state.versioning.update({name: ""}))

    async def delete_bucket(self, which: int, number: int) -> None:
        name = self._bucket(number)
        if not any(held for (of, _), held in self.now.held.items() if of == name):
            await self.catalog.delete_bucket(self._origin(number), name)
            gone = [each for each, (of, _, _) in self.now.uploads.items() if of == name]
            self._then(number, lambda state: (state.versioning.pop(name), [state.uploads.pop(each) for each in gone]))

    async def set_versioning(self, which: int, number: int) -> None:
        name, wanted = self._bucket(number), ("Enabled", "Suspended")[which % 2]
        await self.catalog.update_bucket(self._origin(number), name, lambda bucket: altered(bucket, versioning=wanted))
        self._then(number, lambda state: state.versioning.update({name: wanted}))

    async def put(self, which: int, number: int) -> None:
        draft = drafted(number)
        content = None if draft.body else bytes(number)
        made = await self.catalog.put(
            self._origin(number), self._held_bucket(number), KEYS[which], draft, content or None
        )
        self._came(self._bucket(number), KEYS[which], made, number)

    async def copy(self, which: int, number: int) -> None:
        sources = [
            (bucket, key, version)
            for bucket in self.now.versioning
            for key, version in self.now.current(bucket).items()
            if not version.parts
        ]
        if sources:
            of, key, version = sources[number % len(sources)]
            source = (self.catalog.bucket(of).id, key, version)
            made = await self.catalog.put(
                self._origin(number), self._held_bucket(which), KEYS[number % len(KEYS)], version, source=source
            )
            self._came(self._bucket(which), KEYS[number % len(KEYS)], made, number)

    async def delete(self, which: int, number: int) -> None:
        name, key = self._bucket(number), KEYS[which]
        done = await self.catalog.delete(self._origin(number), self._held_bucket(number), key)
        if self.now.versioning[name]:
            marker = Version(len(self.states), done.version_id or "", self._time, "", 0, "", "", delete_marker=True)
            self._came(name, key, marker, number)
        elif self.now.held.get((name, key)):
            self._then(number, lambda state: state.held.pop((name, key)), (name, key))

    async def delete_version(self, which: int, number: int) -> None:
        found = self._versions()
        if found:
            place, version = found[number % len(found)]
            bucket = self.catalog.bucket(place[0])
            await self.catalog.delete(self._origin(number), bucket, place[1], version.version_id)
            self._then(number, lambda state: _without(state.held, place, version), place)

    async def tag(self, which: int, number: int) -> None:
        found = [each for each in self._versions() if not each[1].delete_marker]
        if found:
            place, version = found[number % len(found)]
            tags = {"keep": str(which % 2)} if which else {}
            made = await self.catalog.update_version(
                self._origin(number),
                self.catalog.bucket(place[0]),
                place[1],
                version.version_id,
                lambda held: altered(held, tags=tags),
            )
            whole = altered(made, parts=version.parts)  # their number alone is given back
            self._then(number, lambda state: _instead(state.held, place, whole), place, made.seq)

    async def create_upload(self, which: int, number: int) -> None:
        draft = drafted(number)
        about = {"content_type": draft.content_type, "storage_class": draft.storage_class, "tags": draft.tags}
        upload = await self.catalog.create_upload(
            self._origin(number),
            self._held_bucket(number),
            Upload("", 0, KEYS[which], 0, f"owner-{number % 2}", **about),  # type: ignore[arg-type]
        )
        name = self._bucket(number)
        self._then(number, lambda state: state.uploads.update({upload.upload_id: (name, upload, {})}))

    async def put_part(self, which: int, number: int) -> None:
        found = self._an_upload(number)
        if found is not None:
            upload_id, (name, upload, parts) = found
            draft = Part(1 + which % 3, number, f"{number:032x}", 0, None)
            bucket, content = self.catalog.bucket(name), bytes(number) or None
            part = await self.catalog.put_part(self._origin(number), bucket, upload.key, upload_id, draft, content)
            held = (name, upload, {**parts, part.number: part})
            self._then(number, lambda state: state.uploads.update({upload_id: held}))

    async def complete(self, which: int, number: int) -> None:
        found = self._an_upload(number, with_parts=True)
        if found is not None:
            upload_id, (name, upload, parts) = found
            chosen = [part for _, part in sorted(parts.items())]
            draft = altered(
                drafted(number),
                body=None,
                size=sum(part.size for part in chosen),
                parts=chosen,
                etag=f"{number:032x}-{len(chosen)}",
                checksum=Checksum("CRC32", "composed", "COMPOSITE"),
                upload_id=upload_id,
            )
            bucket = self.catalog.bucket(name)
            made = await self.catalog.put(self._origin(number), bucket, upload.key, draft, upload_id=upload_id)
            self._came(name, upload.key, made, number, upload_id)

    async def abort(self, which: int, number: int) -> None:
        found = self._an_upload(number)
        if found is not None:
            upload_id, (name, upload, _) = found
            await self.catalog.abort_upload(self._origin(number), self.catalog.bucket(name), upload.key, upload_id)
            self._then(number, lambda state: state.uploads.pop(upload_id))

    def _came(self, bucket: str, key: str, made: Version, number: int, upload_id: str | None = None) -> None:
        """A null version takes the place of the null version there is; any other comes on top."""
        assert (made.version_id == NULL_VERSION) == (self.now.versioning[bucket] != "Enabled")

        def change(state: State) -> None:
            kept = [
                each
                for each in state.held.get((bucket, key), ())
                if not each.version_id == made.version_id == NULL_VERSION
            ]
            state.held[bucket, key] = (made, *kept)
            state.uploads.pop(upload_id or "", None)

        self._then(number, change, (bucket, key))

    def _then(self, number: int, change: Callable[[State], object], place: Place = ("", ""), version: int = 0) -> None:
        now = self.now
        state = replace(now, versioning={**now.versioning}, held={**now.held}, uploads={**now.uploads})
        change(state)
        self.told.append(Told(self._time, self._origin(number), place, version))
        self.states.append(state)
        assert self.catalog.end().seq == len(self.states) - 1

    def _versions(self) -> list[tuple[Place, Version]]:
        return [(place, version) for place, held in sorted(self.now.held.items()) for version in held]

    def _an_upload(
        self, number: int, with_parts: bool = False
    ) -> tuple[str, tuple[str, Upload, dict[int, Part]]] | None:
        found = [each for each in self.now.uploads.items() if each[1][2] or not with_parts]
        return found[number % len(found)] if found else None

    def _bucket(self, number: int) -> str:
        names = sorted(self.now.versioning)
        return names[number % len(names)]

    def _held_bucket(self, number: int) -> Bucket:
        return self.catalog.bucket(self._bucket(number))

    def _origin(self, number: int) -> Origin:
        return Origin(f"user-{number % 3}", "192.0.2.1", f"{len(self.states):016X}")


def drafted(number: int) -> Version:
    """What is alike in number is alike in content; all else is by its remainders."""
    return Version(
        0,
        "",
        0,
        f"{number % 7:032x}",
        number,
        ("STANDARD", "STANDARD_IA")[number % 5 == 0],
        f"owner-{number % 2}",
        checksum=None if number % 4 == 0 else Checksum("CRC32", f"sum-{number % 5}"),
        body=Piece(number, blob=(1 + number % 3).to_bytes(16, "big")) if number % 4 == 1 else None,
        content_type=("image/jpeg", "text/plain; charset=utf-8")[number % 2],
        headers={"cache-control": "no-cache"} if number % 3 else None,
        metadata={"project": f"p{number % 3}"} if number % 4 else None,
        tags={"keep": str(number % 2), "size": str(number)} if number % 3 else None,
    )


def counted(
    state: State, bucket: str | None, group: Callable[[Place, Any], str | None]
) -> dict[str | None, tuple[int, ...]]:
    found: dict[str | None, list[int]] = defaultdict(lambda: [0] * 7)
    for place, held in state.held.items():
        for at, version in enumerate(held):
            if bucket in (None, place[0]):
                counts = found[group(place, version)]
                kind = 4 if version.delete_marker else 0 if at == 0 else 2
                counts[kind] += 1
                if kind < 4:
                    counts[kind + 1] += version.size
    for name, upload, parts in state.uploads.values():
        if bucket in (None, name):
            counts = found[group((name, upload.key), upload)]
            counts[5] += 1
            counts[6] += sum(part.size for part in parts.values())
    return {name: tuple(counts) for name, counts in found.items()}


def folder(place: Place, depth: int) -> str:
    return "".join(f"{level}/" for level in place[1].split("/")[:-1][:depth])


def identities(version: Version) -> dict[str, str]:
    """What finds it, by name; the checksum as the catalog keeps it, and as S3 writes that of an object in parts."""
    checksum = version.checksum
    found = {} if checksum is None else {checksum.value: "checksum"}
    if checksum is not None and checksum.kind == "COMPOSITE":
        found[f"{checksum.value}-{version.part_count}"] = "checksum"
    return found | {version.version_id: "version_id", version.etag: "e_tag"}


def ends_of_periods(story: Story, bucket: str, every: str, until: date) -> Iterator[tuple[date, State]]:
    """Each period from the making of the bucket on, by its first day, and what it ended with."""
    made = max(seq for seq, state in enumerate(story.states) if bucket not in state.versioning) + 1
    day, today = story.time(made).date(), datetime.now(UTC).date()
    while day <= today and (period := first_of(day, every)) <= until:
        following = day + timedelta(1)
        if first_of(following, every) != period or day == today:
            yield period, story.states[story.seq_at(datetime(day.year, day.month, day.day, 23, 59, 59, 999_999))]
        day = following


def first_of(day: date, every: str) -> date:
    return {"day": day, "week": day - timedelta(day.weekday()), "month": day.replace(day=1)}[every]


def fits(matching: FileFilter, key: str, version: Version) -> bool:
    modified = datetime.fromtimestamp(version.modified / 1000, UTC)
    age = datetime.now(UTC) - modified
    tags, metadata = version.tags or {}, version.metadata or {}
    marker = version.delete_marker
    return all(
        (
            key.startswith(matching.prefix),
            matching.glob is None or globbed(matching.glob, key),
            all(name in tags and value in (None, tags[name]) for name, value in matching.tags.items()),
            all(name in metadata and value in (None, metadata[name]) for name, value in matching.metadata.items()),
            matching.min_size is None or (not marker and version.size >= matching.min_size),
            matching.max_size is None or (not marker and version.size <= matching.max_size),
            matching.min_age is None or age >= matching.min_age,
            matching.max_age is None or age <= matching.max_age,
            matching.content_type is None or (not marker and globbed(matching.content_type, version.content_type)),
            matching.storage_class is None or (not marker and version.storage_class == matching.storage_class),
        )
    )


def globbed(pattern: str, text: str) -> bool:
    said = "".join({"*": ".*", "?": "."}.get(each, re.escape(each)) for each in pattern)
    return re.fullmatch(said, text, re.DOTALL) is not None


def bodies(held: Version | Part) -> dict[str, int | None]:
    """Where its bytes lie, each with the part that names them, if it is one of a version's."""
    parts = held.parts if isinstance(held, Version) and isinstance(held.parts, list) else []
    pieces = [(None, held.body if isinstance(held, Version) else held.piece)]
    pieces += [(part.number, part.piece) for part in reversed(parts)]
    return {
        piece.blob.hex() if piece.blob else f"{piece.segment:016x}.log:{piece.offset}": number
        for number, piece in pieces
        if piece is not None
    }


def _without(held: Held, place: Place, version: Version) -> None:
    left = tuple(each for each in held[place] if each.seq != version.seq)
    if left:
        held[place] = left
    else:
        del held[place]


def _instead(held: Held, place: Place, version: Version) -> None:
    held[place] = tuple(version if each.seq == version.seq else each for each in held[place])


# By how often they are taken.
STEPS = (
    *("put",) * 6,
    *("delete_version",) * 5,
    *("tag",) * 3,
    *("delete", "copy", "put_part") * 2,
    *("set_versioning", "create_upload", "complete", "abort", "create_bucket", "delete_bucket"),
)
