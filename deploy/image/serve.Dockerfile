# syntax=docker/dockerfile:1
# The service:  docker build -f deploy/image/serve.Dockerfile -t flowers-serve .
ARG NODE_VERSION=24.21.0
ARG DEBIAN=bookworm

FROM node:${NODE_VERSION}-${DEBIAN}-slim AS build
# Debian keeps only the newest version of a package of its stable release, so none can be named.
# hadolint ignore=DL3008
RUN apt-get update && apt-get install -y --no-install-recommends libjemalloc2 tini && rm -rf /var/lib/apt/lists/*
WORKDIR /build
COPY . .
RUN --mount=type=cache,target=/root/.local/share/pnpm node deploy/image/root.mjs /root-of-image

# Files of Debian that are loaded, and no more: no shell, no package manager.
FROM scratch
COPY --from=build /root-of-image /
ENV NODE_ENV=production HOST=0.0.0.0 PORT=3000 MODELS_DIR=/models LD_PRELOAD=/usr/lib/libjemalloc.so.2
USER 10001:10001
EXPOSE 3000
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=30s --timeout=3s --start-period=60s --start-interval=1s \
  CMD ["/usr/local/bin/node", "/app/health.mjs"]
ENTRYPOINT ["/usr/bin/tini-static", "--", "/usr/local/bin/node", "/app/dist/main.js"]
