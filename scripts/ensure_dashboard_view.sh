#!/usr/bin/env bash
# Builds the page that draws dashboards with Grafana's published components, for tests/slow/test_dashboard_view.py.
#
# Usage: scripts/ensure_dashboard_view.sh
# It needs Node 20 with npm and half a gigabyte, in a folder of the user's cache or in DASHBOARD_VIEW_DIR.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

readonly SOURCE=tests/slow/dashboard_view
readonly FOLDER=${DASHBOARD_VIEW_DIR:-${XDG_CACHE_HOME:-$HOME/.cache}/slo-compiler/dashboard-view}
readonly STAMP=$FOLDER/.built

command -v npm >/dev/null || {
  echo 'npm is missing: install Node 20 or newer' >&2
  exit 3
}
now=$(find "$SOURCE" -type f -exec sha256sum {} + | sort | sha256sum | cut -d ' ' -f 1)
if [ "$(cat "$STAMP" 2>/dev/null || true)" != "$now" ]; then
  echo "building in $FOLDER" >&2
  mkdir -p "$FOLDER"
  rm -rf "$FOLDER/src" "$FOLDER/dist" "$STAMP"
  cp -r "$SOURCE/." "$FOLDER"
  # Its packages ask for a React that they do not need, and for scripts that nothing here does.
  (cd "$FOLDER" && npm install --legacy-peer-deps --ignore-scripts --no-audit --no-fund --no-package-lock --silent && npx vite build --logLevel error) >&2
  echo "$now" >"$STAMP"
fi
echo "$FOLDER/dist"
