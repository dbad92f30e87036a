# `make` alone lists what there is. Every target installs what it needs first.
.DEFAULT_GOAL := help
SHELL := /bin/bash

.PHONY: help demo test build bench bench-short bench-plots bench-build format lint golden protos setup clean

BENCHMARKS := Benchmarks/.build/release/xds-benchmarks

##@ Use

demo: setup ## Play two calls through a real Envoy (KEEP=1: leave it running)
	@swift build -c release --product xds-operator
	@swift build -c release --product call-demo
	@.build/release/call-demo $(if $(KEEP),--keep)

##@ Develop

build: setup ## Build everything in debug mode
	@swift build

test: setup ## Run all tests: unit, golden, integration, end to end
	@swift build --build-tests
	@swift test --skip-build --skip EndToEndTests
	@swift test --skip-build --filter EndToEndTests

golden: setup ## Rewrite the expected outputs of the golden tests
	@scripts/golden --update

protos: setup ## Generate Swift from Protos/
	@scripts/generate-protos

##@ Measure

bench: bench-build ## Measure everything against targets, floor and peer (half an hour, on a quiet machine)
	@$(BENCHMARKS) --sweep
	@$(MAKE) --no-print-directory bench-plots

bench-short: bench-build ## The same in under 5 minutes, less exactly
	@$(BENCHMARKS) --short

bench-plots: setup ## Draw the plots of docs/performance.md from the last `make bench`
	@.venv/bin/python Benchmarks/plots Benchmarks/results/benchmarks.json docs/images

bench-build: setup
	@swift build -c release --product xds-operator
	@swift build -c release --product kube-api-simulator
	@swift build -c release --package-path Benchmarks --product floor
	@swift build -c release --package-path Benchmarks --product xds-load
	@swift build -c release --package-path Benchmarks --product xds-benchmarks

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
		/^[a-z-]+:.*## / { printf "  make %-12s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)
