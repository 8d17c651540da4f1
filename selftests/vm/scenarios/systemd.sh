# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=sh
# A boot of Debian under systemd: a root that the host shares, changes in memory,
# with what `make install` made on top. $ARGS says what is done to it before:
# nothing, missing (its module is taken away), blacklisted (the command line
# says so). What is found then is asked by /kng-report, as a service.

# shellcheck source=../guest/root.sh
. /tests/root.sh
case $ARGS in nothing | missing | blacklisted) ;; *) bail "unknown '$ARGS'" ;; esac

root_mount
for tar in installed tool; do
	tar -C $root -xf /$tar.tar || bail 'what was installed can not be unpacked'
done
echo 0123456789abcdef0123456789abcdef >$root/etc/machine-id
if [ "$ARGS" = missing ]; then
	find $root/lib/modules/ -name 'kptr_nmi_guard.ko*' -exec rm {} +
	/sbin/depmod -b $root "$(uname -r)"
fi
{
	echo "ARGS=$ARGS"
	cat /tests/lib.sh
	cat <<'REPORT'
PATH=/usr/sbin:/usr/bin:/sbin:/bin
unit=kptr-nmi-guard.service
starting() { [ "$(systemctl is-system-running)" = starting ] || [ "$(systemctl is-system-running)" = initializing ]; }
eventually 100 not starting
state=$(systemctl is-system-running)
said=$(journalctl -b -u $unit -o cat | grep -a 'GUARDED\|guards this kernel')
note "system: $state"
systemctl --failed --plain --no-legend | sed 's/^/# failed: /'
note "unit: $(systemctl is-active $unit): $said"
others_failed() { systemctl --failed --plain --no-legend | grep -qv "^$unit"; }
is() { [ "$(systemctl "$1" $unit)" = "$2" ]; }
says_so() { printf '%s\n' "$said" | grep -q "$1"; }
check 'no other unit failed' not others_failed
case $ARGS in
nothing)
	check 'the unit is active' is is-active active
	check 'the module is loaded' loaded kptr_nmi_guard
	check 'the system runs' test "$state" = running
	check 'the unit came before sysinit.target' sh -c '[ "$(systemctl show -P ActiveEnterTimestampMonotonic kptr-nmi-guard.service)" -le "$(systemctl show -P ActiveEnterTimestampMonotonic sysinit.target)" ]'
	metrics=/var/lib/prometheus/node-exporter/kptr_nmi_guard.prom
	mkdir -p ${metrics%/*}
	check 'the timer starts' systemctl enable --now kptr-nmi-guard-metrics.timer
	check 'metrics come' eventually 60 test -s $metrics
	check 'they say that it is loaded' grep -qx 'kptr_nmi_guard_loaded 1' $metrics
	check 'everybody can read them' sh -c '[ "$(stat -c %a "$1")" = 644 ]' sh $metrics
	check 'the timer has a next time' sh -c 'systemctl list-timers --no-legend kptr-nmi-guard-metrics.timer | grep -qv "^- "'
	check 'systemctl stop unloads it' sh -c 'systemctl stop kptr-nmi-guard && ! grep -q ^kptr_nmi_guard /proc/modules'
	check 'systemctl start loads it' sh -c 'systemctl start kptr-nmi-guard && grep -q ^kptr_nmi_guard /proc/modules'
	;;
missing)
	check 'the unit has failed' is is-failed failed
	check 'the system is degraded' test "$state" = degraded
	check 'the unit says why' says_so 'NOT GUARDED: .* has no module kptr_nmi_guard'
	check 'and what to do' says_so 'linux-headers-amd64'
	check 'systemd-modules-load is green all the same' test "$(systemctl is-active systemd-modules-load)" != failed
	;;
blacklisted)
	check 'the module is not loaded' not loaded kptr_nmi_guard
	check 'the unit has failed' is is-failed failed
	check 'the system is degraded' test "$state" = degraded
	check 'the unit says why' says_so 'module_blacklist=kptr_nmi_guard'
	check 'modprobe does not load it either' not modprobe kptr_nmi_guard
	;;
esac
rc=0
finish || rc=$?
echo "# guest done rc=$rc"
sleep 1
poweroff -ff
REPORT
} >$root/kng-report
cat >$root/etc/systemd/system/kng-report.service <<'UNIT'
[Unit]
Description=what was found
[Service]
ExecStart=/bin/sh /kng-report
StandardOutput=file:/dev/ttyS1
StandardError=file:/dev/ttyS1
[Install]
WantedBy=multi-user.target
UNIT
mkdir -p $root/etc/systemd/system/multi-user.target.wants
ln -sf /etc/systemd/system/kng-report.service $root/etc/systemd/system/multi-user.target.wants/
ln -sf /usr/lib/systemd/system/multi-user.target $root/etc/systemd/system/default.target
: >/switch-root
