# Installs a package of Debian or Ubuntu; for scripts that say by `give_up REASON` what to do where that cannot be done.

as_root() {
  if [ "$(id -u)" -eq 0 ]; then
    "$@"
  else
    command -v sudo >/dev/null || give_up "$1 must be run by root, and there is no sudo"
    sudo "$@"
  fi
}

# install_by_apt WHAT PACKAGE
install_by_apt() {
  command -v apt-get >/dev/null || give_up "there is no $1, and no apt-get to install it by"
  export DEBIAN_FRONTEND=noninteractive
  echo "installing $1: apt-get install $2" >&2
  # Without package lists there is no candidate; with stale ones its file may be gone from the mirror.
  if [ -n "$(apt-cache policy "$2" 2>/dev/null | sed -n 's/^ *Candidate: \([^(].*\)/\1/p')" ]; then
    _get "$2" && return
  fi
  as_root apt-get update </dev/null >&2 && _get "$2" || give_up "apt-get could not install $2"
}

_get() {
  as_root apt-get install --yes --no-install-recommends "$1" </dev/null >&2
  local status=$?
  hash -r
  return $status
}
