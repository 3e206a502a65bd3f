# One image for the API and all workers; what a container holds and may do is decided by docker-compose.yml.

FROM ghcr.io/astral-sh/uv:0.13.9 AS uv

FROM python:3.11.15-slim-bookworm AS build
COPY --from=uv /uv /usr/local/bin/uv
ENV UV_COMPILE_BYTECODE=1 \
    UV_LINK_MODE=copy \
    UV_PYTHON_DOWNLOADS=never
WORKDIR /opt/opsmend
# Dependencies first: their layer is built again only when uv.lock changes.
COPY pyproject.toml uv.lock README.md LICENSE ./
RUN uv sync --frozen --no-dev --no-install-project
COPY src src
COPY deploy/policies deploy/policies
RUN uv sync --frozen --no-dev --no-editable

FROM python:3.11.15-slim-bookworm
RUN useradd --system --uid 10001 --user-group --home-dir /nonexistent --shell /usr/sbin/nologin opsmend \
    && install --directory --owner opsmend --group opsmend --mode 0700 \
       /var/lib/opsmend /var/lib/opsmend/artifacts /var/lib/opsmend/last-good
COPY --from=build /opt/opsmend/.venv /opt/opsmend/.venv
ENV PATH=/opt/opsmend/.venv/bin:$PATH \
    HOME=/tmp \
    OPSMEND_DATA_DIR=/var/lib/opsmend \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1
WORKDIR /var/lib/opsmend
USER 10001:10001
EXPOSE 8080
# Of the API, the default command; a worker serves no port, and docker-compose.yml asks Temporal whether it polls.
HEALTHCHECK --interval=10s --timeout=5s --start-period=20s --retries=6 \
    CMD ["python", "-c", "import urllib.request; urllib.request.urlopen('http://127.0.0.1:8080/healthz', timeout=4)"]
ENTRYPOINT ["opsmend"]
CMD ["api", "--host", "0.0.0.0", "--port", "8080"]
