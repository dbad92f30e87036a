# `make` alone lists what there is. Every target installs what it needs first.
.DEFAULT_GOAL := help
SHELL := /bin/bash

.PHONY: help demo test test-cluster build format lint golden protos setup clean

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

# An API server alone will do: no kubelets, no controller manager. Without KUBECONFIG our simulator stands in.
test-cluster: setup ## Run the cluster's stories on a real API server (KUBECONFIG=file)
	@swift build --build-tests
	@XDS_OPERATOR_TEST_KUBECONFIG="$(if $(KUBECONFIG),$(abspath $(KUBECONFIG)))" \
		swift test --skip-build --filter 'EndToEndTests/Cluster(Replica)?Tests/'

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
		/^[a-z-]+:.*## / { printf "  make %-12s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)
