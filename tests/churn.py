"""Dumps and restores while tests/churn.c makes and removes groups and tasks.

    churn.py CGRAFT FOLDER SECONDS CHURN-PID SLEEPER-PID CPU-GROUP PIDS-GROUP

The group stay below both, with values and a task, stays all the time: every image must have it whole. Prints what is wrong as lines
with `#`, and `done DUMPS RESTORES WRONG`.
"""
import collections
import json
import os
import subprocess
import sys
import time

CGRAFT, FOLDER, SECONDS, CHURN, SLEEPER, CPU, PIDS = sys.argv[1:8]
GROUP = os.path.basename(CPU)
LIMIT = 30
wrong = 0
codes = collections.Counter()


def bad(text):
    global wrong
    wrong += 1
    if wrong < 20:
        print('#', text[:600], flush=True)


def run(what, *arguments, good=(0,)):
    try:
        done = subprocess.run([CGRAFT, *arguments], cwd=FOLDER, capture_output=True, timeout=LIMIT, stdin=subprocess.DEVNULL)
    except subprocess.TimeoutExpired:
        bad(f'{what}: hangs')
        return None
    codes[f'{what}: exit {done.returncode}'] += 1
    text = done.stderr.decode(errors='replace')
    if done.returncode not in good:
        bad(f'{what}: exit {done.returncode}: {text}')
    elif done.returncode != 0 and not text.startswith(('cgraft: ', 'restored: ')):
        bad(f'{what}: exit {done.returncode}, and it does not say why: {text}')
    return done


def groups(entries, above=''):
    """Each group's path and values."""
    for entry in entries:
        path = above + '/' + entry['dir_name'].strip('/')
        yield path, {value['name']: value['value'] for value in entry.get('properties', [])}
        yield from groups(entry.get('children', []), path)


def judge(what, image, whole):
    decoded = run(f'{what}, decode', 'decode', '-i', image)
    shown = run(f'{what}, show', 'show', '--json', '-i', image)
    if not decoded or not shown or decoded.returncode or shown.returncode:
        return
    seen = {}
    for controller in json.loads(decoded.stdout)['entries'][0]['controllers']:
        for path, values in groups(controller['dirs']):
            key = (controller['cnames'][0], path)
            if key in seen:
                bad(f'{what}: {key} is there twice')
            seen[key] = values
    # The tree is in g0 and elsewhere; only its groups and those below are dumped.
    for number in range(10 if whole else 1):
        for name, file, value in ('cpu', 'cpu.shares', str(300 + number)), ('pids', 'pids.max', str(40 + number)):
            found = seen.get((name, f'/{GROUP}/stay/g{number}'))
            if found is None or found.get(file) != value:
                bad(f'{what}: g{number} of {name}: {found}')
    # A group that came or went is in it with all its files, or not at all.
    for (name, path), values in seen.items():
        if '/x' in path and not {'cgroup.procs', 'notify_on_release', 'cpu.shares' if name == 'cpu' else 'pids.max'} <= set(values):
            bad(f'{what}: {path} of {name} is only half there: {sorted(values)}')
    if f'"tid": {SLEEPER},' not in shown.stdout.decode():
        bad(f'{what}: the task {SLEEPER} is not there')


def dumps():
    select = ['--cgroup', f'cpu:/{GROUP}', '--cgroup', f'pids:/{GROUP}']
    if run('dump of groups', 'dump', *select, '-i', 'groups.img'):
        judge('dump of groups', 'groups.img', True)
    only = ['--cgroup-dump-controller', 'cpu', '--cgroup-dump-controller', 'pids']
    if run('dump of a tree', 'dump', '-t', SLEEPER, '-t', CHURN, *only, '-i', 'tree.img'):
        judge('dump of a tree', 'tree.img', False)
    left = [name for name in os.listdir(FOLDER) if name.startswith('.')]
    if left:
        bad(f'files are left: {left}')


def beside(number):
    """A tree next to those that come and go: made, right, and taken back."""
    arguments = ['-i', 'stay.img', '--map', f'/{GROUP}/stay=/{GROUP}/copy']
    if os.path.exists(f'{FOLDER}/journal'):
        os.unlink(f'{FOLDER}/journal')
    run('restore beside', 'restore', '--phase', 'create,limit,freeze', '--journal', 'journal', *arguments)
    if [open(f'{CPU}/copy/g3/cpu.shares').read(), open(f'{PIDS}/copy/g3/pids.max').read()] != ['303\n', '43\n']:
        bad('restore beside: another value')
    run('undo beside', 'undo', 'journal')
    if os.path.exists(f'{CPU}/copy') or os.path.exists(f'{PIDS}/copy'):
        bad('undo beside: it is still there')


def into():
    """The image of a moment ago, into the tree itself: its groups may be gone by now, or go meanwhile."""
    done = run('restore into', 'restore', '-i', 'groups.img', good=(0, 1, 4, 5))
    run('restore into, soft', 'restore', '-i', 'groups.img', '--manage-cgroups=soft', good=(0, 1, 4, 5))
    for number in range(10):
        found = [open(f'{CPU}/stay/g{number}/cpu.shares').read(), open(f'{PIDS}/stay/g{number}/pids.max').read()]
        if found != [f'{300 + number}\n', f'{40 + number}\n']:
            bad(f'restore into: g{number}: {found}: exit {done.returncode}')
    if f'/{GROUP}/stay/g0' not in open(f'/proc/{SLEEPER}/cgroup').read():
        bad('restore into: the task that stays was moved')


made = restored = 0
run('dump of what stays', 'dump', '--cgroup', f'cpu:/{GROUP}/stay', '--cgroup', f'pids:/{GROUP}/stay', '--no-ancestors', '-i', 'stay.img')
end = time.monotonic() + float(SECONDS)
while time.monotonic() < end:
    dumps()
    beside(restored)
    into()
    made += 2
    restored += 3
for name, number in sorted(codes.items()):
    print('  ', number, 'x', name)
print('done', made, restored, wrong)
