#!/usr/bin/env bash
# Makes sure that amtool and Alertmanager can be run; installs them by apt-get where there is apt-get.
#
# Usage: scripts/ensure_alertmanager.sh
# Debian calls the server prometheus-alertmanager; a release of the project calls it alertmanager.
set -euo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/by_apt.sh"

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

judge && exit 0
install_by_apt Alertmanager prometheus-alertmanager
judge || give_up "the package of this distribution does not hold them"
