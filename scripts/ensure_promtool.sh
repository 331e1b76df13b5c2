#!/usr/bin/env bash
# Makes sure that a promtool of 2.42 or newer can be run; installs it by apt-get where there is apt-get.
#
# Usage: scripts/ensure_promtool.sh
# PROMTOOL names another program than the promtool on the PATH; what it names is never installed, only checked.
set -euo pipefail

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
  if [ -n "$(apt-cache policy prometheus 2>/dev/null | sed -n 's/^ *Candidate: \([^(].*\)/\1/p')" ]; then
    as_root apt-get install --yes --no-install-recommends prometheus </dev/null && return
  fi
  as_root apt-get update </dev/null
  as_root apt-get install --yes --no-install-recommends prometheus </dev/null
}

state=0
judge || state=$?
[ "$state" -eq 0 ] && exit 0
[ -z "${PROMTOOL:-}" ] || give_up "PROMTOOL is $PROMTOOL"
[ "$state" -ne 2 ] || give_up "what is installed is older"
command -v apt-get >/dev/null || give_up "there is none, and no apt-get to install it by"
echo "installing promtool: apt-get install prometheus" >&2
install_by_apt || give_up "apt-get could not install it"
hash -r
judge || give_up "the package of this distribution has no newer one"
