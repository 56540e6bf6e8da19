"""Fails each system call of a run once with each errno it can give (strace -e inject), and judges what comes of it.

    faults.py CGRAFT FOLDER GROUP PART OF SAMPLE [REGEX]

GROUP lies right below the roots of cpu, pids and v2. PART of OF parts of the work is done here; of every SAMPLE faults one is tried.
With REGEX every fault is tried whose line (`STORY: call NUMBER of CALL says ERROR`) it matches, and no other.
Runs in a pid namespace of its own (unshare -fp --mount-proc), so that a run makes the same calls each time. Prints each wrong outcome
as a line with `#`, and as its last lines `class NUMBER NAME`, `skip NUMBER WHY`, `faults TRIED ALL` and `wrong NUMBER`.

What is right is written once, in `judge_*`. A call that fails is right only if the exit code is a documented one, standard error has
one line for it (and those that tell of the way back), and files and groups are as before, or as intended; never a third.
"""
import collections
import errno
import os
import re
import signal
import subprocess
import sys
import threading
import zlib

from tracer import traced

CGRAFT, FOLDER, GROUP, PART, OF, SAMPLE = sys.argv[1:4] + [int(text) for text in sys.argv[4:7]]
ONLY = re.compile(sys.argv[7]) if len(sys.argv) > 7 else None
SECONDS = 30

# What a call can say for reasons that are not a mistake of its caller. Calls that cannot fail, or happen before main, are left out.
OPEN = 'ENOENT EACCES EMFILE ENFILE ENOMEM EIO ENODEV'
ERRORS = {
    'openat': OPEN, 'openat2': OPEN + ' ENOSYS EXDEV ELOOP', 'read': 'EIO EINTR ENODEV ENOMEM EOPNOTSUPP', 'pread64': 'EIO EINTR',
    'write': 'EIO ENOSPC EINVAL EBUSY EPERM EINTR EACCES ENODEV EDQUOT ESRCH', 'pwrite64': 'EIO ENOSPC EINTR EDQUOT',
    'mkdirat': 'EEXIST ENOSPC EPERM EMFILE EACCES EROFS EAGAIN ENOMEM', 'unlinkat': 'EBUSY EPERM EIO EACCES', 'rmdir': 'EBUSY EPERM',
    'fstat': 'EIO ENOMEM', 'newfstatat': 'EIO ENOENT EACCES ENOMEM', 'fstatfs': 'EIO ENOSYS', 'statx': 'EIO', 'close': 'EIO EINTR',
    'mmap': 'ENOMEM EACCES', 'munmap': 'ENOMEM', 'madvise': 'EINVAL', 'memfd_create': 'ENOMEM EMFILE ENOSYS',
    'linkat': 'ENOSPC EPERM EIO ENOENT', 'renameat': 'EIO EACCES ENOSPC', 'renameat2': 'EIO EACCES ENOSPC',
    'getdents64': 'EIO ENOENT ENOMEM', 'fchownat': 'EPERM EIO EROFS', 'fchown': 'EPERM EIO', 'fchmod': 'EPERM EIO', 'fchmodat': 'EPERM EIO',
    'fsync': 'EIO ENOSPC EINTR', 'ftruncate': 'EIO EPERM', 'lseek': 'ESPIPE', 'flock': 'EAGAIN EINTR ENOLCK', 'prlimit64': 'EPERM',
    'readlinkat': 'ENOENT EACCES', 'flistxattr': 'EOPNOTSUPP EIO ERANGE', 'fgetxattr': 'EIO ENODATA', 'fsetxattr': 'ENOSPC EPERM EIO',
    'fremovexattr': 'EPERM EIO', 'rt_sigaction': 'EINVAL', 'clone': 'EAGAIN ENOMEM', 'clone3': 'EAGAIN ENOMEM ENOSYS', 'setns': 'EPERM',
    'unshare': 'EPERM ENOSPC', 'fsopen': 'EPERM ENOSYS', 'fsconfig': 'EBUSY EPERM', 'fsmount': 'EPERM', 'mount': 'EPERM EBUSY',
    'umount2': 'EBUSY', 'ioctl': 'ENOTTY', 'nanosleep': 'EINTR', 'clock_nanosleep': 'EINTR', 'mprotect': 'ENOMEM', 'bpf': 'EPERM',
    'sched_getaffinity': 'EINVAL', 'sched_setaffinity': 'EINVAL',
}
# These say that something is not there, or is not supported: nobody can know better, so that much may be missing in what is done.
ABSENT = {'ENOENT', 'ENODEV', 'ESRCH', 'EOPNOTSUPP', 'ENODATA', 'EINVAL', 'ENOSYS'}
LACKING = ABSENT | {'EACCES'}
LEFT_OUT = 'absent: '


def mounts():
    found = {}
    for line in open('/proc/self/mountinfo'):
        left, right = line.split(' - ')
        kind, _, options = right.split()[:3]
        name = 'unified' if kind == 'cgroup2' else next((word for word in options.split(',') if word in ('cpu', 'pids')), None)
        if kind.startswith('cgroup') and name and left.split()[3] == '/':
            found.setdefault(name, left.split()[4])
    return found


MOUNTS = mounts()
TOPS = {name: f'{MOUNTS[name]}/{GROUP}' for name in ('cpu', 'pids', 'unified')}
# Each value of the tree before (half of the image's) and of the tree that is wanted.
VALUES = [('cpu', 'c', 'cpu.shares', '300', '700'), ('pids', 'c', 'pids.max', '7', '51'), ('unified', 'c', 'cgroup.max.descendants', '3', '8'),
          ('cpu', 'c', 'notify_on_release', '0', '1')]
NEW = [('cpu', 'a', 'cpu.shares', '512'), ('pids', 'a/b', 'pids.max', '50'), ('unified', 'a', 'cgroup.max.depth', '7')]


def put(path, text):
    with open(path, 'w') as file:
        file.write(text)


def join(group):
    for top in TOPS.values():
        put(f'{top}/{group}/cgroup.procs', str(SLEEPER.pid))


def half():
    """The host before a restore."""
    for top in TOPS.values():
        os.makedirs(f'{top}/c', exist_ok=True)
    join('c')
    for name, top in TOPS.items():
        for group in ('a/b', 'a', 'new/x', 'new'):
            if os.path.isdir(f'{top}/{group}'):
                for _ in range(200):
                    try:
                        os.rmdir(f'{top}/{group}')
                        break
                    except OSError:
                        threading.Event().wait(0.01)
        os.chmod(f'{top}/c', 0o755)
        os.chown(f'{top}/c', 0, 0)
    for name, group, file, before, _ in VALUES:
        put(f'{TOPS[name]}/{group}/{file}', before)
    os.chown(f'{TOPS["pids"]}/c/pids.max', 0, 0)
    os.setxattr(f'{TOPS["unified"]}/c', 'trusted.cgraft', b'before')


def whole():
    """The host of the image."""
    half()
    for top in TOPS.values():
        os.makedirs(f'{top}/a/b')
        os.chown(f'{top}/a', 1000, 1001)
        os.chmod(f'{top}/c', 0o750)
    for name, group, file, _, wanted in VALUES:
        put(f'{TOPS[name]}/{group}/{file}', wanted)
    for name, group, file, wanted in NEW:
        put(f'{TOPS[name]}/{group}/{file}', wanted)
    join('a/b')
    os.chown(f'{TOPS["pids"]}/c/pids.max', 5, 6)
    os.setxattr(f'{TOPS["unified"]}/c', 'trusted.cgraft', b'wanted')


def host():
    """Groups, owners, modes, attributes, values and members, by path."""
    seen = {}
    for name, top in TOPS.items():
        for folder, _, files in os.walk(top):
            stat = os.stat(folder)
            attributes = [(key, os.getxattr(folder, key)) for key in sorted(os.listxattr(folder))]
            seen[folder] = (stat.st_mode, stat.st_uid, stat.st_gid, attributes)
            for file in files:
                path = f'{folder}/{file}'
                stat = os.stat(path)
                text = None
                if stat.st_mode & 0o600 == 0o600 and not re.match(r'(hugetlb|memory|io|cgroup\.(pressure|subtree)|.*\.pressure)', file):
                    try:
                        with open(path) as lines:
                            text = lines.read()
                    except OSError as error:
                        text = error.errno
                seen[path] = (stat.st_mode, stat.st_uid, stat.st_gid, text)
    if 'cpu' in MOUNTS:
        seen['mounts'] = [line for line in open('/proc/self/mountinfo') if ' cgroup' in line]
    return seen


def difference(one, other):
    keys = [key for key in sorted(set(one) | set(other)) if one.get(key) != other.get(key)]
    return ', '.join(f'{key}: {one.get(key)} and {other.get(key)}' for key in keys[:2])


def files():
    """The folder of the run, by name."""
    return {name: open(f'{AREA}/{name}', 'rb').read() for name in os.listdir(AREA)}


Result = collections.namedtuple('Result', 'code out err trace hit')


def run(arguments, call=None, error=None, number=0, also=(), stdin=None):
    command = [CGRAFT] + arguments
    if call:
        traced = sorted({call, 'renameat', 'linkat', 'openat', 'openat2', 'close', 'memfd_create', *(text.split(':')[0] for text in also)})
        command = ['strace', '-f', '-qq', '--seccomp-bpf', '-o', TRACE, '-e', 'trace=' + ','.join(traced), '-e', 'signal=all']
        for text in also:
            command += ['-e', 'inject=' + text]
        command += ['-e', f'inject={call}:error={error}:when={number}', CGRAFT] + arguments
    done = finish(command)
    trace = open(TRACE, errors='replace').read() if call else ''
    if done.returncode is None:
        return Result('hangs', b'', ''.join(trace.splitlines(True)[-1:]), trace, True)
    hit = len(re.findall(r'\(INJECTED\)', trace)) > len(also)
    return Result(done.returncode, done.stdout, done.stderr.decode(errors='replace'), trace, hit)


def finish(command):
    """Runs a command; its exit code is None where it did not end in time. Only time counts in which this runs, too: a machine that stands
    still, or a debugger that stops everything, is no hang. The whole group is ended: a program outlives its strace."""
    with subprocess.Popen(command, cwd=AREA, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, process_group=0) as process:
        for _ in range(10 * SECONDS):
            try:
                out, err = process.communicate(timeout=0.1)
                return subprocess.CompletedProcess(command, process.returncode, out, err)
            except subprocess.TimeoutExpired:
                pass
        os.killpg(process.pid, signal.SIGKILL)
        process.communicate()
        return subprocess.CompletedProcess(command, None, b'', b'')


def recorded(arguments, also=()):
    """How often a run makes each call; of several threads, the one that makes most."""
    command = ['strace', '-f', '-qq', '-o', TRACE]
    for text in also:
        command += ['-e', 'inject=' + text]
    finish(command + [CGRAFT] + arguments)
    counts = collections.Counter()
    for line in open(TRACE, errors='replace'):
        found = re.match(r'(\d+) +(\w+)\(', line)
        if found:
            counts[found.groups()] += 1
    most = collections.Counter()
    for (_, call), count in counts.items():
        most[call] = max(most[call], count)
    return most


TELLS = re.compile(r'cgraft: (everything was taken back|taken back, but|what is left can be|nothing was taken back)')


def lines_are_right(result, left=None):
    """One line says why; other lines tell what is left, or of the way back."""
    lines = result.err.splitlines()
    if any(not re.match(r'cgraft: .*[^:]$|restored: |taken back: ', line) for line in lines):
        return 'a line that is none of cgraft'
    if re.search(r'panic|overflow|memory allocation', result.err):
        return 'a panic'
    if ' write(2, ' in ''.join(line for line in result.trace.splitlines() if '(INJECTED)' in line):
        return None  # the line itself
    told = [line for line in lines if not TELLS.match(line) and not line.startswith(('restored: ', 'taken back: ')) and 'no task is moved' not in line]
    if result.code in (1, 3, 4) and len(told) != 1:
        return f'{len(told)} lines instead of one'
    return None


def left_open(trace, call):
    """Files that a run opened and did not close; the roots of hierarchies are held to the end."""
    if call == 'close':
        return None
    opened = {}
    for line in re.sub(r' <unfinished \.\.\.>\n\d+ +<\.\.\. \w+ resumed>', '', trace).splitlines():
        found = re.match(r'\d+ +(\w+)\((.*?)(?:, .*)?\) += (\d+)', line)
        if not found:
            continue
        if found[1] == 'close':
            opened.pop(found[2], None)
        elif found[1] in ('openat', 'openat2', 'memfd_create'):
            opened[found[3]] = line
    for line in opened.values():
        path = re.search(r'"([^"]*)"', line)[1]
        if not (path.removeprefix('/proc/1/root') in ROOTS and 'O_DIRECTORY' in line) and '/dev/null' not in line:
            return line
    return None


# --- what is right

def plain(image):
    put_bytes(f'{FOLDER}/looked', image)
    shown = subprocess.run([CGRAFT, 'decode', '--pretty', f'{FOLDER}/looked'], capture_output=True, timeout=SECONDS)
    if shown.returncode != 0:
        return None
    lines = (line.strip().rstrip(',') for line in shown.stdout.decode(errors='replace').splitlines())
    return collections.Counter(line for line in lines if not re.fullmatch(r'("\w+": )?[][{}]*', line))


def put_bytes(path, data):
    with open(path, 'wb') as file:
        file.write(data)


def judge_dump(result, error, before):
    now = files()
    made = now.get('image') if PIPED is None else result.out
    others = {name: data for name, data in now.items() if name != 'image'}
    if others != {name: data for name, data in before.items() if name != 'image'}:
        return f'other files are left: {sorted(others)}'
    if result.code == 0:
        if made == GOOD:
            return None
        lines = plain(made or b'')
        if lines is None:
            return 'exit 0, and what is there is no image'
        # What may not be looked at is found by another way, in another order.
        if (error in ABSENT and not lines - GOOD_LINES) or (error == 'EACCES' and lines == GOOD_LINES):
            return None
        return f'exit 0 with another image: {list((lines - GOOD_LINES) + (GOOD_LINES - lines))[:3]}'
    if result.code not in (1, 4):
        return 'not one of the exit codes'
    if made == GOOD and re.search(r'renameat.*= 0\n.*fsync.*INJECTED|linkat.*= 0\n.*fsync.*INJECTED', result.trace):
        return None  # it is in place, and whether its name lasts is not known
    return None if PIPED is not None or made == before.get('image') else 'the file is not as before'


def judge_print(result, error, before):
    if result.code in (0, 6):
        if (result.code, result.out) == (GOOD_CODE, GOOD):
            return None
        # What cannot be read is told, and counts as a difference.
        return None if error in ABSENT or (result.code == 6 and result.err) else 'prints something else'
    return None if result.code in (1, 3, 4) else 'not one of the exit codes'


def judge_restore(result, error, before):
    now = host()
    strange = set(files()) - {'image', 'bad', 'journal'}
    if strange:
        return f'other files are left: {sorted(strange)}'
    if result.code == 0:
        if now != WHOLE:
            is_told = error in ABSENT or 'no task is moved' in result.err
            if error in LACKING and set(now) == set(WHOLE) and is_told:
                return LEFT_OUT
            return f'exit 0 and not as intended: {difference(WHOLE, now)}'
        return journal_takes_back('--journal' in ARGUMENTS, error)
    if result.code in (1, 4):
        if now != HALF and DOUBLE and error in ABSENT:
            return LEFT_OUT
        if now != HALF:
            return f'exit {result.code} and not as before: {difference(HALF, now)}'
        return journal_takes_back(False, error)
    if result.code == 5:
        if not DOUBLE:
            return 'exit 5 after one fault'
        if 'left' not in result.err:
            return 'exit 5 without a word about what is left'
        return journal_takes_back('--journal' in ARGUMENTS, error)
    return 'not one of the exit codes'


def journal_takes_back(wanted, error):
    """The journal can be undone, where there is something to take back."""
    if '--journal' not in ARGUMENTS:
        return None
    again = run(['undo', 'journal']) if os.path.exists(f'{AREA}/journal') and os.path.getsize(f'{AREA}/journal') else None
    if again is None:
        return 'there is no journal' if wanted else None
    if error in LACKING and again.code in (4, 5):
        return LEFT_OUT  # a journal without namespaces, or without the start of a task: it does nothing wrong
    if again.code != 0:
        return f'undo afterwards: exit {again.code}: {again.err.strip()}'
    return None if host() == HALF else LEFT_OUT if error in LACKING else f'undo afterwards: {difference(HALF, host())}'


def judge_undo(result, error, before):
    now = host()
    if result.code == 0:
        return None if now == HALF or error in ABSENT else f'exit 0 and not as before: {difference(HALF, now)}'
    if result.code not in (1, 3, 4, 5):
        return 'not one of the exit codes'
    if result.code in (3, 4) and now != WHOLE:
        return f'exit {result.code} and a change'
    again = run(['undo', 'journal'])
    if again.code != 0:
        return f'undo once more: exit {again.code}: {again.err.strip()}'
    return None if host() == HALF else f'undo once more: {difference(HALF, host())}'


# --- the stories

def before_dump():
    keep({'image': b'old'})


def before_new_dump():
    keep({})


def before_restore():
    half()
    keep({'image': IMAGE, 'bad': BAD})


def before_undo():
    half()
    keep({'image': IMAGE, 'bad': BAD})
    result = run(['restore', '-i', 'image', '--journal', 'journal'])
    if result.code != 0:
        raise SystemExit(f'# the restore before an undo fails: exit {result.code}: {result.err}')


def keep(wanted):
    for name in os.listdir(AREA):
        if name not in wanted:
            os.unlink(f'{AREA}/{name}')
    for name, data in wanted.items():
        put_bytes(f'{AREA}/{name}', data)


def faults(calls, without):
    for call in sorted(calls):
        if call in without:
            continue
        for number in range(1, calls[call] + 1):
            for error in ERRORS.get(call, '').split():
                yield call, number, error


tried = every = wrong = sampled = 0
classes = collections.Counter()


def story(name, arguments, before, judge, also=(), without=(), double=False):
    """Every fault of this run."""
    global ARGUMENTS, DOUBLE, PIPED
    ARGUMENTS, DOUBLE, PIPED = arguments, double, (True if arguments[-1] == '-' else None)
    before()
    calls = recorded(arguments, also)
    know(name, calls)
    if PART == 0 and set(calls) & set(without):
        print(f'skip {sum(calls[call] for call in without)} calls of {name}, which are those of dump: {" ".join(sorted(set(calls) & set(without)))}')
    for call, number, error in chosen(name, list(faults(calls, without)), double):
        before()
        kept = files()
        result = run(arguments, call, error, number, also)
        if not result.hit:
            classes['the call was not made'] += 1
            continue
        why = ended_badly(result.code) or judge(result, error, kept) or lines_are_right(result) or leaks(result, call)
        count(name, f'call {number} of {call} says {error}', result, why)


def know(name, calls):
    global wrong
    unknown = [call for call in calls if call not in ERRORS and call not in CANNOT_FAIL]
    if unknown:
        wrong += 1
        print(f'# {name}: calls that tests/faults.py does not know: {unknown}')


def chosen(name, list_of, double=False):
    """Those of this part, and of the sample. Writing calls change something: each is tried."""
    global every, sampled
    for at, (call, number, error) in enumerate(list_of):
        step = SAMPLE if call not in ALWAYS else max(1, SAMPLE // 3) if double else 1
        if at % OF != PART:
            continue
        every += 1
        if not ONLY.search(f'{name}: call {number} of {call} says {error}') if ONLY else (at // OF) % step:
            sampled += 1
            continue
        yield call, number, error


def ended_badly(code):
    if code == 'hangs':
        return code
    return f'ended by a signal or abort ({code})' if code < 0 or code > 6 else None


def count(name, fault, result, why):
    global tried, wrong
    tried += 1
    if why == LEFT_OUT:
        classes[f'{name}: exit 0, left out what the fault says is not there'] += 1
    elif why:
        wrong += 1
        shown = '; '.join(result.err.splitlines()[:3])
        print(f'# {name}: {fault}: exit {result.code}: {why[:300]}: {shown}', flush=True)
    else:
        classes[f'{name}: exit {result.code}'] += 1


# Groups below one head, so that a second thread reads ahead; it begins with the 65th.
MANY = 80


def second_thread(name, arguments, before, judge):
    """Every fault of either thread, counted from where there are two."""
    global ARGUMENTS, DOUBLE, PIPED
    ARGUMENTS, DOUBLE, PIPED = arguments, False, None
    for victim, which in (1, 'the second thread'), (0, 'the first thread meanwhile'):
        before()
        good = traced([CGRAFT] + arguments, AREA, victim)
        after = files()
        if len(good.calls) != 2:
            raise SystemExit(f'# {name}: there is no second thread')
        know(name, good.calls[victim])
        for call, number, error in chosen(f'{name}, {which}', list(faults(good.calls[victim], ()))):
            before()
            kept = files()
            result = traced([CGRAFT] + arguments, AREA, victim, call, number, getattr(errno, error))
            if not result.hit:
                classes['the call was not made'] += 1
                continue
            why = ended_badly(result.code)
            # The first thread reads again what the second could not; but nobody doubts that something is not there.
            if victim == 1 and not why and error not in ABSENT and (result.code, result.out, files()) != (good.code, good.out, after):
                why = 'not the same as without the fault'
            result = Result(result.code, result.out, result.err, result.trace, result.files)
            why = why or judge(result, error, kept) or lines_are_right(result)
            if result.code == good.code and result.hit != good.files and not why and call != 'close':
                why = f'left open: {sorted(set(result.hit) - set(good.files))}'
            count(f'{name}, {which}', f'call {number} of {call} says {error}', result, why)


def leaks(result, call):
    line = left_open(result.trace, call)
    return line and f'left open: {line}'


CANNOT_FAIL = {'execve', 'arch_prctl', 'set_tid_address', 'exit_group', 'exit', 'brk', 'fcntl', 'getpid', 'gettid', 'geteuid', 'getegid', 'umask',
               'uname', 'rt_sigprocmask', 'futex', 'rt_sigreturn', 'set_robust_list', 'rseq', 'sched_yield', 'clock_gettime', 'membarrier', 'prctl'}
ALWAYS = {'mkdirat', 'write', 'pwrite64', 'unlinkat', 'fchownat', 'fchown', 'fchmod', 'fchmodat', 'fsetxattr', 'ftruncate', 'linkat', 'renameat',
          'fsync', 'memfd_create', 'mmap', 'flock', 'clone', 'clone3', 'getdents64', 'pread64'}

AREA, TRACE = f'{FOLDER}/area', f'{FOLDER}/trace'
os.makedirs(AREA, exist_ok=True)
ROOTS = {line.split()[4] for line in open('/proc/self/mountinfo') if ' - cgroup' in line}
SLEEPER = subprocess.Popen(['sleep', '100000'])
SELECT = [word for name in TOPS for word in ('--cgroup', f'{name}:/{GROUP}')]
try:
    keep({})
    whole()
    WHOLE = host()
    assert run(['dump', *SELECT, '-i', 'image']).code == 0
    IMAGE = GOOD = files()['image']
    GOOD_LINES = plain(GOOD)
    # The same with a value at its end that the kernel refuses: its restore takes everything back.
    os.mkdir(f'{TOPS["pids"]}/new')
    os.mkdir(f'{TOPS["pids"]}/new/x')
    put(f'{TOPS["pids"]}/new/x/pids.max', '4711')
    assert run(['dump', *SELECT, '-i', 'bad']).code == 0
    assert files()['bad'].count(b'4711') == 1
    data = files()['bad'].replace(b'4711', b'-711')[:-4]
    BAD = data + zlib.crc32(data[12:-2]).to_bytes(4, 'little')
    os.rmdir(f'{TOPS["pids"]}/new/x')
    os.rmdir(f'{TOPS["pids"]}/new')

    whole()
    story('dump', ['dump', *SELECT, '-i', 'image'], before_dump, judge_dump)
    story('dump, a new file', ['dump', *SELECT, '-i', 'image'], before_new_dump, judge_dump,
          without={'openat', 'openat2', 'read', 'fstat', 'close', 'newfstatat', 'getdents64', 'fstatfs', 'flistxattr', 'lseek'})
    story('dump to a pipe', ['dump', *SELECT, '-i', '-'], before_new_dump, judge_dump,
          without={'openat', 'openat2', 'read', 'fstat', 'close', 'newfstatat', 'getdents64', 'fstatfs', 'flistxattr', 'lseek'})
    before_dump()
    subprocess.run(['strace', '-f', '-o', TRACE, CGRAFT, 'dump', *SELECT, '-i', 'image'], cwd=AREA, capture_output=True)
    opens = [line for line in open(TRACE) if ' openat(' in line]
    nameless = [at + 1 for at, line in enumerate(opens) if 'O_TMPFILE' in line]
    story('dump without O_TMPFILE', ['dump', *SELECT, '-i', 'image'], before_dump, judge_dump, [f'openat:error=EOPNOTSUPP:when={nameless[0]}'],
          without={'openat', 'openat2', 'read', 'fstat', 'newfstatat', 'getdents64', 'fstatfs', 'flistxattr', 'lseek'})
    tree = ['dump', '-t', str(SLEEPER.pid), *(word for name in TOPS for word in ('--cgroup-dump-controller', name)), '-i', 'image']
    before_new_dump()
    assert run(tree).code == 0
    GOOD = files()['image']
    GOOD_LINES = plain(GOOD)
    story('dump of a process', tree, before_dump, judge_dump)

    for name, arguments in ('show', ['show', '--json', 'image']), ('verify', ['verify', '-i', 'image']):
        keep({'image': IMAGE, 'bad': BAD})
        good = run(arguments)
        GOOD, GOOD_CODE = good.out, good.code
        story(name, arguments, lambda: keep({'image': IMAGE, 'bad': BAD}), judge_print)

    top = TOPS['cpu'] + '/many'
    for number in range(MANY):
        os.makedirs(f'{top}/{number}')
    many = ['dump', '--cgroup', f'cpu:/{GROUP}/many', '-i', 'image']
    before_dump()
    assert run(many).code == 0
    GOOD = files()['image']
    GOOD_LINES = plain(GOOD)
    if os.uname().machine != 'x86_64' or len(os.sched_getaffinity(0)) < 2:
        print('skip 1 part, the faults of two threads: it needs x86_64 and two processors')
    else:
        second_thread('dump of many groups', many, before_dump, judge_dump)
        keep({'image': GOOD})
        GOOD, GOOD_CODE = b'', run(['verify', '-i', 'image']).code
        compared = files()
        second_thread('verify of many groups', ['verify', '-i', 'image'], lambda: keep(compared), judge_print)
    for number in range(MANY):
        os.rmdir(f'{top}/{number}')
    os.rmdir(top)

    half()
    HALF = host()
    story('restore', ['restore', '-i', 'image'], before_restore, judge_restore)
    story('restore with a journal', ['restore', '-i', 'image', '--journal', 'journal'], before_restore, judge_restore)
    story('restore that is taken back', ['restore', '-i', 'bad'], before_restore, judge_restore, double=True)
    story('restore with a journal that is taken back', ['restore', '-i', 'bad', '--journal', 'journal'], before_restore, judge_restore, double=True)
    story('undo', ['undo', 'journal'], before_undo, judge_undo)
finally:
    half()
    SLEEPER.kill()
    SLEEPER.wait()
    for top in TOPS.values():
        for folder, _, _ in sorted(os.walk(top), reverse=True):
            for _ in range(200):
                try:
                    os.rmdir(folder)
                    break
                except OSError:
                    threading.Event().wait(0.01)
for name, number in sorted(classes.items()):
    print(f'class {number} {name}')
print(f'skip {sampled} faults that are not of the sample')
print(f'faults {tried} {every}')
print(f'wrong {wrong}')
