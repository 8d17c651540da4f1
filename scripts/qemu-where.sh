# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
#
# Sourced by scripts/vm: where a guest's CPUs are, asked of QEMU's monitor and
# named with the guest's own kallsyms (same addresses each boot: nokaslr).

# monitor PIPE COMMAND...: sends the commands, prints what comes within a second
monitor() {
	local pipe=$1 line
	shift
	exec {MON_OUT}<>"$pipe.out" {MON_IN}<>"$pipe.in"
	# shellcheck disable=SC2059
	printf '%s\n' "$@" >&"$MON_IN"
	while IFS= read -r -t 0.3 line <&"$MON_OUT"; do
		printf '%s\n' "${line//$'\r'/}"
	done
	exec {MON_OUT}<&- {MON_IN}<&-
}

# name_addresses SYMBOLS: each line's first word, an address, becomes a name.
# (SYMBOLS are sorted.) Addresses are 16 hex digits, so they compare as text: awk has
# no 64-bit integers.
name_addresses() {
	awk '
		NR == FNR { a[++n] = $1; s[n] = $3; next }
		{
			lo = 1; hi = n; best = 0
			while (lo <= hi) {
				mid = int((lo + hi) / 2)
				if (a[mid] <= $1) { best = mid; lo = mid + 1 } else hi = mid - 1
			}
			# The kernel and its modules are there on x86-64, and on arm64.
			kernel = substr($1, 1, 8) == "ffffffff" || substr($1, 1, 8) == "ffff8000"
			known = best && best < n && s[best] != "_etext" && kernel
			$1 = known ? s[best] : (kernel ? "in-a-module" : $1)
			print
		}' "$1" "${2:-/dev/stdin}"
}

# sample PIPE: one line per CPU: "ADDRESS CPU irqs-on|irqs-off|idle"
sample() {
	monitor "$1" 'info registers -a' | awk '
		/^CPU#/ { cpu = substr($1, 5) }
		/^RIP=/ {
			rip = substr($1, 5)
			split($2, f, "=")
			# Bit 9 of RFLAGS, the interrupt flag, is bit 1 of the third nibble.
			nibble = index("0123456789abcdef", substr(f[2], length(f[2]) - 2, 1)) - 1
			state = int(nibble / 2) % 2 ? "irqs-on" : "irqs-off"
			if ($0 ~ /HLT=1/) state = "idle"
			print rip, cpu, state
		}
		/^ *PC=/ { pc = substr($1, 4) }
		/^PSTATE=/ {
			# Bit 7, which masks interrupts, is bit 3 of the second nibble.
			nibble = index("0123456789abcdef", substr($1, length($1) - 1, 1)) - 1
			print pc, cpu, (nibble >= 8 ? "irqs-off" : "irqs-on")
		}'
}

# backtrace SYMBOLS PIPE CPU: names of what looks like return addresses on its
# stack, innermost first. Stale slots make it a guess, but a readable one.
backtrace() {
	local rsp
	rsp=$(monitor "$2" 'info registers -a' |
		awk -v cpu="CPU#$3" '/^CPU#/ { on = $1 == cpu } on' | grep -oE -m 1 '\<R?SP=[0-9a-f]*')
	monitor "$2" "cpu $3" "x /400gx 0x${rsp#*=}" |
		grep -oE '0xffff(ffff|8000)[89a-f][0-9a-f]*' | cut -c3- >"$2.stack"
	name_addresses "$1" "$2.stack" | grep -v in-a-module | uniq
}

# all_stuck SYMBOLS PIPE OUT CPUS: samples for five seconds; true if a CPU was
# in the same function with interrupts off each time. OUT gets the details.
all_stuck() {
	local symbols=$1 pipe=$2 out=$3 i cpu
	# The first boot of a kernel has only just written them.
	[ -s "$symbols" ] || symbols=${pipe%/*}/kallsyms
	[ -s "$symbols" ] || return 1
	# Named when all are there: meanwhile a hung guest spins. (On arm64 only the place
	# tells that a CPU is idle: it has interrupts off there.)
	for i in 1 2 3 4 5; do
		sample "$pipe"
		[ "$i" = 5 ] || sleep 0.6
	done >"$out.samples"
	sort "$symbols" >"$pipe.symbols"
	symbols=$pipe.symbols
	name_addresses "$symbols" "$out.samples" |
		awk '{ print $2, $1, ($1 ~ /^(cpu_do_idle|default_idle_call)$/ ? "idle" : $3) }' |
		sort | uniq -c | awk -v rounds=5 '{
		if ($4 == "idle") print "CPU " $2 ": idle in " $1 " of " rounds " looks"
		else print "CPU " $2 ": " $3 ", " ($4 == "irqs-off" ? "interrupts off" : "interrupts on") ", in " $1 " of " rounds " looks"
	}' >"$out.new"
	rm -f "$out.samples"
	if ! grep -q 'interrupts off, in 5 of' "$out.new"; then
		rm -f "$out.new"
		return 1
	fi
	mv "$out.new" "$out"
	for ((cpu = 0; cpu < $4; cpu++)); do
		grep -q "^CPU $cpu: .*interrupts off, in 5 of" "$out" || continue
		{
			echo "stack of CPU $cpu (return addresses found there):"
			backtrace "$symbols" "$pipe" "$cpu" | sed 's/^/    /'
		} >>"$out"
	done
}

summary() { grep '^CPU ' "$1"; }
