"""Images byte by byte, for tests; shares nothing with cgraft. The field numbers are those of proto/cgroup.proto, read by eye."""


def varint(number):
    out = bytearray()
    while number > 0x7F:
        out.append(number & 0x7F | 0x80)
        number >>= 7
    return bytes(out) + bytes([number])


def number(field, value):
    return varint(field << 3) + varint(value)


def text(field, value):
    return varint(field << 3 | 2) + varint(len(value)) + value


def perms(field, mode, uid=0, gid=0):
    return text(field, number(1, mode) + number(2, uid) + number(3, gid))


def prop(name, value, mode=0o100644, uid=0):
    return text(3, text(1, name) + text(2, value) + perms(3, mode, uid, uid))


def attribute(name, value):
    return text(1001, text(1, name) + text(2, value))


def group(name, inside=b"", field=2, mode=0o40755, uid=0, attributes=b""):
    return text(field, text(1, name) + attributes + perms(4, mode, uid, uid) + inside)


def hierarchy(heads, names):
    return text(2, b"".join(text(1, name) for name in names) + heads + number(3, 1))


def member(name, path, prefix=None):
    return text(2, text(1, name) + text(2, path) + (number(3, prefix) if prefix is not None else b""))


def a_set(id, members):
    return text(1, number(1, id) + members)


def disk(major, minor, name):
    return text(1003, number(1, major << 20 | minor) + text(2, name))


def image(payload):
    return b"\x19\x43\x56\x54\x30\x33\x38\x59" + len(payload).to_bytes(4, "little") + payload


def nested(levels):
    inner = group(b"d")
    for _ in range(levels - 1):
        inner = group(b"d", inner)
    return inner


# The other files of a dump of CRIU; the field numbers are those of proto/criu-dump.proto.

COMMON, PSTREE, CORE, INVENTORY = 0x54564319, 0x50273030, 0x55053847, 0x58313116


def dump_file(magics, entries):
    words = b"".join(magic.to_bytes(4, "little") for magic in magics)
    return words + b"".join(len(entry).to_bytes(4, "little") + entry for entry in entries)


def pstree(*processes):
    return dump_file([COMMON, PSTREE], processes)


def process(pid, parent, threads=None):
    listed = [pid] if threads is None else threads
    return number(1, pid) + number(2, parent) + number(3, pid) + number(4, pid) + b"".join(number(5, tid) for tid in listed)


def leader(comm, set=None, state=1, old_set=None):
    own = number(1, state) + number(2, 0) + text(6, comm) + (number(9, old_set) if old_set is not None else b"")
    thread = number(1, 0) + (number(16, set) if set is not None else b"")
    return dump_file([COMMON, CORE], [number(1, 1) + text(3, own) + (b"" if state == 2 else text(5, thread))])


def thread(comm=None, set=None):
    own = number(1, 0) + (text(13, comm) if comm is not None else b"") + (number(16, set) if set is not None else b"")
    return dump_file([COMMON, CORE], [number(1, 1) + text(5, own)])


def inventory(own_set=1, version=2):
    return dump_file([INVENTORY], [number(1, version) + number(2, 1) + number(5, own_set)])


def dump(folder, files):
    """Writes the files, core images by the number of their task."""
    for name, content in files.items():
        with open(f"{folder}/core-{name}.img" if isinstance(name, int) else f"{folder}/{name}.img", "wb") as file:
            file.write(content)
