from __future__ import annotations

from gateway.blobs.recent import MOST, Recent


def test_a_stretch_is_known_until_its_time() -> None:
    recent = Recent()
    recent.add((b"a", 1, 0), 5.0)
    assert recent.until((b"a", 1, 0)) == 5.0
    for other in ((b"b", 1, 0), (b"a", 2, 0), (b"a", 1, 1)):
        assert recent.until(other) == 0.0


def test_it_does_not_grow_without_end() -> None:
    recent = Recent()
    for number in range(3 * MOST + 1):
        recent.add((b"a", 1, number), 5.0)
    assert sum(recent.until((b"a", 1, number)) > 0 for number in range(3 * MOST + 1)) <= MOST
    assert recent.until((b"a", 1, 3 * MOST)) == 5.0
