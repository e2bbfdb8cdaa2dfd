#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# From a fresh checkout to a first screen: installs what is lacking, builds gilwatch, starts a small
# contended Python program and shows where the time of its threads goes.
set -euo pipefail

usage() {
	cat <<-END
		Usage: tools/demo.sh [--no-install]

		Installs what gilwatch is built with (it says what, before it does), builds it, starts
		tools/demo.py and runs \`gilwatch summary\` on it for 5 seconds.

		  --no-install  never install anything; fail if something is missing
	END
}

cd "$(dirname "${BASH_SOURCE[0]}")/.."
. tools/packages.sh

get=need_packages
for option in "$@"; do
	case $option in
	--no-install) get=have_needed ;;
	-h | --help) usage && exit ;;
	*) usage >&2 && exit 2 ;;
	esac
done

"$get" build demo

echo "Building gilwatch ..."
if ! run_logged make -j"$(nproc)"; then
	echo "gilwatch did not build; see above" >&2
	exit 1
fi

# The program says when it computes; it ends by itself after a minute should this script be killed.
# Ctrl-C is for gilwatch, which then shows what it has seen so far: the program must live on for that.
exec {ready}< <(trap '' INT && exec python3 tools/demo.py 60)
target=$!
trap 'kill "$target" 2>/dev/null || true' EXIT
if ! read -r -t 20 _ <&"$ready"; then
	echo "tools/demo.py did not start" >&2
	exit 1
fi

if ((EUID == 0)) || ! command -v sudo >/dev/null; then
	run=(build/gilwatch)
else
	run=(sudo build/gilwatch)
fi
echo "Watching $(python3 --version), process $target, for 5 seconds:"
echo "  ${run[*]} summary -p $target -d 5"
echo
status=0
"${run[@]}" summary -p "$target" -d 5 || status=$?
exit "$status"
