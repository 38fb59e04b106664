# make demo        build, show what the library of scenarios covers, and run it
# make test        vet, lint, and all tests with the race detector
# make mutants     every way in which an emulated key can break the rules, and whether
#                  the conformance suite sees it
# make bench       costs beside their floors
# make fuzz        every fuzz target for a minute, an hour in all
# make lab-test    programs that nobody here wrote use the emulated keys, under a
#                  kernel of their own (make lab-kernel builds it, once)
# make hil-test    benches on hardware: serial boards, hubs that switch power, keys that
#                  are pulled out, in the lab and in a machine of QEMU's with Debian's kernel
# make interop     scenarios against WebAuthn servers that nobody here wrote, fetched
#                  from package registries
#
# Each target does all that it needs, may be repeated, and says what it installs.

SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help
MAKEFLAGS += --no-print-directory

# Debian packages: a C compiler and OpenSSL for the simulated TPM (cgo) and the race
# detector, libusb for keys on USB, swtpm for scenarios with several TPMs.
PACKAGES := gcc libc6-dev pkg-config libssl-dev libusb-1.0-0-dev swtpm

# What the lab's tests use: the clients of the emulated keys, an X server for the
# browser, and readers of what went over the wire.
LAB_PACKAGES := fido2-tools openssh-client openssh-server libpam-u2f pamu2fcfg pamtester usbip \
	chromium fonts-dejavu-core xvfb xdotool imagemagick tshark python3 python3-cryptography python3-pip

# What builds the lab's kernel.
KERNEL_PACKAGES := gcc libc6-dev make binutils flex bison bc xz-utils

STATICCHECK := honnef.co/go/tools/cmd/staticcheck@v0.8.2
ACTIONLINT := github.com/rhysd/actionlint/cmd/actionlint@v1.7.7

# cgo is used where a C compiler and the headers are; it is looked at when a recipe
# runs, after deps.
CGO = $$(pkg-config --exists openssl libusb-1.0 2>/dev/null && command -v gcc >/dev/null && echo 1 || echo 0)

# How long each fuzz target runs, which of them, and flags for go test. By default Go
# may spend a whole minute on making one input smaller, and tries nothing else
# meanwhile. It sometimes calls the end of a target's time a failure (context deadline
# exceeded); what a target finds is always kept as an input.
FUZZTIME ?= 1m
FUZZ ?= ^Fuzz
FUZZFLAGS ?= -fuzzminimizetime=5s

# install makes a recipe that installs the Debian packages of a list that are missing,
# where that is possible.
define install
missing=""; \
for p in $(1); do dpkg -s $$p >/dev/null 2>&1 || missing="$$missing $$p"; done; \
if [ -z "$$missing" ]; then :; \
elif ! command -v apt-get >/dev/null; then echo "Missing:$$missing (no apt-get here to install them)"; \
else \
  if [ "$$(id -u)" = 0 ]; then as_root=env; elif sudo -n true 2>/dev/null; then as_root=sudo; else as_root=""; fi; \
  if [ -z "$$as_root" ]; then echo "Missing:$$missing"; echo "To have them: sudo apt-get install$$missing"; \
  else \
    echo "Installing Debian packages:$$missing"; \
    { $$as_root apt-get update -qq && $$as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $$missing >/dev/null; } \
    || echo "They could not be installed; going on without."; \
  fi; \
fi
endef

.PHONY: help build demo test mutants bench interop lint fuzz deps lab-test lab-kernel lab-stock-kernel hil-test clean

help:
	@sed -n 's/^# \{0,1\}//p;/^$$/q' Makefile

## deps: install the Debian packages that are missing, where that is possible
deps:
	@$(call install,$(PACKAGES))

build: deps
	@cgo=$(CGO); \
	[ $$cgo = 1 ] || echo "Building without cgo: the simulated TPM and access to keys through libusb are left out; scenarios with a TPM use swtpm, or are skipped where that is missing, too."; \
	CGO_ENABLED=$$cgo go build -o bin/ ./cmd/fido-emu ./cmd/harness
	@echo "Built bin/harness and bin/fido-emu."

demo: build
	@bin/harness list --coverage
	@echo
	@bin/harness run --reports reports

lint:
	@unformatted=$$(gofmt -l .); [ -z "$$unformatted" ] || { echo "gofmt would change:"; echo "$$unformatted"; exit 1; }
	@CGO_ENABLED=$(CGO) go vet ./...
	@CGO_ENABLED=$(CGO) go run $(STATICCHECK) ./...
	@CGO_ENABLED=$(CGO) go run $(ACTIONLINT) docs/examples/github-workflow.yml

# Packages that compute, with no goroutine of their own; the race detector would have
# nothing to see in them and takes ten times as long. alone_test.go holds this true.
ALONE = fido-emu/identity/document fido-emu/identity/person fido-emu/identity/picture \
	fido-emu/fixtures/bench/mutants fido-emu/rp/audit fido-emu/rp/audit/double \
	fido-emu/ctap/authenticator

test: deps lint
	@cgo=$(CGO); race=-race; \
	[ $$cgo = 1 ] || { race=""; echo "Without cgo there is no race detector and no simulated TPM; running the rest."; }; \
	export CGO_ENABLED=$$cgo; \
	go test $$race -timeout 9m $$(go list ./... | grep -vxF "$$(printf '%s\n' $(ALONE))") && \
	go test -timeout 9m $(ALONE)

## mutants: judge the conformance suite; the last line is the score
mutants: build
	@bin/harness conform --mutants

bench: deps
	@CGO_ENABLED=$(CGO) go build -o bin/ ./benchmarks
	@bin/benchmarks

# What fetches and runs the servers of make interop, where the programs are missing.
INTEROP_PACKAGES = $$(for p in node:nodejs npm:npm javac:default-jdk-headless mvn:maven python3:python3 chromium:chromium; do \
	command -v $${p%%:*} >/dev/null || echo $${p\#*:}; done; python3 -m pip --version >/dev/null 2>&1 || echo python3-pip)

## interop: the matrix of servers, authenticators and scenarios; what a registry does not give is left out
interop: deps
	@$(call install,$(INTEROP_PACKAGES))
	@CGO_ENABLED=$(CGO) go build -o bin/interop-matrix ./interop/matrix
	@bin/interop-matrix && echo "The matrix is in reports/interop/matrix.html and matrix.json."

## fuzz: every fuzz target for FUZZTIME; stops at the first finding and names its file
fuzz: deps
	@export CGO_ENABLED=$(CGO); \
	packages=$$(grep -rl --include='*_test.go' '^func Fuzz' . | xargs -n1 dirname | sort -u); \
	targets=$$(go test -list '$(FUZZ)' $$packages | awk '/^Fuzz/ { names[n++] = $$1 } /^ok/ { for (i = 0; i < n; i++) print $$2 " " names[i]; n = 0 }'); \
	[ -n "$$targets" ] || { echo "No fuzz target matches $(FUZZ)."; exit 1; }; \
	total=$$(echo "$$targets" | wc -l); number=0; log=$$(mktemp); trap 'rm -f $$log' EXIT; \
	echo "Fuzz targets: $$total, $(FUZZTIME) each$$(echo '$(FUZZTIME)' | awk -v n=$$total '/^[0-9.]+[sm]$$/ { print ", which takes " int($$1 * n / ($$1 ~ /m$$/ ? 1 : 60) + 0.99) " min and the time to build" }')."; \
	while read -r package target <&3; do \
	  number=$$((number + 1)); echo "[$$number/$$total] $$package $$target"; \
	  go test -run '^$$' -fuzz "^$$target\$$" -fuzztime $(FUZZTIME) $(FUZZFLAGS) $$package >$$log 2>&1 && { grep '^fuzz: elapsed' $$log | tail -1; continue; }; \
	  input=$$(sed -n 's/.*Failing input written to //p' $$log | head -1); \
	  [ -n "$$input" ] || ! grep -qx '    context deadline exceeded' $$log || { grep '^fuzz: elapsed' $$log | tail -1; continue; }; \
	  cat $$log; \
	  [ -n "$$input" ] || { echo "$$target of $$package failed, and kept no input."; exit 1; }; \
	  echo "$$target of $$package found something. Mend it, and commit this file with that:"; \
	  echo "  $$(realpath --relative-to=. $$(go list -f '{{.Dir}}' $$package)/$$input)"; \
	  echo "To see it again: go test -run '$$target/$$(basename $$input)' $$package"; exit 1; \
	done 3<<<"$$targets"; \
	echo "No finding."

# The lab's kernel: the one that LAB_KERNEL names, or the newest in the user's cache.
LAB_CACHE := $(or $(XDG_CACHE_HOME),$(HOME)/.cache)/fido-emu
FIND_KERNEL = $${LAB_KERNEL:-$$(ls -v $(LAB_CACHE)/linux-uml-* 2>/dev/null | tail -1 || true)}

## lab-kernel: the kernel that the lab runs, built if there is none
lab-kernel:
	@kernel="$(FIND_KERNEL)"; \
	if [ -n "$$kernel" ]; then echo "The lab's kernel is $$kernel."; exit 0; fi; \
	$(call install,$(KERNEL_PACKAGES)); \
	fixtures/lab/kernel/build $(LAB_CACHE)

## lab-stock-kernel: Debian's kernel and QEMU, for LAB_QEMU=1 make lab-test and exec --lab=qemu
lab-stock-kernel:
	@$(call install,qemu-system-x86 uhubctl xz-utils)
	@fixtures/lab/kernel/stock $(LAB_CACHE)

# python-fido2 for the lab's tests, of the version and hash in the list.
LAB_PYTHON := bin/python
LAB_REQUIREMENTS := fixtures/lab/clients/testdata/requirements.txt
$(LAB_PYTHON)/fido2: $(LAB_REQUIREMENTS)
	@echo "Fetching python-fido2 into $(LAB_PYTHON)."
	@rm -rf $(LAB_PYTHON)
	@/usr/bin/python3 -m pip install --quiet --disable-pip-version-check --root-user-action=ignore --no-deps --require-hashes \
	  --target $(LAB_PYTHON) -r $(LAB_REQUIREMENTS) && touch $@ \
	|| echo "It could not be fetched; its tests are skipped."

## lab-test: all tests that plug keys into a kernel, in the lab; what was skipped says why
lab-test: build lab-kernel
	@$(call install,$(LAB_PACKAGES))
	@$(MAKE) $(LAB_PYTHON)/fido2
	@go build -o bin/ ./fixtures/lab/labrun
	@export LAB_KERNEL="$(FIND_KERNEL)" LAB_TIMEOUT=14m PATH="$(CURDIR)/bin:$$PATH" CGO_ENABLED=$(CGO); \
	go test -count=1 -v -run '^TestGuest' ./fixtures/lab/... | grep --line-buffered -Ev '^=== |^PASS$$|no tests to run|no test files'; \
	packages=$$(grep -rl --include='*_test.go' '^func TestLab' . | xargs -n1 dirname | sort -u); \
	go test -count=1 -v -timeout 15m -exec 'labrun --' -run '^TestLab' $$packages | grep --line-buffered -Ev '^=== |^PASS$$'
	@echo "Pictures of the browser are in fixtures/lab/clients/artefacts."

## hil-test: benches on hardware that nobody here faked; what was skipped says why
hil-test: build lab-kernel
	@$(call install,swtpm fido2-tools usbip)
	@stock=$$(ls $(LAB_CACHE)/debian-*/vmlinux 2>/dev/null | tail -1 || true); \
	if command -v qemu-system-x86_64 >/dev/null && [ -n "$${LAB_QEMU_KERNEL:-$$stock}" ]; then echo "The machine's kernel is $${LAB_QEMU_KERNEL:-$${stock%/vmlinux}}."; \
	else $(MAKE) lab-stock-kernel || echo "There is no stock kernel; what needs one is skipped."; fi
	@go build -o bin/ ./fixtures/lab/labrun
	@export LAB_KERNEL="$(FIND_KERNEL)" LAB_PROGRAMS="$(CURDIR)/bin" LAB_TIMEOUT=5m LAB_QEMU=1 PATH="$(CURDIR)/bin:$$PATH" CGO_ENABLED=$(CGO); \
	go test -count=1 -v -timeout 6m -run '^TestQEMU' ./fixtures/hil | grep --line-buffered -Ev '^=== |^PASS$$'; \
	go test -count=1 -v -timeout 4m -run '^TestGuestStockHubSwitchesPower/uhubctl' ./fixtures/lab | grep --line-buffered -Ev '^=== |^PASS$$'; \
	go test -count=1 -v -timeout 6m -exec 'labrun --' -run '^(TestLab|TestHIL)' ./fixtures/hil | grep --line-buffered -Ev '^=== |^PASS$$'; \
	go test -count=1 -v -timeout 4m -exec 'labrun --' -run '^TestLabDevice' ./tpmsim | grep --line-buffered -Ev '^=== |^PASS$$'

clean:
	rm -rf bin reports fixtures/lab/clients/artefacts
