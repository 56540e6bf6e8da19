# A user who is not root restores inside a subtree of v2 that was given to him: groups with controllers, values, threads, tasks.
# tests/delegation.sh has what he may not do.
. /vm/lib.sh
image=/tmp/image

as_user() {
	su user -s /bin/sh -c "$1"
}

restores() {
	as_user "/bin/cgraft restore -i $image" 2>/run/err
	status=$?
}

test=delegation
v2=$(hierarchies 2)
if ! grep -q pids.*memory\\\|memory.*pids "$v2/cgroup.controllers" 2>/dev/null; then
	echo "# delegation: this layout has no v2 with memory and pids"
	finish
fi
mkdir -p /etc
echo "user:x:1000:1000::/:/bin/sh" >/etc/passwd
echo "user:x:1000:" >/etc/group
chmod 777 /tmp

# cgraft-t holds the limits that the user may not change; cgraft-t/mine is his, with leaf for whoever has no place yet.
top=$v2/cgraft-t
mkdir "$top"
echo "+memory +pids +cpu" >"$top/cgroup.subtree_control"
mkdir "$top/mine"
echo 300 >"$top/mine/pids.max"
chown 1000:1000 "$top/mine" "$top"/mine/cgroup.procs "$top"/mine/cgroup.threads "$top"/mine/cgroup.subtree_control
as_user "
	cd $top/mine && mkdir work work/heavy work/pool work/pool/t1 work/pool/t2
	echo '+memory +pids +cpu' >cgroup.subtree_control
	echo '+memory +pids +cpu' >work/cgroup.subtree_control
	echo threaded >work/pool/t1/cgroup.type
	echo threaded >work/pool/t2/cgroup.type
	echo '+cpu' >work/pool/cgroup.subtree_control
	echo 100000000 >work/heavy/memory.max
	echo 44 >work/heavy/pids.max
	echo '50000 100000' >work/cpu.max
	echo 300 >work/pool/t1/cpu.weight
	echo 1 >work/heavy/cgroup.freeze
	chmod 700 work/heavy"
sleep 100000 &
pid_one=$!
threads 2 >/run/threads &
pid_threads=$!
until [ "$(wc -l </run/threads)" = 3 ]; do sleep 0.1; done
tid_1=$(sed -n 2p /run/threads)
printf 'one %s\nthreads %s\n' $pid_one $pid_threads >$tasks
echo $pid_one >"$top/mine/work/heavy/cgroup.procs"
echo $pid_threads >"$top/mine/work/pool/cgroup.procs"
echo "$tid_1" >"$top/mine/work/pool/t1/cgroup.threads"
take before

as_user "/bin/cgraft dump --cgroup unified:/cgraft-t/mine --no-ancestors -i $image" 2>/run/err
if [ $? = 0 ]; then ok "the user dumps"; else not_ok "the user dumps"; head -n 3 /run/err; fi
as_before "after the dump"

# With tasks in the way controllers cannot be handed down before they have left, which he may do as well.
echo 0 >"$top/mine/work/heavy/cgroup.freeze"
echo "-memory -pids -cpu" >"$top/mine/work/cgroup.subtree_control" 2>/dev/null
for task in $pid_one $pid_threads; do echo "$task" >"$v2/cgroup.procs"; done
find "$top/mine" -mindepth 1 -depth -type d -exec rmdir {} \;
echo "-memory -pids -cpu" >"$top/mine/cgroup.subtree_control"

restores
if [ $status = 1 ] && grep -q "from group / to group /cgraft-t/mine/work/heavy of unified: .*nearest group above both" /run/err; then
	ok "tasks from outside of his groups: the rule is said"
else
	not_ok "tasks from outside of his groups: exit $status"
	head -n 3 /run/err
fi
if [ "$(find "$top/mine" -mindepth 1 -type d)" = "" ]; then ok "and all is taken back"; else not_ok "groups are left"; fi
for task in $pid_one $pid_threads; do echo "$task" >"$top/mine/cgroup.procs"; done
restores
if [ $status = 0 ]; then ok "the user restores"; else not_ok "the user restores: exit $status"; head -n 3 /run/err; fi
summary "groups created" 5 found 1 skipped 0
as_before "after the restore"

echo 0 >"$top/mine/work/heavy/cgroup.freeze"
kill -KILL $pid_one $pid_threads
wait 2>/dev/null
find "$top" -depth -type d -exec rmdir {} \;
finish
