#!/usr/bin/env bash
# tasks: the tasks of CRIU's dump in FOLDER, read with crit: process, parent, thread, state, number of the set, name. One line a
# thread, tabs in between, in the order of pstree.img; of a zombie, whose threads CRIU leaves undefined, the leader alone. A number
# that a core image does not have is 0; the state of a thread that is no leader is -.
set -eu
cd "$1"
core() { crit decode -i "core-$1.img"; }
crit decode -i pstree.img | jq -r '.entries[] | [.pid, .ppid, .threads[]] | @tsv' | while read -r pid parent threads; do
	leader=$(core "$pid")
	state=$(jq .entries[0].tc.task_state <<<"$leader")
	jq -r --arg p "$pid" --arg q "$parent" '.entries[0] | [$p, $q, $p, .tc.task_state, (.thread_core.cg_set // .tc.cg_set // 0), .tc.comm] | @tsv' <<<"$leader"
	[ "$state" != 2 ] || continue
	for tid in $threads; do
		[ "$tid" != "$pid" ] || continue
		core "$tid" | jq -r --arg p "$pid" --arg q "$parent" --arg t "$tid" '.entries[0] | [$p, $q, $t, "-", (.thread_core.cg_set // 0), (.thread_core.comm // "")] | @tsv'
	done
done
