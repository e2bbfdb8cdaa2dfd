#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# Installs what `make bench` runs beside gilwatch.
set -euo pipefail

usage() {
	cat <<-END
		Usage: tools/bench/peers.sh

		Installs, by the package manager: ${PACKAGES_DEBIAN[bench]};
		and from PyPI, into a virtual environment under the cache directory: py-spy, austin.
		CPython 3.15, for its sampler, comes from tools/interpreters.sh, which is run by itself.
		What is not there, the benchmark shows as "not at hand".
	END
}

# austin's newest binary needs a newer C library than some distributions have.
install_austin() {
	local version
	for version in austin-dist "austin-dist<4"; do
		"$venv/bin/pip" install -q --upgrade "$version" || continue
		"$venv/bin/austin" --version >/dev/null 2>&1 && return
	done
	echo "austin does not run here: the benchmark goes without it" >&2
}

cd "$(dirname "${BASH_SOURCE[0]}")/../.."
. tools/packages.sh
case ${1:-} in
"") ;;
-h | --help) usage && exit ;;
*) usage >&2 && exit 2 ;;
esac
venv=${XDG_CACHE_HOME:-$HOME/.cache}/gilwatch/peers
need_packages bench
[[ -x $venv/bin/pip ]] || python3 -m venv "$venv"
"$venv/bin/pip" install -q py-spy
install_austin
"$venv/bin/py-spy" --version
"$venv/bin/austin" --version
