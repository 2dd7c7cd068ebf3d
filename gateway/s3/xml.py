"""XML as S3 writes it."""

from __future__ import annotations

PROLOG = '<?xml version="1.0" encoding="UTF-8"?>\n'
NAMESPACE = "http://s3.amazonaws.com/doc/2006-03-01/"
XSI = "http://www.w3.org/2001/XMLSchema-instance"


def escape(text: str) -> str:
    """Text fit to stand in an element; what XML 1.0 cannot hold becomes a character reference.

    https://docs.aws.amazon.com/AmazonS3/latest/userguide/object-keys.html#object-key-xml-related-constraints
    """
    if "&" in text or "<" in text or ">" in text or '"' in text or not text.isprintable():
        return text.translate(_ESCAPES)
    return text


_ESCAPES: dict[int, str] = {
    **{number: f"&#x{number:x};" for number in (*range(32), 0xFFFE, 0xFFFF) if chr(number) not in "\t\n\r"},
    **{ord("&"): "&amp;", ord("<"): "&lt;", ord(">"): "&gt;", ord('"'): "&quot;", ord("\r"): "&#13;"},
}
