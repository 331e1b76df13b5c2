#!/usr/bin/env bash
# Runs a command in a network namespace of its own, which has the loopback and nothing else.
#
# Usage: scripts/on_loopback.sh COMMAND [ARGUMENT...]
# For servers that listen on all interfaces, whatever they are told. Needs root or user namespaces.
set -euo pipefail

spaces=(--net)
[ "$(id -u)" -eq 0 ] || spaces+=(--user --map-root-user)
if ! unshare "${spaces[@]}" true 2>/dev/null; then
  echo "no network namespace can be made: root, or user namespaces, are needed" >&2
  exit 3
fi
exec unshare "${spaces[@]}" bash -c 'ip link set lo up && exec "$@"' on_loopback "$@"
