FROM python:3.13-slim

WORKDIR /app
COPY requirements.lock pyproject.toml README.md LICENSE ./
RUN pip install --no-cache-dir --require-hashes --no-deps --requirement requirements.lock
COPY alembic alembic
COPY pricing_sources pricing_sources
COPY service service
RUN pip install --no-cache-dir --no-deps --no-build-isolation . \
    && useradd --create-home --uid 1000 costplan
USER costplan
EXPOSE 8000
CMD ["costplan", "serve"]
