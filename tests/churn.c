/* churn GROUP...: makes and removes groups below each of these, and forks tasks that enter them and exit, as fast as one processor can,
   until it is ended. Groups are GROUP/x0 to x63, each with one below it. Prints how many rounds it made when it gets SIGTERM. */
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static volatile sig_atomic_t ended;

static void end(int signal)
{
	ended = signal;
}

static void put(const char *folder, const char *file, const char *text)
{
	char path[512];
	int fd;

	snprintf(path, sizeof path, "%s/%s", folder, file);
	fd = open(path, O_WRONLY | O_CLOEXEC);
	if (fd < 0)
		return;
	if (write(fd, text, strlen(text)) < 0)
		fd = fd; /* the group may be gone, or full */
	close(fd);
}

int main(int argc, char **argv)
{
	unsigned long round;
	char group[256], below[300];
	int at;

	signal(SIGTERM, end);
	for (round = 0; !ended; round++) {
		pid_t child;
		for (at = 1; at < argc; at++) {
			snprintf(group, sizeof group, "%s/x%lu", argv[at], round % 64);
			snprintf(below, sizeof below, "%s/y", group);
			mkdir(group, 0755);
			mkdir(below, 0755);
			put(below, round % 2 ? "notify_on_release" : "cgroup.clone_children", "1");
		}
		child = fork();
		if (child < 0)
			continue;
		if (child == 0) {
			for (at = 1; at < argc; at++) {
				snprintf(below, sizeof below, "%s/x%lu%s", argv[at], round % 64, round % 3 ? "/y" : "");
				put(below, "cgroup.procs", "0");
			}
			_exit(0);
		}
		/* Some run on while their groups are looked at; none stays a zombie for long. */
		if (round % 8 == 7)
			while (waitpid(-1, NULL, 0) > 0)
				;
		for (at = 1; at < argc; at++) {
			unsigned long old = (round + 64 - 16) % 64;
			snprintf(group, sizeof group, "%s/x%lu", argv[at], old);
			snprintf(below, sizeof below, "%s/y", group);
			rmdir(below);
			rmdir(group);
		}
	}
	while (waitpid(-1, NULL, 0) > 0)
		;
	printf("%lu\n", round);
	return 0;
}
