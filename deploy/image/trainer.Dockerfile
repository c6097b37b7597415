# syntax=docker/dockerfile:1
# The trainer on the processor:  docker build -f deploy/image/trainer.Dockerfile -t flowers-trainer .
# with CUDA, for NVIDIA GPUs:    docker build -f deploy/image/trainer.Dockerfile --build-arg DEVICE=gpu -t flowers-trainer:gpu .
# The Python packages bring CUDA; the machine brings the driver (docker run --gpus all).
ARG NODE_VERSION=24.21.0
ARG DEBIAN=bookworm

FROM node:${NODE_VERSION}-${DEBIAN}-slim AS build
WORKDIR /build
COPY . .
RUN --mount=type=cache,target=/root/.local/share/pnpm node deploy/image/app.mjs trainer /app

FROM node:${NODE_VERSION}-${DEBIAN}-slim
ARG DEVICE=cpu
# Debian keeps only the newest version of a package of its stable release, so none can be named.
# hadolint ignore=DL3008
RUN apt-get update && apt-get install -y --no-install-recommends python3.11 python3.11-venv tini \
  && rm -rf /var/lib/apt/lists/*
COPY --from=build /app /app
COPY deploy/image/environment.mjs /app/
RUN --mount=type=cache,target=/root/.cache/pip node /app/environment.mjs "${DEVICE}"
ENV NODE_ENV=production UV_THREADPOOL_SIZE=8 ORT_DISABLE_TELEMETRY=1 FLOWERS_CACHE=/runs/.cache \
  NVIDIA_VISIBLE_DEVICES=all NVIDIA_DRIVER_CAPABILITIES=compute,utility
USER 10001:10001
WORKDIR /runs
STOPSIGNAL SIGTERM
ENTRYPOINT ["/usr/bin/tini", "--", "/usr/local/bin/node", "/app/dist/cli/main.js"]
