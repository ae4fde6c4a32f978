#!/usr/bin/env bash
# Builds the Debian packages: the town's program with what prints its papers, and, apart, what makes viewing copies, which stands on a GPL-built
# FFmpeg (decision 0080). Checks what is in them. `--debug` packs the debug build that is there, for a try of the packing only.
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
picture="$VIGIE_TARGET/package/vigie-picture.deb"
if [ "${1:-}" = --debug ]; then
    "$TOOLS/bin/cargo-deb" deb --locked --package vigie --no-build --no-strip --profile dev --output "$package"
    "$TOOLS/bin/cargo-deb" deb --locked --package vigie-picture --no-build --no-strip --profile dev --output "$picture"
else
    scripts/setup.sh
    scripts/ui.sh build
    # of three packages of the workspace: cargo-deb builds its own alone
    cargo build --locked --release --package vigie --package vigie-papers --package vigie-picture
    "$TOOLS/bin/cargo-deb" deb --locked --package vigie --no-build --output "$package"
    "$TOOLS/bin/cargo-deb" deb --locked --package vigie-picture --no-build --output "$picture"
fi

# exactly these, whatever the build made beside
expected=$(
    printf '%s\n' ./usr/bin/vigie ./usr/bin/vigie-papers ./lib/systemd/system/vigie.service ./usr/lib/sysusers.d/vigie.conf
    printf './usr/share/doc/vigie/%s\n' copyright vigie.toml.example threat-model.md SECURITY.md CHANGELOG.md
    for page in docs/operate/*.md; do echo "./usr/share/doc/vigie/$(basename "$page")"; done
)
# what a package holds, compared with what it should
holds() {
    local found
    found=$(dpkg-deb --contents "$1" | awk '$1 !~ /^d/ { print $6 }' | sed 's/\.gz$//')
    if ! diff <(sort <<<"$2") <(sort <<<"$found"); then
        echo "package: what is in $1 is not what should be (< missing, > too much)" >&2
        exit 1
    fi
    echo "package: $1 ($(wc -l <<<"$found") files, $(du -h "$1" | cut -f1))"
}

holds "$package" "$expected"
holds "$picture" "$(printf '%s\n' ./usr/bin/vigie-picture ./usr/share/doc/vigie-picture/copyright)"
# the town's own package asks for no FFmpeg: who cannot distribute under the GPL leaves the other one out
if dpkg-deb --field "$package" Depends | grep -q libav; then
    echo "package: vigie stands on FFmpeg, which vigie-picture alone may" >&2
    exit 1
fi
dpkg-deb --field "$picture" Depends | grep -q libavcodec || { echo "package: vigie-picture does not name its FFmpeg" >&2; exit 1; }
