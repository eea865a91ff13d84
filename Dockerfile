# The service as an image: dependencies from the lock, then the package itself; runs as a user without rights.
FROM python:3.12-slim

RUN useradd --system --create-home --home-dir /var/lib/tmf-sales tmf-sales
WORKDIR /opt/tmf-sales
COPY requirements.lock ./
RUN pip install --no-cache-dir --require-hashes -r requirements.lock
COPY pyproject.toml README.md LICENSE NOTICE ./
COPY openapi ./openapi
COPY src ./src
RUN pip install --no-cache-dir --no-deps .

USER tmf-sales
WORKDIR /var/lib/tmf-sales
EXPOSE 8080
ENTRYPOINT ["tmf-sales"]
CMD ["serve"]
