# Install scripts are not run: no package here needs its own, and bcrypt brings its binaries along.

FROM node:24-slim AS build
WORKDIR /app
COPY package.json package-lock.json .npmrc ./
COPY packages/client/package.json packages/client/
COPY packages/console/package.json packages/console/
COPY packages/web/package.json packages/web/
RUN npm ci --ignore-scripts
COPY tsconfig.json tsconfig.build.json ./
COPY scripts/bundle-client.mjs scripts/build-web.mjs scripts/
COPY packages packages
COPY src src
RUN npm run build

FROM node:24-slim AS dependencies
WORKDIR /app
COPY package.json package-lock.json .npmrc ./
RUN npm ci --ignore-scripts --omit=dev --workspaces=false

FROM node:24-slim
ENV NODE_ENV=production DATA_DIR=/data
WORKDIR /app
# Uploaded files, and the embedded database without DATABASE_URL. Created here so that the volume belongs to the user.
RUN mkdir --mode=700 /data && chown node:node /data
COPY --from=dependencies /app/node_modules node_modules
COPY --from=build /app/dist dist
COPY migrations migrations
COPY package.json ./
# `messenger COMMAND` in the container is the command line for administrators.
RUN printf '#!/bin/sh\nexec node --max-semi-space-size=64 /app/dist/cli/main.js "$@"\n' > /usr/local/bin/messenger \
  && chmod 755 /usr/local/bin/messenger
USER node
VOLUME /data
EXPOSE 3000
HEALTHCHECK --interval=10s --timeout=5s --start-period=60s \
  CMD ["node", "-e", "fetch(`http://127.0.0.1:${process.env.PORT || 3000}/health/ready`).then(({ ok }) => process.exit(ok ? 0 : 1), () => process.exit(1))"]
CMD ["node", "--max-semi-space-size=64", "dist/main.js"]
