#!/bin/sh
# The picture of the README: the top of a report, as a browser shows it on a desk in light colours.
#
#   scripts/picture.sh REPORT.html docs/images/report.png
#
# Needs chromium (or the command named in CHROMIUM) on PATH.
set -eu

[ $# -eq 2 ] || { echo "usage: scripts/picture.sh REPORT.html PICTURE.png" >&2; exit 2; }
browser=${CHROMIUM:-chromium}
command -v "$browser" >/dev/null || { echo "picture: no $browser on PATH; install it or set CHROMIUM" >&2; exit 1; }
[ -r "$1" ] || { echo "picture: $1 cannot be read" >&2; exit 1; }

report=$(cd "$(dirname "$1")" && pwd)/$(basename "$1")
mkdir -p "$(dirname "$2")"
picture=$(cd "$(dirname "$2")" && pwd)/$(basename "$2")
profile=$(mktemp -d)
trap 'rm -rf "$profile"' EXIT

# The time budget is the page's own clock: enough for its charts to be drawn.  1 is the light scheme.
"$browser" --headless --no-sandbox --disable-gpu --hide-scrollbars --user-data-dir="$profile" \
    --blink-settings=preferredColorScheme=1 --virtual-time-budget=20000 --window-size=1440,1400 \
    --screenshot="$picture" "file://$report" >"$profile/log" 2>&1 || { cat "$profile/log" >&2; exit 1; }
[ -s "$picture" ] || { cat "$profile/log" >&2; exit 1; }
echo "$picture"
