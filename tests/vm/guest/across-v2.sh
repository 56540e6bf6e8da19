# What across.sh dumped from v1 hierarchies is restored into the one of v2; files are compared with across.tsv.
# Carried on to 6.1 v1 by across-back.sh
. /vm/lib.sh
test=across-v2
top=/sys/fs/cgroup/cgraft-t
disk=$(cat /vm/across.disk)        # the kernel may have numbered the two disks the other way round: the number is what is carried
image=/vm/across.img

# mapped NAME: processes that sleep, to take the places of NAME's; words for cgraft are in $maps, the last one's number in $pid.
mapped() {
	maps=
	rm -f /run/maps
	while read -r old; do
		sleep 100000 &
		pid=$!
		maps="$maps --pid-map $old:$pid"
		echo "$old:$pid" >>/run/maps
	done <"/vm/$1.pids"
}

# refused WHAT WORD... -- ARGUMENT...: exit 4, with these words, and nothing made.
refused() {
	what=$1 wrong=
	shift
	words=
	while [ "$1" != -- ]; do
		words="$words
$1"
		shift
	done
	shift
	cgraft "$@"
	[ $status = 4 ] || wrong="exit $status"
	IFS='
'
	for word in $words; do
		grep -Fq -- "$word" /run/err || wrong="does not say $word"
	done
	unset IFS
	[ ! -e $top ] || wrong="something is made"
	if [ -z "$wrong" ]; then
		ok "$what is refused"
	else
		not_ok "$what: $wrong"
		cat /run/err
	fi
}

# compare: every line of the table.
compare() {
	seen=0
	while IFS="$tab" read -r group file value; do
		case $group in '#'*) continue ;; esac
		seen=$((seen + 1))
		value=$(echo "$value" | sed "s/^DISK/$disk/")
		[ "$(cat "$top$group/$file")" = "$value" ] || not_ok "$file of $group: $(cat "$top$group/$file"), not $value"
	done </vm/across.tsv
	[ $seen = 22 ] && ok "$seen values compared" || not_ok "$seen values compared"
}

# at GROUP PID
at() {
	if grep -Fxq "0::/cgraft-t$1" "/proc/$2/cgroup"; then ok "a task is in $1"; else not_ok "a task is not in $1: $(cat "/proc/$2/cgroup")"; fi
}

remove() {
	for from in $(find $top -name cgroup.procs); do
		while read -r task; do
			echo "$task" >/sys/fs/cgroup/cgroup.procs
		done <"$from"
	done
	[ ! -e $top/ice ] || echo 0 >$top/ice/cgroup.freeze
	find $top -depth -type d -exec rmdir {} \;
}

mapped across
refused "without --translate, it" "no such hierarchy" "--translate" -- restore -i $image $maps
cgraft restore --translate -i $image $maps
if [ $status = 6 ] && [ "$(grep -c '^cgraft: lost: ' /run/err)" = 4 ]; then ok "restored, four values lost"; else not_ok "exit $status"; cat /run/err; fi
for word in 'net_cls.classid of group /cgraft-t/web, 1048577' 'memory.swappiness of group /cgraft-t/web, 10' 'notify_on_release of group /cgraft-t/web/db, 1' \
	'net_prio.ifpriomap of group /cgraft-t/web/db, lo 3'; do
	grep -q "lost: $word" /run/err || not_ok "it does not say $word"
done
summary "groups created" 5 skipped 4 "tasks joined" 2
compare
at /web/db "$pid"
for file in . cgroup.procs cgroup.threads cgroup.subtree_control; do
	[ "$(stat -c %u:%g $top/web/app/$file)" = 100:101 ] || not_ok "owner of $file: $(stat -c %u:%g $top/web/app/$file)"
done
[ "$(stat -c %u:%g $top/web/app/memory.max)" = 0:0 ] && ok "owners" || not_ok "owner of memory.max"
# Rules for devices are a program.
for group in web/app web/db; do
	sh -c "echo \$\$ >$top/$group/cgroup.procs; cat /dev/null && head -c 1 /dev/zero >/run/zero" 2>/run/devices.${group#*/}
done
if grep -q '/dev/zero: .*not permitted' /run/devices.app && [ ! -s /run/devices.db ]; then ok "rules for devices"; else not_ok "devices: $(cat /run/devices.*)"; fi
succeeds "verify" verify --translate -i $image
cgraft restore --translate -i $image $maps
summary "groups created" 0 "values written" 0
# There and back again: what v1 does not have is one value.
echo 50331648 >$top/web/memory.high
succeeds "dump" dump --cgroup /cgraft-t -i /run/back.img
sed -n 's/.*:\([0-9]*\)$/\1/p' /run/maps >/run/back.pids
carry /vm/across.disk /run/back.img /run/back.pids
echo 40 >$top/web/pids.max
cgraft verify --translate -i $image
if [ $status = 6 ] && grep -q pids.max /run/out; then ok "verify sees a change"; else not_ok "verify: exit $status"; fi
remove

mapped apart
refused "a task in two groups" "cpu,cpuacct:/cgraft-t/web/db" "memory:/cgraft-t/web/app" "pids:/cgraft-t/web" "--primary" -- restore --translate -i /vm/apart.img $maps
cgraft restore --translate --primary cpu -i /vm/apart.img $maps
if [ $status = 6 ]; then ok "with --primary it is not"; else not_ok "--primary: exit $status"; cat /run/err; fi
at /web/db "$pid"
remove

mapped inner
refused "a task above others" "group /cgraft-t/web" "tasks $(cat /vm/inner.pids)" "memory" -- restore --translate -i /vm/inner.img $maps
finish
