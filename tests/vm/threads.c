/* threads N: starts N threads beside its first one, prints the thread ids one a line, the first one's first, and sleeps. */
#define _GNU_SOURCE
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <unistd.h>

static void *sleeper(void *unused)
{
	(void)unused;
	printf("%ld\n", syscall(SYS_gettid));
	fflush(stdout);
	for (;;)
		pause();
	return NULL;
}

int main(int argc, char **argv)
{
	pthread_t thread;
	int left = argc > 1 ? atoi(argv[1]) : 0;

	printf("%d\n", getpid());
	fflush(stdout);
	while (left-- > 0)
		if (pthread_create(&thread, NULL, sleeper, NULL))
			return 1;
	for (;;)
		pause();
}
