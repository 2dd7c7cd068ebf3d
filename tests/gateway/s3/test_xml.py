"""Whatever a key holds, the document stays XML and says the same."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lxml import etree

from gateway.s3.xml import escape


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("photos/2026/a.jpeg", "photos/2026/a.jpeg"),
        ("a & b", "a &amp; b"),
        ("<'\">", "&lt;'&quot;&gt;"),
        ("a\r\nb\tc", "a&#13;\nb\tc"),
        ("\x01\x1f\ufffe", "&#x1;&#x1f;&#xfffe;"),
        ("é \U0001f600 \u00a0", "é \U0001f600 \u00a0"),
        ("", ""),
    ],
)
def test_escape(text, written):
    assert escape(text) == written


@given(st.text(st.characters(exclude_categories=["Cc", "Cs"], exclude_characters="\ufffe\uffff")))
def test_what_xml_can_hold_comes_back(text):
    assert (etree.fromstring(f"<a>{escape(text)}</a>".encode()).text or "") == text
