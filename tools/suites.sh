# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# Packages of other Debian suites than the machine's own, by apt with lists of its own: the machine's
# apt is left as it is, and no rights are needed. Sourced by other scripts, never run. They define
#
#	cache           a directory that exists
#	fail SENTENCE   says what went wrong, and exits

# shellcheck source=/dev/null
own_suite=$(. /etc/os-release && echo "${VERSION_CODENAME:-}")

# quietly COMMAND...: its output is shown only if it fails.
quietly() {
	# shellcheck disable=SC2154
	"$@" >"$cache/log" 2>&1 || {
		cat "$cache/log" >&2
		fail "$1 failed"
	}
}

# The machine's own mirror of Debian; its suites beside the one in use are there too.
mirror() {
	apt-get indextargets --format "\$(SITE) \$(CODENAME)" "Created-By: Packages" |
		awk -v own="$own_suite" '$2 == own { print $1; exit }'
}

# apt_for SUITE COMMAND...: apt with lists of its own, of that suite only. A mirror may stand still, or
# a suite have come to its end: then the list of its packages is past its date, but signed as before.
apt_for() {
	local dir=$cache/apt/$1
	local -a options=(
		-o "Dir::Etc::SourceList=$dir/sources.list" -o Dir::Etc::SourceParts=/dev/null
		-o Dir::Etc::PreferencesParts=/dev/null
		-o "Dir::State::Lists=$dir/lists" -o "Dir::Cache=$dir/cache"
		-o "Dir::Cache::Archives=$dir/archives" -o APT::Sandbox::User=
		-o Debug::NoLocking=true -o Acquire::Check-Valid-Until=false
	)
	shift
	"$1" "${options[@]}" "${@:2}"
}

# update_lists SUITE [with-source]: fetches the suite's lists, unless they are there.
update_lists() {
	local suite=$1 keyring=/usr/share/keyrings/debian-archive-keyring.gpg site signed=
	local dir=$cache/apt/$suite updated=$cache/apt/$suite/updated${2:+-$2}

	[[ -e $updated ]] && return
	site=$(mirror)
	[[ $site ]] || fail "apt has no source for $own_suite to take the mirror from"
	[[ -e $keyring ]] && signed="signed-by=$keyring "
	mkdir -p "$dir"/{lists,archives}/partial "$dir/cache"
	echo "deb [${signed}target=Packages] $site $suite main" >"$dir/sources.list"
	if [[ ${2:-} == with-source ]]; then
		echo "deb-src [${signed}target=Sources] $site $suite main" >>"$dir/sources.list"
	fi
	quietly apt_for "$suite" apt-get -q update
	touch "$updated"
}
