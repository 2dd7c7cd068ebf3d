from __future__ import annotations

import pytest

from gateway.s3.rendered import join_lines, split_lines


def test_lines_come_apart_as_they_were_put_together():
    assert split_lines(join_lines(["a: b: c\r\n", "d: \xe9\r\n", "e: \r\n"])) == [
        (b"a", b"b: c"),
        (b"d", b"\xe9"),
        (b"e", b""),
    ]
    assert split_lines(join_lines([])) == []


@pytest.mark.parametrize("value", ["a\r\nb: c", "a\nb", "a\rb", "a\0b"])
def test_a_value_that_would_end_its_line_is_refused(value):
    with pytest.raises(RuntimeError, match="header's value"):
        join_lines(["a: b\r\n", f"c: {value}\r\n"])
