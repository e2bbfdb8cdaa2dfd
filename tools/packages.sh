# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# The one list of the packages that gilwatch is built, shown and tested with, and the way to get
# them. Sourced by the other scripts, never run:
#
#	. tools/packages.sh
#	need_packages build demo

# bpftool lives in /usr/sbin, which is not on the path of an ordinary user.
export PATH="$PATH:/usr/sbin:/sbin"

# Debian's names, a group a line; "a|b": b where a release has no a (Ubuntu's bpftool comes with its
# kernel tools). libc6-dev and zlib1g-dev are named because nothing that is only recommended is
# installed. The tables are read by name, in packages_of.
# shellcheck disable=SC2034
declare -A PACKAGES_DEBIAN=(
	[build]="make gcc libc6-dev clang llvm bpftool|linux-tools-generic pkg-config|pkgconf
		libbpf-dev libelf-dev libdw-dev libcapstone-dev libjansson-dev libseccomp-dev
		liblzma-dev libncurses-dev zlib1g-dev libmicrohttpd-dev libcap-dev"
	[demo]="python3"
	[test]="clang-format libcmocka-dev valgrind bpftrace python3 python3-pytest
		python3-jsonschema tmux screen python3-yaml python3-prometheus-client python3-seccomp
		prometheus systemd
		bolt-16|bolt-19|bolt-22"
	[interpreters]="make gcc libc6-dev libffi-dev zlib1g-dev binutils xz-utils"
	[targets]="gunicorn uwsgi-core uwsgi-plugin-python3 libapache2-mod-wsgi-py3 pypy3
		python3-numpy musl-tools"
	[kernels]="qemu-system-x86 mmdebstrap cpio"
	[bench]="wrk bpftrace gnuplot-nox python3 python3-venv"
)
# shellcheck disable=SC2034
declare -A PACKAGES_FEDORA=(
	[build]="make gcc clang llvm bpftool pkgconf-pkg-config libbpf-devel elfutils-libelf-devel
		elfutils-devel capstone-devel jansson-devel libseccomp-devel xz-devel ncurses-devel
		zlib-devel libmicrohttpd-devel libcap-devel"
	[demo]="python3"
	[test]="clang-tools-extra libcmocka-devel valgrind bpftrace python3-pytest
		python3-jsonschema tmux screen"
	[bench]="wrk bpftrace gnuplot python3"
)
# shellcheck disable=SC2034
declare -A PACKAGES_ARCH=(
	[build]="make gcc clang llvm bpf pkgconf libbpf libelf capstone jansson libseccomp
		xz ncurses zlib libmicrohttpd libcap"
	[demo]="python"
	[test]="cmocka valgrind bpftrace python-pytest python-jsonschema tmux screen"
	[bench]="wrk bpftrace gnuplot python"
)
# shellcheck disable=SC2034
declare -A PACKAGES_SUSE=(
	[build]="make gcc clang llvm bpftool pkg-config libbpf-devel libelf-devel libdw-devel
		libcapstone-devel libjansson-devel libseccomp-devel xz-devel ncurses-devel
		zlib-devel libmicrohttpd-devel libcap-devel"
	[demo]="python3"
	[test]="libcmocka-devel valgrind bpftrace python3-pytest python3-jsonschema tmux screen"
	[bench]="wrk bpftrace gnuplot python3"
)

# What each group is there for, as commands and pkg-config modules: all that can be asked where the
# package manager is not apt.
declare -A NEEDED_COMMANDS=(
	[build]="make gcc clang bpftool pkg-config readelf"
	[demo]="python3"
	[test]="valgrind python3 tmux screen"
	[bench]="wrk bpftrace gnuplot python3"
)
declare -A NEEDED_MODULES=(
	[build]="libbpf libelf libdw capstone jansson libseccomp liblzma ncursesw zlib libmicrohttpd libcap"
	[demo]=""
	[test]="cmocka"
	[bench]=""
)

# packages_of TABLE GROUP...: the table's packages of these groups, each once, on one line.
packages_of() {
	local -n table=$1
	local group
	shift
	for group in "$@"; do
		tr -s '[:space:]' '\n' <<<"${table[$group]}"
	done | awk 'NF && !seen[$0]++' | paste -sd ' '
}

# One line an architecture: libraries can be there for several.
package_installed() {
	dpkg-query -W -f='${db:Status-Status}\n' "$1" 2>/dev/null | grep -qx installed
}

package_known() {
	local policy
	policy=$(LC_ALL=C apt-cache policy "$1" 2>/dev/null)
	[[ $policy == *Candidate:* && $policy != *"Candidate: (none)"* ]]
}

# choose_package "a|b": the one to install: the first that this release has, else simply the first.
choose_package() {
	local -a names
	local name
	IFS='|' read -ra names <<<"$1"
	for name in "${names[@]}"; do
		if package_known "$name"; then
			echo "$name"
			return
		fi
	done
	echo "${names[0]}"
}

any_installed() {
	local -a names
	local name
	IFS='|' read -ra names <<<"$1"
	for name in "${names[@]}"; do
		package_installed "$name" && return
	done
	return 1
}

# missing_packages GROUP...: the packages to install, on one line; empty where all are there.
missing_packages() {
	local -a wanted missing=()
	local entry
	read -ra wanted <<<"$(packages_of PACKAGES_DEBIAN "$@")"
	for entry in "${wanted[@]}"; do
		any_installed "$entry" || missing+=("$(choose_package "$entry")")
	done
	echo "${missing[*]}"
}

# as_root COMMAND...: runs it as root, by sudo where that is needed.
as_root() {
	if ((EUID == 0)); then
		"$@"
	else
		sudo "$@"
	fi
}

can_be_root() {
	((EUID == 0)) || command -v sudo >/dev/null
}

# run_logged COMMAND...: quiet, unless it fails.
run_logged() {
	local log status=0
	log=$(mktemp)
	"$@" >"$log" 2>&1 || status=$?
	((status == 0)) || cat "$log" >&2
	rm -f "$log"
	return "$status"
}

install_debian() {
	local missing
	local -a names
	missing=$(missing_packages "$@")
	[[ -n $missing ]] || return 0
	if ! can_be_root; then
		echo "gilwatch needs these packages, and installing them takes root or sudo: $missing" >&2
		return 1
	fi
	echo "gilwatch needs these packages and will install them: $missing"
	echo "(by apt-get; this can take some minutes)"
	run_logged as_root apt-get update -q || echo "apt-get update failed; trying with the lists that are there" >&2
	# Only with fresh lists is it certain which of two names this release has.
	read -ra names <<<"$(missing_packages "$@")"
	[[ ${names[*]} == "$missing" ]] || echo "On this release they are: ${names[*]}"
	if ! run_logged as_root env DEBIAN_FRONTEND=noninteractive \
		apt-get install -q -y --no-install-recommends -o DPkg::Lock::Timeout=120 "${names[@]}"; then
		echo "apt-get could not install them; see above" >&2
		return 1
	fi
}

# lacking GROUP...: the commands and libraries that are not there, on one line.
lacking() {
	local group command module
	local -a absent=()
	for group in "$@"; do
		for command in ${NEEDED_COMMANDS[$group]}; do
			command -v "$command" >/dev/null || absent+=("$command")
		done
		for module in ${NEEDED_MODULES[$group]}; do
			pkg-config --exists "$module" 2>/dev/null || absent+=("$module")
		done
	done
	echo "${absent[*]}"
}

name_packages() {
	echo "The packages that gilwatch needs, by distribution:"
	echo "  Debian:   $(packages_of PACKAGES_DEBIAN "$@" | sed 's/|[^ ]*//g')"
	echo "  Fedora:   $(packages_of PACKAGES_FEDORA "$@")"
	echo "  Arch:     $(packages_of PACKAGES_ARCH "$@")"
	echo "  openSUSE: $(packages_of PACKAGES_SUSE "$@")"
}

# have_needed GROUP...: goes by what is there, installs nothing.
have_needed() {
	local absent
	absent=$(lacking "$@")
	[[ -z $absent ]] && return
	name_packages "$@" >&2
	echo "gilwatch cannot install packages here; please install them. Missing now: $absent" >&2
	return 1
}

# need_packages GROUP...: makes sure that they are there, or says what is lacking and fails. Uses the
# network only if something is missing.
need_packages() {
	if command -v apt-get >/dev/null && command -v dpkg-query >/dev/null; then
		install_debian "$@"
	else
		have_needed "$@"
	fi
}
