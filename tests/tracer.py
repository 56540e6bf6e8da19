"""Runs a program under ptrace(2) and fails one call of one of its two threads, counted from where the second one is there.

strace counts each thread's calls from its beginning, so a fault that is meant for the second thread meets the first one before that is
even made. Here the first thread stands still at its calls while the second one works, until that has met its fault, waits, or is done.
"""
import collections
import ctypes
import os
import subprocess
import time

LIBC = ctypes.CDLL(None, use_errno=True)
LIBC.ptrace.argtypes = [ctypes.c_long] * 4
TRACEME, CONT, POKEUSER, SYSCALL, SETOPTIONS, GET_SYSCALL_INFO = 0, 7, 6, 24, 0x4200, 0x420E
SYSGOOD, TRACE_CLONE, EXITKILL = 1, 8, 0x100000
WALL, CLONE_EVENT, STOP, TRAP = 0x40000000, 3, 19, 5
ORIG_RAX, RAX = 15 * 8, 10 * 8
# x86_64, asm/unistd_64.h
CALLS = {0: 'read', 3: 'close', 5: 'fstat', 8: 'lseek', 9: 'mmap', 11: 'munmap', 35: 'nanosleep', 196: 'flistxattr', 202: 'futex', 217: 'getdents64',
         231: 'exit_group', 257: 'openat', 262: 'newfstatat', 437: 'openat2', 24: 'sched_yield', 60: 'exit', 14: 'rt_sigprocmask', 1: 'write',
         203: 'sched_setaffinity', 204: 'sched_getaffinity', 193: 'fgetxattr', 138: 'fstatfs', 28: 'madvise', 74: 'fsync', 265: 'linkat', 264: 'renameat',
         316: 'renameat2', 263: 'unlinkat', 39: 'getpid', 18: 'pwrite64', 17: 'pread64', 72: 'fcntl', 157: 'prctl', 319: 'memfd_create', 77: 'ftruncate', 230: 'clock_nanosleep'}
IDLE = {'nanosleep', 'sched_yield', 'clock_nanosleep', 'futex', 'exit'}
# How often, half a millisecond each, the first thread stands still: the second one may spin until the first one goes on.
PATIENCE = 40

Traced = collections.namedtuple('Traced', 'code out err hit trace calls files')


class Thread:
    def __init__(self):
        self.calls = collections.Counter()
        self.inside = None
        self.fails = False


def ptrace(request, tid, where=0, what=0):
    if LIBC.ptrace(request, tid, where, what) == -1:
        error = ctypes.get_errno()
        if error != 3:  # it is gone
            raise OSError(error, f'ptrace {request:#x}')


def traced(command, folder, victim=None, call=None, number=0, error=0):
    """VICTIM 0 is the first thread, 1 the second; `calls` are those that each made after the second was there, `trace` all of them in a line each."""
    with open(f'{folder}/../out', 'w+b') as out, open(f'{folder}/../err', 'w+b') as err:
        program = subprocess.Popen(command, cwd=folder, stdin=subprocess.DEVNULL, stdout=out, stderr=err,
                                   preexec_fn=lambda: LIBC.ptrace(TRACEME, 0, 0, 0))
        run = Run(program.pid, victim, call, number, error)
        code = run.to_its_end()
        program.returncode = code
        out.seek(0)
        err.seek(0)
        return Traced(code, out.read(), err.read().decode(errors='replace'), run.hit, '\n'.join(run.trace), [thread.calls for thread in run.threads.values()], run.files)


class Run:
    def __init__(self, pid, victim, call, number, error):
        self.pid, self.victim, self.call, self.number, self.error = pid, victim, call, number, error
        self.threads, self.trace = {pid: Thread()}, []
        self.held, self.works, self.hit, self.files, self.alone = False, False, False, None, True

    def to_its_end(self):
        os.waitpid(self.pid, WALL)
        ptrace(SETOPTIONS, self.pid, 0, SYSGOOD | TRACE_CLONE | EXITKILL)
        ptrace(CONT, self.pid)
        while True:
            tid, status = self.next_stop()
            if not os.WIFSTOPPED(status):
                if tid == self.pid:
                    return os.waitstatus_to_exitcode(status)
                self.second_rests()
                continue
            self.stopped(tid, status)

    def next_stop(self):
        for _ in range(PATIENCE if self.held else 0):
            tid, status = os.waitpid(-1, WALL | os.WNOHANG)
            if tid:
                return tid, status
            time.sleep(0.0005)
        self.let_go()
        return os.waitpid(-1, WALL)

    def stopped(self, tid, status):
        signal, event, deliver = os.WSTOPSIG(status), status >> 16, 0
        if tid not in self.threads:
            self.threads[tid], self.alone = Thread(), False
        elif event == CLONE_EVENT:
            self.works, self.alone = True, False
        elif signal == TRAP | 0x80:
            self.at_call(tid, self.threads[tid])
            if tid == self.pid and self.works and self.victim == 1 and not self.hit:
                self.held = True
                return
        elif signal not in (TRAP, STOP):
            deliver = signal
        ptrace(CONT if self.alone else SYSCALL, tid, 0, deliver)

    def second_rests(self):
        self.works = False
        self.let_go()

    def let_go(self):
        if self.held:
            self.held = False
            ptrace(SYSCALL, self.pid)

    def at_call(self, tid, thread):
        info = (ctypes.c_uint64 * 11)()
        ptrace(GET_SYSCALL_INFO, tid, ctypes.sizeof(info), ctypes.addressof(info))
        if info[0] & 0xff == 1:
            name = CALLS.get(info[3], str(info[3]))
            thread.calls[name] += 1
            thread.inside = name
            if name == 'exit_group':
                self.files = sorted(os.readlink(f'/proc/{self.pid}/fd/{file}') for file in os.listdir(f'/proc/{self.pid}/fd'))
            self.trace.append(f'{name}() = 0')
            is_victim = self.victim is not None and (tid == self.pid) == (self.victim == 0)
            if is_victim and name == self.call and thread.calls[name] == self.number:
                ptrace(POKEUSER, tid, ORIG_RAX, -1)
                self.trace[-1] = f'{name}() (INJECTED)'
                thread.fails = self.hit = True
            if tid != self.pid:
                self.works = name not in IDLE
                if not self.works:
                    self.let_go()
        elif thread.fails:
            ptrace(POKEUSER, tid, RAX, -self.error)
            thread.fails = False
            self.second_rests()
