/* login.c: a host whose user, daemon and Go half say and do what the input says. Whatever that is, the module gives its
 * memory and its descriptors back, comes to an end, and lets nobody in unless the last thing that it heard was a whole
 * packet which says so. */
#include <dlfcn.h>
#include <errno.h>
#include <security/pam_appl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "packet.h"
#include "world.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { DESCRIPTORS = 64, TURNS_MAX = 5000 };

static struct {
    const uint8_t *data;
    size_t left;
    int64_t now;
    bool open[2][DESCRIPTORS]; /* connections to the daemon, and Go halves */
    int opened[2];
    int turns;
    int verdict; /* of the last packet; 0: none, or it was no verdict */
} world;

static uint8_t next(void) {
    if (world.left == 0)
        return 0;
    world.left--;
    return *world.data++;
}

/* text copies up to most bytes of the input and ends them. */
static const char *text(char *to, size_t most) {
    size_t n = most > 255 ? (size_t)next() << 8 | next() : next();

    n %= most + 1;
    if (n > world.left)
        n = world.left;
    memcpy(to, world.data, n);
    to[n] = '\0';
    world.data += n;
    world.left -= n;
    return to;
}

int64_t world_now(void) { return world.now; }

static int open_one(int kind) {
    int i = world.opened[kind]++;

    if (i >= DESCRIPTORS)
        return -1;
    world.open[kind][i] = true;
    return (kind == 0 ? WORLD_DAEMON : WORLD_HALF) + i;
}

static bool *descriptor(int fd) {
    int kind = fd >= WORLD_HALF, i = fd - (kind ? WORLD_HALF : WORLD_DAEMON);

    if (i < 0 || i >= DESCRIPTORS || !world.open[kind][i])
        abort(); /* it is not open */
    return &world.open[kind][i];
}

int world_socket(void) {
    if (world.opened[0] == 0 || next() != 0xff)
        return open_one(0);
    errno = EMFILE;
    return -1;
}

int world_connect(int fd) {
    (void)descriptor(fd);
    if (world.left == 0)
        return errno = ECONNREFUSED, -1;
    switch (next() % 8) {
    case 0:
        return errno = ECONNREFUSED, -1;
    case 1:
        return errno = EAGAIN, -1;
    default:
        return 0;
    }
}

bool world_peer_is_root(void) { return next() % 16 != 1; }

ssize_t world_send(int fd, const void *data, size_t size) {
    struct sp_packet *p = malloc(sizeof *p);

    (void)descriptor(fd);
    if (p == NULL || size > SP_PACKET_MAX)
        abort();
    memcpy(p->bytes, data, size);
    p->size = size;
    if (!sp_packet_valid(p) || sp_packet_kind(p) >= SP_ASK)
        abort(); /* the module sends requests only */
    free(p);
    switch (next() % 16) {
    case 1:
        return errno = EPIPE, -1;
    case 2:
        return (ssize_t)size - 1;
    default:
        return (ssize_t)size;
    }
}

/* put_text adds a field with text of the input, or what it says instead. */
static void put_text(struct sp_packet *p, enum sp_tag tag) {
    char line[256];

    (void)sp_packet_put(p, tag, text(line, sizeof line - 1), strlen(line));
}

/* reply makes a packet: a good one of a kind that the input says, or its bytes as they are. */
static void reply(struct sp_packet *p) {
    uint8_t what = next(), verdict, length[2];

    memset(p, 0, sizeof *p);
    sp_packet_start(p, what % 4 == 1 ? SP_ASK : SP_FINAL);
    switch (what % 4) {
    case 1:
        if ((what & 4) != 0)
            put_text(p, SP_TAG_RESUME);
        if ((what & 8) != 0)
            put_text(p, SP_TAG_INFO);
        put_text(p, (what & 16) != 0 ? SP_TAG_SHOWN : SP_TAG_HIDDEN);
        break;
    case 2:
        verdict = (uint8_t)(next() % 8);
        (void)sp_packet_put(p, SP_TAG_VERDICT, &verdict, 1);
        if ((what & 4) != 0)
            put_text(p, SP_TAG_ERROR);
        length[0] = next();
        length[1] = next();
        if ((what & 8) != 0)
            (void)sp_packet_put(p, SP_TAG_PASSWORD, length, 2);
        if ((what & 16) != 0)
            (void)sp_packet_put(p, SP_TAG_BUSY, NULL, 0);
        break;
    default:
        p->size = (size_t)next() << 8 | next();
        p->size = p->size > sizeof p->bytes ? sizeof p->bytes : p->size;
        for (size_t i = 0; i < p->size; i++)
            p->bytes[i] = next();
    }
}

ssize_t world_recv(int fd, void *data, size_t size) {
    struct sp_packet *p;
    struct sp_field f;

    (void)descriptor(fd);
    world.verdict = 0;
    switch (world.left == 0 ? 0 : next() % 8) {
    case 0:
        return 0;
    case 1:
        return errno = EAGAIN, -1;
    case 2:
        return errno = ECONNRESET, -1;
    }
    p = malloc(sizeof *p);
    if (p == NULL || size != sizeof p->bytes)
        abort();
    sp_packet_init(p);
    reply(p);
    size = p->size;
    memcpy(data, p->bytes, size);
    if (sp_packet_valid(p) && sp_packet_kind(p) == SP_FINAL && sp_packet_find(p, SP_TAG_VERDICT, &f))
        world.verdict = f.value[0];
    free(p);
    return (ssize_t)size;
}

int world_poll(struct pollfd *ends, int timeout) {
    uint8_t what = next();
    int ready = 0;

    if (++world.turns > TURNS_MAX)
        abort(); /* it goes round and round */
    for (int i = 0; i < 2; i++) {
        ends[i].revents = 0;
        if (ends[i].fd < 0)
            continue;
        (void)descriptor(ends[i].fd);
        if (world.left > 0 && (what >> i & 1) == 0) {
            ends[i].revents = POLLIN;
            ready++;
        }
    }
    if (ready == 0 && what == 0xff)
        return errno = EINTR, -1;
    if (ready == 0)
        world.now += timeout < 0 ? 1000 : timeout;
    return ready;
}

int world_close(int fd) {
    *descriptor(fd) = false;
    return 0;
}

int world_wake(void) { return next() % 16 == 1 ? -1 : open_one(1); }

void world_half_ended(int fd) { *descriptor(fd) = false; }

/* converse is the person. */
static int converse(int n, const struct pam_message **messages, struct pam_response **responses, void *data) {
    char typed[1024];
    uint8_t what = next();

    (void)data;
    if (n != 1 || memchr(messages[0]->msg, '\n', strlen(messages[0]->msg)) != NULL)
        abort();
    if (what == 1)
        return PAM_CONV_ERR;
    *responses = what == 2 ? NULL : calloc(1, sizeof **responses);
    if (*responses != NULL && what != 3)
        (*responses)->resp = strdup(text(typed, sizeof typed - 1));
    return PAM_SUCCESS;
}

/* confdir makes the service once, with the module's path in it. */
static const char *confdir(void) {
    static char dir[] = "/tmp/sallyport-fuzz-XXXXXX";
    static bool made;
    static const char *const options[] = {"", "split_password", "debug", "nonsense"};
    const char *module = getenv("PAM_FUZZ_MODULE");
    char path[64];

    if (made)
        return dir;
    if (module == NULL || dlopen(module, RTLD_NOW) == NULL || mkdtemp(dir) == NULL)
        abort(); /* loaded once for all: libFuzzer counts in its memory */
    for (int i = 0; i < 4; i++) {
        FILE *f;
        (void)snprintf(path, sizeof path, "%s/fuzz%d", dir, i);
        f = fopen(path, "w");
        if (f == NULL)
            abort();
        (void)fprintf(f, "auth required %s %s\naccount required %s\nsession required %s\n", module, options[i], module, module);
        (void)fclose(f);
    }
    made = true;
    return dir;
}

/* expect ends the run where the host was told what no verdict said. */
static void expect(int rc, bool given) {
    if (rc == PAM_SUCCESS && !given && world.verdict != SP_GRANTED)
        abort();
}

static void ended(void) {
    for (int kind = 0; kind < 2; kind++) {
        for (int i = 0; i < DESCRIPTORS; i++) {
            if (world.open[kind][i])
                abort(); /* left open */
        }
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    const struct pam_conv conv = {converse, NULL};
    char service[8], value[1024];
    const char *const methods[] = {"", "SSH_AUTH_INFO_0=publickey ssh-rsa AAAA\n", "SSH_AUTH_INFO_0=\n/\n a b"};
    pam_handle_t *pamh = NULL;
    uint8_t what;
    int rc, flags;

    memset(&world, 0, sizeof world);
    world.data = data;
    world.left = size;
    what = next();
    flags = (what & 4) != 0 ? PAM_SILENT : 0;
    (void)snprintf(service, sizeof service, "fuzz%d", what & 3);
    if (pam_start_confdir(service, (what & 8) != 0 ? text(value, 600) : "alice", &conv, confdir(), &pamh) != PAM_SUCCESS)
        return 0;
    if ((what & 16) != 0)
        (void)pam_set_item(pamh, PAM_RHOST, text(value, 600));
    if ((what & 32) != 0)
        (void)pam_set_item(pamh, PAM_TTY, text(value, 600));
    if ((what & 64) != 0)
        (void)pam_putenv(pamh, methods[next() % 3]);
    rc = pam_authenticate(pamh, flags);
    expect(rc, false);
    ended();
    world.verdict = 0;
    expect(pam_acct_mgmt(pamh, flags), rc == PAM_SUCCESS);
    ended();
    world.verdict = 0;
    expect(pam_open_session(pamh, flags), false);
    (void)pam_close_session(pamh, flags); /* a logout never fails */
    ended();
    (void)pam_end(pamh, rc);
    return 0;
}
