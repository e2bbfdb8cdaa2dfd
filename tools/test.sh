#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# Installs what is lacking, builds with gcc and with clang, and runs every test. The last line is
# "N passed, N failed"; the exit status is 0 only if nothing failed.
set -euo pipefail

usage() {
	cat <<-END
		Usage: tools/test.sh [--unit] [--no-install]

		Installs what gilwatch is built and tested with (it says what, before it does), builds it
		with gcc and with clang, and runs all tests. The live tests watch real Python processes:
		they run as root, by sudo where that is needed, and are left out where the machine gives
		no right to load BPF programs (with CI=true in the environment, that is a failure).

		  --unit        no live tests
		  --no-install  never install or fetch anything; fail if something is missing
	END
}

# Live tests take minutes by nature, more where others are busy. One that hangs must not hang the
# whole run.
live_limit=40m
# Releases of clang-format disagree with one another; the code follows this one.
format_release=14

# Debian's of 12 and 13. Older ones that gilwatch takes are in no suite.
kernels=(linux-image-cloud-amd64/bookworm linux-image-cloud-amd64/trixie)
machines=${XDG_CACHE_HOME:-$HOME/.cache}/gilwatch/machines

passed=0
failed=0
skipped=0
python=python3
# Root has another home.
interpreters=${GILWATCH_INTERPRETERS:-${XDG_CACHE_HOME:-$HOME/.cache}/gilwatch/interpreters}

say() {
	printf '\n== %s\n' "$*"
}

add() {
	passed=$((passed + $1))
	failed=$((failed + $2))
	skipped=$((skipped + ${3:-0}))
}

finish() {
	local rest=
	((skipped == 0)) || rest=", $skipped skipped"
	printf '\n%d passed, %d failed%s\n' "$passed" "$failed" "$rest"
	((failed == 0))
	exit
}

# A build that fails leaves nothing to test.
build() {
	local compiler=$1 directory=$2
	say "build with $compiler"
	if ! make -j"$(nproc)" BUILD="$directory" CC="$compiler" >"$logs/build-$compiler" 2>&1; then
		cat "$logs/build-$compiler"
		add 0 1
		finish
	fi
	echo "$directory/gilwatch"
}

check_format() {
	local release
	command -v clang-format >/dev/null || return 0
	release=$(clang-format --version | sed -E 's/.*version ([0-9]+).*/\1/')
	say "format (clang-format $release)"
	if make format-check >"$logs/format" 2>&1 </dev/null; then
		add 1 0
		echo "ok"
	elif [[ $release == "$format_release" ]]; then
		add 0 1
		head -n 20 "$logs/format"
	else
		echo "left out: it differs, but only clang-format $format_release decides"
	fi
}

# Every cmocka program closes with "[  PASSED  ] 5 test(s)." and, if need be, the same of FAILED.
count_cmocka() {
	awk -v kind="$1" '
		index($0, "[  " kind) == 1 && match($0, /[0-9]+ test\(s\)/) {
			n += substr($0, RSTART)
		}
		END { print n + 0 }' "$logs/unit"
}

unit_tests() {
	local status=0 bad
	say "unit tests"
	make -k check 2>&1 | tee "$logs/unit" || status=$?
	bad=$(count_cmocka FAILED)
	# A program that crashed or never started counts no tests of its own.
	((status == 0 || bad > 0)) || bad=1
	add "$(count_cmocka PASSED)" "$bad" "$(count_cmocka SKIPPED)"
}

# The first Python that has what the tests import. The system's comes first: another one that is
# earlier on the path lacks the packages that were installed for it.
find_python() {
	local candidate
	for candidate in "${PYTHON:-/usr/bin/python3}" python3; do
		if "$candidate" -c 'import pytest, jsonschema' 2>/dev/null; then
			python=$(command -v "$candidate")
			return
		fi
	done
	echo "no Python with pytest and jsonschema was found (PYTHON=... names one)" >&2
	return 1
}

schema_check() {
	say "JSON schema"
	if "$python" tests/unit/check_schema.py; then
		add 1 0
	else
		add 0 1
	fi
}

# Its statistics and tables, and that its helpers build; never its figures.
bench_check() {
	say "benchmark"
	if make bench-helpers && "$python" tests/unit/check_bench.py; then
		add 1 0
	else
		add 0 1
	fi
}

# The kernel types that the BPF programs read, against this kernel's.
kernel_types_check() {
	say "kernel types"
	if [[ ! -e /sys/kernel/btf/vmlinux ]]; then
		echo "left out: this kernel has no BTF"
	elif make check-vmlinux; then
		add 1 0
	else
		add 0 1
	fi
}

# What other kernels' verifiers say: the programs are loaded in an emulated machine, and their figures
# add up. A machine that does not come that far shows nothing, and is counted as skipped.
kernels_check() {
	local kernel status
	[[ $get == need_packages && $(. /etc/os-release && echo "$ID") == debian ]] || return 0
	need_packages kernels || add 0 1
	for kernel in "${kernels[@]}"; do
		say "kernel $kernel"
		status=0
		VM_TIMEOUT=90 VM_CACHE=$machines tools/vm.sh "$kernel" tests/vm/smoke.sh --load >"$logs/kernel" 2>&1 ||
			status=$?
		grep -E "^kernel|^==|WRONG|exit status of" "$logs/kernel" || true
		case $status in
		0) add 1 0 ;;
		125) add 0 0 1 && tail -n 3 "$logs/kernel" ;;
		*) add 0 1 && tail -n 60 "$logs/kernel" ;;
		esac
	done
}

# What keeps BPF programs from being loaded here; empty if nothing does. gilwatch itself is not asked:
# a program of it that the kernel refuses must show up as a failure, not as a lack of rights.
why_no_bpf() {
	if ! can_be_root; then
		echo "neither root nor sudo"
	elif [[ ! -e /sys/kernel/btf/vmlinux ]]; then
		echo "the kernel has no BTF (CONFIG_DEBUG_INFO_BTF)"
	else
		as_root env PYTHONPATH=tests/live PYTHONDONTWRITEBYTECODE=1 "$python" -c '
import conftest
print(conftest.why_no_bpf() or "")' || echo "root is not to be had"
	fi
}

# Beside the machine's interpreters, the live tests run those of other suites, web servers and PyPy.
# Elsewhere than on Debian, and where nothing may be fetched, they run what is there.
get_targets() {
	say "interpreters and servers"
	# shellcheck source=/dev/null
	if [[ $get != need_packages || $(. /etc/os-release && echo "$ID") != debian ]]; then
		tools/interpreters.sh --list
	else
		tools/interpreters.sh || add 0 1
		need_packages targets || add 0 1
	fi
}

live_tests() {
	local status=0 reason
	reason=$(why_no_bpf)
	if [[ -n $reason ]]; then
		say "live tests"
		echo "No right to load BPF programs here, so the live tests are left out: $reason"
		[[ ${CI:-} != true ]] || add 0 1
		return 0
	fi
	get_targets
	say "live tests"
	make live-helpers
	rm -f build/live.xml
	as_root timeout -k 20 "$live_limit" env GILWATCH="$PWD/build/gilwatch" CI="${CI:-}" \
		GILWATCH_INTERPRETERS="$interpreters" PYTHONDONTWRITEBYTECODE=1 \
		"$python" -m pytest tests/live -ra -p no:cacheprovider --junitxml=build/live.xml || status=$?
	count_live "$status"
}

# count_live STATUS: from pytest's report, where it lived to write one.
count_live() {
	local counts ok bad left_out
	counts=$("$python" - build/live.xml 2>/dev/null <<-'END'
		import sys, xml.etree.ElementTree as xml
		suites = list(xml.parse(sys.argv[1]).getroot().iter("testsuite"))
		total, bad, skipped = (sum(int(suite.get(key, 0)) for suite in suites for key in keys)
		                       for keys in (["tests"], ["failures", "errors"], ["skipped"]))
		print(total - bad - skipped, bad, skipped)
	END
	) || counts="0 0 0"
	read -r ok bad left_out <<<"$counts"
	if (($1 != 0 && bad == 0)); then
		echo "the live tests did not run to their end (status $1)"
		bad=1
	fi
	add "$ok" "$bad" "$left_out"
}

cd "$(dirname "${BASH_SOURCE[0]}")/.."
. tools/packages.sh

get=need_packages
live=yes
for option in "$@"; do
	case $option in
	--unit) live=no ;;
	--no-install) get=have_needed ;;
	-h | --help) usage && exit ;;
	*) usage >&2 && exit 2 ;;
	esac
done

logs=$(mktemp -d)
trap 'rm -rf "$logs"' EXIT

"$get" build test
find_python
build gcc build
build clang build/clang
check_format
unit_tests
schema_check
bench_check
kernel_types_check
[[ $live == no ]] || kernels_check
[[ $live == no ]] || live_tests
finish
