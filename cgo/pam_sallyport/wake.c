/* wake.c: forking the Go half, and seeing it off. */
#include "wake.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/prctl.h>
#include <sys/random.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "clock.h"
#include "relocate.h"

enum {
    HALF_FD = 3,      /* where the child has its end of the socket pair */
    REAP_MS = 1000,   /* how long a killed child may take to go: longer only if the kernel has it by the throat */
    HALF_FAILED = 70, /* its exit status when it did not get as far as Go; nothing depends on it */
};

/* What dormant.ld set aside, and where Go begins. Weak: cgo links this object once by itself, without the script. */
typedef void (*init_function)(int argc, char **argv, char **envp);
extern const init_function go_runtime_begin[] __asm__("__start_go_runtime_init")
    __attribute__((weak, visibility("hidden")));
extern const init_function go_runtime_end[] __asm__("__stop_go_runtime_init") __attribute__((weak, visibility("hidden")));

/* In Go (embedded.go): serves one connection of the module. */
extern void sallyport_serve(int fd, char *root);

void sp_sigchld_aside(struct sp_aside *aside) {
    struct sigaction plain;

    if (aside->done || sigaction(SIGCHLD, NULL, &aside->host) != 0)
        return;
    if ((aside->host.sa_flags & SA_SIGINFO) == 0 &&
        (aside->host.sa_handler == SIG_DFL || aside->host.sa_handler == SIG_IGN))
        return;
    memset(&plain, 0, sizeof plain);
    plain.sa_handler = SIG_DFL;
    sigemptyset(&plain.sa_mask);
    aside->done = sigaction(SIGCHLD, &plain, NULL) == 0;
}

void sp_sigchld_back(struct sp_aside *aside) {
    if (aside->done && sigaction(SIGCHLD, &aside->host, NULL) == 0)
        aside->done = false;
}

/* fresh_signals gives the child every signal as a new program has it. */
static bool fresh_signals(void) {
    struct sigaction plain;
    sigset_t none;

    memset(&plain, 0, sizeof plain);
    plain.sa_handler = SIG_DFL;
    sigemptyset(&plain.sa_mask);
    for (int sig = 1; sig < NSIG; sig++)
        (void)sigaction(sig, &plain, NULL); /* SIGKILL, SIGSTOP and the C library's own refuse */
    sigemptyset(&none);
    return sigprocmask(SIG_SETMASK, &none, NULL) == 0;
}

/* wholly_root makes the child of a setuid program root in every id, so that the user who started that program can
 * neither signal it nor leave a group on the files it makes. */
static bool wholly_root(void) {
    uid_t r, e, s;
    gid_t rg, eg, sg;

    if (getresuid(&r, &e, &s) != 0 || getresgid(&rg, &eg, &sg) != 0)
        return false;
    if (e != 0)
        return true; /* an unprivileged host: the Go half will say that it cannot verify */
    if ((rg != 0 || eg != 0 || sg != 0) && setresgid(0, 0, 0) != 0)
        return false;
    return (r == 0 && s == 0) || setresuid(0, 0, 0) == 0;
}

/* tied makes the child die with its parent and keep its memory to itself. Changing ids would undo both, so it comes
 * after that. */
static bool tied(pid_t parent) {
    return prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0) == 0 && prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) == 0 &&
           getppid() == parent; /* it may have died before we asked */
}

static void close_above(int last) {
    struct rlimit limit;
    rlim_t most = 65536;

#ifdef SYS_close_range
    if (syscall(SYS_close_range, (unsigned)last + 1, ~0U, 0U) == 0)
        return;
#endif
    if (getrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur < most)
        most = limit.rlim_cur;
    for (int fd = last + 1; (rlim_t)fd < most; fd++)
        (void)close(fd);
}

/* only_socket leaves the child its end of the socket pair, as HALF_FD, and /dev/null below. */
static bool only_socket(int sock) {
    int null;

    if (sock != HALF_FD && dup2(sock, HALF_FD) < 0)
        return false;
    null = open("/dev/null", O_RDWR | O_CLOEXEC);
    if (null < 0)
        return false;
    for (int fd = 0; fd < HALF_FD; fd++) {
        if (null != fd && dup2(null, fd) < 0)
            return false;
    }
    close_above(HALF_FD);
    return true;
}

/* What Go takes its arguments, environment and auxiliary vector from. */
struct start {
    uintptr_t vector[24];
    uint8_t seed[16];
};

/* fill_start makes Go a start of our own making: no environment, because that of a setuid host is the user's, and
 * GODEBUG, TZ or CREDENTIALS_DIRECTORY must not steer who is let in; and a seed of its own, because forked hosts all
 * share one. */
static void fill_start(struct start *s) {
    static const unsigned long kept[] = {AT_SYSINFO_EHDR, AT_HWCAP, AT_HWCAP2, AT_PLATFORM, AT_PAGESZ, AT_SECURE};
    static char name[] = "pam_sallyport";
    size_t n = 0;

    memset(s, 0, sizeof *s);
    s->vector[n++] = (uintptr_t)name;
    s->vector[n++] = 0; /* end of the arguments */
    s->vector[n++] = 0; /* end of the environment */
    for (size_t i = 0; i < sizeof kept / sizeof kept[0]; i++) {
        s->vector[n++] = kept[i];
        s->vector[n++] = getauxval(kept[i]);
    }
    /* Without one Go seeds itself, from /dev/urandom. */
    if (getrandom(s->seed, sizeof s->seed, GRND_NONBLOCK) == (ssize_t)sizeof s->seed) {
        s->vector[n++] = AT_RANDOM;
        s->vector[n++] = (uintptr_t)s->seed;
    }
    s->vector[n++] = AT_NULL;
}

/* wake_go starts the Go runtime, which reads s for as long as it runs. */
static bool wake_go(struct start *s) {
    const init_function *f = go_runtime_begin, *end = go_runtime_end;
    bool asleep = f != NULL && f < end; /* else this was built without dormant.ld */

    if (!asleep || !sp_relocate_go())
        return false;
    for (; f < end; f++)
        (*f)(1, (char **)s->vector, (char **)(s->vector + 2));
    return true;
}

/* await_hang_up waits for the parent to have done with us, so that we end when it is prepared for that. */
static void await_hang_up(void) {
    struct pollfd end = {.fd = HALF_FD, .events = POLLIN};
    ssize_t n;
    char byte;

    do {
        (void)poll(&end, 1, -1);
        n = recv(HALF_FD, &byte, sizeof byte, MSG_DONTWAIT);
    } while (n > 0 || (n < 0 && (errno == EINTR || errno == EAGAIN)));
}

/* be_half is the child. */
static _Noreturn void be_half(int sock, pid_t parent, const char *root) {
    struct start start;
    char path[PATH_MAX];
    size_t size = strlen(root);

    if (size >= sizeof path || !wholly_root() || !tied(parent) || !fresh_signals() || !only_socket(sock) ||
        chdir("/") != 0)
        _exit(HALF_FAILED);
    memcpy(path, root, size + 1);
    environ = NULL; /* for the C library's own users of it, such as name service modules */
    (void)umask(077);
    fill_start(&start);
    if (!wake_go(&start))
        _exit(HALF_FAILED);
    sallyport_serve(HALF_FD, path);
    (void)shutdown(HALF_FD, SHUT_WR); /* to the parent this is our end */
    await_hang_up();
    _exit(0);
}

/* fork_quietly forks with every signal blocked, in the child too: no handler of the host's may run there. */
static pid_t fork_quietly(void) {
    sigset_t all, host;
    pid_t pid = -1;
    int cause;

    sigfillset(&all);
    if (sigprocmask(SIG_SETMASK, &all, &host) == 0) {
        pid = fork();
        if (pid != 0) {
            cause = errno;
            (void)sigprocmask(SIG_SETMASK, &host, NULL);
            errno = cause;
        }
    }
    return pid;
}

bool sp_half_wake(struct sp_half *half, const char *root) {
    int ends[2], cause;
    pid_t parent = getpid();

    half->pid = 0;
    half->fd = -1;
    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, ends) != 0)
        return false;
    half->pid = fork_quietly();
    if (half->pid == 0)
        be_half(ends[1], parent, root);
    cause = errno;
    (void)close(ends[1]);
    if (half->pid > 0) {
        half->fd = ends[0];
    } else {
        half->pid = 0;
        (void)close(ends[0]);
    }
    errno = cause;
    return half->pid != 0;
}

/* reaped says whether the child is no more: it ended and was reaped, by us or, ECHILD, by whoever was quicker. */
static bool reaped(pid_t pid) {
    pid_t got;

    do {
        got = waitpid(pid, NULL, WNOHANG);
    } while (got < 0 && errno == EINTR);
    return got != 0;
}

/* await_end waits until the child has served us, or is no more: then its end of the socket pair is shut. */
static void await_end(int fd, int64_t until) {
    struct pollfd end = {.fd = fd, .events = 0};
    int left;

    do {
        left = sp_left_ms(until);
    } while (poll(&end, 1, left) < 0 && errno == EINTR && left > 0);
}

void sp_half_end(struct sp_half *half, int grace_ms) {
    const struct timespec moment = {.tv_sec = 0, .tv_nsec = 500000};
    int64_t until;

    if (half->pid == 0)
        return;
    (void)shutdown(half->fd, SHUT_WR); /* the child reads an end of file */
    if (grace_ms > 0)
        await_end(half->fd, sp_now_ms() + grace_ms);
    (void)close(half->fd);
    half->fd = -1;
    /* Not reaped is still there, if only as a zombie, so the number is not another process's. (Where the host ignores
     * SIGCHLD the kernel may reap it between these two lines; it gives no number out again that soon.) */
    if (!reaped(half->pid)) {
        (void)kill(half->pid, SIGKILL);
        until = sp_now_ms() + REAP_MS;
        while (!reaped(half->pid) && sp_left_ms(until) > 0)
            (void)nanosleep(&moment, NULL);
    }
    half->pid = 0;
}
