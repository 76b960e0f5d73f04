/* Counts the file system calls of a process that concern one folder, and lets the process die or the call fail at one of them.
 *
 * Preloaded (LD_PRELOAD) by tests and campaigns. Settings come from the environment, or from fault_set() in a forked child:
 *   FAULT_UNDER    only calls on paths below this folder count
 *   FAULT_AT       the call, counted from 1, at which it happens; 0: only count
 *   FAULT_MODE     before, after (SIGKILL before or after the call), enospc, eio (the call fails), short (half is written)
 *   FAULT_COUNTER  a file that holds the count as 8 bytes, shared by all processes of a command
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

enum mode { BEFORE, AFTER, ENOSPC_ONCE, EIO_ONCE, SHORT };

static char under[PATH_MAX];
static long at;
static enum mode mode;
static _Atomic long *counter;

static enum mode mode_of(const char *name) {
    if (!strcmp(name, "after")) return AFTER;
    if (!strcmp(name, "enospc")) return ENOSPC_ONCE;
    if (!strcmp(name, "eio")) return EIO_ONCE;
    if (!strcmp(name, "short")) return SHORT;
    return BEFORE;
}

void fault_set(const char *folder, const char *file, long number, const char *name);
void fault_set(const char *folder, const char *file, long number, const char *name) {
    int (*real_open)(const char *, int, ...) = (int (*)(const char *, int, ...))dlsym(RTLD_NEXT, "open");
    counter = NULL;
    snprintf(under, sizeof under, "%s", folder);
    at = number;
    mode = mode_of(name);
    int descriptor = real_open(file, O_RDWR | O_CLOEXEC);
    if (descriptor < 0) return;
    void *shared = mmap(NULL, sizeof(long), PROT_READ | PROT_WRITE, MAP_SHARED, descriptor, 0);
    close(descriptor);
    if (shared != MAP_FAILED) counter = shared;
}

__attribute__((constructor)) static void begin(void) {
    const char *folder = getenv("FAULT_UNDER"), *file = getenv("FAULT_COUNTER");
    const char *number = getenv("FAULT_AT"), *name = getenv("FAULT_MODE");
    if (folder && file) fault_set(folder, file, number ? atol(number) : 0, name ? name : "before");
}

static int is_under(const char *path) {
    char here[PATH_MAX];
    if (!counter || !path) return 0;
    if (path[0] != '/') {
        if (!getcwd(here, sizeof here)) return 0;
        size_t length = strlen(here);
        snprintf(here + length, sizeof here - length, "/%s", path);
        path = here;
    }
    return !strncmp(path, under, strlen(under));
}

static int is_under_descriptor(int descriptor, const char *path) {
    char link[64], folder[PATH_MAX];
    if (path && (path[0] == '/' || descriptor == AT_FDCWD)) return is_under(path);
    if (!counter || descriptor < 0) return 0;
    snprintf(link, sizeof link, "/proc/self/fd/%d", descriptor);
    ssize_t length = readlink(link, folder, sizeof folder - 1);
    if (length < 0) return 0;
    folder[length] = 0;
    return is_under(folder);
}

/* What is to happen at this call: 0 nothing, 1 it fails (errno set), 2 half of it, 3 the process dies after it. */
static int due(int counts) {
    if (!counts) return 0;
    if (atomic_fetch_add(counter, 1) + 1 != at) return 0;
    switch (mode) {
    case BEFORE: kill(getpid(), SIGKILL); pause(); return 0;
    case AFTER: return 3;
    case ENOSPC_ONCE: errno = ENOSPC; return 1;
    case EIO_ONCE: errno = EIO; return 1;
    case SHORT: return 2;
    }
    return 0;
}

#define REAL(type, name, ...) ((type(*)(__VA_ARGS__))dlsym(RTLD_NEXT, name))
#define FINISH(what) do { int saved = errno; if (what == 3) { kill(getpid(), SIGKILL); pause(); } errno = saved; } while (0)
#define CALL(type, counts, call) int what = due(counts); if (what == 1) return -1; type result = call; FINISH(what); return result

static int is_writing(int flags) { return (flags & O_ACCMODE) != O_RDONLY || (flags & O_CREAT); }

#define OPEN(name) \
    int name(const char *path, int flags, ...) { \
        va_list list; va_start(list, flags); mode_t bits = flags & (O_CREAT | O_TMPFILE) ? va_arg(list, mode_t) : 0; va_end(list); \
        CALL(int, is_writing(flags) && is_under(path), REAL(int, #name, const char *, int, ...)(path, flags, bits)); \
    }
#define OPENAT(name) \
    int name(int folder, const char *path, int flags, ...) { \
        va_list list; va_start(list, flags); mode_t bits = flags & (O_CREAT | O_TMPFILE) ? va_arg(list, mode_t) : 0; va_end(list); \
        CALL(int, is_writing(flags) && is_under_descriptor(folder, path), REAL(int, #name, int, const char *, int, ...)(folder, path, flags, bits)); \
    }
OPEN(open)
OPEN(open64)
OPENAT(openat)
OPENAT(openat64)

ssize_t write(int descriptor, const void *data, size_t count) {
    int what = due(is_under_descriptor(descriptor, NULL));
    if (what == 1) return -1;
    if (what == 2 && count > 1) count /= 2;
    ssize_t result = REAL(ssize_t, "write", int, const void *, size_t)(descriptor, data, count);
    FINISH(what);
    return result;
}
int fsync(int descriptor) { CALL(int, is_under_descriptor(descriptor, NULL), REAL(int, "fsync", int)(descriptor)); }
int rename(const char *a, const char *b) { CALL(int, is_under(b), REAL(int, "rename", const char *, const char *)(a, b)); }
int renameat(int x, const char *a, int y, const char *b) {
    CALL(int, is_under_descriptor(y, b), REAL(int, "renameat", int, const char *, int, const char *)(x, a, y, b));
}
int renameat2(int x, const char *a, int y, const char *b, unsigned flags) {
    CALL(int, is_under_descriptor(y, b), REAL(int, "renameat2", int, const char *, int, const char *, unsigned)(x, a, y, b, flags));
}
int unlink(const char *path) { CALL(int, is_under(path), REAL(int, "unlink", const char *)(path)); }
int unlinkat(int folder, const char *path, int flags) {
    CALL(int, is_under_descriptor(folder, path), REAL(int, "unlinkat", int, const char *, int)(folder, path, flags));
}
int mkdir(const char *path, mode_t bits) { CALL(int, is_under(path), REAL(int, "mkdir", const char *, mode_t)(path, bits)); }
int rmdir(const char *path) { CALL(int, is_under(path), REAL(int, "rmdir", const char *)(path)); }
int linkat(int x, const char *a, int y, const char *b, int flags) {
    CALL(int, is_under_descriptor(y, b), REAL(int, "linkat", int, const char *, int, const char *, int)(x, a, y, b, flags));
}
