#!/usr/bin/env bash
# Makes sure that amtool and Alertmanager can be run; installs them by apt-get where there is apt-get.
#
# Usage: scripts/ensure_alertmanager.sh
# Debian calls the server prometheus-alertmanager; a release of the project calls it alertmanager.
set -euo pipefail

judge() {
  local server
  command -v amtool >/dev/null || return 1
  server=$(command -v prometheus-alertmanager || command -v alertmanager) || return 1
  amtool --version 2>&1 | grep -q '^amtool, version ' || { echo "$(command -v amtool) is no amtool" >&2; return 1; }
  echo "amtool: $(command -v amtool); Alertmanager: $server"
}

give_up() {
  cat >&2 <<TEXT
Alertmanager and amtool are needed: $1.
Unpack a release of github.com/prometheus/alertmanager, or brew install alertmanager, and put both on the PATH.
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
  if [ -n "$(apt-cache policy prometheus-alertmanager 2>/dev/null | sed -n 's/^ *Candidate: \([^(].*\)/\1/p')" ]; then
    as_root apt-get install --yes --no-install-recommends prometheus-alertmanager </dev/null && return
  fi
  as_root apt-get update </dev/null
  as_root apt-get install --yes --no-install-recommends prometheus-alertmanager </dev/null
}

judge && exit 0
command -v apt-get >/dev/null || give_up "there is none, and no apt-get to install it by"
echo "installing Alertmanager: apt-get install prometheus-alertmanager" >&2
install_by_apt || give_up "apt-get could not install it"
hash -r
judge || give_up "the package of this distribution does not hold them"
