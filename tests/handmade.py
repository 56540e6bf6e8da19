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


def prop(name, value, mode=0o100644):
    return text(3, text(1, name) + text(2, value) + perms(3, mode))


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


def image(payload):
    return b"\x19\x43\x56\x54\x30\x33\x38\x59" + len(payload).to_bytes(4, "little") + payload


def nested(levels):
    inner = group(b"d")
    for _ in range(levels - 1):
        inner = group(b"d", inner)
    return inner
