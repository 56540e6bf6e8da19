#!/usr/bin/env bash
# Warnings about groups that systemd owns: units that are delegated and units that are not, on private groups named like units, in a
# mount namespace whose /run says that systemd runs. Last line: "N passed, N failed, N skipped".
# shellcheck source-path=SCRIPTDIR
. "$(dirname "${BASH_SOURCE[0]}")/checks.sh"
start systemd

unified=$(hierarchy unified) || { skip "systemd: no v2"; exit; }
slice=$group.slice
image=$work/image

# mark PATH NAME VALUE: an extended attribute of a group of v2.
mark() {
	python3 -c 'import os, sys; os.setxattr(sys.argv[1], sys.argv[2], sys.argv[3].encode())' "$unified/$1" "$2" "$3"
}

# make PATH...: the groups, in v2.
make() {
	local path
	for path; do mkdir -p "$unified/$path"; done
}

# told WHAT NUMBER [WORDS...]: so many warnings about units, and one of them with these words; the call went well.
told() {
	local what=$1 number=$2 found
	shift 2
	found=$(grep -c "systemd's unit" "$work/err")
	if [ "$status" != 0 ] || [ "$found" != "$number" ]; then
		not_ok "$what: exit $status, $found warnings: $(head -c 400 "$work/err")"
	elif [ $# != 0 ] && ! grep -qF -- "$*" "$work/err"; then
		not_ok "$what: no word of $*: $(head -c 400 "$work/err")"
	else
		ok "$what"
	fi
}

# saved PATH: an image of this group of v2 alone.
saved() {
	wrap=()
	cgraft dump --cgroup "unified:/$1" --no-ancestors -i "$image"
	privately 'mount -t tmpfs run /run; mkdir -p /run/systemd/system'
}

# A task leaves its group a moment after its end.
end_task() {
	kill "$pid"
	wait 2>/dev/null
	kept=()
	sleep 0.1
}

without_systemd() {
	[ ! -d /run/systemd/system ] && [ "$(cat /proc/1/comm)" != systemd ] || { skip "without systemd: this host has it"; return; }
	make "$slice/web.service"
	saved "$slice/web.service"
	wrap=()
	cgraft restore -i "$image"
	told "without systemd" 0
	# What sd_booted(3) looks for is not there yet, and process 1 has the name.
	cp "$(command -v bash)" "$work/systemd"
	wrap=(unshare --mount --pid --fork --mount-proc "$work/systemd" -c '"$@"; exit $?' systemd)
	cgraft restore -i "$image"
	told "process 1 is systemd" 1
	remove_groups
}

units() {
	make "$slice/web.service/a" "$slice/_pids.service" "$group-own/web.service/a"
	keep "$unified" "$slice/web.service/a"
	saved "$slice/web.service"
	cgraft restore -i "$image"
	told "a unit itself" 1 "group /$slice/web.service of unified: systemd's unit web.service is not delegated: it may take values back and remove groups; instead: systemctl set-property web.service NAME=VALUE..."
	saved "$slice/web.service/a"
	cgraft restore -i "$image"
	told "what lies in a unit" 1 "unit web.service is not delegated: it may take values back and remove groups; instead: systemd-run --scope -p Delegate=yes --slice=$slice COMMAND..."
	cgraft restore -v1 -i "$image"
	told "messages of level 1" 0
	cgraft verify -i "$image"
	told "verify changes nothing" 0
	saved "$slice/_pids.service"
	cgraft restore -i "$image"
	told "a name with a mark in front" 1 "set-property pids.service"
	saved "$slice"
	cgraft restore -i "$image"
	told "a slice" 1 "systemctl set-property $slice"
	saved "$group-own"
	cgraft restore -i "$image"
	told "a group that systemd does not know" 0
	cgraft restore -i "$image" --cgroup-root "/$slice/x"
	told "moved into a slice" 1 "--slice=$slice COMMAND"
	cgraft restore -i "$image" --cgroup-root "/$slice/new.scope"
	told "moved to a unit that is not there" 1 "systemctl set-property new.scope"
	end_task
	remove_groups
}

delegated() {
	local mark
	for mark in trusted.delegate user.delegate; do
		make "$slice/c.scope/a" "$slice/user@7.service/app.slice/x"
		mark "$slice/c.scope" $mark 1
		mark "$slice/user@7.service" $mark 1
		saved "$slice/c.scope/a"
		cgraft restore -i "$image"
		told "$mark: below a delegated unit" 0
		saved "$slice/c.scope"
		cgraft restore -i "$image"
		told "$mark: a delegated unit itself" 0
		saved "$slice/user@7.service/app.slice/x"
		cgraft restore -i "$image"
		told "$mark: a unit of a user" 1 "systemd-run --user --scope -p Delegate=yes --slice=app.slice"
		mark "$slice/c.scope" $mark 0
		saved "$slice/c.scope/a"
		cgraft restore -i "$image"
		told "$mark 0 is none" 1
		remove_groups
	done
}

# systemd marks the group in its own hierarchy; those of v1 have the same paths.
other_hierarchies() {
	local pids
	pids=$(hierarchy pids) || { skip "other hierarchies: no pids of v1"; return; }
	mkdir -p "$pids/$slice/c.scope/a"
	wrap=()
	cgraft dump --cgroup "pids:/$slice/c.scope/a" --no-ancestors -i "$image"
	privately 'mount -t tmpfs run /run; mkdir -p /run/systemd/system'
	cgraft restore -i "$image"
	told "v1: not delegated" 1 "of pids: systemd's unit c.scope"
	make "$slice/c.scope"
	mark "$slice/c.scope" trusted.delegate 1
	cgraft restore -i "$image"
	told "v1: delegated in v2" 0
	make_everywhere
	for mount in "${mounts[@]}"; do mkdir -p "$mount/$slice/all.service"; done
	wrap=()
	cgraft dump --cgroup "/$slice/all.service" --no-ancestors -i "$image"
	privately 'mount -t tmpfs run /run; mkdir -p /run/systemd/system'
	cgraft restore -i "$image"
	told "once for all hierarchies" 1
	remove_groups
}

# A scope that has become empty is removed at any moment, and with it what is put there.
emptied() {
	make "$slice/old.scope" "$slice/live.scope/a"
	saved "$slice/old.scope"
	cgraft restore -i "$image"
	told "an empty scope" 1 "old.scope is not delegated, is empty and about to be removed:"
	keep "$unified" "$slice/live.scope/a"
	saved "$slice/live.scope"
	cgraft restore -i "$image"
	told "a populated scope" 1 "live.scope is not delegated: it may"
	end_task
	remove_groups
}

many() {
	local number
	for number in 1 2 3 4 5 6 7 8 9 10 11; do make "$slice/$number.service/a"; done
	wrap=()
	cgraft dump --cgroup "unified:/$slice/1.service/a" --cgroup "unified:/$slice/2.service/a" --no-ancestors -i "$image"
	privately 'mount -t tmpfs run /run; mkdir -p /run/systemd/system'
	cgraft restore -i "$image"
	told "two units" 2 "unit 2.service"
	wrap=()
	# shellcheck disable=SC2046 # no blanks
	cgraft dump $(printf -- "--cgroup unified:/$slice/%s.service/a " 1 2 3 4 5 6 7 8 9 10 11) --no-ancestors -i "$image"
	privately 'mount -t tmpfs run /run; mkdir -p /run/systemd/system'
	cgraft restore -i "$image"
	told "no more than eight are told" 8
	remove_groups
}

attach_and_exec() {
	make "$slice/web.service/a"
	keep "$unified" "$slice/web.service/a"
	wrap=()
	cgraft dump -t "$pid" -i "$image"
	sleep 100000 &
	other=$!
	kept+=("$other")
	privately 'mount -t tmpfs run /run; mkdir -p /run/systemd/system'
	cgraft attach -t "$other" -i "$image"
	told "attach" 1 "--slice=$slice COMMAND"
	cgraft exec -i "$image" -- true
	told "exec" 1 "unit web.service"
	mark "$slice/web.service" trusted.delegate 1
	cgraft exec -i "$image" -- true
	told "exec in a delegated unit" 0
	kill "$other"
	end_task
	remove_groups
}

without_systemd
units
delegated
other_hierarchies
emptied
many
attach_and_exec
