# One image for every program; its architecture is that of the build: docker buildx build --platform linux/amd64,linux/arm64 .
FROM node:24.21.0-bookworm-slim AS build
WORKDIR /build
COPY package.json package-lock.json .npmrc ./
RUN npm ci --ignore-scripts --no-audit --no-fund
COPY . .
RUN node deploy/bundle.ts dist

# Node and the C library, and no shell.
FROM gcr.io/distroless/nodejs24-debian12
WORKDIR /app
COPY LICENSE /app/
COPY --from=build /build/dist/ /app/
# The speaker's manifest says otherwise: only the first user can be given a capability.
USER 65532:65532
# A package of a package still asks for `punycode`: nothing that whoever reads the log could mend.
ENTRYPOINT ["/nodejs/bin/node", "--disable-warning=DEP0040"]
CMD ["/app/operator.mjs", "--help"]
