#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# Makes Pythons of other Debian suites available, and a free-threaded one, without installing them.
set -euo pipefail

usage() {
	cat <<-END
		Usage: tools/interpreters.sh [--builds | --list]

		Fetches the interpreters that the live tests run beside those of the machine, on Debian:
		  ${debian[*]/%/,}
		  each in a root of its own with the libraries that it needs, to be run by chroot;
		  the debug symbols of these and of the system's Python, to hold gilwatch against;
		  a free-threaded Python, built from Debian's source of ${free_threaded/-/ in }.
		Packages come from this machine's mirror. Nothing is installed but what the build needs, and
		nothing is done again that is there already: to have newer ones, remove the directory.

		  --builds  builds these besides, some minutes each: free-threaded ones of
		            ${more_free_threaded[*]/%/,} and from the source of ${plain/-/ in } a shared one
		            without PLT and CET. What a mirror has no source of is left out, and told
		  --list    names those that are there, each with the command that runs it, and fetches nothing

		Environment:
		  GILWATCH_INTERPRETERS  where they are kept (\${XDG_CACHE_HOME:-~/.cache}/gilwatch/interpreters)
	END
}

# VERSION-SUITE, as in the names by which the tests know them.
debian=(3.9-bullseye 3.13-trixie 3.14-sid 3.15-sid)
free_threaded=3.13-trixie
# Those of --builds, which the tests then run as well.
more_free_threaded=(3.14-sid 3.15-sid)
plain=3.13-trixie
# To be changed with the way in which something is made: then it is made again.
recipe="recipe 1"

fail() {
	echo "tools/interpreters.sh: $*" >&2
	exit 1
}

# What was made, with the versions of the packages, is written down once it is there in full.
is_made() {
	[[ -e $cache/made/$1 && $(head -n 1 "$cache/made/$1") == "$recipe" ]]
}

write_down() {
	mkdir -p "$cache/made"
	{
		echo "$recipe"
		cat
	} >"$cache/made/$1.part"
	mv "$cache/made/$1.part" "$cache/made/$1"
}

# package_versions FILE.deb...: "NAME VERSION", a line each.
package_versions() {
	local deb
	for deb in "$@"; do
		dpkg-deb --show --showformat "\${Package} \${Version}\n" "$deb"
	done
}

# unpack DEB DIRECTORY: /lib and the like may be links there, and must stay so.
unpack() {
	dpkg-deb --fsys-tarfile "$1" | tar -x -C "$2" --keep-directory-symlink --no-same-owner \
		--exclude="./usr/share/doc/*" --exclude="./usr/share/man/*" --exclude="./usr/share/locale/*"
}

# In a suite with a merged /usr, the dynamic linker's name leads through such a link.
make_skeleton() {
	local name
	mkdir -p "$1"/{etc,tmp,proc,dev}
	for name in bin sbin lib lib64; do
		mkdir -p "$1/usr/$name"
		ln -s "usr/$name" "$1/$name"
	done
}

build_id() {
	LC_ALL=C readelf -n "$1" 2>/dev/null | awk '/Build ID:/ { print $3; exit }'
}

# keep_debug_files DEB FILE...: of the package's debug files only those that belong to these files.
keep_debug_files() {
	local deb=$1 file id
	local -a members=()
	shift
	for file in "$@"; do
		id=$(build_id "$file")
		[[ $id ]] || fail "$file has no build ID to find its symbols by"
		members+=("./usr/lib/debug/.build-id/${id:0:2}/${id:2}.debug")
	done
	mkdir -p "$cache/debug"
	dpkg-deb --fsys-tarfile "$deb" |
		tar -x -C "$cache/debug" --strip-components=4 --no-same-owner "${members[@]}" ||
		fail "$(basename "$deb") lacks the debug files of $*"
}

# fetch_debug_package PACKAGE VERSION APT...: sets debug to the file; APT is what calls apt-get.
fetch_debug_package() {
	local dir=$cache/apt/debug package=$1 version=$2
	local -a found
	shift 2
	mkdir -p "$dir"
	(cd "$dir" && run_logged "$@" -q download "$package=$version") || return
	found=("$dir/${package}_"*.deb)
	debug=${found[0]}
}

# make_root VERSION-SUITE
make_root() {
	local name=$1 version=${1%%-*} suite=${1#*-} deb debug=
	local root=$cache/root/$1 archives=$cache/apt/${1#*-}/$1
	local -a debs

	echo "Fetching Python $version of $suite ..."
	update_lists "$suite"
	mkdir -p "$archives/partial"
	run_logged apt_for "$suite" apt-get -q -y --no-install-recommends --download-only \
		-o Dir::State::Status=/dev/null -o "Dir::Cache::Archives=$archives" \
		install "python$version" "libpython$version" ||
		fail "Python $version of Debian's $suite cannot be had; apt says why, above"
	debs=("$archives"/*.deb)
	rm -rf "$root"
	make_skeleton "$root"
	for deb in "${debs[@]}"; do
		unpack "$deb" "$root"
	done
	fetch_debug_package "python$version-dbg" \
		"$(dpkg-deb --field "$archives/python${version}_"*.deb Version)" apt_for "$suite" apt-get ||
		fail "the symbols of Python $version of Debian's $suite cannot be had; apt says why, above"
	keep_debug_files "$debug" "$root/usr/bin/python$version" \
		"$root"/usr/lib/*/"libpython$version.so.1.0"
	package_versions "${debs[@]}" "$debug" | write_down "$name"
}

# The system's Python is there; only its symbols are not. They come from where it came from, by the
# machine's own apt. Where a mirror has left its version behind, the mirror's own version stands in
# for it, in a root like the others: the tests compare its files instead.
make_system_debug() {
	local python package version debug=
	local -a own_apt=(apt-get -o APT::Sandbox::User=)
	python=$(readlink -f /usr/bin/python3)
	package=$(basename "$python")
	version=$(dpkg-query --show --showformat "\${Version}" "$package")
	echo "Fetching the symbols of the system's $package ..."
	if ! fetch_debug_package "$package-dbg" "$version" "${own_apt[@]}" 2>/dev/null; then
		run_logged as_root apt-get -q update || true
		if ! fetch_debug_package "$package-dbg" "$version" "${own_apt[@]}" 2>/dev/null; then
			echo "(apt has no $package-dbg $version)"
			make_root "${package#python}-$own_suite"
			write_down system-symbols <<<"${package#python}-$own_suite stands in for $version"
			return
		fi
	fi
	keep_debug_files "$debug" "$python"
	package_versions "$debug" | write_down system-symbols
}

# fetch_source VERSION-SUITE: into $cache/build/source-VERSION-SUITE, with the archive beside it.
# Fails where the suite's list has it and the mirror has not.
fetch_source() {
	local version=${1%%-*} suite=${1#*-} dir=$cache/build/source-$1
	local -a archive

	[[ -e $dir/configure ]] && return
	update_lists "$suite" with-source
	mkdir -p "$dir.archive" "$dir"
	(cd "$dir.archive" && run_logged apt_for "$suite" apt-get -q source --download-only --tar-only "python$version") ||
		return
	archive=("$dir.archive/python${version}"_*.orig.tar.*z)
	tar -x -C "$dir" --strip-components=1 -f "${archive[0]}"
}

# build NAME VERSION-SUITE OPTION...: a Python configured with these options (VARIABLE=VALUE too).
build() {
	local name=$1 from=$2 version=${2%%-*} dir=$cache/build/$1 prefix=$cache/built/$1
	local -a archive
	shift 2

	echo "Building Python $name from the source of ${from#*-} (some minutes) ..."
	fetch_source "$from" ||
		fail "the source of Python $version of Debian's ${from#*-} cannot be had; apt says why, above"
	rm -rf "$dir" "$prefix"
	mkdir -p "$dir"
	(cd "$dir" && run_logged "$cache/build/source-$from/configure" --without-ensurepip \
		--disable-test-modules --without-static-libpython --prefix="$prefix" OPT="-DNDEBUG -O3" "$@") ||
		fail "Python $name cannot be configured; see above"
	run_logged make -C "$dir" -j"$(nproc)" || fail "Python $name cannot be built; see above"
	run_logged make -C "$dir" install || fail "Python $name cannot be installed; see above"
	"$(program_of "$name")" -c 'import ctypes, zlib' || fail "Python $name was built, but not in full"
	archive=("$cache/build/source-$from.archive/python${version}"_*.orig.tar.*z)
	basename "${archive[0]}" | write_down "$name"
}

# program_of NAME: of one that was built. 3.14t has its letter in the program's name, 3.13-noplt has not.
program_of() {
	echo "$cache/built/$1/bin/python${1%%-*}"
}

# What distributions do besides: code that calls through the GOT itself, and none marked for CET.
build_without_plt() {
	build "$1" "$plain" --enable-shared CFLAGS="-fno-plt -fcf-protection=none" \
		LDFLAGS="-Wl,-rpath,$cache/built/$1/lib"
}

make_builds() {
	local from
	need_packages interpreters
	for from in "${more_free_threaded[@]}"; do
		if is_made "${from%%-*}t"; then
			continue
		elif fetch_source "$from"; then
			build "${from%%-*}t" "$from" --disable-gil
		else
			echo "(left out: ${from%%-*}t, of which the mirror has no source)"
		fi
	done
	is_made "${plain%%-*}-noplt" || build_without_plt "${plain%%-*}-noplt"
	rm -rf "$cache/apt" "$cache/build" "$cache/log"
}

list() {
	local name
	for name in "${debian[@]}"; do
		if is_made "$name"; then
			printf '%s\tchroot %q /usr/bin/python%s\n' "$name" "$cache/root/$name" "${name%%-*}"
		fi
	done
	for name in "$cache"/built/*; do
		name=${name##*/}
		if is_made "$name"; then
			printf '%s\t%q\n' "$name" "$(program_of "$name")"
		fi
	done
}

# Sets missing to what is to be made.
find_missing() {
	local name
	missing=()
	for name in "${debian[@]}"; do
		is_made "$name" || missing+=("$name")
	done
	is_made "${free_threaded%%-*}t" || missing+=("${free_threaded%%-*}t")
	is_made system-symbols || missing+=("symbols of the system's Python")
}

make_all() {
	local name
	for name in "${debian[@]}"; do
		is_made "$name" || make_root "$name"
		# For the semaphores of multiprocessing.
		install -d -m 1777 "$cache/root/$name/dev/shm"
	done
	is_made system-symbols || make_system_debug
	is_made "${free_threaded%%-*}t" || build "${free_threaded%%-*}t" "$free_threaded" --disable-gil
	# Larger than what was made of it, and of no more use.
	rm -rf "$cache/apt" "$cache/build" "$cache/log"
}

case ${1:-} in
-h | --help) usage && exit ;;
"" | --builds | --list) ;;
*) usage >&2 && exit 2 ;;
esac
cd "$(dirname "${BASH_SOURCE[0]}")/.."
cache=${GILWATCH_INTERPRETERS:-${XDG_CACHE_HOME:-$HOME/.cache}/gilwatch/interpreters}
if [[ ${1:-} == --list ]]; then
	list
	exit
fi
# shellcheck source=/dev/null
[[ $(. /etc/os-release && echo "$ID") == debian ]] ||
	fail "only Debian's packages are known, and this is another distribution"
mkdir -p "$cache"
. tools/packages.sh
. tools/suites.sh

# One at a time.
exec {lock}>"$cache/lock"
flock "$lock"
missing=()
find_missing
if ((${#missing[@]})); then
	printf 'Interpreters for the tests are fetched into %s (400 MB at most):\n' "$cache"
	printf '  %s\n' "${missing[@]}"
	need_packages interpreters
	make_all
fi
[[ ${1:-} != --builds ]] || make_builds
list
