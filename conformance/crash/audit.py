"""Holds the record against what the server says, what the database says, and what lies in the data folder."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import groupby
from pathlib import Path

from catalog.database.client import query
from conformance.crash.client import Body, Client, Listed, Refused
from conformance.crash.ledger import ABSENT, Entry, Key, Ledger, State
from conformance.server import Server

VERSIONS = (
    "SELECT bucket, key, version_id, is_delete_marker, is_latest, coalesce(size, 0), coalesce(e_tag, '')"
    " FROM versions ORDER BY bucket, key, seq DESC"
)


def audit_server(server: Server, ledgers: list[Ledger], buckets: Iterable[str]) -> None:
    """Raises AssertionError. What was in doubt is certain afterwards: the ledgers say what was found."""
    client = Client(server)
    listed = {bucket: client.list_versions(bucket) for bucket in buckets}
    for bucket, versions in listed.items():
        found = {key: _read(client, bucket, list(group)) for key, group in groupby(versions, lambda each: each.key)}
        for ledger in ledgers:
            _check_states(ledger, bucket, found)
        _check_claims(ledgers, bucket, found)
        assert not found, f"nobody wrote {sorted(found)} in {bucket}"
        _check_currents(client, bucket, versions)
    _check_uploads(client, ledgers, listed)
    _check_database(server.data, listed)
    client.close()


def _read(client: Client, bucket: str, versions: list[Listed]) -> State:
    """Every version of a key, read whole; listing and answer must agree."""
    assert [each.latest for each in versions] == [True] + [False] * (len(versions) - 1), versions
    state = []
    for each in versions:
        if each.marker:
            state.append(Entry(None, each.version_id, ""))
            continue
        body, etag = client.get(bucket, each.key, each.version_id)
        assert (body.size, etag) == (each.size, each.etag), f"{bucket}/{each.key} is listed as {each}"
        state.append(Entry(body, each.version_id, etag))
    return tuple(state)


def _check_states(ledger: Ledger, bucket: str, found: dict[str, State]) -> None:
    for place in [place for place in ledger.states if place[0] == bucket]:
        there, allowed = found.pop(place[1], ABSENT), ledger.states[place]
        assert any(map(_agree, [there] * len(allowed), allowed)), f"{place}: {there} is none of {allowed}"
        ledger.settle(place, there)


def _agree(there: State, recorded: State) -> bool:
    return len(there) == len(recorded) and all(
        one.body == other.body
        and other.version_id in (None, one.version_id)
        and (other.body is None or other.etag in (None, one.etag))
        for one, other in zip(there, recorded, strict=True)
    )


def _check_claims(ledgers: list[Ledger], bucket: str, found: dict[str, State]) -> None:
    """Of all who wrote a key on the condition that it was not there, one succeeded, and it has what that one put."""
    claims: dict[str, list[tuple[Body, bool]]] = {}
    for ledger in ledgers:
        for (place, key), claim in ledger.claims.items():
            if place == bucket:
                claims.setdefault(key, []).append(claim)
    for key, made in claims.items():
        winners = [body for body, certain in made if certain]
        assert len(winners) < 2, f"{len(winners)} were the first at {bucket}/{key}"
        bodies = [entry.body for entry in found.pop(key, ABSENT)]
        allowed = [winners] if winners else [[], *([body] for body, _ in made)]
        assert bodies in allowed, f"{bucket}/{key}: {bodies} is none of {allowed}"
        _settle_claims(ledgers, (bucket, key), bodies)


def _settle_claims(ledgers: list[Ledger], place: Key, bodies: list[Body | None]) -> None:
    for ledger in ledgers:
        claim = ledger.claims.pop(place, None)
        if claim is not None and claim[0] in bodies:
            ledger.claims[place] = (claim[0], True)


def _check_currents(client: Client, bucket: str, versions: list[Listed]) -> None:
    """What is read without a version id is the newest version, in the listing of objects as by GET and HEAD."""
    current = {each.key: each for each in versions if each.latest and not each.marker}
    listed = client.list_objects(bucket)
    assert [(each.key, each.etag, each.size) for each in listed] == [
        (each.key, each.etag, each.size) for each in current.values()
    ]
    assert listed == sorted(listed, key=lambda each: each.key.encode())
    for each in listed:
        assert client.get(bucket, each.key)[1] == client.head(bucket, each.key) == each.etag
    for key in {each.key for each in versions} - set(current):
        try:
            client.get(bucket, key)
        except Refused as refusal:
            assert refusal.code == "NoSuchKey"
        else:
            raise AssertionError(f"{bucket}/{key} is deleted, and there")


def _check_uploads(client: Client, ledgers: list[Ledger], buckets: Iterable[str]) -> None:
    found = {(bucket, *upload) for bucket in buckets for upload in client.list_uploads(bucket)}
    for ledger in ledgers:
        for name, upload in list(ledger.uploads.items()):
            if name not in found:
                assert upload.ending, f"the upload {name} is gone"
                del ledger.uploads[name]
                continue
            found.discard(name)
            upload.ending = False
            parts = client.list_parts(*name)
            assert set(parts) <= set(upload.parts), f"{name} has parts {parts}"
            for number, etags in list(upload.parts.items()):
                assert parts.get(number) in etags, f"part {number} of {name}"
                if number in parts:
                    upload.parts[number] = {parts[number]}
                else:
                    del upload.parts[number]
    strays = sum(ledger.strays for ledger in ledgers)
    assert len(found) <= strays, f"nobody began {found}"
    for name in found:
        client.abort(*name)
    for ledger in ledgers:
        ledger.strays = 0


def _check_database(data: Path, listed: dict[str, list[Listed]]) -> None:
    """SQL says what the listings say."""
    rows = query(data, VERSIONS).rows
    expected = [
        (bucket, each.key, each.version_id, each.marker, each.latest, each.size, each.etag.strip('"'))
        for bucket, versions in sorted(listed.items())
        for each in versions
    ]
    assert rows == expected
