"""A small S3 client that tries once, keeps its connection, and tells a refusal from a silence."""

from __future__ import annotations

import hashlib
from contextlib import ExitStack
from dataclasses import dataclass
from http.client import HTTPException

from conformance.raw import Answer, Connection, Raw
from conformance.server import Server
from conformance.signing import Headers, Query

PAGE = "1000"


class Unanswered(Exception):
    """The connection broke, or the server failed: the request was carried out or was not."""


class Refused(Exception):
    """An answer that says that nothing was done."""

    def __init__(self, status: int, code: str) -> None:
        super().__init__(status, code)
        self.status = status
        self.code = code


@dataclass(frozen=True)
class Body:
    """What a body is known by."""

    size: int
    sha256: str

    @classmethod
    def of(cls, content: bytes) -> Body:
        return cls(len(content), hashlib.sha256(content).hexdigest())


@dataclass(frozen=True)
class Listed:
    """An entry of a listing; `version_id` "" where the listing has none."""

    key: str
    etag: str
    size: int
    version_id: str = ""
    marker: bool = False
    latest: bool = True


class Client:
    """For one thread."""

    def __init__(self, server: Server) -> None:
        self._raw = Raw(server)
        self._held = ExitStack()
        self._connection: Connection | None = None

    def put(self, bucket: str, key: str, content: bytes, headers: Headers | None = None) -> tuple[str, str]:
        """ETag and version id ("" where none is told)."""
        answer = self.ask("PUT", f"/{bucket}/{key}", headers=headers, body=content)
        return answer.header("etag") or "", answer.header("x-amz-version-id") or ""

    def copy(self, bucket: str, key: str, source: str) -> tuple[str, str]:
        answer = self.ask("PUT", f"/{bucket}/{key}", headers={"x-amz-copy-source": source})
        if answer.text("Code"):
            raise Unanswered(answer.code)
        return answer.text("ETag") or "", answer.header("x-amz-version-id") or ""

    def delete(self, bucket: str, key: str, version_id: str = "") -> str:
        """The id of the version that ended, or of the marker that came."""
        answer = self.ask("DELETE", f"/{bucket}/{key}", {"versionId": version_id} if version_id else None)
        return answer.header("x-amz-version-id") or ""

    def get(self, bucket: str, key: str, version_id: str = "") -> tuple[Body, str]:
        """Body and ETag."""
        answer = self.ask("GET", f"/{bucket}/{key}", {"versionId": version_id} if version_id else None)
        return Body.of(answer.body), answer.header("etag") or ""

    def fetch(self, bucket: str, key: str) -> bytes:
        return self.ask("GET", f"/{bucket}/{key}").body

    def head(self, bucket: str, key: str) -> str:
        return self.ask("HEAD", f"/{bucket}/{key}").header("etag") or ""

    def create_bucket(self, bucket: str, versioned: bool = False) -> None:
        self.ask("PUT", f"/{bucket}")
        if versioned:
            document = b"<VersioningConfiguration><Status>Enabled</Status></VersioningConfiguration>"
            self.ask("PUT", f"/{bucket}", {"versioning": ""}, body=document)

    def create_upload(self, bucket: str, key: str) -> str:
        return self.ask("POST", f"/{bucket}/{key}", {"uploads": ""}).text("UploadId") or ""

    def put_part(self, bucket: str, key: str, upload_id: str, number: int, content: bytes) -> str:
        query = {"uploadId": upload_id, "partNumber": str(number)}
        return self.ask("PUT", f"/{bucket}/{key}", query, body=content).header("etag") or ""

    def complete(self, bucket: str, key: str, upload_id: str, parts: dict[int, str]) -> tuple[str, str]:
        named = "".join(
            f"<Part><PartNumber>{number}</PartNumber><ETag>{etag}</ETag></Part>" for number, etag in parts.items()
        )
        document = f"<CompleteMultipartUpload>{named}</CompleteMultipartUpload>".encode()
        answer = self.ask("POST", f"/{bucket}/{key}", {"uploadId": upload_id}, body=document)
        return answer.text("ETag") or "", answer.header("x-amz-version-id") or ""

    def abort(self, bucket: str, key: str, upload_id: str) -> None:
        self.ask("DELETE", f"/{bucket}/{key}", {"uploadId": upload_id})

    def list_objects(self, bucket: str) -> list[Listed]:
        found: list[Listed] = []
        query: Query = {"list-type": "2", "max-keys": PAGE}
        while True:
            answer = self.ask("GET", f"/{bucket}", query)
            found += [
                Listed(key, etag, int(size))
                for key, etag, size in zip(
                    answer.texts("Contents/Key"),
                    answer.texts("Contents/ETag"),
                    answer.texts("Contents/Size"),
                    strict=True,
                )
            ]
            token = answer.text("NextContinuationToken")
            if not token:
                return found
            query["continuation-token"] = token

    def list_versions(self, bucket: str) -> list[Listed]:
        found: list[Listed] = []
        query: Query = {"versions": "", "max-keys": PAGE}
        while True:
            answer = self.ask("GET", f"/{bucket}", query)
            for element in answer.root:
                kind = element.tag.rpartition("}")[2]
                if kind in ("Version", "DeleteMarker"):
                    texts = {child.tag.rpartition("}")[2]: child.text or "" for child in element}
                    found.append(
                        Listed(
                            texts["Key"],
                            texts.get("ETag", ""),
                            int(texts.get("Size", 0)),
                            texts["VersionId"],
                            kind == "DeleteMarker",
                            texts["IsLatest"] == "true",
                        )
                    )
            if answer.text("IsTruncated") != "true":
                return found
            query["key-marker"] = answer.text("NextKeyMarker") or ""
            query["version-id-marker"] = answer.text("NextVersionIdMarker") or ""

    def list_uploads(self, bucket: str) -> list[tuple[str, str]]:
        """Keys and upload ids."""
        answer = self.ask("GET", f"/{bucket}", {"uploads": ""})
        return list(zip(answer.texts("Upload/Key"), answer.texts("Upload/UploadId"), strict=True))

    def list_parts(self, bucket: str, key: str, upload_id: str) -> dict[int, str]:
        """ETags by number."""
        answer = self.ask("GET", f"/{bucket}/{key}", {"uploadId": upload_id})
        return dict(zip(map(int, answer.texts("Part/PartNumber")), answer.texts("Part/ETag"), strict=True))

    def ask(
        self, method: str, path: str, query: Query | None = None, headers: Headers | None = None, body: bytes = b""
    ) -> Answer:
        """Raises Refused and Unanswered."""
        request = self._raw.prepare(method, path, query, headers, body)
        try:
            if self._connection is None:
                self._connection = self._held.enter_context(self._raw.connect())
            answer = self._connection.exchange(request)
        except (OSError, HTTPException) as problem:
            self.close()
            raise Unanswered(repr(problem)) from problem
        if answer.header("connection") == "close":
            self.close()
        if answer.status < 400:
            return answer
        code = (answer.code or "") if answer.body else ""
        if answer.status >= 500 and code not in ("InsufficientStorage", "SlowDown"):
            raise Unanswered(f"{answer.status} {code}")
        raise Refused(answer.status, code)

    def close(self) -> None:
        self._held.close()
        self._connection = None
