# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# Completion of gilwatch for bash; works with and without the bash-completion package.

# _gilwatch_pids PREFIX: the processes whose command or program name says Python.
_gilwatch_pids() {
	local process pid name program
	for process in /proc/[0-9]*; do
		pid=${process#/proc/}
		[[ $pid == "$1"* ]] || continue
		{ read -r name <"$process/comm"; } 2>/dev/null || continue
		program=$(readlink "$process/exe" 2>/dev/null)
		[[ $name == *python* || ${program##*/} == *python* ]] && echo "$pid"
	done
}

# The names of these processes.
_gilwatch_names() {
	local pid name
	for pid in $(_gilwatch_pids ""); do
		{ read -r name <"/proc/$pid/comm"; } 2>/dev/null && echo "$name"
	done
}

# _gilwatch_reply CANDIDATES: those that go on from the word being typed.
_gilwatch_reply() {
	mapfile -t COMPREPLY < <(compgen -W "$1" -- "$word")
}

_gilwatch_value_of() {
	local listed
	case $1 in
	-p | --pid)
		listed=${word%"${word##*,}"} # in a list, all but the last number
		mapfile -t COMPREPLY < <(_gilwatch_pids "${word##*,}" | sed "s/^/$listed/")
		;;
	--config) mapfile -t COMPREPLY < <(compgen -f -- "$word") && compopt -o filenames ;;
	--listen) _gilwatch_reply "127.0.0.1:9738 [::1]:9738 :9738" ;;
	--comm | --exclude-comm) mapfile -t COMPREPLY < <(_gilwatch_names | sort -u | grep -F -- "$word") ;;
	-c | --cgroup | --exclude-cgroup) mapfile -t COMPREPLY < <(compgen -d -- "${word:-/sys/fs/cgroup/}") && compopt -o filenames ;;
	--bundle) mapfile -t COMPREPLY < <(compgen -f -- "$word") && compopt -o filenames ;;
	-d | --duration) _gilwatch_reply "500ms 1s 5s 10s 30s 1m 2m" ;;
	-n | --rows) _gilwatch_reply "5 10 20 50" ;;
	-o | --output) mapfile -t COMPREPLY < <(compgen -f -- "$word") && compopt -o filenames ;;
	--engine) _gilwatch_reply "auto sched uprobe" ;;
	--max-overhead) _gilwatch_reply "0 0.5 1 2 5" ;;
	*) return 1 ;;
	esac
}

# Options up to the command, then files; with bash-completion the command's own completion.
_gilwatch_run() {
	local index
	for ((index = 2; index < COMP_CWORD; index++)); do
		case ${COMP_WORDS[index]} in
		-o | --output | -n | --rows) ((++index)) ;;
		--engine | --max-overhead) ((index += 2)) ;; # and its "=" and value
		-- | [!-=]*)
			[[ ${COMP_WORDS[index]} != "--" ]] || ((++index))
			if declare -F _command_offset >/dev/null; then
				_command_offset "$index"
			else
				mapfile -t COMPREPLY < <(compgen -cf -- "$word")
			fi
			return
			;;
		esac
	done
	if [[ $word == -* ]]; then
		_gilwatch_reply "-j --json -o --output -n --rows --engine= --no-children --max-overhead= --as-root -v --verbose -h --help --"
		[[ ${COMPREPLY[*]} != --*= ]] || compopt -o nospace
	else
		mapfile -t COMPREPLY < <(compgen -c -- "$word")
	fi
}

_gilwatch() {
	local word=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD - 1]}
	COMPREPLY=()
	# bash splits --engine=sched into three words.
	if [[ $word == "=" ]]; then
		word=
	elif [[ $before == "=" ]] && ((COMP_CWORD > 2)); then
		before=${COMP_WORDS[COMP_CWORD - 2]}
	fi
	_gilwatch_value_of "$before" && return
	case ${COMP_WORDS[1]} in
	summary)
		_gilwatch_reply "-p --pid --comm -c --cgroup -d --duration -j --json -o --output -n --rows --engine= --no-children --max-overhead= --begin-at -v --verbose -h --help"
		[[ ${COMPREPLY[*]} != --*= ]] || compopt -o nospace
		;;
	run) _gilwatch_run ;;
	export) _gilwatch_reply "-p --pid --comm -c --cgroup --exclude-comm --exclude-cgroup --listen --config --group --per-process --per-thread --max-processes --max-groups --max-process-series --max-thread-series --engine= --max-overhead= --print-metrics -v --verbose -h --help" ;;
	list) _gilwatch_reply "-j --json -h --help" ;;
	doctor) _gilwatch_reply "-p --pid -j --json --bundle --with-command -v --verbose -h --help" ;;
	show | diff)
		if [[ $word == -* && ${COMP_WORDS[1]} == diff ]]; then
			_gilwatch_reply "-j --json -o --output -h --help"
		elif [[ $word == -* ]]; then
			_gilwatch_reply "-n --rows -o --output -h --help"
		else
			mapfile -t COMPREPLY < <(compgen -f -- "$word") && compopt -o filenames
		fi
		;;
	-*) _gilwatch_reply "-p --pid --comm -c --cgroup -j --json -n --rows --engine= --no-children --max-overhead= -v --verbose -h --help --version" ;;
	*) ((COMP_CWORD != 1)) || _gilwatch_reply "-p summary run export list doctor show diff -h --help --version" ;;
	esac
}

complete -F _gilwatch gilwatch
