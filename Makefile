# `make help` lists the targets. Everything works from a fresh clone on Debian 12 with Rust and Node installed:
# what else is needed, scripts/deps installs and says so.
SHELL := /bin/bash
.DEFAULT_GOAL := help
CARGO := cargo
ENCLAVE := cd enclave && $(CARGO)
DATA ?=
PORT ?= 8080

.PHONY: help
help: ## list the targets
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## (.*)/  make \1\t\2/' | expand -t 24

.PHONY: deps
deps: ## install what building and testing need (a C compiler, the test's npm packages)
	@scripts/deps build test

.PHONY: deps-build
deps-build:
	@scripts/deps build

.PHONY: build
# The identity document names the commit; no time before it is believed.
build: export TENSFER_COMMIT = $(shell git rev-parse HEAD 2> /dev/null || echo unknown)
build: export TENSFER_COMMIT_TIME = $(shell git log -1 --format=%ct 2> /dev/null || echo 0)
build: deps-build ## build `tensfer` and the enclave programs into target/release
	$(CARGO) build --release --locked --bin tensfer
	$(ENCLAVE) build --release --locked --bins --workspace --exclude tensfer-enclave-hardware --exclude tensfer-dev-signer

.PHONY: up
up: build ## run everything on this machine, simulated (DATA=DIR, PORT=N)
	target/release/tensfer up $(if $(DATA),--data $(DATA)) --port $(PORT)

.PHONY: check
check: deps-build ## format, lints, types, dependency lists
	$(CARGO) fmt --all --check
	$(ENCLAVE) fmt --all --check
	$(CARGO) clippy --locked --workspace --all-targets -- -D warnings
	$(ENCLAVE) clippy --locked --workspace --all-targets -- -D warnings
	$(ENCLAVE) clippy --locked -p tensfer-enclave --test nodes --test oauth -- -D warnings
	$(CARGO) clippy --locked -p tensfer-tests --test oauth --test enclave --test interop --test schema -- -D warnings
	$(CARGO) clippy --locked -p tensfer-host --test interop -- -D warnings
	$(CARGO) test --locked -q -p tensfer-tests --test tidy

.PHONY: test
test: deps ## run all tests (as any user who may make user namespaces, or root)
	scripts/deps tokens || \
	  echo '#### SKIPPED: operators with keys on tokens: the packages softhsm2 and opensc cannot be had here ####' >&2
	scripts/deps database || \
	  echo '#### SKIPPED: the store over PostgreSQL: the package postgresql cannot be had here ####' >&2
	$(CARGO) build --locked --bin tensfer
	$(ENCLAVE) build --locked --bins
	$(ENCLAVE) test --locked --workspace --no-fail-fast
	$(CARGO) test --locked --workspace --no-fail-fast -- \
	  $$(command -v pkcs11-tool > /dev/null && [ -e /usr/lib/softhsm/libsofthsm2.so ] || echo --skip softhsm::) \
	  $$(ls /usr/lib/postgresql/*/bin/initdb > /dev/null 2>&1 || echo --skip postgres::)

.PHONY: test-nodes
test-nodes: deps ## run wallets against real nodes: Bitcoin, Ethereum, Solana (fetches them)
	tests/nodes/fetch target/nodes
	if [ -e target/nodes/bitcoin.missing ]; then \
	  echo '#### SKIPPED: no test against a real Bitcoin node: the package bitcoin-knots of Debian sid cannot be had here ####' >&2; \
	fi
	cd enclave && TENSFER_NODES=$(CURDIR)/target/nodes $(CARGO) test --locked -p tensfer-enclave --test nodes -- \
	  $$([ ! -e ../target/nodes/bitcoin.missing ] || echo --skip bitcoin::)
	$(CARGO) build --locked --bin tensfer
	$(ENCLAVE) build --locked --bins
	TENSFER_NODES=$(CURDIR)/target/nodes $(CARGO) test --locked -p tensfer-tests --test wallets

.PHONY: test-oauth
test-oauth: deps ## sign in at an independent OAuth provider; PayPal and Stripe by their published documents (fetches all)
	tests/oauth/fetch target/oauth
	tests/payments/fetch target/payments
	for what in stripe localstripe; do \
	  if [ -e target/payments/$$what.missing ]; then \
	    echo "#### SKIPPED: $$what: its package cannot be had here ####" >&2; \
	  fi; \
	done
	cd enclave && TENSFER_OAUTH=$(CURDIR)/target/oauth $(CARGO) test --locked -p tensfer-enclave --test oauth
	$(CARGO) build --locked --bin tensfer
	$(ENCLAVE) build --locked --bins
	TENSFER_OAUTH=$(CURDIR)/target/oauth TENSFER_PAYMENTS=$(CURDIR)/target/payments timeout 900 $(CARGO) test --locked -p tensfer-tests --test oauth -- \
	  $$([ ! -e target/payments/stripe.missing ] || echo --skip stripe_document) \
	  $$([ ! -e target/payments/localstripe.missing ] || echo --skip localstripe_)

.PHONY: test-interop
test-interop: deps ## sign and verify requests with two implementations of RFC 9421 that are not ours (fetches them)
	tests/signatures/fetch target/signatures
	for what in npm pypi; do \
	  if [ -e target/signatures/$$what.missing ]; then \
	    echo "#### SKIPPED: http-message-signatures of $$what: its package cannot be had here ####" >&2; \
	  fi; \
	done
	$(CARGO) build --locked --bin tensfer
	$(ENCLAVE) build --locked --bins
	TENSFER_SIGNATURES=$(CURDIR)/target/signatures $(CARGO) test --locked -p tensfer-host -p tensfer-tests --test interop -- \
	  $$([ ! -e target/signatures/npm.missing ] || echo --skip npm_) \
	  $$([ ! -e target/signatures/pypi.missing ] || echo --skip pypi_)

.PHONY: test-schema
test-schema: deps ## try the API by its OpenAPI document, with schemathesis (fetches it)
	tests/schema/fetch target/schema
	if [ -e target/schema/missing ]; then \
	  echo '#### SKIPPED: the API by its document: schemathesis cannot be had here ####' >&2; \
	else \
	  $(CARGO) build --locked --bin tensfer && ($(ENCLAVE) build --locked --bins) && \
	  TENSFER_SCHEMA=$(CURDIR)/target/schema $(CARGO) test --locked -p tensfer-tests --test schema; \
	fi

.PHONY: test-tls
test-tls: deps ## look at the gateway's TLS with testssl.sh (installs it)
	scripts/deps tls || true
	$(CARGO) build --locked --bin tensfer
	if command -v testssl > /dev/null; then \
	  $(CARGO) test --locked -p tensfer-tests --test edge -- --ignored testssl::; \
	else \
	  echo '#### SKIPPED: the TLS of the gateway by testssl.sh: its package cannot be had here ####' >&2; \
	fi

.PHONY: image
image: deps-build ## build the image for AWS Nitro Enclaves and say what is measured of it (target/enclave)
	scripts/deps kernel
	scripts/image target/enclave

.PHONY: measure
measure: deps-build ## build the image twice, compare bit for bit, and compare with releases/
	scripts/deps kernel
	scripts/image target/enclave measure

.PHONY: test-enclave
test-enclave: deps ## boot the image on an emulated Nitro machine and use it (builds QEMU and a kernel)
	scripts/deps kernel emulation || true
	tests/enclave/run target/enclave

.PHONY: bench
bench: build deps ## measure, print a table with ratios and write target/bench.json
	scripts/deps nginx || true
	scripts/bench

.PHONY: soak
soak: deps ## the long runs: mutated documents and fuzz targets, a hundred times as many
	TENSFER_SOAK=1 $(CARGO) test --locked --release -p tensfer-verify -p tensfer-wire
	TENSFER_SOAK=1 $(CARGO) test --locked --release -p tensfer-host --lib signatures
	cd enclave && TENSFER_SOAK=1 $(CARGO) test --locked --release -p tensfer-enclave

.PHONY: dependencies
dependencies: ## rewrite the lists of dependencies after a deliberate change
	scripts/dependencies > /dev/null

.PHONY: catalogue
catalogue: ## rewrite docs/catalogue.md after a change of a connector
	scripts/catalogue

.PHONY: clean
clean: ## remove what was built
	rm -rf target tests/ccxt/node_modules
