#!/usr/bin/env bash
# The console and the player of packages: `ui.sh build` makes ui/dist and ui/dist-lecteur, which the program carries; `ui.sh test`
# checks, tests and makes them, and opens the player in Chromium with a package that FFmpeg makes (half a minute).
set -euo pipefail
cd "$(dirname "$0")/../ui"

# npm ci only when node_modules was made from another lock (or another Node)
install() {
    local stamp=node_modules/.made-from
    local now
    now="$(sha256sum package-lock.json | cut -d' ' -f1) $(node --version)"
    if [ "$(cat "$stamp" 2>/dev/null)" != "$now" ]; then
        npm ci
        echo "$now" >"$stamp"
    fi
}

case "${1:-}" in
build)
    install
    npm run build
    ;;
test)
    install
    npm run check
    npm test
    npm run build
    npm run e2e:lecteur
    ;;
*)
    echo "usage: scripts/ui.sh build|test" >&2
    exit 2
    ;;
esac
