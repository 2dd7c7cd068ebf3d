"""HTTP and S3: requests on their way to the catalog and the blobs. It writes no SQL."""

from __future__ import annotations

from gateway.compiled import COMPILED

__all__ = ["COMPILED"]
