#!/bin/sh
# Installs the Debian packages that lgc builds and runs with. Quiet when nothing is missing.
#   Scripts/install-dependencies.sh [--bench]     --bench: also what the benchmarks need
set -eu
packages="libyaml-dev libdnnl-dev libopenblas-dev zlib1g-dev libpng-dev libjpeg-dev pkg-config make"
packages="$packages dataset-fashion-mnist"
[ "${1:-}" = "--bench" ] && packages="$packages python3-venv"

missing=""
for package in $packages; do
  status=$(dpkg-query -W -f '${Status}' "$package" 2>/dev/null || true)
  [ "$status" = "install ok installed" ] || missing="$missing $package"
done
[ -n "$missing" ] || exit 0

if [ "$(id -u)" -ne 0 ]; then
  echo "lgc needs these Debian packages:$missing" >&2
  echo "Install them as root: sudo apt-get install$missing" >&2
  exit 1
fi
echo "installing:$missing" >&2
export DEBIAN_FRONTEND=noninteractive
# shellcheck disable=SC2086  # the list is split on purpose
if ! apt-get install -y -qq --no-install-recommends $missing >/dev/null 2>&1; then
  apt-get update -qq >/dev/null
  # shellcheck disable=SC2086
  apt-get install -y -qq --no-install-recommends $missing >/dev/null
fi
