# `make demo` shows Vigie, `make tour` tells it, `make test` tests it; all install what is missing and respect CARGO_TARGET_DIR.
.PHONY: demo tour test ui clean help

demo:
	@scripts/demo.sh

tour:
	@scripts/setup.sh
	@scripts/ui.sh build
	@cargo build --locked --workspace --bins
	@scripts/tour.sh

test:
	@scripts/test.sh

ui:
	@scripts/ui.sh build

clean:
	cargo clean
	rm -rf ui/dist ui/node_modules

help:
	@echo "make demo   a demo town of six cameras on this machine"
	@echo "make tour   five questions, answered by the real program in three minutes"
	@echo "make test   all tests; installs what they need"
	@echo "make ui     the console alone, which the program carries"
	@echo "make clean  removes what was built"
	@echo "CARGO_TARGET_DIR and XDG_CACHE_HOME say where things are built and kept."
