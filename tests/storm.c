/* storm WORKERS PAUSE LOG: a process with WORKERS children, each of which forks a child every PAUSE milliseconds, which forks one more and
   exits a while after it. Each fork is a line of LOG: seconds since 1970 with six digits behind the point. The parent is the subreaper, leads
   a session and process group of its own, by which all of them can be ended at once, and prints its number and those of its children on
   one line once all of these have forked. All end with its parent. */
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static int log_file;

static void rest(long milliseconds)
{
	struct timespec time = { milliseconds / 1000, milliseconds % 1000 * 1000000 };

	nanosleep(&time, NULL);
}

static pid_t noted_fork(void)
{
	struct timespec now;
	char line[64];
	int len;

	clock_gettime(CLOCK_REALTIME, &now);
	len = snprintf(line, sizeof line, "%ld.%06ld\n", (long)now.tv_sec, now.tv_nsec / 1000);
	if (write(log_file, line, len) != len)
		_exit(1);
	return fork();
}

static void work(long pause)
{
	for (;;) {
		if (noted_fork() == 0) {
			rest(pause);
			if (noted_fork() == 0)
				rest(pause);
			rest(pause);
			_exit(0);
		}
		rest(pause);
		while (waitpid(-1, NULL, WNOHANG) > 0)
			;
	}
}

int main(int argc, char **argv)
{
	int workers, at;
	long pause;
	pid_t pid;

	if (argc != 4 || (log_file = open(argv[3], O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644)) < 0)
		return 2;
	workers = atoi(argv[1]);
	pause = atol(argv[2]);
	setsid();
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	prctl(PR_SET_CHILD_SUBREAPER, 1);
	printf("%d", (int)getpid());
	fflush(stdout);
	for (at = 0; at < workers; at++) {
		pid = fork();
		if (pid == 0) {
			prctl(PR_SET_PDEATHSIG, SIGKILL);
			work(pause);
		}
		printf(" %d", (int)pid);
		fflush(stdout);
	}
	rest(3 * pause);
	putchar('\n');
	fflush(stdout);
	for (;;)
		if (waitpid(-1, NULL, 0) < 0)
			pause > 0 ? rest(pause) : (void)0;
}
