# The service in one image: the web UI is built first and embedded in the binary.
FROM node:22-bookworm-slim AS web
WORKDIR /src/web
COPY web/package.json web/package-lock.json ./
RUN npm ci
COPY web ./
RUN npm run build

FROM rust:1.95-bookworm AS build
WORKDIR /src
COPY . .
COPY --from=web /src/web/dist web/dist
RUN cargo build --release --locked --package panicle

FROM debian:bookworm-slim
# Certificates for PostgreSQL and S3 over TLS.
RUN apt-get update && apt-get install -y --no-install-recommends ca-certificates && rm -rf /var/lib/apt/lists/*
RUN useradd --system --home-dir /var/lib/panicle --create-home panicle
COPY --from=build /src/target/release/panicle /usr/local/bin/panicle
USER panicle
WORKDIR /var/lib/panicle
VOLUME /var/lib/panicle
ENTRYPOINT ["panicle"]
CMD ["serve", "--data", "/var/lib/panicle"]
