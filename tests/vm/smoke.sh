#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# Runs inside the machine that tools/vm.sh boots: does gilwatch load on this kernel, and does it see
# the right thing? All engines look at a contended Python program. With --load, nothing is asked of
# the figures but that they add up: an emulated CPU that is short of time makes of them what it will.
set -euo pipefail

load=
[[ ${1:-} != --load ]] || load=load

cd "$(dirname "${BASH_SOURCE[0]}")/../.."
work=$(mktemp -d)
trap 'kill "${target:-}" 2>/dev/null || true; rm -rf "$work"' EXIT

# try ENGINE [OPTION...]
try() {
	local engine=$1 gilwatch status=0
	shift
	echo "== $engine"
	build/gilwatch summary -v -j -d 3 -p "$target" --engine="$engine" "$@" \
		>"$work/summary" 2>"$work/messages" &
	gilwatch=$!
	# It has ended as far as /proc shows when this ends, whatever its status.
	[[ $engine != uprobe ]] || python3 tests/vm/probes.py "$gilwatch"
	wait "$gilwatch" || status=$?
	if ((status)); then
		echo "  exit status of gilwatch: $status"
		grep "^gilwatch:" "$work/messages" || true
		# What the verifier says stands at the end of what libbpf prints of a program.
		grep -v "^libbpf: \(sec\|map\|CO-RE\|loading\|elf\|looking\|license\)" "$work/messages" | tail -n 60
		return 1
	fi
	grep -i "warn\|fail\|error\|lost" "$work/messages" || true
	python3 tests/vm/check.py "$work/summary" "$engine" $load
}

python3 tests/vm/contended.py 120 >"$work/ready" &
target=$!
until [[ -s $work/ready ]]; do sleep 0.2; done

status=0
try sched || status=1
try uprobe || status=1
try auto || status=1
# A kernel that warns has been harmed, whatever the figures say.
if dmesg | grep -A 20 "WARNING:\|BUG:\|Oops"; then
	status=1
fi
((status)) || echo "all is well"
exit "$status"
