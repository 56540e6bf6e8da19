/* mkdirs: the least work that a restore of N flat groups can do: make them. Also takes them away again.
 *   mkdirs DIR N      makes DIR/g0 ... DIR/g<N-1>
 *   mkdirs DIR N FILE TEXT   the same, and then writes TEXT to FILE in each of them
 *   mkdirs -b DIR DEPTH   two groups in DIR and in each group, so many levels deep
 *   mkdirs -r DIR     removes every group below DIR (deepest first), not DIR itself
 * A restore's wall time is reported as a ratio to the first two forms, in one run, at the same place. */
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static int make(int dir, long count)
{
	char name[32];

	for (long i = 0; i < count; i++) {
		snprintf(name, sizeof(name), "g%ld", i);
		if (mkdirat(dir, name, 0755) < 0)
			return perror(name), 1;
	}
	return 0;
}

static int grow(int dir, long depth)
{
	for (const char *name = "a"; depth > 0; name = "b") {
		int child = mkdirat(dir, name, 0755) < 0 ? -1 : openat(dir, name, O_RDONLY | O_DIRECTORY);
		if (child < 0)
			return perror(name), 1;
		int fault = grow(child, depth - 1);
		close(child);
		if (fault || *name == 'b')
			return fault;
	}
	return 0;
}

static int fill(int dir, long count, const char *file, const char *text)
{
	char path[300];

	for (long i = 0; i < count; i++) {
		snprintf(path, sizeof(path), "g%ld/%s", i, file);
		int fd = openat(dir, path, O_WRONLY);
		if (fd < 0 || write(fd, text, strlen(text)) < 0)
			return perror(path), 1;
		close(fd);
	}
	return 0;
}

static int empty(int dir)
{
	int fault = 0;
	DIR *list = fdopendir(dup(dir));

	for (struct dirent *e; (e = readdir(list));) {
		if (e->d_type != DT_DIR || !strcmp(e->d_name, ".") || !strcmp(e->d_name, ".."))
			continue;
		if (unlinkat(dir, e->d_name, AT_REMOVEDIR) == 0 || errno == ENOENT)
			continue;
		int child = openat(dir, e->d_name, O_RDONLY | O_DIRECTORY);
		if (child < 0)
			continue;
		empty(child);
		close(child);
		if (unlinkat(dir, e->d_name, AT_REMOVEDIR) < 0 && errno != ENOENT)
			perror(e->d_name), fault = 1;
	}
	closedir(list);
	return fault;
}

int main(int argc, char **argv)
{
	int take_away = argc == 3 && !strcmp(argv[1], "-r"), binary = argc == 4 && !strcmp(argv[1], "-b");
	int dir = argc == 3 || binary || argc == 5 ? open(argv[take_away || binary ? 2 : 1], O_RDONLY | O_DIRECTORY) : -1;

	if (dir < 0)
		return fprintf(stderr, "usage: mkdirs DIR N [FILE TEXT] | mkdirs -b DIR DEPTH | mkdirs -r DIR\n"), 2;
	if (take_away)
		return empty(dir);
	if (binary)
		return grow(dir, atol(argv[3]));
	return make(dir, atol(argv[2])) || (argc == 5 && fill(dir, atol(argv[2]), argv[3], argv[4]));
}
