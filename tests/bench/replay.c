/* replay [RUNS] < TRACE: makes the system calls of an `strace` of one process again, as they are there, and prints the shortest time
 * of all of them together in seconds, and how many were left out. So much of a program's time is the kernel's. Descriptors have the
 * numbers of the trace: what the program had open at its start is 0, 1 and 2 here as well. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/vfs.h>
#include <sys/xattr.h>
#include <time.h>
#include <unistd.h>

enum what { OPEN, OPEN2, FSTAT, READ, CLOSE, STATAT, LISTXATTR, GETDENTS, LSEEK, FSTATFS, WRITE, PWRITE, PREAD, SYNC };
static const char *const names[] = { "openat", "openat2", "fstat", "read", "close", "newfstatat", "flistxattr", "getdents64", "lseek",
	"fstatfs", "write", "pwrite64", "pread64", "fsync" };
struct call { enum what what; int fd, flags, result; long size; char path[200]; };
static struct call calls[20000];
static char buffer[1 << 20];

/* One line; false for a call that is none of these, or that failed. */
static int parse(const char *line, struct call *call)
{
	const char *open = strchr(line, '('), *end = strrchr(line, '='), *from, *to;
	unsigned i = 0;

	if (!open || !end)
		return 0;
	while (i < sizeof(names) / sizeof(*names) && (strncmp(line, names[i], open - line) || names[i][open - line]))
		i++;
	call->what = i;
	call->result = atoi(end + 1);
	call->fd = strncmp(open + 1, "AT_FDCWD", 8) ? atoi(open + 1) : AT_FDCWD;
	if (i == sizeof(names) / sizeof(*names) || call->result < 0 || (call->what == WRITE && call->fd < 3))
		return 0;
	if (call->what <= OPEN2 || call->what == STATAT) {
		if (!(from = strchr(open, '"')) || !(to = strchr(from + 1, '"')) || to - from > (long)sizeof(call->path))
			return 0;
		memcpy(call->path, from + 1, to - from - 1);
		if (strstr(to, "O_TMPFILE"))
			call->flags = O_TMPFILE | O_RDWR;
		else
			call->flags = strstr(to, "O_WRONLY") ? O_WRONLY : strstr(to, "O_DIRECTORY") ? O_DIRECTORY : O_RDONLY;
	}
	from = strrchr(line, ',');
	call->size = from && from < end ? atol(from + 1) : 0;
	if (call->what == WRITE || call->what == PWRITE || call->what == PREAD)
		call->size = call->result;
	if (call->size > (long)sizeof(buffer) || call->size < 0)
		call->size = sizeof(buffer);
	return 1;
}

static long make(const struct call *call)
{
	struct { unsigned long long flags, mode, resolve; } how = { call->flags | O_CLOEXEC, 0, 0x0d };
	struct statfs fs;
	struct stat st;

	switch (call->what) {
	case OPEN: return openat(call->fd, call->path, call->flags | O_CLOEXEC, 0600);
	case OPEN2: return syscall(437, call->fd, call->path, &how, sizeof(how));
	case FSTAT: return fstat(call->fd, &st);
	case READ: return read(call->fd, buffer, call->size);
	case CLOSE: return close(call->fd);
	case STATAT: return fstatat(call->fd, call->path, &st, AT_SYMLINK_NOFOLLOW);
	case LISTXATTR: return flistxattr(call->fd, buffer, 0);
	case GETDENTS: return syscall(SYS_getdents64, call->fd, buffer, call->size);
	case LSEEK: return lseek(call->fd, 0, SEEK_SET);
	case FSTATFS: return fstatfs(call->fd, &fs);
	case WRITE: return write(call->fd, buffer, call->size);
	case PWRITE: return pwrite(call->fd, buffer, call->size, 0);
	case PREAD: return pread(call->fd, buffer, call->size, 0);
	case SYNC: return fsync(call->fd);
	}
	return -1;
}

int main(int argc, char **argv)
{
	static char line[4096];
	long count = 0, left = 0, wrong = 0;
	double best = 1e9;

	while (fgets(line, sizeof(line), stdin)) {
		if (count < 20000 && parse(line, &calls[count]))
			count++;
		else
			left++;
	}
	for (int run = argc > 1 ? atoi(argv[1]) : 1; run > 0; run--) {
		struct timespec from, to;
		clock_gettime(CLOCK_MONOTONIC, &from);
		for (long i = 0; i < count; i++) {
			long result = make(&calls[i]);
			wrong += result < 0 || (calls[i].what <= OPEN2 && result != calls[i].result);
		}
		clock_gettime(CLOCK_MONOTONIC, &to);
		for (int fd = 3; fd < 64; fd++)
			close(fd);
		double time = to.tv_sec - from.tv_sec + (to.tv_nsec - from.tv_nsec) / 1e9;
		best = time < best ? time : best;
	}
	printf("%f %ld %ld %ld\n", best, count, left, wrong);
	return wrong != 0;
}
