# `make` alone lists what there is. Every target installs what it needs first.
.DEFAULT_GOAL := help
SHELL := /bin/bash
OLDEST_ENVOY := 1.36.2

.PHONY: help demo disturbance test test-measured test-oldest test-oldest-quick test-cluster build fuzz faults leaks sanitize format lint golden protos setup clean \
	test-chart test-documents test-load soak chart bench bench-short instructions bench-plots bench-build docker-build prove-image install-crds uninstall-crds deploy undeploy

# The image that docker-build makes and deploy runs.
IMG ?= xds-operator:0.1.0
# What tests need, and no more: `swift build --build-tests` compiles a dependency's C++ compiler of protocol buffers, too.
BUILD_TESTS := swift build --product xds-operatorPackageTests && swift build --product xds-operator && swift build --product kube-api-simulator
# As the image has it: what is measured is what runs.
RELEASE := swift build -c release --static-swift-stdlib
# Tests whose figures other work on the machine would spoil.
MEASURED := EndToEndTests/(AbuseTests|DisturbanceTests|FaultTests|LeakTests)/|TransportTests.AbuseTests
BENCHMARKS := Benchmarks/.build/release/xds-benchmarks

##@ Use

demo: setup ## Play two calls through a real Envoy (KEEP=1: leave it running)
	@swift build -c release --product xds-operator
	@swift build -c release --product call-demo
	@.build/release/call-demo $(if $(KEEP),--keep)

disturbance: setup ## Measure what live calls notice, and rewrite the table of docs/calls.md (RUNS=3)
	@$(RELEASE) --product xds-operator
	@$(RELEASE) --product call-disturbance
	@.build/release/call-disturbance --runs $(or $(RUNS),3) --into docs/calls.md

##@ Develop

build: setup ## Build everything in debug mode
	@swift build

test: setup ## Run the tests: unit, golden, integration, end to end; all but those of test-measured
	@$(BUILD_TESTS)
	@swift test --skip-build --skip EndToEndTests --skip '$(MEASURED)'
	@swift test --skip-build --filter EndToEndTests --skip '$(MEASURED)'

test-measured: setup ## Run the tests that measure while they attack, break or disturb something; they want a quiet machine
	@scripts/faketime-from-apt
	@$(BUILD_TESTS)
	@swift build --product call-faults && swift build --product leak-check
	@swift test --skip-build --no-parallel --filter '$(MEASURED)'

test-oldest: setup ## Run the end-to-end tests with the oldest Envoy supported
	@$(BUILD_TESTS)
	@ENVOY_BINARY=$$(scripts/envoy $(OLDEST_ENVOY)) swift test --skip-build --filter EndToEndTests --skip '$(MEASURED)'

test-oldest-quick: setup ## Of those, the ones that depend on what Envoy makes of its configuration
	@$(BUILD_TESTS)
	@ENVOY_BINARY=$$(scripts/envoy $(OLDEST_ENVOY)) swift test --skip-build \
		--filter 'DiscoveryForm|Rejection|Connection|Forwarding|HealthCheck|Object'

# An API server alone will do: no kubelets, no controller manager. Without KUBECONFIG our simulator stands in.
test-cluster: setup ## Run the cluster's stories on a real API server (KUBECONFIG=file)
	@$(BUILD_TESTS)
	@XDS_OPERATOR_TEST_KUBECONFIG="$(if $(KUBECONFIG),$(abspath $(KUBECONFIG)))" \
		swift test --skip-build --filter 'EndToEndTests/Cluster(Replica)?Tests/'

fuzz: setup ## Look for inputs that break something, an hour for each target (SECONDS_EACH=3600)
	@scripts/fuzz $(or $(SECONDS_EACH),3600)

faults: setup ## Break what the operator stands on, and rewrite the table of docs/reliability.md (RUNS=3)
	@scripts/faketime-from-apt
	@for product in xds-operator kube-api-simulator call-faults; do $(RELEASE) --product $$product || exit 1; done
	@.build/release/call-faults --runs $(or $(RUNS),3) --into docs/reliability.md

leaks: setup ## See whether the operator keeps anything of 100,000 clients and 10,000 calls (CONNECTIONS=100000 CALLS=10000)
	@$(RELEASE) --product xds-operator
	@$(RELEASE) --product leak-check
	@.build/release/leak-check --connections $(or $(CONNECTIONS),100000) --calls $(or $(CALLS),10000)

sanitize: setup ## Run the unit and integration tests under the thread and address sanitizers (ONLY=thread)
	@scripts/sanitize $(ONLY)

test-chart: setup ## Test the chart, the plain manifests and the image's description
	@scripts/promtool-from-apt
	@swift build --product xds-operator
	@swift build --product kube-api-simulator
	@.venv/bin/python -B -m unittest discover --start-directory Tests/Chart --pattern 'test_*.py'

test-load: setup ## Test the load generator and what it makes of figures
	@swift build --package-path Benchmarks --product xds-benchmarksPackageTests
	@swift test --package-path Benchmarks --skip-build

test-documents: setup ## Run the commands of the documents, and check those that need more than this machine
	@swift build --product xds-operator
	@scripts/check-documents

golden: setup ## Rewrite the expected outputs of the golden tests
	@scripts/golden --update

protos: setup ## Generate Swift from Protos/
	@scripts/generate-protos

##@ Measure

bench: bench-build ## Measure everything against targets, floor and peer (half an hour, on a quiet machine)
	@$(BENCHMARKS) --sweep
	@Benchmarks/.build/release/kubernetes-scale --programs .build/release --runs 3
	@$(MAKE) --no-print-directory bench-plots

bench-short: bench-build ## The same in under 5 minutes, less exactly
	@$(BENCHMARKS) --short

instructions: bench-build ## Count the instructions of a push by function (FORM=sotw)
	@command -v valgrind >/dev/null || $$([ "$$(id -u)" = 0 ] || echo sudo -n) apt-get -qq install --yes valgrind
	@Benchmarks/instructions $(or $(FORM),delta)

bench-plots: setup ## Draw the plots of docs/performance.md from the last `make bench`
	@.venv/bin/python Benchmarks/plots Benchmarks/results/benchmarks.json docs/images

# Release builds, as it is they that must not grow.
soak: setup ## Let calls and connections come and go for 10 minutes, and see that memory and descriptors stay (SECONDS=600)
	@for product in xds-operator kube-api-simulator; do $(RELEASE) --product $$product || exit 1; done
	@swift build -c release --package-path Benchmarks --product xds-benchmarks
	@swift build -c release --package-path Benchmarks --product kubernetes-scale
	@$(BENCHMARKS) soak --seconds $(or $(SECONDS),600)

bench-build: setup
	@$(RELEASE) --product xds-operator
	@$(RELEASE) --product kube-api-simulator
	@swift build -c release --package-path Benchmarks --product floor
	@swift build -c release --package-path Benchmarks --product xds-load
	@swift build -c release --package-path Benchmarks --product xds-benchmarks

chart: setup ## Write what is made from the chart: its README and the plain manifests
	@scripts/chart-readme
	@scripts/render-manifests

##@ Install in the cluster of kubectl

docker-build: ## Build the image IMG (needs docker; PLATFORM=linux/arm64 for another)
	docker build --tag $(IMG) --build-arg REVISION=$$(git rev-parse HEAD) $(if $(PLATFORM),--platform $(PLATFORM)) .

prove-image: setup ## Build and run what the Dockerfile describes without a container engine (as root, on Debian)
	@scripts/prove-image

install-crds: ## Install or upgrade the CustomResourceDefinition
	kubectl apply --server-side --force-conflicts -k config/crd

uninstall-crds: ## Remove it, and with it ALL VirtualServices
	kubectl delete --ignore-not-found -k config/crd

deploy: ## Install or upgrade the operator and its CustomResourceDefinition, with the image IMG
	kubectl kustomize config/default \
		| awk -v image='$(IMG)' '/^ +image: xds-operator:/ { sub(/image: .*/, "image: " image); found++ } { print } END { exit found != 1 }' \
		| kubectl apply --server-side --force-conflicts -f -

undeploy: ## Remove the operator; the CustomResourceDefinition and the objects stay
	kubectl delete --ignore-not-found -f config/default/operator.yaml -f config/default/namespace.yaml

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
