# The base by digest, where it should never change beneath you:
#   docker buildx imagetools inspect node:24.21.0-bookworm-slim --format '{{.Manifest.Digest}}'
#   docker build --build-arg NODE_IMAGE=node:24.21.0-bookworm-slim@sha256:… .
# Debian 12 has glibc 2.36; the ONNX runtime wants 2.28.
ARG NODE_IMAGE=node:24.21.0-bookworm-slim

FROM ${NODE_IMAGE} AS build
WORKDIR /app
COPY package.json package-lock.json .npmrc ./
RUN npm ci --ignore-scripts
COPY tsconfig.json tsconfig.build.json ./
COPY src ./src
COPY playground ./playground
RUN npm run build && npm prune --omit=dev --ignore-scripts
# 243 MB of the runtime's binaries are for other systems and processors; maps of packages are for debuggers
RUN find node_modules -name '*.map' -delete && \
  find node_modules/onnxruntime-node/bin/napi-v6 -mindepth 1 -maxdepth 2 \
    ! -path '*/linux' ! -path "*/linux/$(node -p process.arch)" -prune -exec rm -r {} +

FROM ${NODE_IMAGE} AS server
ENV NODE_ENV=production HOST=0.0.0.0 PORT=8080
WORKDIR /app
COPY --from=build /app/node_modules ./node_modules
COPY --from=build /app/dist ./dist
COPY package.json LICENSE NOTICE ./
COPY openapi/openapi.json ./openapi/
COPY models/lavit-mini ./models/lavit-mini
USER 1000:1000
EXPOSE 8080
# Running work has LAVIT_GRACE_MS (10 s) to finish; what hangs is cut off 2 s later, the process ends after 8: docker stop --time 20
STOPSIGNAL SIGTERM
# While the model loads the container is starting, while the server drains it is unhealthy
HEALTHCHECK --interval=10s --timeout=3s --start-period=60s \
  CMD ["node", "-e", "fetch(`http://127.0.0.1:${process.env.PORT?.trim() || 8080}/health/ready`).then(answer => process.exit(answer.ok ? 0 : 1), () => process.exit(1))"]
CMD ["node", "dist/server.js"]

# For a GPU, through WebGPU over Vulkan. The loader is here; the driver is the host's: that of NVIDIA comes in with
# `--gpus all`, and wants the libraries of X and GL. Not run on a GPU yet.
FROM server AS webgpu
USER 0:0
# hadolint ignore=DL3008
RUN apt-get update && apt-get install -y --no-install-recommends libvulkan1 libegl1 libgl1 libx11-6 libxext6 && \
  rm -rf /var/lib/apt/lists/*
USER 1000:1000
ENV LAVIT_DEVICE=webgpu NVIDIA_VISIBLE_DEVICES=all NVIDIA_DRIVER_CAPABILITIES=compute,utility,graphics

# The default: the last one
FROM server AS cpu
ENV LAVIT_DEVICE=cpu
