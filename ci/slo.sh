#!/bin/sh
# What a pipeline does, for any CI: slo.sh check on each change, slo.sh diff BASE on a proposed one (prints Markdown),
# slo.sh publish on what is merged. Needs slo-compiler, git and promtool on the PATH.
set -eu

out=${SLO_OUT:-out}

check() {
  slo-compiler validate
  slo-compiler compile -o "$out" --check
  slo-compiler test "$out"
}

changes() {
  slo-compiler diff --against "${1:?usage: slo.sh diff BASE}..." --format markdown
}

publish() {
  slo-compiler publish "$out" --repo "${MONITORING_REPOSITORY:?is not set}" --path "${MONITORING_PATH:-slos}" \
    --branch "${MONITORING_BRANCH:-main}" --owner "${SLO_OWNER:?is not set}"
}

case ${1:-check} in
  check) check ;;
  diff) shift && changes "$@" ;;
  publish) publish ;;
  *) echo "usage: slo.sh check | diff BASE | publish" >&2 && exit 2 ;;
esac
