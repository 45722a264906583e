# Two commands for a newcomer: `make quickstart` and `make test`. Both install what is missing first.

CARGO ?= cargo
KVMFAIR = target/release/kvmfair

.PHONY: help quickstart test lab install-deps install-test-deps install-lab-deps build benchmark lint

help:
	@echo 'make quickstart    install what is missing, build, and measure real guests (about ten minutes the first time)'
	@echo 'make test          install what is missing, then format, lints, docs, all tests with real guests, and the emulated lab (about an hour)'
	@echo 'make lab           every backend with real KVM guests in emulated machines (results in target/lab)'
	@echo 'make benchmark     what kvmfair itself costs, as ratios, in a Markdown table'
	@echo 'make install-deps  install what is missing (Debian)'
	@echo 'make build         the release binary, $(KVMFAIR)'

quickstart: build
	$(KVMFAIR) bench profiles/quickstart.toml

test: install-test-deps lint
	$(CARGO) test --locked
	$(MAKE) lab

lint: install-deps
	$(CARGO) fmt --check
	$(CARGO) clippy --locked --all-targets -- -D warnings
	RUSTDOCFLAGS='-D warnings' $(CARGO) doc --locked --no-deps --document-private-items

lab: install-lab-deps build
	$(KVMFAIR) image build
	tests/lab/backends

benchmark: install-deps
	$(CARGO) run --locked --release --example benchmark

build: install-deps
	$(CARGO) build --locked --release

install-deps:
	@.ci/install

install-test-deps:
	@.ci/install tests

install-lab-deps:
	@.ci/install lab
