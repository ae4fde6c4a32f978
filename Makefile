# The commands: `make demo` shows Vigie, `make tour` tells it, `make test` tests it; all install what is missing and respect
# CARGO_TARGET_DIR.
.PHONY: demo tour test prove faults fuzz bench sim soak mutants mutate package ui clean help

demo:
	@scripts/demo.sh

tour:
	@scripts/setup.sh
	@scripts/ui.sh build
	@cargo build --locked --workspace --bins
	@scripts/tour.sh

test:
	@scripts/test.sh

prove:
	@scripts/setup.sh
	@scripts/prove.sh

faults:
	@scripts/faults.sh

fuzz:
	@scripts/fuzz.sh

bench:
	@scripts/bench.sh

sim:
	@scripts/sim.sh

soak:
	@scripts/soak.sh

mutants:
	@scripts/mutants.sh

mutate:
	@scripts/mutate.sh

package:
	@scripts/package.sh

ui:
	@scripts/ui.sh build

clean:
	cargo clean
	rm -rf ui/dist ui/dist-lecteur ui/node_modules

help:
	@echo "make demo    a demo town of six cameras on this machine"
	@echo "make tour    five questions, answered by the real program in three minutes"
	@echo "make test    all tests; installs what they need"
	@echo "make prove   what the law closes stays closed for all requests, by a solver (cvc5; CVC5 names another); two minutes, then seconds"
	@echo "make faults  kills processes a thousand times, cuts the power of real disks, faults of cameras, calls and clocks (VIGIE_CRASHES, VIGIE_POWER_CUTS, VIGIE_SEED); about an hour and a half"
	@echo "make fuzz    fuzzes every parser, VIGIE_FUZZ_SECONDS each (60); about three quarters of an hour"
	@echo "make bench   what a ledger of a million entries and recording 50 cameras cost, looks meanwhile, FFmpeg beside it; about eight minutes, 7 GB"
	@echo "make sim     SEEDS lives of a whole town (200) of STEPS steps (300), every promise checked after each; then a centre's year"
	@echo "make soak    an hour of 60 flapping cameras with looks and destruction (VIGIE_SOAK_MINUTES, VIGIE_SOAK_CAMERAS): what grows; 20 GB"
	@echo "make mutants plants bugs in a copy, one at a time: the simulation must find each; more than an hour"
	@echo "make mutate  changes seal, ledger, auditor and policy expression by expression (cargo-mutants): a test must notice each; hours"
	@echo "make package the Debian package of the town's program, and a check of what is in it; a release build"
	@echo "make ui      the console alone, which the program carries"
	@echo "make clean   removes what was built"
	@echo "CARGO_TARGET_DIR and XDG_CACHE_HOME say where things are built and kept."
