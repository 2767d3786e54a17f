/* wrap.c: the module's system calls (ld's --wrap), so that no input needs a daemon, a fork or a second of real time. */
#include <errno.h>
#include <security/pam_ext.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "clock.h"
#include "wake.h"
#include "world.h"

int __real_close(int fd);
int __wrap_socket(int domain, int type, int protocol);
int __wrap_connect(int fd, const struct sockaddr *a, socklen_t size);
int __wrap_getsockopt(int fd, int level, int name, void *value, socklen_t *size);
ssize_t __wrap_send(int fd, const void *data, size_t size, int flags);
ssize_t __wrap_recv(int fd, void *data, size_t size, int flags);
int __wrap_poll(struct pollfd *ends, nfds_t n, int timeout);
int __wrap_close(int fd);
void __wrap_pam_syslog(const pam_handle_t *pamh, int priority, const char *format, ...) __attribute__((format(printf, 3, 4)));

int __wrap_socket(int domain, int type, int protocol) {
    (void)domain;
    (void)type;
    (void)protocol;
    return world_socket();
}

int __wrap_connect(int fd, const struct sockaddr *a, socklen_t size) {
    (void)a;
    (void)size;
    return world_connect(fd);
}

int __wrap_getsockopt(int fd, int level, int name, void *value, socklen_t *size) {
    struct ucred peer = {.pid = 1, .uid = world_peer_is_root() ? 0 : 1000, .gid = 0};

    (void)fd;
    (void)level;
    (void)name;
    memcpy(value, &peer, sizeof peer);
    *size = sizeof peer;
    return 0;
}

ssize_t __wrap_send(int fd, const void *data, size_t size, int flags) {
    (void)flags;
    return world_send(fd, data, size);
}

ssize_t __wrap_recv(int fd, void *data, size_t size, int flags) {
    (void)flags;
    return world_recv(fd, data, size);
}

int __wrap_poll(struct pollfd *ends, nfds_t n, int timeout) {
    static struct pollfd none = {.fd = -1};
    struct pollfd two[2] = {ends[0], none};
    int ready;

    if (n > 1)
        two[1] = ends[1];
    ready = world_poll(two, timeout);
    for (nfds_t i = 0; i < n; i++)
        ends[i].revents = two[i].revents;
    return ready;
}

int __wrap_close(int fd) { return fd >= WORLD_DAEMON ? world_close(fd) : __real_close(fd); }

/* What would be logged is made, for the sanitizers to see its arguments. */
void __wrap_pam_syslog(const pam_handle_t *pamh, int priority, const char *format, ...) {
    char line[2048];
    va_list args;

    (void)pamh;
    (void)priority;
    va_start(args, format);
    (void)vsnprintf(line, sizeof line, format, args);
    va_end(args);
}

/* clock.c and wake.c have real tests (ctest); here these stand in for them. */
int64_t sp_now_ms(void) { return world_now(); }

int sp_left_ms(int64_t then) {
    int64_t left = then - world_now();

    return left < 0 ? 0 : left > 100000 ? 100000 : (int)left;
}

bool sp_half_wake(struct sp_half *half, const char *root) {
    (void)root;
    half->fd = world_wake();
    half->pid = half->fd < 0 ? 0 : 1;
    if (half->fd < 0)
        errno = EAGAIN;
    return half->pid != 0;
}

void sp_half_end(struct sp_half *half, int grace_ms) {
    (void)grace_ms;
    if (half->pid == 0)
        return;
    world_half_ended(half->fd);
    half->pid = 0;
    half->fd = -1;
}

void sp_sigchld_aside(struct sp_aside *aside) { aside->done = true; }
void sp_sigchld_back(struct sp_aside *aside) { aside->done = false; }
