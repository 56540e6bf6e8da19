/* threads FILE IDS: opens the file, a group's `tasks` or `cgroup.threads`, and writes each number of the file of ids into it: the least
   work that moving so many threads takes. */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

int main(int argc, char **argv)
{
	char line[32];
	FILE *ids = argc == 3 ? fopen(argv[2], "r") : NULL;
	int file = ids ? open(argv[1], O_WRONLY) : -1;

	if (file < 0)
		return 2;
	while (fgets(line, sizeof line, ids)) {
		size_t len = strcspn(line, "\n");
		if (write(file, line, len) != (ssize_t)len)
			return 1;
	}
	return 0;
}
