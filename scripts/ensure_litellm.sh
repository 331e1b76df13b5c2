#!/usr/bin/env bash
# Makes sure that the LiteLLM proxy of tests/test_litellm.py can be run: by pip, pinned, in an environment of its own.
#
# Usage: scripts/ensure_litellm.sh
# It lies in a folder of the user's cache, or in LITELLM_DIR; half a gigabyte.
set -euo pipefail

# The release that the engine document describes, and the last one before its metrics changed again.
readonly PINS=('litellm[proxy]==1.106.2' 'prometheus-client==0.23.1')
readonly FOLDER=${LITELLM_DIR:-${XDG_CACHE_HOME:-$HOME/.cache}/slo-compiler/litellm}
readonly STAMP=$FOLDER/.installed

if [ "$(cat "$STAMP" 2>/dev/null || true)" != "${PINS[*]}" ]; then
  echo "installing into $FOLDER: ${PINS[*]}" >&2
  rm -rf "$FOLDER"
  mkdir -p "$(dirname "$FOLDER")"
  "${PYTHON:-python3}" -m venv "$FOLDER"
  nice -n 10 "$FOLDER/bin/python" -m pip install --disable-pip-version-check --quiet "${PINS[@]}" </dev/null
  echo "${PINS[*]}" >"$STAMP"
fi
echo "${PINS[*]}: $FOLDER"
