"""A multipart upload in few words."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any


@dataclass
class Upload:
    """An upload under way; `parts` holds what CompleteMultipartUpload wants to be told."""

    s3: Any
    bucket: str
    key: str
    id: str
    parts: list[dict[str, Any]] = field(default_factory=list)

    @classmethod
    def begin(cls, s3: Any, bucket: str, key: str = "key", **options: Any) -> Upload:
        answer = s3.create_multipart_upload(Bucket=bucket, Key=key, **options)
        return cls(s3, bucket, key, answer["UploadId"])

    @property
    def named(self) -> dict[str, str]:
        return {"Bucket": self.bucket, "Key": self.key, "UploadId": self.id}

    def put(self, *bodies: bytes, first: int = 1, **options: Any) -> Upload:
        for number, body in enumerate(bodies, first):
            answer = self.s3.upload_part(PartNumber=number, Body=body, **options, **self.named)
            self.parts.append({"PartNumber": number, "ETag": answer["ETag"]})
        return self

    def put_with_checksum(self, algorithm: str, *bodies: bytes) -> Upload:
        """Each part's checksum is noted too, as a composite needs it."""
        for number, body in enumerate(bodies, 1):
            answer = self.s3.upload_part(PartNumber=number, Body=body, ChecksumAlgorithm=algorithm, **self.named)
            kept = {name: answer[name] for name in ("ETag", f"Checksum{algorithm}")}
            self.parts.append(kept | {"PartNumber": number})
        return self

    def complete(self, parts: list[dict[str, Any]] | None = None, **options: Any) -> Any:
        chosen = {"Parts": self.parts if parts is None else parts}
        return self.s3.complete_multipart_upload(MultipartUpload=chosen, **options, **self.named)

    def abort(self) -> Any:
        return self.s3.abort_multipart_upload(**self.named)
