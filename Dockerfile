# The server of compose.yaml. Postgres and Redis are other services of that stack.
FROM python:3.12-slim

ENV PYTHONDONTWRITEBYTECODE=1 PYTHONUNBUFFERED=1

WORKDIR /app

# Every requirement is listed and pinned, so pip resolves nothing. They come first,
# because they change rarely and the build then reuses their layer.
COPY requirements.txt ./
RUN pip install --no-cache-dir --require-hashes --no-deps --requirement requirements.txt

COPY pyproject.toml requirements.in ./
COPY domain domain
COPY commands commands
COPY projections projections
COPY api api
COPY processors processors
COPY infra infra
RUN pip install --no-cache-dir --no-deps --no-build-isolation --no-index .

RUN useradd --system --no-create-home bourse \
    && install --directory --owner=bourse --group=bourse /var/lib/bourse
USER bourse
WORKDIR /var/lib/bourse

EXPOSE 8000
CMD ["bourse", "run"]
