/* packet.h: the packets of /run/sallyport/pam. The format is described in internal/wire/doc.go, which has the same codec
 * in Go; the two are fuzzed against each other. */
#ifndef SALLYPORT_PACKET_H
#define SALLYPORT_PACKET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    SP_VERSION = 1,
    SP_PACKET_MAX = 16384, /* bytes */
    SP_ANSWER_MAX = 512,
    SP_TEXT_MAX = 511,
    SP_RESUME_MAX = 512,
    SP_METHOD_MAX = 64,
};

enum sp_kind {
    SP_BEGIN = 0x01,
    SP_ANSWER = 0x02,
    SP_ACCOUNT = 0x03,
    SP_OPEN_SESSION = 0x04,
    SP_CLOSE_SESSION = 0x05,
    SP_ASK = 0x41,
    SP_FINAL = 0x42,
};

enum sp_tag {
    SP_TAG_USER = 0x01,
    SP_TAG_SERVICE = 0x02,
    SP_TAG_RHOST = 0x03,
    SP_TAG_TTY = 0x04,
    SP_TAG_PID = 0x05,
    SP_TAG_METHOD = 0x06,
    SP_TAG_SPLIT = 0x07,
    SP_TAG_SILENT = 0x08,
    SP_TAG_GIVEN = 0x09,
    SP_TAG_RESUME = 0x10,
    SP_TAG_ANSWER = 0x11,
    SP_TAG_INFO = 0x20,
    SP_TAG_ERROR = 0x21,
    SP_TAG_HIDDEN = 0x22,
    SP_TAG_SHOWN = 0x23,
    SP_TAG_VERDICT = 0x24,
    SP_TAG_PASSWORD = 0x25,
    SP_TAG_BUSY = 0x26,
};

enum sp_verdict {
    SP_GRANTED = 1,
    SP_DENIED = 2,
    SP_LOCKED = 3,
    SP_NOT_REQUIRED = 4,
    SP_UNAVAILABLE = 5,
    SP_ACCOUNT_REFUSED = 6,
    SP_SESSION_REFUSED = 7,
};

struct sp_packet {
    size_t size;
    size_t written; /* how much of bytes ever was: what is to be wiped, and no page behind it needs to be there */
    /* One byte more than a packet may have, so that a longer one shows when it is received. */
    uint8_t bytes[SP_PACKET_MAX + 1];
};

/* A field of a packet; value points into the packet and has no NUL behind it. */
struct sp_field {
    uint8_t tag;
    const uint8_t *value;
    size_t size;
};

/* sp_packet_init is for memory that held no packet: p holds none, and nothing to wipe. */
void sp_packet_init(struct sp_packet *p);

/* sp_packet_start makes p an empty packet of that kind. */
void sp_packet_start(struct sp_packet *p, enum sp_kind kind);

/* sp_packet_put appends a field. False: the packet may not have it, there or with that value; p is as it was. */
bool sp_packet_put(struct sp_packet *p, enum sp_tag tag, const void *value, size_t size);

/* sp_packet_valid says whether p is a packet, by every rule of the format. */
bool sp_packet_valid(const struct sp_packet *p);

/* sp_packet_kind is the kind of a valid packet. */
enum sp_kind sp_packet_kind(const struct sp_packet *p);

/* sp_packet_next gives the next known field of a valid packet. *at begins as 0. False: there is none. */
bool sp_packet_next(const struct sp_packet *p, size_t *at, struct sp_field *field);

/* sp_packet_find gives the first field with that tag of a valid packet. False: there is none. */
bool sp_packet_find(const struct sp_packet *p, enum sp_tag tag, struct sp_field *field);

/* sp_packet_received makes p the size bytes that were written to p->bytes. */
void sp_packet_received(struct sp_packet *p, size_t size);

/* sp_packet_copy makes p the packet that from is. */
void sp_packet_copy(struct sp_packet *p, const struct sp_packet *from);

/* sp_packet_wipe forgets all that p ever held. */
void sp_packet_wipe(struct sp_packet *p);

#endif
