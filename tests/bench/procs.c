/* procs N: starts N - 1 processes below itself, prints all their numbers one a line, its own first, and sleeps; they end with it. */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <unistd.h>

int main(int argc, char **argv)
{
	long count = argc == 2 ? atol(argv[1]) : 0;

	printf("%d\n", getpid());
	for (long i = 1; i < count; i++) {
		pid_t pid = fork();
		if (pid < 0)
			return 1;
		if (pid == 0) {
			prctl(PR_SET_PDEATHSIG, SIGKILL);
			for (;;)
				pause();
		}
		printf("%d\n", pid);
	}
	fflush(stdout);
	for (;;)
		pause();
}
