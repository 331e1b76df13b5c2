#!/usr/bin/env bash
# Makes sure that a Chromium can be run for the tests of the page; installs it by apt-get where there is apt-get.
#
# Usage: scripts/ensure_chromium.sh
# CHROMIUM names another program than /usr/bin/chromium; what it names is never installed, only checked.
set -euo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/by_apt.sh"

readonly PROGRAM=${CHROMIUM:-/usr/bin/chromium}

# 0: usable; 1: missing or no Chromium. Says what it found.
judge() {
  local version
  [ -x "$PROGRAM" ] || return 1
  version=$("$PROGRAM" --version 2>/dev/null | sed -n -e 's/^\(Chromium [0-9.]*\).*/\1/p' -e 's/^\(Google Chrome [0-9.]*\).*/\1/p')
  if [ -z "$version" ]; then
    echo "$PROGRAM is no Chromium" >&2
    return 1
  fi
  echo "$version: $PROGRAM"
}

give_up() {
  cat >&2 <<TEXT
Chromium is needed for the tests of the catalogue page: $1.
Install Chromium or Google Chrome and put the path of its program into the variable CHROMIUM, such as
CHROMIUM="/Applications/Google Chrome.app/Contents/MacOS/Google Chrome"; or leave these tests out:
make test PYTEST_ARGS="--deselect tests/test_page.py".
TEXT
  exit 3
}

judge && exit 0
[ -z "${CHROMIUM:-}" ] || give_up "CHROMIUM is $CHROMIUM"
install_by_apt Chromium chromium
judge || give_up "the package of this distribution does not run (on Ubuntu it is a snap: install one of another source)"
