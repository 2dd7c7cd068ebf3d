from __future__ import annotations

import pytest
from hypothesis import settings

from catalog.index import composed
from catalog.records import Part

# A busy machine is no failure.
settings.register_profile("ducket", deadline=None)
settings.load_profile("ducket")


@pytest.fixture
def decoded(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How many parts each decoding had."""
    counts: list[int] = []
    decode = composed.decode_parts

    def counting(raw: bytes) -> list[Part]:
        parts = decode(raw)
        counts.append(len(parts))
        return parts

    monkeypatch.setattr(composed, "decode_parts", counting)
    return counts
