# Rules for devices in v2: a task inside may open what they allow and nothing else; a group that was there is left alone; a restore
# that fails leaves nothing.
. /vm/lib.sh
test=devices
image=/run/dev.img

# field NUMBER TEXT: a field of a message, shorter than 128 bytes.
field() {
	printf "\\$(printf %03o $(($1 << 3 | 2)))\\$(printf %03o ${#2})"
	printf %s "$2"
}

# group NAME RULES [CHILD...]: the same of a group with devices.list.
group() {
	own=$(field 1 "$1"; field 3 "$(field 1 devices.list; field 2 "$2")"; printf x)
	shift 2
	field 2 "${own%x}$*"
}

# write_image GROUP: an image with one set and one hierarchy, that of v2: its name is empty, and no variable can hold its length.
write_image() {
	printf '\031\103\126\124\060\063\070\131'"\\$(printf %03o $((${#1} + 8)))"'\000\000\000\012\002\010\001\022'"\\$(printf %03o $((${#1} + 2)))"'\012\000%s' "$1" >$image
}

# opens GROUP DEVICE
opens() {
	sh -c "echo \$\$ >$mount/$1/cgroup.procs && : <$2" 2>/dev/null
}

# is WHAT COMMAND...
is() {
	what=$1
	shift
	if "$@"; then ok "$what"; else not_ok "$what"; head -n 5 /run/err; fi
}

none_left() {
	! [ -e "$mount/cgraft-t" ]
}

export LC_ALL=C
for mount in $(hierarchies 2); do
	write_image "$(group cgraft-t 'c 1:3 rwm')"
	succeeds "restore of a rule" restore -i $image
	summary "values written" 1
	is "what is allowed is opened" opens cgraft-t /dev/null
	if opens cgraft-t /dev/zero; then not_ok "what is not allowed is not opened"; else ok "what is not allowed is not opened"; fi
	is "elsewhere all is as before" sh -c ': </dev/zero'
	succeeds "verify" verify -i $image
	succeeds "restore again" restore -i $image
	summary "values written" 0 "found" 1
	sleep 0.1
	rmdir "$mount/cgraft-t"
	mkdir "$mount/cgraft-t"
	cgraft restore -i $image
	is "a group that was there is refused" test $status = 4
	cgraft restore --skip-missing -i $image
	is "and left out with --skip-missing" test $status = 6
	is "with the reason" grep -q 'devices.list of group /cgraft-t.*was there before' /run/err
	is "it may open what it could" opens cgraft-t /dev/zero
	sleep 0.1
	rmdir "$mount/cgraft-t"
	write_image "$(group cgraft-t 'c 1:3 rwm' "$(group bad 'c 1:3 x')")"
	cgraft restore -i $image
	is "a rule that is none" test $status = 1
	is "names the group" grep -q 'devices.list of group /cgraft-t/bad' /run/err
	is "everything is taken back" none_left
done
finish
