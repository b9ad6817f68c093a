/* failing_io: the n-th write, sync, rename, link, truncate or unlink below a folder fails, or kills the process. See failing_io.py. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <sys/uio.h>
#include <unistd.h>

enum { WRITE = 1, FSYNC = 2, FDATASYNC = 4, RENAME = 8, LINK = 16, TRUNCATE = 32, UNLINK = 64 }; /* CALLS of failing_io.py */

/* CONTROL of failing_io.py: shared by the test and all processes that it watches */
static struct control { uint32_t calls, error; uint64_t first, last, seen; } *control;
static const char *below;

__attribute__((constructor)) static void start(void)
{
	const char *path = getenv("LSFS_FAULTS");
	below = getenv("LSFS_FAULTS_BELOW");
	int fd = path && below ? open(path, O_RDWR | O_CLOEXEC) : -1;
	if (fd < 0)
		return;
	void *page = mmap(NULL, sizeof *control, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	close(fd);
	control = page == MAP_FAILED ? NULL : page;
}

static int inside(const char *path)
{
	size_t length = strlen(below);
	return !strncmp(path, below, length) && (path[length] == '/' || path[length] == '\0');
}

static int of_descriptor(int fd, char *path)
{
	char link[64];
	snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
	ssize_t length = readlink(link, path, PATH_MAX - 1);
	path[length < 0 ? 0 : length] = '\0';
	return length > 0;
}

/* What becomes of this call: DO it, FAIL with errno, or LIE that it was done. A path is relative to the descriptor; without one
 * the descriptor's own file is meant. */
enum { DO, FAIL, LIE };

static int fate(unsigned call, int fd, const char *path)
{
	int before = errno, hit = 0;
	char whole[2 * PATH_MAX] = "";
	if (!control || !(__atomic_load_n(&control->calls, __ATOMIC_ACQUIRE) & call))
		return DO;
	if (path && path[0] == '/')
		snprintf(whole, sizeof whole, "%s", path);
	else if (fd == AT_FDCWD ? getcwd(whole, PATH_MAX) != NULL : of_descriptor(fd, whole))
		if (path)
			snprintf(whole + strlen(whole), PATH_MAX, "/%s", path);
	if (inside(whole)) {
		uint64_t number = __atomic_add_fetch(&control->seen, 1, __ATOMIC_SEQ_CST);
		hit = control->first <= number && number <= control->last;
	}
	if (hit && !control->error)
		kill(getpid(), SIGKILL);
	if (hit && control->error != UINT32_MAX) {
		errno = (int)control->error;
		return FAIL;
	}
	errno = before;
	return hit ? LIE : DO;
}

#define WATCH(call, fd, path, type, name, declared, given)                                  \
	type name declared                                                                  \
	{                                                                                   \
		static type(*real) declared;                                                \
		int is = fate(call, fd, path);                                              \
		if (is != DO)                                                               \
			return is == FAIL ? -1 : 0;                                         \
		if (!real)                                                                  \
			real = (type(*) declared)dlsym(RTLD_NEXT, #name);                   \
		return real given;                                                          \
	}

WATCH(WRITE, f, NULL, ssize_t, write, (int f, const void *b, size_t n), (f, b, n))
WATCH(WRITE, f, NULL, ssize_t, pwrite, (int f, const void *b, size_t n, off_t o), (f, b, n, o))
WATCH(WRITE, f, NULL, ssize_t, pwrite64, (int f, const void *b, size_t n, off64_t o), (f, b, n, o))
WATCH(WRITE, f, NULL, ssize_t, writev, (int f, const struct iovec *v, int n), (f, v, n))
WATCH(WRITE, f, NULL, ssize_t, pwritev, (int f, const struct iovec *v, int n, off_t o), (f, v, n, o))
WATCH(WRITE, f, NULL, ssize_t, pwritev64, (int f, const struct iovec *v, int n, off64_t o), (f, v, n, o))
WATCH(WRITE, f, NULL, ssize_t, pwritev2, (int f, const struct iovec *v, int n, off_t o, int x), (f, v, n, o, x))
WATCH(WRITE, f, NULL, ssize_t, pwritev64v2, (int f, const struct iovec *v, int n, off64_t o, int x), (f, v, n, o, x))
WATCH(WRITE, f, NULL, ssize_t, sendfile, (int f, int g, off_t *o, size_t n), (f, g, o, n))
WATCH(WRITE, f, NULL, ssize_t, sendfile64, (int f, int g, off64_t *o, size_t n), (f, g, o, n))
WATCH(WRITE, f, NULL, ssize_t, copy_file_range, (int g, off64_t *p, int f, off64_t *o, size_t n, unsigned x), (g, p, f, o, n, x))
WATCH(FSYNC, f, NULL, int, fsync, (int f), (f))
WATCH(FSYNC, f, NULL, int, syncfs, (int f), (f))
WATCH(FDATASYNC, f, NULL, int, fdatasync, (int f), (f))
WATCH(RENAME, AT_FDCWD, q, int, rename, (const char *p, const char *q), (p, q))
WATCH(RENAME, g, q, int, renameat, (int f, const char *p, int g, const char *q), (f, p, g, q))
WATCH(RENAME, g, q, int, renameat2, (int f, const char *p, int g, const char *q, unsigned x), (f, p, g, q, x))
WATCH(LINK, AT_FDCWD, q, int, link, (const char *p, const char *q), (p, q))
WATCH(LINK, g, q, int, linkat, (int f, const char *p, int g, const char *q, int x), (f, p, g, q, x))
WATCH(TRUNCATE, f, NULL, int, ftruncate, (int f, off_t n), (f, n))
WATCH(TRUNCATE, f, NULL, int, ftruncate64, (int f, off64_t n), (f, n))
WATCH(TRUNCATE, AT_FDCWD, p, int, truncate, (const char *p, off_t n), (p, n))
WATCH(TRUNCATE, AT_FDCWD, p, int, truncate64, (const char *p, off64_t n), (p, n))
WATCH(UNLINK, AT_FDCWD, p, int, unlink, (const char *p), (p))
WATCH(UNLINK, f, p, int, unlinkat, (int f, const char *p, int x), (f, p, x))
