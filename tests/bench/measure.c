/* measure: runs a command and appends one line to a file: wall seconds, peak resident KiB, exit status.
 *   measure FILE COMMAND ARGUMENT...
 * The peak is VmHWM of the process itself, read as it exits (it is traced for that, which costs two stops
 * a run). getrusage's ru_maxrss would not do: it starts from the size of the process that forked. The peak
 * of its children, as far as it waited for them, is taken from getrusage and counts if it is larger than
 * both its own and this program's. */
#define _GNU_SOURCE
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec + t.tv_nsec / 1e9;
}

static long vmhwm(pid_t pid)
{
	char path[64], line[256];
	long kib = 0;

	snprintf(path, sizeof(path), "/proc/%d/status", pid);
	FILE *f = fopen(path, "r");
	while (f && fgets(line, sizeof(line), f))
		if (sscanf(line, "VmHWM: %ld", &kib) == 1)
			break;
	if (f)
		fclose(f);
	return kib;
}

/* Lets the command run, stopping only where it has been executed and where it exits. */
static int follow(pid_t pid, long *peak, struct rusage *usage)
{
	int status, started = 0;

	while (wait4(pid, &status, __WALL, usage) == pid) {
		int deliver = 0, event;

		if (WIFEXITED(status) || WIFSIGNALED(status))
			return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
		event = status >> 16;
		if (!started && WSTOPSIG(status) == SIGTRAP) {
			started = 1;
			ptrace(PTRACE_SETOPTIONS, pid, 0, (void *)(long)(PTRACE_O_TRACEEXIT | PTRACE_O_TRACEEXEC));
		} else if (event == PTRACE_EVENT_EXIT) {
			*peak = vmhwm(pid);
		} else if (event != PTRACE_EVENT_EXEC) {
			deliver = WSTOPSIG(status);
		}
		ptrace(PTRACE_CONT, pid, 0, (void *)(long)deliver);
	}
	return 127;
}

int main(int argc, char **argv)
{
	struct rusage usage = { 0 }, own;
	long peak = 0;

	if (argc < 3)
		return fprintf(stderr, "usage: measure FILE COMMAND ARGUMENT...\n"), 2;
	double start = now();
	pid_t pid = fork();
	if (pid == 0) {
		ptrace(PTRACE_TRACEME, 0, 0, 0);
		execvp(argv[2], argv + 2);
		perror(argv[2]);
		_exit(127);
	}
	int code = follow(pid, &peak, &usage);
	double seconds = now() - start;

	getrusage(RUSAGE_SELF, &own);
	if (usage.ru_maxrss > own.ru_maxrss && usage.ru_maxrss > peak)
		peak = usage.ru_maxrss;
	FILE *out = fopen(argv[1], "a");
	if (!out)
		return perror(argv[1]), 2;
	fprintf(out, "%.6f %ld %d\n", seconds, peak, code);
	return fclose(out) ? 2 : code;
}
