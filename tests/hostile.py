#!/usr/bin/env python3
"""Images that no honest program writes, made byte by byte; shares nothing with cgraft.

  hostile.py FOLDER CONTROLLER GROUP   writes FOLDER/NAME.img and prints a line for each:
                                       NAME <tab> what a restore is to exit with <tab> a word of its message

CONTROLLER is one that this host has on v1, GROUP the private group in which a restore would work.
"""
import sys

import handmade
from handmade import a_set, attribute, group, image, member, nested, number, prop, text, varint

folder, controller, top = sys.argv[1], sys.argv[2], sys.argv[3].encode()
controller = controller.encode()


def hierarchy(heads, names=(controller,)):
    return handmade.hierarchy(heads, names)


good = hierarchy(group(top + b"/kid"))
cases = []


def case(name, payload, code="3", word="damaged at byte"):
    cases.append((name, code, word))
    with open(f"{folder}/{name}.img", "wb") as out:
        out.write(image(payload))


# Every case begins with a group that could be made, so that a check that comes too late is seen.
def heads(name, rest, **how):
    case(name, hierarchy(group(top + b"/kid") + rest), **how)


# Names that lead out of the hierarchy, or are none.
for word, bad in (
    ("dot-dot", b".."), ("dot-dot-in-a-head", b"a/../../b"), ("dot", b"."), ("absolute", b"/" + top + b"/abs"),
    ("double-slash", top + b"//x"), ("nul", top + b"/x\0y"), ("newline", top + b"/x\ny"), ("slash-at-the-end", top + b"/x/"),
    ("long-head", b"/".join([b"n" * 200] * 30)), ("long-name", b"n" * 5000),
):
    heads("head-" + word, group(bad), code="1 3" if word.startswith("long") else "3", word="group's")
for word, bad in (
    ("dot-dot", b".."), ("dot", b"."), ("slash", b"a/b"), ("absolute", b"/a"), ("empty", b""), ("nul", b"x\0y"),
    ("newline", b"x\ny"), ("long", b"n" * 5000),
):
    heads("child-" + word, group(top, group(bad)), code="1 3" if word == "long" else "3", word="group's")
heads("child-after-a-good-one", group(top, group(b"good") + group(b"..")), word="group's name")
case("head-in-a-second-hierarchy", good + hierarchy(group(b".."), names=[b"name=systemd"]), word="group's name")

# Modes and owners.
for word, mode in (("setuid", 0o44755), ("link", 0o120777), ("device", 0o20666), ("high-bits", 0o40755 | 1 << 16)):
    heads("group-mode-" + word, group(top + b"/m", mode=mode), word="mode")
for word, mode in (("setuid", 0o104755), ("setgid", 0o102755), ("sticky", 0o101755), ("folder", 0o40755), ("device", 0o60666)):
    heads("file-mode-" + word, group(top + b"/m", prop(b"notify_on_release", b"0", mode)), word="mode")

# Files that are no configuration, or whose name is none.
for bad in (
    b"release_agent", b"cgroup.event_control", b"memory.force_empty", b"devices.allow", b"devices.deny", b"memory.failcnt",
    b"../tasks", b"/etc/passwd", b".", b"..", b"", b"a/b", b"a\0b", b"a\nb", b"x" * 200,
):
    word = bad.decode().translate(str.maketrans("/\0\n.", "s0n-"))[:30] or "empty"
    heads("file-" + word, group(top + b"/f", prop(bad, b"1")), word="a property")
for bad in (b"cgroup.kill", b"memory.reclaim", b"memory.pressure"):
    case("v2-file-" + bad.decode(), good + hierarchy(group(top + b"/f", prop(bad, b"1")), names=[b""]), word="no configuration")
for bad in (b"cgroup.procs", b"tasks"):
    heads("value-in-" + bad.decode(), group(top + b"/f", prop(bad, b"0")), word="a property's value")
case("value-in-cgroup.threads", good + hierarchy(group(top + b"/f", prop(b"cgroup.threads", b"0")), names=[b""]), word="a property's value")

# Values that a file cannot have.
heads("two-lines-in-one", group(top + b"/v", prop(b"notify_on_release", b"0\n1")), word="a property's value")
heads("nul-in-a-value", group(top + b"/v", prop(b"notify_on_release", b"0\x001")), word="a property's value")
heads("value-too-long", group(top + b"/v", prop(b"notify_on_release", b"1" * 300000)), code="1 3", word="value")
heads("another-controller", group(top + b"/v", prop(b"cpuset.cpus" if controller != b"cpuset" else b"cpu.shares", b"0")), word="another controller")

# Extended attributes that no group has, or that are not a group's business.
good_attribute = attribute(b"user.a", b"1")
for word, bad in (
    ("policy", b"security.selinux"), ("acl", b"system.posix_acl_access"), ("bare", b"user."), ("no-namespace", b"user"), ("no-name", b""),
    ("other-case", b"User.a"), ("blank-before", b" user.a"), ("other-namespace", b"userx.a"), ("nul", b"user.a\0b"), ("nul-at-the-end", b"user.z\0"),
    ("long", b"user." + b"n" * 251), ("very-long", b"trusted." + b"n" * 100000),
):
    heads("attribute-" + word, group(top + b"/x", attributes=attribute(bad, b"1")), word="extended attribute")
    heads("attribute-behind-" + word, group(top, group(b"x", attributes=good_attribute + attribute(bad, b"1"))), word="extended attribute")
heads("attribute-value-too-long", group(top + b"/x", attributes=attribute(b"user.a", b"v" * 65537)), word="extended attribute")
heads("attribute-twice", group(top + b"/x", attributes=good_attribute * 2), word="extended attribute")
heads("attribute-out-of-order", group(top + b"/x", attributes=attribute(b"user.b", b"1") + good_attribute), word="extended attribute")
heads("attribute-of-an-ancestor", group(top + b"/x", attributes=number(1000, 1) + attribute(b"security.x", b"1")), word="extended attribute")
heads("attribute-without-a-name", group(top + b"/x", attributes=text(1001, text(2, b"1"))), word="no name or no value")
heads("attribute-without-a-value", group(top + b"/x", attributes=text(1001, text(1, b"user.a"))), word="no name or no value")
heads("attribute-a-number", group(top + b"/x", attributes=number(1001, 7)))
heads("attribute-legal", group(top + b"/x", attributes=attribute(b"trusted." + b"n" * 247, b"v" * 65536) + attribute(b"user." + bytes(range(1, 251)), bytes(range(256)))), code="0", word="")

# Hierarchies and memberships.
case("no-hierarchy-name", good + text(2, group(top + b"/x")), word="does not begin with its names")
case("hierarchy-slash", good + hierarchy(b"", names=[b"../cpu"]), word="hierarchy\'s name")
case("hierarchy-colon", good + hierarchy(b"", names=[b"cpu:/"]), word="hierarchy\'s name")
case("hierarchy-comma", good + hierarchy(b"", names=[b"cpu,cpuacct"]), word="hierarchy\'s name")
case("hierarchy-newline", good + hierarchy(b"", names=[b"cpu\n"]), word="hierarchy\'s name")
case("hierarchy-long", good + hierarchy(b"", names=[b"n" * 500]), code="1 3", word="hierarchy's name")
case("hierarchy-many-names", good + hierarchy(b"", names=[b"cpu%d" % at for at in range(1000)]), word="more names")
case("unified-and-more", good + hierarchy(b"", names=[b"", b"cpu"]), word="more names")
case("more-and-unified", good + hierarchy(b"", names=[b"cpu", b""]), word="more names")
for word, path in (
    ("relative", b"x"), ("empty", b""), ("dot-dot", b"/a/../b"), ("dot", b"/."), ("double", b"//a"), ("nul", b"/a\0"),
    ("newline", b"/a\nb"), ("long", b"/" + b"n" * 9000),
):
    case("member-" + word, good + a_set(2, member(controller, path)), word="a membership's path")
case("prefix-out-of-range", good + a_set(2, member(controller, b"/" + top, 1000)), word="prefix")
case("prefix-inside-a-name", good + a_set(2, member(controller, b"/" + top, 3)), word="prefix")
case("prefix-behind-a-slash", good + a_set(2, member(controller, b"/a/" + top, 3)), word="prefix")
case("prefix-huge", good + a_set(2, member(controller, b"/" + top, 1 << 40)), word="too large")
case("member-name", good + a_set(2, member(b"a/b", b"/" + top)), word="hierarchy's name")
case("set-without-id", good + text(1, member(controller, b"/" + top)), word="a set has no id")
case("id-of-64-bits", good + a_set(1 << 40, b""), word="too large")

# Bytes that are no protobuf, behind a good beginning.
case("huge-length", good + b"\x0a" + varint((1 << 64) - 1))
case("length-of-4-gib", good + b"\x0a" + varint((1 << 32) - 1))
case("length-past-the-parent", good + text(2, b"\x0a\x03cpu" + b"\x12\x7f" + b"x"))
case("endless-number", good + b"\x08" + b"\xff" * 20)
case("field-zero", good + b"\x02\x01x")
case("group-type", good + b"\x0b\x0c")
case("text-for-a-number", good + text(1, text(1, b"x")))
case("number-for-text", good + number(2, 7))
case("endless-loop", b"\x12\x80\x80\x80\x80\x80\x80\x80\x80\x80\x01" + b"\x00" * 4)
case("after-the-checksum", good + varint(1002 << 3 | 5) + b"\0\0\0\0")
case("ours-without-a-checksum", good + text(1000, text(1, b"0.1.0")))


# Deeper than any tree of the kernel.
heads("deep-513", group(top, nested(512)), code="1 3", word="levels")
heads("deep-5000", group(top, nested(5000)), code="1 3", word="levels")
heads("deep-head", group(b"/".join([b"d"] * 600)), code="1 3", word="levels")

# The same group twice: no writer makes it. It is found when it is met again, or refused.
heads("same-head-twice", group(top + b"/twice", prop(b"notify_on_release", b"1")) + group(top + b"/twice"), code="0 3", word="")
heads("same-child-twice", group(top + b"/p", group(b"twice") + group(b"twice")), code="0 3", word="")
heads("head-below-a-head", group(top, group(b"x")) + group(top + b"/x/y"), code="0 3", word="")

# What is long, and legal or not: it must take neither memory nor time.
case("sets-1000000", good + b"".join(a_set(at, member(controller, b"/%s/%d" % (top, at))) for at in range(1000000)), "0 4", "")
case("one-set-of-100000", good + a_set(2, member(controller, b"/" + top) * 100000), "0 1 3 4", "")
heads("name-last", text(2, group(b"x") * 20000 + text(1, top + b"/last")), word="does not begin with its name")
heads("name-after-properties", text(2, prop(b"notify_on_release", b"0") * 20000 + text(1, top + b"/last") + group(b"x") * 20000), word="does not begin with its name")
flagged = group(top + b"/kid", prop(b"notify_on_release", b"0"))
case("hierarchy-name-last", text(2, flagged * 20000 + text(1, controller)), word="does not begin with its names")
case("hierarchy-name-after-groups", text(2, text(1, b"x") + flagged * 20000 + text(1, controller)), word="does not begin with its names")
case(
    "sets-and-groups-4000",
    hierarchy(b"".join(group(b"%s/%d" % (top, at)) for at in range(4000)), names=[b"cgraft-none"])
    + b"".join(a_set(at, member(b"cgraft-none", b"/%s/%d" % (top, at))) for at in range(4000)),
    "4", "",
)
case(
    "sets-with-one-hash",
    hierarchy(b"".join(group(top + b"/same") for at in range(3000)), names=[b"cgraft-none"])
    + b"".join(a_set(2 * at, member(b"cgraft-none", b"/" + top + b"/same")) for at in range(3000)),
    "3 4", "",
)
case("hierarchies-10000", hierarchy(b"", names=[b"cgraft-none"]) * 10000, "0 1 3 4", "")
case("a-megabyte-of-nothing", good + text(900, b"x" * 1000000), "0", "")
case("a-million-fields", good + number(900, 1) * 1000000, "0", "")

# What a terminal would obey.
control = b"\x1b]0;owned\x07\x1b[2J\xe2\x80\xae\xc2\x9b31m\xff\r"
case(
    "terminal",
    text(1000, text(1, control) + text(2, control) + text(3, b"") + number(4, 4096) + text(5, control) + text(6, control))
    + a_set(2, member(controller, b"/" + top + b"/" + control)) + text(1001, number(1, 1) + number(2, 1) + number(4, 1) + text(5, control) + number(6, 2))
    + hierarchy(group(top + b"/" + control, prop(b"x" + control, control)))
    + hierarchy(b"", names=[b"x" + control]),
)

for line in cases:
    print("\t".join(line))
