# Two commands for a newcomer: `make quickstart` and `make test`; for everyday work `make check`. Each installs what is missing first.

CARGO ?= cargo
KVMFAIR = target/release/kvmfair

# Tests without guests: each takes seconds, and they run side by side.
QUICK = --lib --bins --examples --test architecture --test cli --test simulations

.PHONY: help quickstart check test lab install-deps install-test-deps install-lab-deps install-fuzz-deps build benchmark simulate fuzz chaos faults deny lint doc

help:
	@echo 'make quickstart    install what is missing, build, and measure real guests (about ten minutes the first time)'
	@echo 'make check         format, lints, docs, unit and CLI tests: minutes, no guests'
	@echo 'make test          make check, all tests with real guests, and the emulated lab (about 65 minutes on two cores)'
	@echo 'make lab           every backend with real KVM guests in emulated machines (results in target/lab)'
	@echo 'make benchmark     what kvmfair itself costs, as ratios, in a Markdown table'
	@echo 'make simulate      how often tests, intervals and the gate are right, with planted truths (minutes; prints tables)'
	@echo 'make chaos         a hundred runs and clean-ups killed at random moments; nothing may be left or touched (an hour and a half)'
	@echo 'make faults        a fault of each kind in a trial of its own, and what became of it, as a table (ten minutes)'
	@echo 'make fuzz          every parser of foreign text under libFuzzer, FUZZ_SECONDS (60) each; prints how often it was executed'
	@echo 'make deny          licences and sources of all packages that kvmfair is built from'
	@echo 'make install-deps  install what is missing (Debian)'
	@echo 'make build         the release binary, $(KVMFAIR)'

quickstart: build
	$(KVMFAIR) bench profiles/quickstart.toml

check: install-deps lint
	$(CARGO) test --locked $(QUICK)

# What a kill -9 leaves behind comes first: nothing else is worth a run where that is broken.
# A thread for each test: they wait for each other by themselves (tests/support), and those that need the machine alone come last.
test: install-test-deps check
	$(CARGO) test --locked --test dataframes --test browser
	$(CARGO) test --locked --test guests -- --test-threads 100 kill
	$(CARGO) test --locked --test guests -- --test-threads 100 --skip kill
	LAB_SHORT=1 $(MAKE) lab

lint: install-deps doc
	$(CARGO) fmt --check
	$(CARGO) clippy --locked --all-targets -- -D warnings

doc: install-deps
	RUSTDOCFLAGS='-D warnings' $(CARGO) doc --locked --no-deps --document-private-items

# The program as the tests have it: `cargo build` would compile it once more, with other features of what it depends on.
lab: install-lab-deps
	$(CARGO) test --locked --no-run --test cli
	target/debug/kvmfair image build --xen
	tests/lab/backends

benchmark: install-deps
	$(CARGO) run --locked --release --example benchmark

simulate: install-deps
	$(CARGO) test --locked --release --test simulations -- --include-ignored --nocapture --test-threads 1

fuzz: install-fuzz-deps
	tests/fuzz/run

# Licences and sources of everything that is in the binary.
deny:
	command -v cargo-deny > /dev/null || CARGO_PROFILE_RELEASE_OPT_LEVEL=0 $(CARGO) install --locked cargo-deny
	$(CARGO) deny --locked --config .deny.toml check licenses bans sources

# A hundred kills of runs at random moments, and as many again of `clean` and in a hardware lab; forty on the backends of the emulated
# lab; twenty times two runs side by side, and one beside a foreign guest: an hour and a half.
chaos: install-test-deps install-lab-deps
	CHAOS=100 $(CARGO) test --locked --test guests -- --nocapture --test-threads 1 chaos
	tests/lab/run --timeout 3600 --cpus 1 --memory 10240 --results target/lab-chaos -- env CHAOS=40 tests/lab/job chaos
	ROUNDS=20 $(CARGO) test --locked --test guests -- --nocapture --test-threads 1 neighbours

# On request: a machine that freezes for seconds moves a fault into another moment of its trial.
faults: install-test-deps
	$(CARGO) test --locked --test guests -- --include-ignored --nocapture --test-threads 1 fault_matrix

build: install-deps
	$(CARGO) build --locked --release

install-deps:
	@.ci/install

install-test-deps:
	@.ci/install tests

install-lab-deps:
	@.ci/install lab

install-fuzz-deps:
	@.ci/install fuzz
