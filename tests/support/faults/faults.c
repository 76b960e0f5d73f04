/* Counts the file system calls of a process that concern one folder, and lets the process die or the call fail at one of them.
 *
 * Preloaded (LD_PRELOAD) by tests and campaigns. Settings come from the environment, or from fault_set() in a forked child:
 *   FAULT_UNDER    only calls on paths that begin with this one count: a folder and what lies below it, and FOLDER.output
 *   FAULT_AT       the call, counted from 1, at which it happens; 0: only count
 *   FAULT_MODE     before, after (SIGKILL before or after the call), enospc, eio (the call fails), short (half is written)
 *   FAULT_COUNTER  a file that holds the count as 8 bytes, shared by all processes of a command
 *   FAULT_LOG      a file to which a line for each counted call is appended: its name, the program's, and the path
 *   FAULT_MAIN     the command's first process: it dies, too, where another one makes the call
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
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

enum mode { BEFORE, AFTER, ENOSPC_ONCE, EIO_ONCE, SHORT };

static char under[PATH_MAX];
static long at;
static enum mode mode;
static long first_process;
static _Atomic long *counter;
static int log_file = -1;
static __thread char path_of_call[PATH_MAX];

static enum mode mode_of(const char *name) {
    if (!strcmp(name, "after")) return AFTER;
    if (!strcmp(name, "enospc")) return ENOSPC_ONCE;
    if (!strcmp(name, "eio")) return EIO_ONCE;
    if (!strcmp(name, "short")) return SHORT;
    return BEFORE;
}

void fault_set(const char *folder, const char *file, long number, const char *name, long first, const char *log_path);
void fault_set(const char *folder, const char *file, long number, const char *name, long first, const char *log_path) {
    int (*real_open)(const char *, int, ...) = (int (*)(const char *, int, ...))dlsym(RTLD_NEXT, "open");
    counter = NULL;
    first_process = first;
    log_file = log_path && *log_path ? real_open(log_path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0644) : -1;
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
    const char *number = getenv("FAULT_AT"), *name = getenv("FAULT_MODE"), *first = getenv("FAULT_MAIN");
    if (folder && file) fault_set(folder, file, number ? atol(number) : 0, name ? name : "before", first ? atol(first) : 0, getenv("FAULT_LOG"));
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
    if (strncmp(path, under, strlen(under))) return 0;
    snprintf(path_of_call, sizeof path_of_call, "%s", path + strlen(under));
    return 1;
}

static int is_under_descriptor(int descriptor, const char *path) {
    char link[64], folder[PATH_MAX];
    if (path && (path[0] == '/' || descriptor == AT_FDCWD)) return is_under(path);
    if (!counter || descriptor < 0) return 0;
    snprintf(link, sizeof link, "/proc/self/fd/%d", descriptor);
    ssize_t length = readlink(link, folder, sizeof folder - 1);
    if (length < 0) return 0;
    folder[length] = 0;
    if (path) snprintf(folder + length, sizeof folder - (size_t)length, "/%s", path);
    return is_under(folder);
}

static void die(void) {
    if (first_process && first_process != getpid()) kill((pid_t)first_process, SIGKILL);
    kill(getpid(), SIGKILL);
    pause();
}

/* What is to happen at this call: 0 nothing, 1 it fails (errno set), 2 half of it, 3 the process dies after it. */
static int due(int counts, const char *name) {
    if (!counts) return 0;
    if (log_file >= 0) {
        char line[PATH_MAX + 512];
        int length = snprintf(line, sizeof line, "%s\t%s\t%s\n", name, program_invocation_short_name, path_of_call);
        if (syscall(SYS_write, log_file, line, (size_t)length) != length) log_file = -1;
    }
    if (atomic_fetch_add(counter, 1) + 1 != at) return 0;
    switch (mode) {
    case BEFORE: die(); return 0;
    case AFTER: return 3;
    case ENOSPC_ONCE: errno = ENOSPC; return 1;
    case EIO_ONCE: errno = EIO; return 1;
    case SHORT: return 2;
    }
    return 0;
}

#define REAL(type, name, ...) ((type(*)(__VA_ARGS__))dlsym(RTLD_NEXT, name))
#define FINISH(what) do { int saved = errno; if (what == 3) die(); errno = saved; } while (0)
#define CALL(type, counts, call) int what = due(counts, __func__); if (what == 1) return -1; type result = call; FINISH(what); return result

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
    int what = due(is_under_descriptor(descriptor, NULL), __func__);
    if (what == 1) return -1;
    if (what == 2 && count > 1) count /= 2;
    ssize_t result = REAL(ssize_t, "write", int, const void *, size_t)(descriptor, data, count);
    FINISH(what);
    return result;
}
/* At a place in the file: HDF5 writes by these. */
#define PWRITE(name, place) \
    ssize_t name(int descriptor, const void *data, size_t count, place offset) { \
        int what = due(is_under_descriptor(descriptor, NULL), __func__); \
        if (what == 1) return -1; \
        if (what == 2 && count > 1) count /= 2; \
        ssize_t result = REAL(ssize_t, #name, int, const void *, size_t, place)(descriptor, data, count, offset); \
        FINISH(what); \
        return result; \
    }
PWRITE(pwrite, off_t)
PWRITE(pwrite64, off64_t)
ssize_t writev(int descriptor, const struct iovec *parts, int count) {
    CALL(ssize_t, is_under_descriptor(descriptor, NULL), REAL(ssize_t, "writev", int, const struct iovec *, int)(descriptor, parts, what == 2 && count > 1 ? count / 2 : count));
}
ssize_t sendfile(int out, int in, off_t *offset, size_t count) {
    CALL(ssize_t, is_under_descriptor(out, NULL), REAL(ssize_t, "sendfile", int, int, off_t *, size_t)(out, in, offset, what == 2 && count > 1 ? count / 2 : count));
}
ssize_t copy_file_range(int in, off64_t *from, int out, off64_t *to, size_t count, unsigned flags) {
    CALL(ssize_t, is_under_descriptor(out, NULL), REAL(ssize_t, "copy_file_range", int, off64_t *, int, off64_t *, size_t, unsigned)(in, from, out, to, what == 2 && count > 1 ? count / 2 : count, flags));
}
int ftruncate(int descriptor, off_t size) { CALL(int, is_under_descriptor(descriptor, NULL), REAL(int, "ftruncate", int, off_t)(descriptor, size)); }
int ftruncate64(int descriptor, off64_t size) { CALL(int, is_under_descriptor(descriptor, NULL), REAL(int, "ftruncate64", int, off64_t)(descriptor, size)); }

/* Streams of C, by which TensorFlow writes: their own calls of write are inside the C library, out of reach. */
#define FOPEN(name) \
    FILE *name(const char *path, const char *how) { \
        int what = due(strpbrk(how, "wa+") != NULL && is_under(path), __func__); \
        if (what == 1) return NULL; \
        FILE *result = REAL(FILE *, #name, const char *, const char *)(path, how); \
        FINISH(what); \
        return result; \
    }
FOPEN(fopen)
FOPEN(fopen64)
size_t fwrite(const void *data, size_t size, size_t count, FILE *stream) {
    int what = due(is_under_descriptor(fileno(stream), NULL), __func__);
    if (what == 1) return 0;
    if (what == 2) count /= 2;
    size_t result = REAL(size_t, "fwrite", const void *, size_t, size_t, FILE *)(data, size, count, stream);
    FINISH(what);
    return result;
}
int fflush(FILE *stream) {
    int what = due(stream != NULL && is_under_descriptor(fileno(stream), NULL), __func__);
    if (what == 1) return EOF;
    int result = REAL(int, "fflush", FILE *)(stream);
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
int mkdirat(int folder, const char *path, mode_t bits) {
    CALL(int, is_under_descriptor(folder, path), REAL(int, "mkdirat", int, const char *, mode_t)(folder, path, bits));
}
int rmdir(const char *path) { CALL(int, is_under(path), REAL(int, "rmdir", const char *)(path)); }
int linkat(int x, const char *a, int y, const char *b, int flags) {
    CALL(int, is_under_descriptor(y, b), REAL(int, "linkat", int, const char *, int, const char *, int)(x, a, y, b, flags));
}
int link(const char *a, const char *b) { CALL(int, is_under(b), REAL(int, "link", const char *, const char *)(a, b)); }
int symlink(const char *a, const char *b) { CALL(int, is_under(b), REAL(int, "symlink", const char *, const char *)(a, b)); }
int symlinkat(const char *a, int y, const char *b) {
    CALL(int, is_under_descriptor(y, b), REAL(int, "symlinkat", const char *, int, const char *)(a, y, b));
}
