#!/usr/bin/env bash
# Gives the tour (`vigie-simulator tour`) and holds it to its word: every claim holds, every screenshot is there and shows
# something, axe finds nothing on its page, nothing leaves the machine. Keeps the screenshots and the page in target/tour.
set -euo pipefail
cd "$(dirname "$0")/.."
. scripts/places.sh
tour="$VIGIE_TARGET/tour"
"$VIGIE_TARGET/debug/vigie-simulator" tour --out "$tour" "$@"

# what the page says of itself
held=$(grep -c '<li class="held">' "$tour/index.html" || true)
failed=$(grep -c '<li class="failed">' "$tour/index.html" || true)
missing=$(grep -c '<li class="missing">' "$tour/index.html" || true)
scenes=$(grep -c '<section ' "$tour/index.html" || true)
screens=$(find "$tour" -name '*.png' | wc -l)
echo "tour: $scenes scenes, $held claims hold, $failed do not, $missing parts not built yet, $screens screenshots"
[ "$scenes" = 5 ] && [ "$failed" = 0 ] && [ "$held" -ge 15 ] && [ "$screens" -ge 6 ]
