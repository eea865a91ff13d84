# The service as an image: the locked versions, then the package itself, run by an unprivileged numeric user.
#
#   docker build --build-arg REVISION="$(git rev-parse HEAD)" --tag tmf-sales .
#   docker run --publish 8080:8080 --env TMF_SALES_ALLOW_ANONYMOUS=true tmf-sales
#
# Inside a container the service listens on every address, so it refuses to start until it is told who may call it:
# TMF_SALES_JWT_ISSUER or TMF_SALES_API_KEYS, or TMF_SALES_ALLOW_ANONYMOUS=true where everybody may do everything.
FROM python:3.12-slim AS build

WORKDIR /build
COPY requirements-install.lock requirements.lock ./
RUN python -m venv /opt/tmf-sales \
    && python -m venv /build/tools \
    && /build/tools/bin/pip install --no-cache-dir --require-hashes --requirement requirements-install.lock \
    && /build/tools/bin/uv pip install --no-cache --python /opt/tmf-sales/bin/python --require-hashes --requirement requirements.lock
COPY pyproject.toml README.md LICENSE NOTICE ./
COPY openapi ./openapi
COPY src ./src
# hatchling is in the lock, so that nothing unlocked builds the package.
RUN /build/tools/bin/uv pip install --no-cache --python /opt/tmf-sales/bin/python --no-deps --no-build-isolation . \
    && /opt/tmf-sales/bin/python -m compileall -q /opt/tmf-sales/lib

FROM python:3.12-slim

ARG REVISION=unknown
LABEL org.opencontainers.image.title="tmf-sales" \
      org.opencontainers.image.description="TM Forum TMF699 Sales Management and TMF648 Quote Management as a service" \
      org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.revision="${REVISION}"

COPY --from=build /opt/tmf-sales /opt/tmf-sales
RUN mkdir /var/lib/tmf-sales && chown 10001:10001 /var/lib/tmf-sales

ENV PATH="/opt/tmf-sales/bin:${PATH}" \
    TMF_SALES_HOST=0.0.0.0 \
    TMF_SALES_STORE=sqlite:///var/lib/tmf-sales/tmf-sales.sqlite
# A number, because Kubernetes cannot tell whether a named user is root (runAsNonRoot).
USER 10001:10001
WORKDIR /var/lib/tmf-sales
VOLUME ["/var/lib/tmf-sales"]
EXPOSE 8080
HEALTHCHECK --interval=10s --timeout=3s --start-period=20s \
    CMD ["python", "-c", "import os, urllib.request as http; http.urlopen(f\"http://127.0.0.1:{os.environ.get('TMF_SALES_PORT', '8080')}/live\", timeout=2)"]
ENTRYPOINT ["tmf-sales"]
CMD ["serve"]
