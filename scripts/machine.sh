# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
#
# Sourced by doctor, load, images, install and uninstall: what this machine has (kernels,
# headers, modules, packages) and what its tools are called. Reads only. It is
# installed beside doctor, so it needs nothing of the source tree.

export LC_ALL=C
export PATH=$PATH:/usr/sbin:/sbin
HERE=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
MODULE=kptr_nmi_guard
PACKAGE=kptr-nmi-guard
UNIT=$PACKAGE.service
# Tests put a directory of their own in its place.
PROC=${KNG_PROC:-/proc}

# The version that these scripts belong to: of the source tree, or as installed.
own_version() {
	cat "$HERE/version" 2>/dev/null ||
		sed -n 's/^PACKAGE_VERSION="\(.*\)"/\1/p' "$HERE/../dkms.conf" 2>/dev/null
}

os_release() { (. /etc/os-release 2>/dev/null && eval "echo \"\${$1:-}\""); }

# Kernels that can be booted. A directory in /lib/modules alone is none: headers
# make one, and removed kernels leave theirs behind.
installed_kernels() {
	local dir kver
	for dir in /lib/modules/*/; do
		kver=$(basename "$dir")
		if [ -e "/boot/vmlinuz-$kver" ] || [ -e "$dir/vmlinuz" ] || [ -e "$dir/modules.order" ] ||
			[ "$kver" = "$(uname -r)" ]; then
			echo "$kver"
		fi
	done | sort -V
}

has_headers() { [ -e "/lib/modules/$1/build/Makefile" ]; }

# What the boot loader starts next, as far as that can be told: what grubby says,
# or the newest, which is the default of GRUB and systemd-boot.
next_kernel() {
	local kver
	if kver=$(grubby --default-kernel 2>/dev/null) && [ -n "$kver" ]; then
		kver=${kver##*/vmlinuz-}
		if [ -d "/lib/modules/$kver" ]; then
			echo "$kver"
			return
		fi
	fi
	installed_kernels | tail -n 1
}

# module_info KERNEL FIELD: of the module that modprobe would load there
module_info() { modinfo -k "$1" -F "$2" "$MODULE" 2>/dev/null; }

# module_state KERNEL: guards, missing, or why the module there refuses: nothing,
# old, build (see Kbuild)
module_state() {
	local refuses
	# Its file may be gone from under depmod's list.
	if [ ! -e "$(module_info "$1" filename)" ]; then
		echo missing
		return
	fi
	refuses=$(module_info "$1" refuses)
	echo "${refuses:-guards}"
}

# say_state STATE
say_state() {
	case $1 in
	guards) echo 'the module is there' ;;
	missing) echo 'there is no module for it' ;;
	nothing) echo 'its BPF has nothing to guard' ;;
	old) echo 'its BPF is older than that of Linux 6.7' ;;
	build) echo 'the guard did not compile for it' ;;
	*) echo "the module there refuses ($1)" ;;
	esac
}

loaded() { grep -qs "^$MODULE " "$PROC/modules"; }
loaded_version() { cat "/sys/module/$MODULE/version" 2>/dev/null || true; }
# A number for the sources: two builds of one version differ in it.
loaded_srcversion() { cat "/sys/module/$MODULE/srcversion" 2>/dev/null || true; }

# Versions that dkms has. It keeps links and directories of its own beside them.
dkms_versions() {
	local dir version
	for dir in /var/lib/dkms/"$MODULE"/*/; do
		version=$(basename "$dir")
		if [ -d "$dir" ] && [ ! -L "${dir%/}" ] && [[ $version == [0-9]* ]]; then
			echo "$version"
		fi
	done
}

has_systemd() { command -v systemctl >/dev/null; }
at_boot() {
	if has_systemd; then
		systemctl is-enabled -q "$UNIT" 2>/dev/null
	else
		grep -qsx "$MODULE" /etc/modules /etc/modules-load.d/*.conf
	fi
}

# blacklisted: the kernel's command line says that the module must not be loaded
blacklisted() {
	tr ' ' '\n' <"$PROC/cmdline" 2>/dev/null | sed -n 's/^module_blacklist=//p' | tr ',' '\n' |
		tr - _ | grep -qx "$MODULE"
}

# packaged PATH: a package owns it
packaged() { dpkg -S "$1" >/dev/null 2>&1 || rpm -qf "$1" >/dev/null 2>&1; }

package_manager() {
	local like
	like=" $(os_release ID) $(os_release ID_LIKE) "
	case $like in
	*' debian '* | *' ubuntu '*) echo apt ;;
	*' fedora '* | *' rhel '* | *' amzn '*) echo dnf ;;
	*suse*) echo zypper ;;
	*' arch '*) echo pacman ;;
	*)
		for like in apt dnf zypper pacman; do
			if command -v $like >/dev/null; then
				echo $like
				return
			fi
		done
		;;
	esac
}

# install_command PACKAGE...: how this machine's administrator installs them
install_command() {
	case $(package_manager) in
	apt) echo "apt-get install $*" ;;
	dnf) echo "dnf install $*" ;;
	zypper) echo "zypper install $*" ;;
	pacman) echo "pacman -S $*" ;;
	*) echo "install $*" ;;
	esac
}

# headers_command KERNEL: how to install the headers of this kernel and of those
# that come after it. A package with a version in its name is right until the
# next upgrade only: so the metapackage of the kernel's flavour, where there is one.
headers_command() {
	local kver=$1 flavour
	case $(package_manager) in
	apt)
		# 6.12.117+deb13-cloud-amd64, 6.1.0-56-rt-amd64, 6.8.0-45-generic
		flavour=$(sed -E 's/^[^-]*-//; s/^[0-9]+-//' <<<"$kver")
		if [[ $kver != *-* ]]; then
			echo "apt-get install linux-headers-$kver"
		elif [ "$(os_release ID)" = ubuntu ]; then
			ubuntu_headers "$flavour"
		elif dpkg-query -W -f '${Version}\n' "linux-image-$kver" 2>/dev/null | grep -q '~bpo'; then
			echo "apt-get install -t $(os_release VERSION_CODENAME)-backports linux-headers-$flavour"
		else
			echo "apt-get install linux-headers-$flavour"
		fi
		;;
	dnf)
		case $(os_release ID):$(os_release VERSION_ID) in
		amzn:* | *:8 | *:8.*) echo "dnf install kernel-devel-$kver kernel-devel" ;;
		*)
			case $kver in
			*uek*) echo 'dnf install kernel-uek-devel' ;;
			*+rt) echo 'dnf install kernel-rt-devel-matched' ;;
			*) echo 'dnf install kernel-devel-matched' ;;
			esac
			;;
		esac
		;;
	zypper) echo "zypper install kernel-${kver##*-}-devel" ;;
	pacman) echo "pacman -S $(cat "/lib/modules/$kver/pkgbase" 2>/dev/null || echo linux)-headers" ;;
	*) echo "install the headers of $kver (/lib/modules/$kver/build)" ;;
	esac
}

# lacks_metapackage KERNEL: the package that brings its headers, where later kernels come
# by themselves (linux-image-FLAVOUR) and their headers do not; nothing where all is well.
lacks_metapackage() {
	local headers
	[ "$(package_manager)" = apt ] || return 0
	headers=$(headers_command "$1")
	headers=${headers##* }
	if ! installed_deb "$headers" && installed_deb "linux-image-${headers#linux-headers-}"; then
		echo "$headers"
	fi
}
installed_deb() { dpkg-query -W -f '${db:Status-Status}\n' "$1" 2>/dev/null | grep -qx installed; }

# A machine on the hardware enablement kernel needs its metapackage.
ubuntu_headers() {
	local hwe
	hwe=$1-hwe-$(os_release VERSION_ID)
	if installed_deb "linux-image-$hwe"; then
		echo "apt-get install linux-headers-$hwe"
	else
		echo "apt-get install linux-headers-$1"
	fi
}

# wants_clang KERNEL: clang built it, so its modules want LLVM=1
wants_clang() { grep -qsx CONFIG_CC_IS_CLANG=y "/lib/modules/$1/build/.config"; }
# missing_clang: what of clang is not here
missing_clang() {
	local tool
	for tool in clang ld.lld llvm-ar llvm-objcopy; do
		command -v $tool >/dev/null || echo $tool
	done | paste -sd' '
}

# build_command KERNEL: how its module gets built, headers given
build_command() {
	local status
	status=$(dpkg-query -W -f '${db:Status-Status}' "$PACKAGE-dkms" 2>/dev/null)
	if wants_clang "$1" && [ -n "$(missing_clang)" ]; then
		echo "$(install_command clang lld llvm), which built that kernel; dkms autoinstall -k $1"
	elif [[ $status == unpacked || $status == half-* ]]; then
		echo 'dpkg --configure -a'
	elif [ -n "$(dkms_versions)" ]; then
		echo "dkms autoinstall -k $1"
	elif [ "$status" = installed ]; then
		echo "apt-get install --reinstall $PACKAGE-dkms"
	elif rpm -q "$PACKAGE-dkms" >/dev/null 2>&1; then
		echo "$(package_manager) reinstall $PACKAGE-dkms"
	else
		echo 'make install, from the sources'
	fi
}

# state_remedy KERNEL STATE: what an administrator does about a module that does not guard
state_remedy() {
	case $2 in
	missing)
		if has_headers "$1"; then
			build_command "$1"
		else
			headers_command "$1"
		fi
		;;
	nothing) echo 'no need to do anything' ;;
	build) echo "update $PACKAGE, or boot another kernel; /var/lib/dkms/$MODULE has the make.log" ;;
	*) echo 'boot a newer kernel' ;;
	esac
}

# signing_certificate: the one that dkms will sign with, found the way dkms does
signing_certificate() {
	(
		set +eu
		# shellcheck disable=SC2034 # the files may use it
		mok_signing_key='' mok_certificate='' kernelver=$(uname -r)
		for f in /etc/dkms/framework.conf /etc/dkms/framework.conf.d/*.conf; do
			# shellcheck disable=SC1090
			[ ! -r "$f" ] || . "$f" >/dev/null 2>&1
		done
		if [ -z "$mok_signing_key" ] && [ "$(os_release ID)" = ubuntu ]; then
			mok_certificate=/var/lib/shim-signed/mok/MOK.der
		fi
		echo "${mok_certificate:-/var/lib/dkms/mok.pub}"
	)
}

# Initramfs images that hold the module: one would load it even when it is no
# longer installed, or load an old one. Prints kernel and file.
images_with_module() {
	local kver image
	for kver in $(installed_kernels); do
		for image in "/boot/initrd.img-$kver" "/boot/initramfs-$kver.img" "/boot/initrd-$kver" \
			{/boot,/efi,/boot/efi}/*/"$kver"/initrd; do
			if [ -r "$image" ] && image_has_module "$image"; then
				echo "$kver $image"
			fi
		done
	done
}
# Not for a pipe into grep -q: with pipefail, a list that grep reads only a part
# of is a failure.
image_files() { lsinitrd "$1" 2>/dev/null || lsinitramfs "$1" 2>/dev/null || true; }
image_has_module() { [[ $(image_files "$1") == *"/$MODULE.ko"* ]]; }

# rebuild_images: makes those anew, and says of each what came of it. dracut leaves
# the module out (system/dracut.conf). initramfs-tools takes it where somebody lists
# it, as it is installed now. Fails if one could not be made.
rebuild_images() {
	local kver image before rc=0
	while read -r kver image; do
		before=$(stat -c '%i %y %s' "$image")
		rebuild_image "$kver" "$image" </dev/null >/dev/null 2>&1 || true
		# Where /boot is read-only, update-initramfs does nothing, with status 0.
		if [ "$(stat -c '%i %y %s' "$image" 2>/dev/null)" = "$before" ]; then
			echo "$image: has the module, and could not be made anew: make it by hand" >&2
			rc=1
		elif image_has_module "$image"; then
			echo "$image: made anew, with the module that is installed now"
		else
			echo "$image: made anew, without the module"
		fi
	done < <(images_with_module)
	return $rc
}
# Debian's front end knows whose the images are.
rebuild_image() {
	if command -v update-initramfs; then
		update-initramfs -u -k "$1"
	else
		dracut --force "$2" "$1"
	fi
}
# images_remedy: what an administrator does about them
images_remedy() {
	local lists
	lists=$(grep -lsx "$MODULE" /etc/initramfs-tools/modules /usr/share/initramfs-tools/modules.d/* | paste -sd' ')
	if command -v update-initramfs >/dev/null; then
		echo "${lists:+take it out of $lists, then: }update-initramfs -u -k all"
	else
		echo 'dracut --force --regenerate-all'
	fi
}
