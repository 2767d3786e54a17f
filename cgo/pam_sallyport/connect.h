/* connect.h: whom a call talks with, the daemon or the Go half, and by when they must have answered. */
#ifndef SALLYPORT_CONNECT_H
#define SALLYPORT_CONNECT_H

#include <security/pam_modules.h>
#include <stdbool.h>
#include <stdint.h>

#include "packet.h"
#include "wake.h"

/* Deadlines, in milliseconds. Tests build with shorter ones. */
#ifndef SP_DEADLINE_MS
#define SP_DEADLINE_MS 5000 /* for an answer, whatever happens on the way to it */
#endif
#ifndef SP_SILENCE_MS
#define SP_SILENCE_MS 2000 /* of the daemon, before the Go half is woken */
#endif
#ifndef SP_CLOSE_MS
#define SP_CLOSE_MS 1000 /* for the end of a session */
#endif

enum sp_result {
    SP_OK,
    SP_MALFORMED, /* something came that is not a reply */
    SP_GONE,      /* the connection ended, or its other end is not the verifier any more */
    SP_LATE,      /* the deadline passed */
    SP_NOBODY,    /* neither the daemon nor the Go half can verify */
};

struct sp_link {
    pam_handle_t *pamh; /* for log lines */
    const char *root;
    bool debug;
    bool may_wake;
    int64_t deadline;
    int daemon;            /* connection to the daemon; -1: none */
    struct sp_half half;   /* the Go half, where it is awake */
    struct sp_aside aside; /* and what the host does about SIGCHLD, while we run */
};

/* sp_link_init makes a link with no connection. */
void sp_link_init(struct sp_link *link, pam_handle_t *pamh, const char *root, bool debug);

/* sp_link_allow gives whoever is to answer that long from now. */
void sp_link_allow(struct sp_link *link, int ms);

/* sp_link_first sends the packet that begins a connection and waits for the reply: the daemon's, or the Go half's where
 * the daemon is away or silent. Afterwards the link is with the one that replied. */
enum sp_result sp_link_first(struct sp_link *link, const struct sp_packet *request, struct sp_packet *reply);

/* sp_link_next sends a packet to the one that replied, and waits for the next reply. */
enum sp_result sp_link_next(struct sp_link *link, const struct sp_packet *request, struct sp_packet *reply);

/* sp_link_hang_up ends the connection. The link can begin another. */
void sp_link_hang_up(struct sp_link *link);

#endif
