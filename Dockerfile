# The full image has the compiler that the slim one lacks.
FROM python:3.12 AS build
WORKDIR /app
COPY pyproject.toml setup.py README.md ./
COPY catalog catalog
COPY gateway gateway
RUN pip wheel --no-cache-dir --no-deps --wheel-dir /wheels .

FROM python:3.12-slim
COPY --from=build /wheels /wheels
RUN pip install --no-cache-dir /wheels/*.whl && rm -rf /wheels \
    && useradd --system --uid 1000 ducket \
    && mkdir /data && chown ducket /data

WORKDIR /data
USER ducket
ENV DUCKET_DATA=/data DUCKET_HOST=0.0.0.0 DUCKET_PORT=9000
VOLUME /data
EXPOSE 9000
HEALTHCHECK --interval=30s --timeout=5s --start-period=10s CMD ["python", "-c", "import os, ssl, urllib.request as r; s = 's' * bool(os.environ.get('DUCKET_TLS_CERT')); r.urlopen(f'http{s}://127.0.0.1:9000/-/health/ready', timeout=4, context=ssl._create_unverified_context())"]
CMD ["ducket", "serve"]
