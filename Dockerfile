# The server of compose.yaml. Its Postgres and Redis are services beside it.
FROM python:3.12-slim

ENV PYTHONDONTWRITEBYTECODE=1 PYTHONUNBUFFERED=1

WORKDIR /app

# The requirements are all there is to install, each pinned: nothing is resolved.
# First what changes rarely: the layer of the requirements is kept between builds.
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
