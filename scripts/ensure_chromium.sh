#!/usr/bin/env bash
# Makes sure that a Chromium can be run for the tests of the page; installs it by apt-get where there is apt-get.
#
# Usage: scripts/ensure_chromium.sh
# CHROMIUM names another program than /usr/bin/chromium; what it names is never installed, only checked.
set -euo pipefail

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

as_root() {
  if [ "$(id -u)" -eq 0 ]; then
    "$@"
  else
    command -v sudo >/dev/null || give_up "$1 must be run by root, and there is no sudo"
    sudo "$@"
  fi
}

install_by_apt() {
  export DEBIAN_FRONTEND=noninteractive
  # Without package lists there is no candidate; with stale ones its file may be gone from the mirror.
  if [ -n "$(apt-cache policy chromium 2>/dev/null | sed -n 's/^ *Candidate: \([^(].*\)/\1/p')" ]; then
    as_root apt-get install --yes --no-install-recommends chromium </dev/null && return
  fi
  as_root apt-get update </dev/null
  as_root apt-get install --yes --no-install-recommends chromium </dev/null
}

judge && exit 0
[ -z "${CHROMIUM:-}" ] || give_up "CHROMIUM is $CHROMIUM"
command -v apt-get >/dev/null || give_up "there is none, and no apt-get to install it by"
echo "installing Chromium: apt-get install chromium" >&2
install_by_apt || give_up "apt-get could not install it"
judge || give_up "the package of this distribution does not run (on Ubuntu it is a snap: install one of another source)"
