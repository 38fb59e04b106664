# make demo   build, and run the library of scenarios
# make test   vet, lint, and all tests with the race detector
# make bench  costs beside their floors
#
# Each target does all that it needs, may be repeated, and says what it installs.

SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help
MAKEFLAGS += --no-print-directory

# Debian packages: a C compiler and OpenSSL for the simulated TPM (cgo) and the race
# detector, libusb for keys on USB, swtpm for scenarios with several TPMs.
PACKAGES := gcc libc6-dev pkg-config libssl-dev libusb-1.0-0-dev swtpm

STATICCHECK := honnef.co/go/tools/cmd/staticcheck@v0.8.2
ACTIONLINT := github.com/rhysd/actionlint/cmd/actionlint@v1.7.7

# cgo is used where a C compiler and the headers are; it is looked at when a recipe
# runs, after deps.
CGO = $$(pkg-config --exists openssl libusb-1.0 2>/dev/null && command -v gcc >/dev/null && echo 1 || echo 0)

FUZZTIME ?= 30s

.PHONY: help build demo test bench lint fuzz deps clean

help:
	@sed -n 's/^# \{0,1\}//p;/^$$/q' Makefile

## deps: install the Debian packages that are missing, where that is possible
deps:
	@missing=""; \
	for p in $(PACKAGES); do dpkg -s $$p >/dev/null 2>&1 || missing="$$missing $$p"; done; \
	[ -n "$$missing" ] || exit 0; \
	if ! command -v apt-get >/dev/null; then echo "Missing:$$missing (no apt-get here to install them)"; exit 0; fi; \
	if [ "$$(id -u)" = 0 ]; then as_root=env; \
	elif sudo -n true 2>/dev/null; then as_root=sudo; \
	else echo "Missing:$$missing"; echo "To have them: sudo apt-get install$$missing"; exit 0; fi; \
	echo "Installing Debian packages:$$missing"; \
	{ $$as_root apt-get update -qq && $$as_root DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $$missing >/dev/null; } \
	|| echo "They could not be installed; going on without."

build: deps
	@cgo=$(CGO); \
	[ $$cgo = 1 ] || echo "Building without cgo: the simulated TPM and access to keys through libusb are left out; scenarios with a TPM use swtpm, or are skipped where that is missing, too."; \
	CGO_ENABLED=$$cgo go build -o bin/ ./cmd/fido-emu ./cmd/harness
	@echo "Built bin/harness and bin/fido-emu."

demo: build
	@bin/harness run --reports reports

lint:
	@unformatted=$$(gofmt -l .); [ -z "$$unformatted" ] || { echo "gofmt would change:"; echo "$$unformatted"; exit 1; }
	@CGO_ENABLED=$(CGO) go vet ./...
	@CGO_ENABLED=$(CGO) go run $(STATICCHECK) ./...
	@CGO_ENABLED=$(CGO) go run $(ACTIONLINT) docs/examples/github-workflow.yml

test: deps lint
	@cgo=$(CGO); race=-race; \
	[ $$cgo = 1 ] || { race=""; echo "Without cgo there is no race detector and no simulated TPM; running the rest."; }; \
	CGO_ENABLED=$$cgo go test $$race -timeout 9m ./...

bench: deps
	@CGO_ENABLED=$(CGO) go build -o bin/ ./benchmarks
	@bin/benchmarks

## fuzz: every fuzz target for FUZZTIME
fuzz: deps
	@for package in $$(go list ./...); do \
	  for target in $$(go test -list '^Fuzz' $$package | grep '^Fuzz' || true); do \
	    echo "$$package $$target"; \
	    CGO_ENABLED=$(CGO) go test -run '^$$' -fuzz "^$$target\$$" -fuzztime $(FUZZTIME) $$package; \
	  done; \
	done

clean:
	rm -rf bin reports
