# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
# bash completion for kptr-nmi-guard

_kptr_nmi_guard() {
	local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD - 1]} words=
	case $prev in
	--output)
		mapfile -t COMPREPLY < <(compgen -f -- "$cur")
		return
		;;
	--root)
		mapfile -t COMPREPLY < <(compgen -d -- "$cur")
		return
		;;
	--seconds | --count) return ;;
	esac
	if [ "$COMP_CWORD" -eq 1 ]; then
		words='doctor exposure verify status top --help --version'
	else
		case ${COMP_WORDS[1]} in
		doctor) words='--json --first' ;;
		exposure | verify) words='--json' ;;
		status) words='--json --prometheus --output --nagios --root' ;;
		top) words='--json --seconds --count --root' ;;
		esac
	fi
	mapfile -t COMPREPLY < <(compgen -W "$words" -- "$cur")
}
complete -F _kptr_nmi_guard kptr-nmi-guard
