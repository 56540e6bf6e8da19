/* threads N: starts N threads beside its first one, prints the thread ids one a line in the order of their start, and sleeps. */
#define _GNU_SOURCE
#include <pthread.h>
#include <semaphore.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <unistd.h>

static sem_t told;

static void tell(void)
{
	printf("%ld\n", syscall(SYS_gettid));
	fflush(stdout);
	sem_post(&told);
}

static void *sleeper(void *unused)
{
	(void)unused;
	tell();
	for (;;)
		pause();
	return NULL;
}

int main(int argc, char **argv)
{
	pthread_t thread;
	int left = argc > 1 ? atoi(argv[1]) : 0;

	sem_init(&told, 0, 0);
	tell();
	while (left-- > 0) {
		sem_wait(&told);
		if (pthread_create(&thread, NULL, sleeper, NULL))
			return 1;
	}
	for (;;)
		pause();
}
