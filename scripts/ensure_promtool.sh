#!/usr/bin/env bash
# Makes sure that a promtool of 2.42 or newer can be run; installs it by apt-get where there is apt-get.
#
# Usage: scripts/ensure_promtool.sh
# PROMTOOL names another program than the promtool on the PATH; what it names is never installed, only checked.
set -euo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/by_apt.sh"

readonly OLDEST_MAJOR=2 OLDEST_MINOR=42
readonly PROGRAM=${PROMTOOL:-promtool}

version_of() {
  "$1" --version 2>&1 | sed -n 's/^promtool, version \([0-9][0-9]*\)\.\([0-9][0-9]*\).*/\1 \2/p' | head -n 1
}

# 0: usable; 1: missing or no promtool; 2: too old. Says what it found.
judge() {
  local path version major minor
  path=$(command -v "$PROGRAM") || return 1
  version=$(version_of "$path" || true)
  if [ -z "$version" ]; then
    echo "$path is no promtool" >&2
    return 1
  fi
  read -r major minor <<<"$version"
  if [ "$major" -lt $OLDEST_MAJOR ] || { [ "$major" -eq $OLDEST_MAJOR ] && [ "$minor" -lt $OLDEST_MINOR ]; }; then
    echo "$path is $major.$minor; $OLDEST_MAJOR.$OLDEST_MINOR or newer is needed" >&2
    return 2
  fi
  echo "promtool $major.$minor: $path"
}

give_up() {
  cat >&2 <<TEXT
promtool $OLDEST_MAJOR.$OLDEST_MINOR or newer is needed: $1.
It is part of Prometheus: brew install prometheus, or unpack a release of github.com/prometheus/prometheus,
and put promtool on the PATH or its path into the variable PROMTOOL.
TEXT
  exit 3
}

state=0
judge || state=$?
[ "$state" -eq 0 ] && exit 0
[ -z "${PROMTOOL:-}" ] || give_up "PROMTOOL is $PROMTOOL"
[ "$state" -ne 2 ] || give_up "what is installed is older"
install_by_apt promtool prometheus
judge || give_up "the package of this distribution has no newer one"
