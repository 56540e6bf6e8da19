"""Journals byte by byte, to do harm: sums are right, what they say is not.

journals.py COMPLETE FOLDER GROUP: COMPLETE is a journal of cgraft, whose front is used.
"""
import struct, sys


def sum_of(data):
    value = 0x811C9DC5
    for byte in data:
        value = (value ^ byte) * 0x01000193 & 0xFFFFFFFF
    return struct.pack('<I', value)


def record(kind, place, path=b'', file=b'', value=b'', numbers=(0, 0, 0), new=b''):
    length = 27 + len(path) + len(file) + len(value) + len(new) + 8
    body = struct.pack('<IBBB5I', length, kind, place, len(file), len(path), len(value), *numbers) + path + file + value + new
    return body + sum_of(body) + struct.pack('<I', length)


def front(boot, spaces, labels, state=b'o'):
    rest = boot + spaces + b''.join(bytes([0, len(label)]) + label for label in labels)
    return b'cgraft J' + state + b'\x01' + struct.pack('<H', 24 + len(rest)) + sum_of(rest) + bytes(8) + rest


complete, folder, group = open(sys.argv[1], 'rb').read(), sys.argv[2], sys.argv[3].encode()
boot, spaces = complete[24:60], complete[60:76]
here = [b'cpu', b'pids', b'']
MADE, VALUE, PERMS, MOVED, ATTRIBUTE = range(5)
bad = [
    record(MADE, 0), record(MADE, 0, b'../x'), record(MADE, 0, b'/' + group), record(MADE, 0, group + b'//a'), record(MADE, 0, b'.'),
    record(MADE, 0, group + b'\0'), record(MADE, 0, group + b'/'), record(MADE, 3, group), record(MADE, 255, group), record(9, 0, group),
    record(VALUE, 0, group, b'../cpu.shares', b'5'), record(VALUE, 0, group, b'release_agent', b'/bin/x'),
    record(VALUE, 0, b'', b'release_agent', b'/bin/x'), record(VALUE, 0, group, b'pids.max', b'5'),
    record(VALUE, 0, group, b'cgroup.procs', b'1'), record(VALUE, 0, group, b'tasks', b'1'), record(VALUE, 2, group, b'cgroup.kill', b'1'),
    record(VALUE, 0, group, b'cpu.shares', b'5\n6'), record(VALUE, 0, group, b'cpu.shares', b'5\0'), record(VALUE, 0, group, b'nonesuch', b'5'),
    record(VALUE, 0, group, b'', b'5'), record(VALUE, 0, group, b'cpu.shares', b'5', (9, 0, 0)),
    record(PERMS, 0, group, b'../..', b'', (0o644, 0, 0)), record(PERMS, 0, group, b'', b'', (0o104755, 0, 0)),
    record(PERMS, 0, group, b'cpu.shares', b'', (0o4755, 0, 0)), record(PERMS, 0, group, b'cpu.stat', b'', (0o666, 0, 0)),
    record(MOVED, 0, group, numbers=(0, 1, 5)), record(MOVED, 0, group, numbers=(2**31, 1, 5)), record(MOVED, 0, b'..', numbers=(1, 1, 5)),
    record(ATTRIBUTE, 2, group, b'security.selinux', b'x', (1, 0, 0)), record(ATTRIBUTE, 2, group, b'user.', b'x', (1, 0, 0)),
    record(ATTRIBUTE, 2, group, b'trusted.x', b'x' * 65537, (1, 0, 0)), record(MADE, 0, b'x' * 4096),
]
good = record(VALUE, 0, group + b'/c', b'cpu.shares', b'777')
for number, text in enumerate(bad):
    # A good one in front and behind: not even that is taken back.
    open(f'{folder}/bad.{number}', 'wb').write(front(boot, spaces, here) + good + text + good)
odd = {
    'boot': front(b'0' * 36, spaces, here) + good,
    'space': front(boot, b'\x07' * 16, here) + good,
    'hierarchy': front(boot, spaces, here + [b'name=cgraft-none']) + good + record(MADE, 3, group + b'/a'),
}
for name, data in odd.items():
    open(f'{folder}/odd-{name}', 'wb').write(data)
