# `make` alone lists what there is. Every target installs what it needs first.
.DEFAULT_GOAL := help
SHELL := /bin/bash
OLDEST_ENVOY := 1.36.2

.PHONY: help demo disturbance test test-oldest test-oldest-quick build format lint golden protos setup clean

##@ Use

demo: setup ## Play two calls through a real Envoy (KEEP=1: leave it running)
	@swift build -c release --product xds-operator
	@swift build -c release --product call-demo
	@.build/release/call-demo $(if $(KEEP),--keep)

disturbance: setup ## Measure what live calls notice, and rewrite the table of docs/calls.md (RUNS=3)
	@swift build -c release --product xds-operator
	@swift build -c release --product call-disturbance
	@.build/release/call-disturbance --runs $(or $(RUNS),3) --into docs/calls.md

##@ Develop

build: setup ## Build everything in debug mode
	@swift build

test: setup ## Run all tests: unit, golden, integration, end to end
	@swift build --build-tests
	@swift test --skip-build --skip EndToEndTests
	@swift test --skip-build --filter EndToEndTests

test-oldest: setup ## Run the end-to-end tests with the oldest Envoy supported
	@swift build --build-tests
	@ENVOY_BINARY=$$(scripts/envoy $(OLDEST_ENVOY)) swift test --skip-build --filter EndToEndTests

test-oldest-quick: setup ## Of those, the ones that depend on what Envoy makes of its configuration
	@swift build --build-tests
	@ENVOY_BINARY=$$(scripts/envoy $(OLDEST_ENVOY)) swift test --skip-build \
		--filter 'DiscoveryForm|Rejection|Connection|Forwarding|HealthCheck|Object'

golden: setup ## Rewrite the expected outputs of the golden tests
	@scripts/golden --update

protos: setup ## Generate Swift from Protos/
	@scripts/generate-protos

##@ Keep in order

format: ## Format the sources in place
	@scripts/format

lint: ## Check the format, strictly
	@scripts/format --check

setup: ## Install what is missing (apt packages, a private Python environment with Envoy)
	@scripts/setup

clean: ## Remove what was built; the Python environment stays
	@swift package clean

help:
	@awk 'BEGIN { FS = ":.*## " } \
		/^##@/ { printf "\n%s\n", substr($$0, 5) } \
		/^[a-z-]+:.*## / { printf "  make %-17s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)
