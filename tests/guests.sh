# shellcheck shell=bash
# What the tests on this host share that run something in a virtual machine or in the chroot of scripts/peers. Sourced after checks.sh.

# shellcheck disable=SC2154 # checks.sh sets tests and work
repo=$(cd "$tests/.." && pwd)

# ends_with WHAT STATUS WANTED
ends_with() {
	if [ "$2" = "$3" ]; then ok "$1: exit $3"; else not_ok "$1: exit $2, not $3: $(head -c 300 "$work/err" 2>/dev/null)"; fi
}

# counted FILE: shows the results of something that runs elsewhere, and counts them.
counted() {
	tr -d '\r' <"$1" | grep -aE '^(ok|not ok|skip) - '
	passed=$((passed + $(grep -ac '^ok - ' "$1")))
	failed=$((failed + $(grep -ac '^not ok - ' "$1")))
	skipped=$((skipped + $(grep -ac '^skip - ' "$1")))
}

# in_vm WHAT SCRIPT: runs a guest's script with v2 alone.
in_vm() {
	local status
	CGRAFT=$CGRAFT timeout 300 "$repo/scripts/vm" 6.12 v2 "$2" >"$work/vm" 2>&1
	status=$?
	if ! grep -aq '^cgraft-vm: init' "$work/vm" && [ "${CI:-}" != true ]; then
		skip "$1: no virtual machine: $(tail -n 1 "$work/vm")"
		return
	fi
	ends_with "$1: the virtual machine" $status 0
	[ $status = 0 ] || tail -n 5 "$work/vm"
	counted "$work/vm"
}

# chroot_for WHAT: whether the chroot of scripts/peers is there; it is made if it can be.
chroot_for() {
	"$repo/scripts/peers" build >"$work/build" 2>&1 && return
	if [ "${CI:-}" = true ]; then not_ok "$1: no chroot"; else skip "$1: no chroot (scripts/peers build): $(tail -n 1 "$work/build")"; fi
	return 1
}

# embed FILE NAME: the lines of a guest's script that make the file /run/NAME.
embed() {
	echo "mkdir -p /run/$(dirname "$2"); cat >/run/$2 <<'END_OF_FILE'"
	cat "$1"
	echo END_OF_FILE
}
