"""The steps of a dry run against the calls of a real one.

    steps.py before DRY          what the steps say about now is what files, owners and tasks are
    steps.py calls TRACE         no call of this trace of a dry run changes anything
    steps.py same DRY TRACE      the successful changing calls of the real run are the steps, in their order
    steps.py sorted DRY TRACE    ... in any order

DRY is what `restore --dry-run` printed, TRACE what `strace -f -y -s 100000` did. Prints what is wrong; exit 1 then.
"""
import os
import re
import sys

MOVES = ('cgroup.procs', 'tasks', 'cgroup.threads')
CHANGING = re.compile(
    r'(mkdir|mkdirat|rmdir|unlink|unlinkat|rename\w*|link|linkat|symlink\w*|mknod\w*|f?chmod\w*|f?chown\w*|lchown|[lf]?setxattr\w*|'
    r'[lf]?removexattr\w*|mount|umount2?|fsopen|fsmount|fsconfig|move_mount|open_tree|mount_setattr|truncate|unshare|setns|'
    r'clone3?|fork|vfork|execveat|kill|tgkill|utimensat|fallocate|sendto|sendmsg|bpf|setpriority|sched_set\w*|ioctl)$')


def mounts():
    """Label of each hierarchy, by where it is mounted."""
    found = {}
    for line in open('/proc/self/mountinfo'):
        left, right = line.split(' - ')
        kind, _, options = right.split()[:3]
        if kind == 'cgroup2':
            found[left.split()[4]] = 'unified'
        elif kind == 'cgroup':
            words = [word for word in options.split(',') if word not in ('rw', 'ro', 'xattr', 'clone_children', 'noprefix')]
            found[left.split()[4]] = ','.join(word for word in words if not word.startswith('release_agent='))
    return found


MOUNTS = mounts()


def place(path):
    """`/sys/fs/cgroup/cpu/a/b` as ('cpu', '/a/b'); None elsewhere."""
    for mount, label in MOUNTS.items():
        if path == mount or path.startswith(mount + '/'):
            return label, path[len(mount):] or '/'
    return None


def folder(label):
    return next(mount for mount, name in MOUNTS.items() if name == label)


def seen(text):
    """A value as a step shows it, as the value."""
    return '' if text == '""' else text.replace('\\n', '\n').replace('\\t', '\t').replace('\\\\', '\\')


def steps(file):
    """Each line of a dry run: (word, place, old, new)."""
    for line in open(file):
        line = line.rstrip('\n')
        move = re.fullmatch(r'move (pid|tid) (\d+) \((.*)\) ([^ ]*):(/\S*) -> (/\S*)', line)
        change = re.fullmatch(r'(write|chown|attribute) ([^ ]*?):(/\S*) (.*) -> (.*)', line)
        made = re.fullmatch(r'mkdir ([^ ]*?):(/\S*)', line)
        if move:
            kind, tid, comm, label, old, new = move.groups()
            yield 'move', (label, new), (kind, int(tid), comm, old), new
        elif change:
            word, label, path, old, new = change.groups()
            yield word, (label, path), seen(old), seen(new)
        elif made:
            yield 'mkdir', made.groups(), None, None
        elif re.fullmatch(r'make hierarchy \S+', line):
            yield 'hierarchy', line.split()[2], None, None
        else:
            sys.exit('not a step: ' + line)


def wanted(file):
    """The calls that a dry run foretells, and the values that it says are there before, by file."""
    calls, olds = [], {}
    for word, where, old, new in steps(file):
        if word == 'chown':
            (owner, mode), (new_owner, new_mode) = old.split(), new.split()
            if owner != new_owner:
                calls.append(('chown', where, new_owner))
            if mode != new_mode:
                calls.append(('chmod', where, int(new_mode, 8)))
        elif word == 'attribute':
            path, name = where[1].rsplit('/', 1)
            calls.append(('attribute', (where[0], path), name, new))
        elif word == 'move':
            calls.append(('move', where, old[0], old[1]))
        elif word == 'mkdir':
            calls.append(('mkdir', where))
        elif word == 'write':
            calls.append(('write', where, value(new)))
            olds.setdefault(where, old)
    return calls, olds


def value(text):
    return text if text == '\n' else text.rstrip('\n')


def unquoted(text):
    return text.encode('latin-1', 'backslashreplace').decode('unicode_escape').encode('latin-1').decode('utf-8', 'surrogateescape')


CALL = re.compile(r'^(?:\d+ +)?(\w+)\((.*)\) = (-?\d+|0x[0-9a-f]+)(?:<([^>]*)>)?.*$', re.S)


def lines(file):
    for line in open(file, errors='surrogateescape'):
        found = CALL.match(line.rstrip('\n'))
        if found:
            yield found.groups()


def done(file):
    """The successful changing calls on hierarchies, and what was read last before each file's first write."""
    calls, olds, read, open_files = [], {}, {}, {}
    for name, arguments, result, path in lines(file):
        if result.startswith('-'):
            continue
        if path is not None and name in ('openat', 'openat2'):
            open_files[int(result)] = path
        file_of = re.match(r'(\d+)<([^>]*)>', arguments)
        where = place(file_of[2]) if file_of else None
        texts = [unquoted(text) for text in re.findall(r'"((?:[^"\\]|\\.)*)"', arguments)]
        if name == 'mkdirat' and where:
            label, above = where
            calls.append(('mkdir', (label, above.rstrip('/') + '/' + texts[0])))
        elif name == 'read' and where:
            read[where] = texts[0] if texts else ''
        elif name == 'write' and where:
            group, base = where[1].rsplit('/', 1)
            if base in MOVES:
                kind = 'pid' if base == 'cgroup.procs' else 'tid'
                calls.append(('move', (where[0], group or '/'), kind, int(texts[0])))
                continue
            calls.append(('write', where, value(texts[0])))
            listed = (where[0], group + '/devices.list') if base in ('devices.allow', 'devices.deny') else where
            olds.setdefault(where, read.get(listed))
        elif name == 'fchownat' and where:
            numbers = re.findall(r', (\d+)', arguments)
            calls.append(('chown', where, ':'.join(numbers[:2])))
        elif name == 'fchmod' and where:
            calls.append(('chmod', where, int(arguments.rsplit(', ', 1)[1], 8)))
        elif name in ('fchmodat', 'fchmodat2') and texts and texts[0].startswith('/proc/self/fd/'):
            where = place(open_files[int(texts[0].rsplit('/', 1)[1])])
            calls.append(('chmod', where, int(re.search(r', (0\d+)', arguments)[1], 8)))
        elif name == 'fsetxattr' and where:
            calls.append(('attribute', where, texts[0], texts[1]))
    return calls, olds


def is_unlimited(text):
    text = text.strip()
    return text in ('-1', 'max') or (text.isdigit() and int(text) >= (1 << 63) - (1 << 34))


def same_value(one, other):
    one, other = one.rstrip('\n'), other.rstrip('\n')
    if other.startswith('oom_kill_disable '):
        other = other.split()[1]
    return one == other or (is_unlimited(one) and is_unlimited(other))


def fresh(where):
    """What the file has in a group that was just made; None if that has no such file."""
    group = f'{folder(where[0])}/cgraft-steps-{os.getpid()}'
    os.mkdir(group)
    try:
        return open(group + '/' + where[1].rsplit('/', 1)[1]).read()
    except OSError:
        return None
    finally:
        os.rmdir(group)


def compare(dry, trace, in_order):
    left, left_olds = wanted(dry)
    right, right_olds = done(trace)
    if not in_order:
        left, right = sorted(left, key=repr), sorted(right, key=repr)
    wrong = []
    if left != right:
        at = next((at for at, pair in enumerate(zip(left, right)) if pair[0] != pair[1]), min(len(left), len(right)))
        wrong.append(f'{len(left)} steps, {len(right)} calls; number {at}: step {left[at:at + 1]}, call {right[at:at + 1]}')
    for where, old in left_olds.items():
        found = right_olds.get(where)
        if found is None and ('mkdir', (where[0], where[1].rsplit('/', 1)[0])) in right:
            found = fresh(where)  # a restore writes there without reading what every new group has
        if where[1].endswith('/freezer.state'):
            continue  # another file is read
        if found is None or not same_value(old, found):
            wrong.append(f'{where}: the step says {old!r}, the file had {found!r}')
    return wrong


def before(dry):
    wrong, written, moved = [], set(), {}
    for word, where, old, _ in steps(dry):
        path = None if word == 'hierarchy' else folder(where[0]) + where[1]
        if word == 'write' and os.path.exists(path) and where not in written:
            path = re.sub(r'devices\.(allow|deny)$', 'devices.list', path)
            now = open(path).read()
            if not same_value(old, now):
                wrong.append(f'{where}: {old!r}, not {now!r}')
        elif word == 'chown' and os.path.exists(path):
            now = os.stat(path)
            text = f'{now.st_uid}:{now.st_gid} {now.st_mode & 0o7777:04o}'
            if text != old:
                wrong.append(f'{where}: {old}, not {text}')
        elif word == 'attribute':
            group, name = path.rsplit('/', 1)
            try:
                now = os.getxattr(group, name).decode()
            except OSError:
                now = 'none'
            if now != old:
                wrong.append(f'{where}: {old}, not {now}')
        elif word == 'move':
            kind, tid, comm, from_path = old
            cgroups = [line.rstrip('\n').split(':', 2) for line in open(f'/proc/{tid}/cgroup')]
            status = open(f'/proc/{tid}/status').read()
            leader = (where[0], re.search(r'^Tgid:\s*(\d+)', status, re.M)[1])
            now = moved.get(leader) or next(path for _, names, path in cgroups if (names or 'unified') == where[0])
            name = open(f'/proc/{tid}/comm').read().rstrip('\n')
            if kind == 'pid':
                moved[leader] = where[1]
            if (now, name) != (from_path, comm):
                wrong.append(f'task {tid}: {from_path} ({comm}), not {now} ({name})')
        elif word == 'mkdir' and os.path.exists(path):
            wrong.append(f'{where} is there already')
        written.add(where)
    return wrong


def calls(trace):
    wrong, count = [], 0
    for name, arguments, result, path in lines(trace):
        count += 1
        file_of = re.match(r'(\d+)<([^>]*)>', arguments)
        target = file_of[2] if file_of else ''
        if CHANGING.match(name) or (name in ('openat', 'openat2', 'open') and re.search(r'O_WRONLY|O_RDWR|O_CREAT|O_TRUNC', arguments)):
            wrong.append(f'{name}({arguments[:200]}')
        elif name in ('write', 'pwrite64', 'writev', 'ftruncate') and not target.startswith('/memfd:') and file_of[1] not in '12':
            wrong.append(f'{name}({arguments[:200]}')
    return wrong if count > 3 else ['there is no trace']


def main():
    task, files = sys.argv[1], sys.argv[2:]
    if task == 'before':
        wrong = before(*files)
    elif task == 'calls':
        wrong = calls(*files)
    else:
        wrong = compare(*files, in_order=task == 'same')
    for line in wrong[:8]:
        print('#', line)
    sys.exit(bool(wrong))


main()
