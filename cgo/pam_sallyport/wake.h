/* wake.h: the Go half, which verifies where the daemon cannot be reached. It runs in a child of its own and never in the
 * process that logs somebody in: that one gets no threads, no signal handlers and no abort of it. */
#ifndef SALLYPORT_WAKE_H
#define SALLYPORT_WAKE_H

#include <signal.h>
#include <stdbool.h>
#include <sys/types.h>

struct sp_half {
    pid_t pid; /* 0: not awake */
    int fd;    /* our end of the socket pair; -1: not awake */
};

/* sp_half_wake forks a child that serves the other end of half->fd. False, with errno: it could not be forked. What
 * fails later shows as the end of the connection. */
bool sp_half_wake(struct sp_half *half, const char *root);

/* sp_half_end hangs up, gives the child up to grace_ms to end by itself, kills it where it did not, and reaps it. */
void sp_half_end(struct sp_half *half, int grace_ms);

/* While we have a child and run, and only then, the host's SIGCHLD handler is set aside, as pam_unix does for its
 * helper, so that it neither reaps our child nor wonders whose it is. A disposition without a handler needs no change:
 * where the host ignores SIGCHLD the kernel reaps the child, and waiting for it says so. */
struct sp_aside {
    bool done;
    struct sigaction host;
};

/* sp_sigchld_aside begins with aside all zero, and may be called again before sp_sigchld_back. */
void sp_sigchld_aside(struct sp_aside *aside);
void sp_sigchld_back(struct sp_aside *aside);

#endif
