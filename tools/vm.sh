#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# Boots another kernel in QEMU and runs a command there, by default the smoke test of gilwatch.
set -euo pipefail

usage() {
	cat <<-END
		Usage: tools/vm.sh [--modules DIR] KERNEL [COMMAND [ARGUMENT...]]

		KERNEL is one of
		  PACKAGE[/SUITE]   a Debian kernel package, such as linux-image-cloud-amd64/trixie; the suite
		                    is this machine's own unless named, the mirror is this machine's
		  FILE.deb          a kernel package that is here already
		  FILE              a vmlinuz; --modules DIR adds its modules (/lib/modules/VERSION)

		COMMAND runs as root in /gilwatch, a copy of build/gilwatch and tests/vm, with Debian 12's
		userland and Python; by default tests/vm/smoke.sh. This script ends with its status, or with
		125 if the machine did not come that far.

		Environment:
		  VM_CACHE      where kernels and the userland are kept (build/vm)
		  VM_BUILD      the build to take gilwatch from (build)
		  VM_SHARE      files and directories to copy to /gilwatch as well, separated by spaces
		  VM_APPEND     more of the kernel's command line
		  VM_ACCEL      kvm, where that works; the CPU is emulated otherwise
		  VM_TIMEOUT    seconds before the machine is stopped (300)

		Needs no rights.
	END
}

fail() {
	echo "tools/vm.sh: $*" >&2
	exit 125
}

need() {
	local command package
	for command in qemu-system-x86_64:qemu-system-x86 mmdebstrap cpio dpkg-deb:dpkg timeout:coreutils; do
		package=${command#*:}
		command -v "${command%%:*}" >/dev/null ||
			fail "${command%%:*} is missing: apt-get install $package"
	done
}

# The package that has the kernel itself: linux-image-amd64 and its like are empty, and in Debian 14
# linux-image-VERSION is too.
resolve() {
	local suite=$1 package=$2 real
	while true; do
		real=$(apt_for "$suite" apt-cache depends --no-recommends --no-suggests "$package" |
			awk '$1 ~ /Depends:$/ && $2 ~ /^linux-(image|binary)-[0-9]/ { print $2; exit }')
		[[ $real && $real != "$package" ]] || break
		package=$real
	done
	echo "$package"
}

# Sets kernel to the vmlinuz of a package file, wherever it lies in there.
unpack_kernel() {
	local deb=$1 dir
	local -a found
	dir=$cache/kernel/$(basename "$deb" .deb)
	if [[ ! -e $dir/vmlinuz ]]; then
		mkdir -p "$dir"
		dpkg-deb --fsys-tarfile "$deb" |
			tar -x -C "$dir" --wildcards --no-anchored "vmlinuz*" 2>/dev/null || true
		mapfile -t found < <(find "$dir" -type f -name "vmlinuz*")
		((${#found[@]})) || fail "$deb has no kernel in it"
		mv "${found[0]}" "$dir/vmlinuz"
	fi
	kernel=$dir/vmlinuz
}

# Sets kernel to the vmlinuz of PACKAGE[/SUITE].
fetch_kernel() {
	local package=${1%%/*} suite=$own_suite
	local dir
	local -a found

	[[ $1 == */* ]] && suite=${1#*/}
	update_lists "$suite"
	package=$(resolve "$suite" "$package")
	dir=$cache/package/$suite/$package
	if [[ ! -d $dir ]]; then
		echo "Downloading $package of $suite ..." >&2
		rm -rf "$dir.part"
		mkdir -p "$dir.part"
		(cd "$dir.part" && quietly apt_for "$suite" apt-get -q download "$package")
		mv "$dir.part" "$dir"
	fi
	found=("$dir"/*.deb)
	unpack_kernel "${found[0]}"
}

pick_kernel() {
	if [[ $1 == *.deb ]]; then
		[[ -r $1 ]] || fail "$1 cannot be read"
		unpack_kernel "$1"
	elif [[ -f $1 ]]; then
		kernel=$1
	elif [[ $1 == linux-* ]]; then
		fetch_kernel "$1"
	else
		fail "$1 is neither a file nor a kernel package"
	fi
}

# archive DIR FILE: as the kernel unpacks it; several of them behind one another are one.
archive() {
	(cd "$1" && find . -mindepth 1 -print0 | sort -z |
		cpio --quiet --null --create --format=newc --owner=0:0) >"$2.part"
	mv "$2.part" "$2"
}

# The userland that gilwatch and its targets need. Not compressed: emulated CPUs unpack slowly.
make_userland() {
	local packages=bash,busybox,python3,libbpf1,libelf1,libdw1,libcapstone4,libjansson4,libseccomp2,liblzma5,libncursesw6,libtinfo6,libmicrohttpd12,libcap2
	local dir=$cache/userland

	[[ -e $cache/userland.cpio ]] && return
	echo "Making the machine's userland ..." >&2
	rm -rf "$dir"
	mkdir -p "$dir"
	quietly mmdebstrap --variant=extract --include="$packages" --format=tar bookworm \
		"$cache/userland.tar"
	tar -x -C "$dir" -f "$cache/userland.tar" --no-same-owner --exclude="./dev/*" \
		--exclude="./usr/share/doc/*" --exclude="./usr/share/man/*" \
		--exclude="./usr/share/locale/*" --exclude="./var/cache/*" --exclude="./var/lib/*"
	mkdir -p "$dir"/{dev,proc,sys,tmp,root,run,etc,gilwatch}
	rm -f "$dir/init"
	archive "$dir" "$cache/userland.cpio"
	rm -rf "$dir" "$cache/userland.tar"
}

# The first process. It says the verdict in a line of its own, where this script finds it.
write_init() {
	cat >"$1/init" <<-'END'
		#!/bin/busybox sh
		busybox mount -t proc proc /proc
		busybox mount -t sysfs sysfs /sys
		busybox mount -t devtmpfs devtmpfs /dev
		busybox mount -t tmpfs tmpfs /run
		busybox ln -s /proc/self/fd /dev/fd
		busybox mount -t tracefs tracefs /sys/kernel/tracing
		busybox mount -t bpf bpf /sys/fs/bpf
		busybox mount -t cgroup2 cgroup2 /sys/fs/cgroup
		busybox --install -s 2>/dev/null
		export PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/root LANG=C.UTF-8 TERM=dumb
		ip link set lo up
		cd /gilwatch
		echo "kernel $(uname -r)"
		bash /gilwatch/command </dev/null
		echo "exit status $?"
		poweroff -f
	END
	chmod 755 "$1/init"
}

make_overlay() {
	local dir=$cache/overlay share
	rm -rf "$dir"
	mkdir -p "$dir/gilwatch/build" "$dir/gilwatch/tests"
	cp "$build/gilwatch" "$dir/gilwatch/build/"
	cp -r tests/vm "$dir/gilwatch/tests/"
	for share in ${VM_SHARE:-}; do
		cp -r "$share" "$dir/gilwatch/"
	done
	if [[ $modules ]]; then
		mkdir -p "$dir/lib/modules"
		cp -r "$modules" "$dir/lib/modules/"
	fi
	printf '%q ' "$@" >"$dir/gilwatch/command"
	echo >>"$dir/gilwatch/command"
	write_init "$dir"
	archive "$dir" "$cache/overlay.cpio"
	cat "$cache/userland.cpio" "$cache/overlay.cpio" >"$cache/initrd"
	rm -rf "$dir" "$cache/overlay.cpio"
}

# Shows the console without the carriage returns, and ends with the command's status.
boot() {
	local status
	timeout --foreground "${VM_TIMEOUT:-300}" qemu-system-x86_64 -machine "q35,accel=${VM_ACCEL:-tcg}" -cpu max \
		-smp 2 -m 1500 -kernel "$kernel" -initrd "$cache/initrd" \
		-append "console=ttyS0 quiet panic=-1 ${VM_APPEND:-}" -display none -serial stdio \
		-monitor none -nic none -no-reboot </dev/null 2>"$cache/log" |
		tr -d '\r' | tee "$cache/console" || {
		cat "$cache/log" >&2
		fail "the machine was stopped, or did not start"
	}
	status=$(sed -n 's/^exit status \([0-9]*\)$/\1/p' "$cache/console" | tail -n 1)
	[[ $status ]] || fail "the machine ended without a verdict"
	return "$status"
}

modules=
while [[ ${1:-} == -* ]]; do
	case $1 in
	--modules) modules=${2:?} && shift 2 ;;
	-h | --help) usage && exit ;;
	*) usage >&2 && exit 2 ;;
	esac
done
[[ ${1:-} ]] || { usage >&2 && exit 2; }
wanted=$1
shift
(($#)) || set -- tests/vm/smoke.sh

# A file is named from where the script was called.
[[ -f $wanted ]] && wanted=$(realpath "$wanted")
cd "$(dirname "${BASH_SOURCE[0]}")/.."
need
cache=${VM_CACHE:-build/vm}
build=${VM_BUILD:-build}
mkdir -p "$cache"
cache=$(realpath "$cache")
. tools/suites.sh
[[ -x $build/gilwatch ]] || fail "$build/gilwatch is not built"

# One machine at a time: the cache is shared.
exec {lock}>"$cache/lock"
flock "$lock"
kernel=
pick_kernel "$wanted"
make_userland
make_overlay "$@"
boot
