#!/usr/bin/env bash
# Builds the Debian package of the town's program, and of what prints its papers, and checks what is in it. `--debug` packs the debug build that is there, for
# a try of the packing only.
set -euo pipefail
cd "$(dirname "$0")/.."
. scripts/places.sh

CARGO_DEB_VERSION=3.8.0
TOOLS="$VIGIE_CACHE/tools"

if ! "$TOOLS/bin/cargo-deb" --version 2>/dev/null | grep -qwF "$CARGO_DEB_VERSION"; then
    echo "package: installing cargo-deb $CARGO_DEB_VERSION in $TOOLS"
    CARGO_TARGET_DIR="$VIGIE_TARGET/tools" cargo install --quiet --locked --force --root "$TOOLS" --version "$CARGO_DEB_VERSION" cargo-deb
    rm -rf "$VIGIE_TARGET/tools"
fi

mkdir -p "$VIGIE_TARGET/package"
package="$VIGIE_TARGET/package/vigie.deb"
if [ "${1:-}" = --debug ]; then
    "$TOOLS/bin/cargo-deb" deb --locked --package vigie --no-build --no-strip --profile dev --output "$package"
else
    scripts/setup.sh
    scripts/ui.sh build
    # of two packages of the workspace: cargo-deb builds its own alone
    cargo build --locked --release --package vigie --package vigie-papers
    "$TOOLS/bin/cargo-deb" deb --locked --package vigie --no-build --output "$package"
fi

# exactly these, whatever the build made beside
expected=$(
    printf '%s\n' ./usr/bin/vigie ./usr/bin/vigie-papers ./lib/systemd/system/vigie.service ./usr/lib/sysusers.d/vigie.conf
    printf './usr/share/doc/vigie/%s\n' copyright vigie.toml.example threat-model.md SECURITY.md CHANGELOG.md
    for page in docs/operate/*.md; do echo "./usr/share/doc/vigie/$(basename "$page")"; done
)
found=$(dpkg-deb --contents "$package" | awk '$1 !~ /^d/ { print $6 }' | sed 's/\.gz$//')
if ! diff <(sort <<<"$expected") <(sort <<<"$found"); then
    echo "package: what is in it is not what should be (< missing, > too much)" >&2
    exit 1
fi
echo "package: $package ($(wc -l <<<"$found") files, $(du -h "$package" | cut -f1))"
