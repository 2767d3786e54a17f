/* connect.c: finding a verifier and exchanging packets with it. All waiting of the module's own is here, in poll(2), and
 * ends at the link's deadline. */
#include "connect.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <security/pam_ext.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <syslog.h>
#include <unistd.h>

#include "clock.h"

#define SOCKET_DIR "/run/sallyport"
#define SOCKET_NAME "/pam"

enum {
    RETRY_MS = 50,   /* between attempts to reach the daemon */
    REWAKE_MS = 250, /* between Go halves, where another one had the ledger */
    GRACE_MS = 1000, /* for the Go half to end by itself */
};

#define FOREVER INT64_MAX

/* One attempt to reach somebody. */
enum reach {
    REACHED,
    QUEUED_OUT, /* the daemon's queue of connections is full */
    AWAY,
    IMPOSTOR, /* who listens there is not root */
};

/* The search for a verifier that replies. */
struct hunt {
    int64_t retry; /* when to try the daemon next */
    int64_t wake;  /* when to wake the Go half; FOREVER: not any more */
    int64_t pause; /* no Go half before this */
    bool away;     /* the last attempt to reach the daemon found nobody */
};

/* What one step of the search came to; an sp_result otherwise. */
enum { GO_ON = -1 };

void sp_link_init(struct sp_link *link, pam_handle_t *pamh, const char *root, bool debug) {
    memset(link, 0, sizeof *link);
    link->pamh = pamh;
    link->root = root;
    link->debug = debug;
    link->may_wake = true;
    link->daemon = -1;
    link->half.fd = -1;
}

void sp_link_allow(struct sp_link *link, int ms) { link->deadline = sp_now_ms() + ms; }

static const char *packet_name(const struct sp_packet *p) {
    switch (sp_packet_kind(p)) {
    case SP_BEGIN:
        return "begin";
    case SP_ANSWER:
        return "answer";
    case SP_ACCOUNT:
        return "account";
    case SP_OPEN_SESSION:
        return "open-session";
    case SP_CLOSE_SESSION:
        return "close-session";
    case SP_ASK:
        return "ask";
    case SP_FINAL:
        return "final";
    }
    return "?";
}

static void note(const struct sp_link *link, const char *what, const struct sp_packet *p, int fd) {
    if (link->debug)
        pam_syslog(link->pamh, LOG_DEBUG, "%s %s, %zu bytes, %s the %s", what, packet_name(p), p->size,
                   what[0] == 's' ? "to" : "from", fd == link->half.fd ? "Go half" : "daemon");
}

/* send_packet sends in one piece and at once: the exchange is one packet each way, so there is always room. */
static bool send_packet(const struct sp_link *link, int fd, const struct sp_packet *p) {
    ssize_t n;

    do {
        n = send(fd, p->bytes, p->size, MSG_NOSIGNAL | MSG_DONTWAIT);
    } while (n < 0 && errno == EINTR);
    if (n < 0 || (size_t)n != p->size)
        return false;
    note(link, "sent", p, fd);
    return true;
}

/* receive_reply takes a reply that poll(2) said is there. */
static int receive_reply(const struct sp_link *link, int fd, struct sp_packet *reply) {
    ssize_t n;

    do {
        n = recv(fd, reply->bytes, sizeof reply->bytes, MSG_DONTWAIT);
    } while (n < 0 && errno == EINTR);
    if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK))
        return GO_ON;
    if (n <= 0)
        return SP_GONE;
    sp_packet_received(reply, (size_t)n); /* the one byte too many of a longer packet makes it malformed */
    if (!sp_packet_valid(reply) || (sp_packet_kind(reply) != SP_ASK && sp_packet_kind(reply) != SP_FINAL))
        return SP_MALFORMED;
    note(link, "received", reply, fd);
    return SP_OK;
}

/* verdict_is says whether a valid reply is that verdict. */
static bool verdict_is(const struct sp_packet *reply, enum sp_verdict verdict) {
    struct sp_field f;

    return sp_packet_find(reply, SP_TAG_VERDICT, &f) && f.value[0] == verdict;
}

/* is_busy says whether the Go half replied that another process is the verifier. */
static bool is_busy(const struct sp_packet *reply) {
    struct sp_field f;

    return sp_packet_find(reply, SP_TAG_BUSY, &f);
}

/* connect_below connects to the socket in an open directory: the way for a root whose path a socket's address does not
 * hold. */
static int connect_below(int sock, const char *dir) {
    struct sockaddr_un a = {.sun_family = AF_UNIX};
    int fd = open(dir, O_PATH | O_DIRECTORY | O_CLOEXEC), n, result = -1;

    if (fd < 0)
        return -1;
    n = snprintf(a.sun_path, sizeof a.sun_path, "/proc/self/fd/%d%s", fd, SOCKET_NAME);
    if (n > 0 && (size_t)n < sizeof a.sun_path)
        result = connect(sock, (struct sockaddr *)&a, sizeof a);
    n = errno;
    (void)close(fd);
    errno = n;
    return result;
}

static int connect_root(int sock, const char *root) {
    struct sockaddr_un a = {.sun_family = AF_UNIX};
    char dir[PATH_MAX];
    int n;

    n = snprintf(dir, sizeof dir, "%s%s", root, SOCKET_DIR);
    if (n < 0 || (size_t)n >= sizeof dir) {
        errno = ENAMETOOLONG;
        return -1;
    }
    n = snprintf(a.sun_path, sizeof a.sun_path, "%s%s", dir, SOCKET_NAME);
    if (n < 0 || (size_t)n >= sizeof a.sun_path)
        return connect_below(sock, dir);
    return connect(sock, (struct sockaddr *)&a, sizeof a);
}

static bool peer_is_root(int sock) {
    struct ucred peer;
    socklen_t size = sizeof peer;

    return getsockopt(sock, SOL_SOCKET, SO_PEERCRED, &peer, &size) == 0 && size == sizeof peer && peer.uid == 0;
}

/* reach_daemon leaves the connection in link->daemon. It does not wait: on this kind of socket connect succeeds or fails
 * at once. */
static enum reach reach_daemon(struct sp_link *link) {
    int sock = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    enum reach result = REACHED;

    if (sock < 0)
        return AWAY;
    if (connect_root(sock, link->root) != 0)
        result = errno == EAGAIN ? QUEUED_OUT : AWAY;
    else if (!peer_is_root(sock))
        result = IMPOSTOR;
    if (result != REACHED) {
        (void)close(sock);
        return result;
    }
    link->daemon = sock;
    return REACHED;
}

static void drop_daemon(struct sp_link *link) {
    if (link->daemon >= 0)
        (void)close(link->daemon);
    link->daemon = -1;
}

/* lose_daemon: nobody is there. The Go half is wanted at once, and the daemon may come back. */
static void lose_daemon(struct sp_link *link, struct hunt *h) {
    drop_daemon(link);
    h->away = true;
    h->retry = sp_now_ms() + RETRY_MS;
    if (h->wake != FOREVER)
        h->wake = h->pause;
}

/* try_daemon makes one attempt to reach the daemon and to send it the request. */
static int try_daemon(struct sp_link *link, struct hunt *h, const struct sp_packet *request) {
    switch (reach_daemon(link)) {
    case REACHED:
        h->away = false;
        if (!send_packet(link, link->daemon, request))
            lose_daemon(link, h);
        break;
    case QUEUED_OUT: /* alive, or hung: as silent as a connection on which nothing comes */
        h->away = false;
        h->retry = sp_now_ms() + RETRY_MS;
        break;
    case AWAY:
        lose_daemon(link, h);
        break;
    case IMPOSTOR:
        pam_syslog(link->pamh, LOG_CRIT, "%s" SOCKET_DIR SOCKET_NAME " is not root's; not asked", link->root);
        return SP_NOBODY;
    }
    return GO_ON;
}

/* try_half wakes the Go half and sends it the request. */
static void try_half(struct sp_link *link, struct hunt *h, const struct sp_packet *request) {
    sp_sigchld_aside(&link->aside);
    if (!sp_half_wake(&link->half, link->root)) {
        pam_syslog(link->pamh, LOG_ERR, "cannot verify without the daemon: fork: %m");
        h->wake = FOREVER;
        return;
    }
    if (link->debug)
        pam_syslog(link->pamh, LOG_DEBUG, "the daemon %s; woke the Go half", h->away ? "is away" : "is silent");
    if (!send_packet(link, link->half.fd, request)) {
        sp_half_end(&link->half, 0);
        h->wake = FOREVER;
    }
}

/* hear_daemon takes what the daemon sent. */
static int hear_daemon(struct sp_link *link, struct hunt *h, struct sp_packet *reply) {
    int result = receive_reply(link, link->daemon, reply);

    if (result == SP_GONE) {
        lose_daemon(link, h);
        return GO_ON;
    }
    if (result != GO_ON)
        sp_half_end(&link->half, 0);
    return result;
}

/* hear_half takes what the Go half sent. Where that cannot verify, the daemon may still. */
static int hear_half(struct sp_link *link, struct hunt *h, struct sp_packet *reply) {
    int result = receive_reply(link, link->half.fd, reply);

    if (result == SP_GONE) {
        pam_syslog(link->pamh, LOG_ERR, "cannot verify without the daemon: the Go half ended");
        sp_half_end(&link->half, 0);
        h->wake = FOREVER;
        return GO_ON;
    }
    if (result == SP_OK && verdict_is(reply, SP_UNAVAILABLE)) {
        sp_half_end(&link->half, GRACE_MS);
        if (is_busy(reply)) { /* the daemon is alive; or another Go half was at work */
            h->pause = sp_now_ms() + REWAKE_MS;
            h->wake = h->away ? h->pause : link->deadline;
            return GO_ON;
        }
        h->wake = FOREVER;
        return h->away ? SP_OK : GO_ON;
    }
    if (result != GO_ON)
        drop_daemon(link);
    return result;
}

/* next_event is how long poll(2) may wait, in milliseconds. */
static int next_event(const struct sp_link *link, const struct hunt *h) {
    int64_t next = link->deadline;

    if (link->daemon < 0 && h->retry < next)
        next = h->retry;
    if (link->half.pid == 0 && h->wake < next)
        next = h->wake;
    return sp_left_ms(next);
}

/* hunt_on is one step of the search. */
static int hunt_on(struct sp_link *link, struct hunt *h, const struct sp_packet *request, struct sp_packet *reply) {
    struct pollfd ends[2];
    int64_t now = sp_now_ms();

    if (now >= link->deadline)
        return SP_LATE;
    if (link->daemon < 0 && now >= h->retry && try_daemon(link, h, request) != GO_ON)
        return SP_NOBODY;
    if (link->half.pid == 0 && now >= h->wake)
        try_half(link, h, request);
    if (h->away && link->half.pid == 0 && h->wake == FOREVER)
        return SP_NOBODY;
    ends[0] = (struct pollfd){.fd = link->daemon, .events = POLLIN}; /* poll passes over a descriptor of -1 */
    ends[1] = (struct pollfd){.fd = link->half.fd, .events = POLLIN};
    if (poll(ends, 2, next_event(link, h)) < 0)
        return errno == EINTR ? GO_ON : SP_NOBODY;
    if (ends[0].revents != 0)
        return hear_daemon(link, h, reply);
    if (ends[1].revents != 0)
        return hear_half(link, h, reply);
    return GO_ON;
}

enum sp_result sp_link_first(struct sp_link *link, const struct sp_packet *request, struct sp_packet *reply) {
    struct hunt h = {.retry = 0, .pause = 0, .away = false};
    int result;

    h.wake = link->may_wake ? sp_now_ms() + SP_SILENCE_MS : FOREVER;
    do {
        result = hunt_on(link, &h, request, reply);
    } while (result == GO_ON);
    if (result != SP_OK) {
        drop_daemon(link);
        sp_half_end(&link->half, 0);
    }
    sp_sigchld_back(&link->aside);
    return (enum sp_result)result;
}

enum sp_result sp_link_next(struct sp_link *link, const struct sp_packet *request, struct sp_packet *reply) {
    struct pollfd end = {.fd = link->half.pid != 0 ? link->half.fd : link->daemon, .events = POLLIN};
    int result = GO_ON;

    if (link->half.pid != 0)
        sp_sigchld_aside(&link->aside);
    if (!send_packet(link, end.fd, request))
        result = SP_GONE;
    while (result == GO_ON) {
        int ready = poll(&end, 1, sp_left_ms(link->deadline));
        if (ready > 0)
            result = receive_reply(link, end.fd, reply);
        else if (ready < 0 && errno != EINTR)
            result = SP_GONE;
        else if (sp_left_ms(link->deadline) == 0)
            result = SP_LATE;
    }
    if (result == SP_OK && is_busy(reply))
        result = SP_GONE; /* the daemon is back */
    sp_sigchld_back(&link->aside);
    return (enum sp_result)result;
}

void sp_link_hang_up(struct sp_link *link) {
    drop_daemon(link);
    if (link->half.pid == 0)
        return;
    sp_sigchld_aside(&link->aside);
    sp_half_end(&link->half, GRACE_MS);
    sp_sigchld_back(&link->aside);
}
