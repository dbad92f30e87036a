# syntax=docker/dockerfile:1
# The operator on Debian, with the libraries it needs and no more. Builds natively on amd64 and arm64:
#   make docker-build IMG=registry.example.com/xds-operator:0.1.0
# scripts/prove-image builds what stage `runtime` describes without a container engine, and runs it.

ARG SWIFT_VERSION=6.3.1
ARG DEBIAN_RELEASE=bookworm

FROM swift:${SWIFT_VERSION}-${DEBIAN_RELEASE} AS build
RUN apt-get update \
    && apt-get install --yes --no-install-recommends \
        libcurl4-openssl-dev \
        libnghttp2-dev \
        libssl-dev \
        pkg-config \
        python3 \
    && rm -rf /var/lib/apt/lists/*
WORKDIR /source
COPY . .
# The Swift runtime goes into the program: the image needs no Swift.
RUN swift build -c release --static-swift-stdlib --product xds-operator \
    && install -D --strip .build/release/xds-operator /out/xds-operator
# Scanners find Debian's packages by themselves, but not what is linked into the program.
RUN scripts/sbom --output /out/xds-operator.cdx.json

FROM debian:${DEBIAN_RELEASE}-slim AS runtime
RUN apt-get update \
    && apt-get install --yes --no-install-recommends \
        ca-certificates \
        libcurl4 \
        libnghttp2-14 \
        libssl3 \
    && rm -rf /var/lib/apt/lists/* /var/cache/debconf/*-old /var/log/*.log /var/log/apt
COPY --from=build /out/xds-operator /usr/local/bin/xds-operator
COPY --from=build /out/xds-operator.cdx.json /usr/share/sbom/xds-operator.cdx.json

ARG VERSION=0.1.0
ARG REVISION=unknown
LABEL org.opencontainers.image.title="xds-operator" \
    org.opencontainers.image.description="Configures Envoys for UDP and TCP from VirtualService objects, over delta xDS" \
    org.opencontainers.image.version="${VERSION}" \
    org.opencontainers.image.revision="${REVISION}" \
    org.opencontainers.image.licenses="Apache-2.0"

# By number, so that Kubernetes can tell that it is not root.
USER 65532:65532
EXPOSE 18000 8080 8081
# For engines without probes; Kubernetes ignores it. The shell opens the connection, since the image has no HTTP client.
HEALTHCHECK --interval=10s --timeout=5s --start-period=30s --retries=3 \
    CMD ["bash", "-c", "exec 3<>/dev/tcp/127.0.0.1/8081 && printf 'GET /healthz HTTP/1.0\\r\\nHost: health\\r\\nConnection: close\\r\\n\\r\\n' >&3 && grep --quiet ' 200 ' <&3"]
STOPSIGNAL SIGTERM
ENTRYPOINT ["xds-operator"]
CMD ["serve"]
