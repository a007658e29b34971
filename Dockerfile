FROM node:24.21.0-slim AS build
WORKDIR /app
COPY package.json package-lock.json .npmrc ./
RUN npm ci --ignore-scripts
COPY tsconfig.json tsconfig.build.json ./
COPY src ./src
COPY playground ./playground
RUN npm run build && npm prune --omit=dev --ignore-scripts
# 243 MB of the runtime's binaries are for other systems and processors
RUN cd node_modules/onnxruntime-node/bin/napi-v6 && rm -r darwin win32 && cd linux && \
  find . -mindepth 1 -maxdepth 1 ! -name "$(node -p process.arch)" -exec rm -r {} +

FROM node:24.21.0-slim
ENV NODE_ENV=production HOST=0.0.0.0 PORT=8080
WORKDIR /app
COPY --from=build /app/node_modules ./node_modules
COPY --from=build /app/dist ./dist
COPY package.json LICENSE NOTICE ./
COPY openapi/openapi.json ./openapi/
COPY models/lavit-mini ./models/lavit-mini
USER node
EXPOSE 8080
# While the model loads the container is starting, while the server drains it is unhealthy
HEALTHCHECK --interval=10s --timeout=3s --start-period=60s \
  CMD ["node", "-e", "fetch(`http://127.0.0.1:${process.env.PORT?.trim() || 8080}/health/ready`).then(answer => process.exit(answer.ok ? 0 : 1), () => process.exit(1))"]
CMD ["node", "dist/server.js"]
