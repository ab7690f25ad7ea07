# shellcheck shell=bash
# What the scripts share; sourced by them.

# shellcheck disable=SC2034  # used by the scripts
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)

say() { printf '%s: %s\n' "$(basename "$0")" "$*" >&2; }

fail() {
  say "$@"
  exit 1
}

# The comment at the head of the calling script, without its `#`: that is its help.
usage() { sed -n '2,/^[^#]/ { s/^# \{0,1\}//p }' "$0"; }

# configure_and_build PRESET [TARGET…]
configure_and_build() {
  local preset=$1
  shift
  # One clone's objects serve another one.
  export CCACHE_BASEDIR=$root CCACHE_NOHASHDIR=1
  cmake --preset "$preset"
  cmake --build --preset "$preset" --parallel "$(nproc)" ${1:+--target "$@"}
}
