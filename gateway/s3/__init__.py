"""S3 as a protocol: botocore's service model compiled to routing, parsing and rendering, and S3's errors."""
