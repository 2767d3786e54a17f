/* packet.c: one table decides what a packet may hold, for what is sent as for what is received. */
#include "packet.h"

#include <string.h>

enum {
    HEADER_SIZE = 2, /* version, kind */
    FIELD_SIZE = 3,  /* tag, length */
    SKIPPABLE = 0x80,
    METHODS_MAX = 16,
    MESSAGES_MAX = 256,
};

/* Sets of kinds. */
enum {
    IN_BEGIN = 1 << 0,
    IN_ANSWER = 1 << 1,
    IN_ACCOUNT = 1 << 2,
    IN_SESSION = 1 << 3, /* opened, closed */
    IN_ASK = 1 << 4,
    IN_FINAL = 1 << 5,
    IN_REQUEST = IN_BEGIN | IN_ACCOUNT | IN_SESSION,
    IN_REPLY = IN_ASK | IN_FINAL,
};

typedef bool (*check)(const uint8_t *value, size_t size);

struct rule {
    uint8_t tag;
    uint8_t kinds; /* where it may be */
    bool always;   /* and must be */
    uint16_t least, most;
    uint16_t times;
    check good;
};

static uint8_t kind_set(uint8_t kind) {
    switch (kind) {
    case SP_BEGIN:
        return IN_BEGIN;
    case SP_ANSWER:
        return IN_ANSWER;
    case SP_ACCOUNT:
        return IN_ACCOUNT;
    case SP_OPEN_SESSION:
    case SP_CLOSE_SESSION:
        return IN_SESSION;
    case SP_ASK:
        return IN_ASK;
    case SP_FINAL:
        return IN_FINAL;
    default:
        return 0;
    }
}

/* utf8_size is the length of the UTF-8 sequence at s, of which left bytes are there; 0: it is none. Overlong forms,
 * surrogates and what is beyond U+10FFFF are none (RFC 3629 §4). */
static size_t utf8_size(const uint8_t *s, size_t left) {
    uint8_t low = 0x80, high = 0xbf; /* of the second byte */
    size_t size;

    if (s[0] < 0x80)
        return 1;
    if (s[0] >= 0xc2 && s[0] <= 0xdf) {
        size = 2;
    } else if (s[0] >= 0xe0 && s[0] <= 0xef) {
        size = 3;
        if (s[0] == 0xe0)
            low = 0xa0;
        if (s[0] == 0xed)
            high = 0x9f;
    } else if (s[0] >= 0xf0 && s[0] <= 0xf4) {
        size = 4;
        if (s[0] == 0xf0)
            low = 0x90;
        if (s[0] == 0xf4)
            high = 0x8f;
    } else {
        return 0;
    }
    if (left < size || s[1] < low || s[1] > high)
        return 0;
    for (size_t i = 2; i < size; i++) {
        if (s[i] < 0x80 || s[i] > 0xbf)
            return 0;
    }
    return size;
}

/* is_text refuses what could drive a terminal or forge a log line: control characters (C0, DEL, C1) and bytes that are
 * not UTF-8. */
static bool is_text(const uint8_t *s, size_t size) {
    size_t i = 0;

    while (i < size) {
        size_t n = utf8_size(s + i, size - i);
        if (n == 0 || s[i] < 0x20 || s[i] == 0x7f)
            return false;
        if (s[i] == 0xc2 && s[i + 1] <= 0x9f)
            return false;
        i += n;
    }
    return true;
}

static bool is_name(const uint8_t *s, size_t size) { return is_text(s, size) && memchr(s, '/', size) == NULL; }

static bool is_word(const uint8_t *s, size_t size) {
    for (size_t i = 0; i < size; i++) {
        bool letter = (s[i] >= 'a' && s[i] <= 'z') || (s[i] >= 'A' && s[i] <= 'Z');
        bool digit = s[i] >= '0' && s[i] <= '9';
        bool mark = s[i] == '_' || s[i] == '.' || s[i] == '@' || s[i] == '+' || s[i] == '-';
        if (!letter && !digit && !mark)
            return false;
    }
    return true;
}

static bool is_any(const uint8_t *s, size_t size) {
    (void)s;
    (void)size;
    return true;
}

static bool is_answer(const uint8_t *s, size_t size) { return size == 0 || memchr(s, 0, size) == NULL; }

static bool is_pid(const uint8_t *s, size_t size) {
    (void)size;
    return s[0] < 0x80 && (s[0] | s[1] | s[2] | s[3]) != 0;
}

static bool is_verdict(const uint8_t *s, size_t size) {
    (void)size;
    return s[0] >= SP_GRANTED && s[0] <= SP_SESSION_REFUSED;
}

static bool is_password_length(const uint8_t *s, size_t size) {
    (void)size;
    return (s[0] << 8 | s[1]) <= SP_ANSWER_MAX;
}

static const struct rule rules[] = {
    {SP_TAG_USER, IN_REQUEST, true, 1, 255, 1, is_name},
    {SP_TAG_SERVICE, IN_REQUEST, true, 1, 64, 1, is_word},
    {SP_TAG_RHOST, IN_REQUEST, false, 1, 255, 1, is_text},
    {SP_TAG_TTY, IN_REQUEST, false, 1, 64, 1, is_text},
    {SP_TAG_PID, IN_REQUEST, true, 4, 4, 1, is_pid},
    {SP_TAG_METHOD, IN_REQUEST, false, 1, SP_METHOD_MAX, METHODS_MAX, is_word},
    {SP_TAG_SPLIT, IN_BEGIN, false, 0, 0, 1, is_any},
    {SP_TAG_SILENT, IN_REQUEST, false, 0, 0, 1, is_any},
    {SP_TAG_GIVEN, IN_SESSION, false, 0, 0, 1, is_any},
    {SP_TAG_RESUME, IN_BEGIN | IN_ASK, false, 1, SP_RESUME_MAX, 1, is_text},
    {SP_TAG_ANSWER, IN_ANSWER, true, 0, SP_ANSWER_MAX, 1, is_answer},
    {SP_TAG_INFO, IN_REPLY, false, 0, SP_TEXT_MAX, MESSAGES_MAX, is_text},
    {SP_TAG_ERROR, IN_REPLY, false, 0, SP_TEXT_MAX, MESSAGES_MAX, is_text},
    {SP_TAG_HIDDEN, IN_ASK, false, 0, SP_TEXT_MAX, 1, is_text},
    {SP_TAG_SHOWN, IN_ASK, false, 0, SP_TEXT_MAX, 1, is_text},
    {SP_TAG_VERDICT, IN_FINAL, true, 1, 1, 1, is_verdict},
    {SP_TAG_PASSWORD, IN_FINAL, false, 2, 2, 1, is_password_length},
    {SP_TAG_BUSY, IN_FINAL, false, 0, 0, 1, is_any},
};

enum { RULES = sizeof(rules) / sizeof(rules[0]) };

/* rule_of is the index of the tag's rule; RULES: it has none. */
static size_t rule_of(uint8_t tag) {
    size_t i = 0;

    while (i < RULES && rules[i].tag != tag)
        i++;
    return i;
}

/* cut takes the field at *at off a packet, known or not. False: no whole field is there. */
static bool cut(const struct sp_packet *p, size_t *at, struct sp_field *field) {
    const uint8_t *b = p->bytes + *at;

    if (p->size - *at < FIELD_SIZE)
        return false;
    field->tag = b[0];
    field->size = (size_t)b[1] << 8 | b[2];
    field->value = b + FIELD_SIZE;
    if (field->size > p->size - *at - FIELD_SIZE)
        return false;
    *at += FIELD_SIZE + field->size;
    return true;
}

/* good_field says whether a packet of that kind may have the field. */
static bool good_field(const struct rule *r, uint8_t kind, const struct sp_field *field) {
    return (r->kinds & kind_set(kind)) != 0 && field->size >= r->least && field->size <= r->most &&
           r->good(field->value, field->size);
}

void sp_packet_init(struct sp_packet *p) { p->size = p->written = 0; }

void sp_packet_received(struct sp_packet *p, size_t size) {
    p->size = size;
    if (p->written < size)
        p->written = size;
}

void sp_packet_start(struct sp_packet *p, enum sp_kind kind) {
    p->bytes[0] = SP_VERSION;
    p->bytes[1] = (uint8_t)kind;
    sp_packet_received(p, HEADER_SIZE);
}

void sp_packet_copy(struct sp_packet *p, const struct sp_packet *from) {
    memcpy(p->bytes, from->bytes, from->size);
    sp_packet_received(p, from->size);
}

bool sp_packet_put(struct sp_packet *p, enum sp_tag tag, const void *value, size_t size) {
    struct sp_field field = {(uint8_t)tag, value, size}, other;
    size_t i = rule_of(field.tag), at = HEADER_SIZE, times = 0;

    if (i == RULES || size > SP_PACKET_MAX - FIELD_SIZE || p->size > SP_PACKET_MAX - FIELD_SIZE - size)
        return false;
    while (cut(p, &at, &other)) {
        if (other.tag == field.tag)
            times++;
    }
    if (times >= rules[i].times || !good_field(&rules[i], p->bytes[1], &field))
        return false;
    p->bytes[p->size] = field.tag;
    p->bytes[p->size + 1] = (uint8_t)(size >> 8);
    p->bytes[p->size + 2] = (uint8_t)size;
    if (size > 0)
        memcpy(p->bytes + p->size + FIELD_SIZE, value, size);
    sp_packet_received(p, p->size + FIELD_SIZE + size);
    return true;
}

/* complete says whether a packet whose fields are good, times of each rule, has all that its kind needs. */
static bool complete(const struct sp_packet *p, const uint16_t times[RULES]) {
    uint8_t kind = p->bytes[1];
    struct sp_field verdict;

    for (size_t i = 0; i < RULES; i++) {
        if (rules[i].always && (rules[i].kinds & kind_set(kind)) != 0 && times[i] == 0)
            return false;
    }
    switch (kind) {
    case SP_ASK:
        return times[rule_of(SP_TAG_HIDDEN)] + times[rule_of(SP_TAG_SHOWN)] == 1;
    case SP_FINAL:
        return times[rule_of(SP_TAG_BUSY)] == 0 ||
               (sp_packet_find(p, SP_TAG_VERDICT, &verdict) && verdict.value[0] == SP_UNAVAILABLE);
    default:
        return kind_set(kind) != 0;
    }
}

bool sp_packet_valid(const struct sp_packet *p) {
    uint16_t times[RULES] = {0};
    size_t at = HEADER_SIZE;
    struct sp_field field;

    if (p->size < HEADER_SIZE || p->size > SP_PACKET_MAX || p->bytes[0] != SP_VERSION)
        return false;
    while (at < p->size) {
        if (!cut(p, &at, &field))
            return false;
        size_t i = rule_of(field.tag);
        if (i == RULES) {
            if ((field.tag & SKIPPABLE) == 0)
                return false;
            continue;
        }
        if (times[i] >= rules[i].times || !good_field(&rules[i], p->bytes[1], &field))
            return false;
        times[i]++;
    }
    return complete(p, times);
}

enum sp_kind sp_packet_kind(const struct sp_packet *p) { return (enum sp_kind)p->bytes[1]; }

bool sp_packet_next(const struct sp_packet *p, size_t *at, struct sp_field *field) {
    if (*at == 0)
        *at = HEADER_SIZE;
    while (cut(p, at, field)) {
        if (rule_of(field->tag) != RULES)
            return true;
    }
    return false;
}

bool sp_packet_find(const struct sp_packet *p, enum sp_tag tag, struct sp_field *field) {
    size_t at = 0;

    while (sp_packet_next(p, &at, field)) {
        if (field->tag == tag)
            return true;
    }
    return false;
}

void sp_packet_wipe(struct sp_packet *p) {
    explicit_bzero(p->bytes, p->written);
    sp_packet_init(p);
}
