#!/usr/bin/env bash
# Walks through the console of a real demo town in headless Chromium: pictures must move, axe must find nothing, no request
# may leave the machine. Screenshots go to target/screens; `walk.sh --keep` also renews the one in the README.
set -euo pipefail
cd "$(dirname "$0")/.."
. scripts/places.sh
screens="$VIGIE_TARGET/screens"
rm -rf "$screens"
walk="sleep 8; cd ui && node e2e/console.mjs \"\$VIGIE_ADDRESS\" --operator operateur - --administrator admin - --videos 6 --out '$screens' && node e2e/passkey.mjs \"\$VIGIE_ADDRESS\" '$screens' && node e2e/reviews.mjs \"\$VIGIE_ADDRESS\" '$screens' && node e2e/glass.mjs \"\$VIGIE_ADDRESS\" '$screens' && node e2e/handover.mjs \"\$VIGIE_ADDRESS\" '$screens'"
"$VIGIE_TARGET/debug/vigie-simulator" demo --port 0 --then "$walk"
# a camera in H.265 with a sub-stream, in a browser that does not play H.265
substream="sleep 4; cd ui && node e2e/substream.mjs \"\$VIGIE_ADDRESS\" '$screens'"
"$VIGIE_TARGET/debug/vigie-simulator" demo --port 0 --sub-stream --then "$substream"
[ "${1:-}" != --keep ] || cp "$screens/wall-fr.png" docs/images/console-direct.png
