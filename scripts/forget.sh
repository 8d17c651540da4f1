# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
#
# Sourced by install and uninstall, after lib.sh and machine.sh: takes away what
# an installation left, whole or broken. Nothing here stops half way: what dkms
# can't remove any more is deleted.

# remove_file FILE: and the directories that this leaves empty
remove_file() {
	rm -f "$1"
	rmdir -p --ignore-fail-on-non-empty "${1%/*}" 2>/dev/null || true
}

# module_files: the guard's modules, of all kernels
module_files() {
	local dir
	for dir in /lib/modules/*/; do
		[ -d "$dir" ] || continue
		find "$dir" -path "${dir}build" -prune -o -path "${dir}source" -prune -o \
			-name "$MODULE.ko*" -print
	done
}

# forget_version VERSION: dkms has it no more, and its sources are gone
forget_version() {
	local version=$1 dir=/var/lib/dkms/$MODULE/$1
	if [ -e "$dir" ] || [ -L "$dir" ]; then
		dkms remove "$MODULE/$version" --all >/dev/null 2>&1 || true
		rm -rf "$dir"
	fi
	rm -rf "/usr/src/$MODULE-$version"
}

# forget_modules: what dkms left of the module beside its versions. Only where
# there is none any more.
forget_modules() {
	local file kver
	rm -rf "/var/lib/dkms/$MODULE"
	module_files | while read -r file; do
		remove_file "$file"
		kver=${file#/lib/modules/}
		echo "${kver%%/*}"
	done | sort -u | while read -r kver; do
		depmod "$kver" </dev/null || true
	done
}

# source_versions: those that lie in /usr/src
source_versions() {
	local dir
	for dir in /usr/src/"$MODULE"-[0-9]*/; do
		dir=${dir%/}
		if [ -d "$dir" ]; then
			echo "${dir#"/usr/src/$MODULE-"}"
		fi
	done
}

# legacy_autoload: the line by which versions up to 0.1 loaded at boot. The
# directory, if it is our making, may be a link of the administrator's.
legacy_autoload() {
	local file=/etc/modules-load.d/$MODULE.conf
	[ -e "$file" ] || return 1
	rm -f "$file"
	if [ ! -L /etc/modules-load.d ] && ! packaged /etc/modules-load.d; then
		rmdir --ignore-fail-on-non-empty /etc/modules-load.d 2>/dev/null || true
	fi
}

# owned: a package brought the guard; prints its manager's word for removing it
owned() {
	local version
	for version in $(source_versions); do
		if packaged "/usr/src/$MODULE-$version"; then
			case $(package_manager) in
			apt) echo "apt-get purge $PACKAGE-dkms" ;;
			dnf) echo "dnf remove $PACKAGE-dkms" ;;
			zypper) echo "zypper remove $PACKAGE-dkms" ;;
			*) echo "remove the package of /usr/src/$MODULE-$version" ;;
			esac
			return
		fi
	done
	return 1
}
