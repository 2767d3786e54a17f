/* dialogue.h: one call of the host, from its first packet to its PAM code. */
#ifndef SALLYPORT_DIALOGUE_H
#define SALLYPORT_DIALOGUE_H

#include <security/pam_modules.h>
#include <stdbool.h>

#include "connect.h"
#include "packet.h"

/* How often a dialogue begins again with another verifier. One restart of the daemon is two changes, from the daemon to
 * the Go half and back; and where there is no daemon, Go halves may have to wait for each other. */
#define SP_BEGIN_AGAIN_MAX 4

/* What stands behind pam_sallyport.so in pam.d. */
struct sp_options {
    const char *root; /* before every path of Sallyport's; empty: the host's own */
    bool split_password;
    bool debug;
};

/* What was typed last, and for which prompt. */
struct sp_answer {
    char prompt[SP_TEXT_MAX];
    size_t prompt_size;
    bool echo;
    uint8_t text[SP_ANSWER_MAX];
    size_t size;
    bool unanswered; /* it was typed, and no reply has come to it */
};

/* One call. It holds what people type: allocated, and given back, by the two functions below. */
struct sp_talk {
    pam_handle_t *pamh;
    const struct sp_options *options;
    enum sp_kind kind;
    bool silent;
    struct sp_link link;
    struct sp_answer answer;
    char resume[SP_RESUME_MAX]; /* the last that a reply carried */
    size_t resume_size;
    int begun_again;  /* how often */
    bool first_asked; /* since it began */
    /* Large, and last: of these only what is written to becomes memory of the host's. */
    struct sp_packet request; /* to begin with, and to begin again with */
    struct sp_packet sent;
    struct sp_packet reply;
};

/* sp_talk_new begins a call; its request is to be filled in. NULL: no memory. */
struct sp_talk *sp_talk_new(pam_handle_t *pamh, const struct sp_options *options, enum sp_kind kind, bool silent);

/* sp_talk_end wipes and frees t, which may be NULL. */
void sp_talk_end(struct sp_talk *t);

/* sp_talk does what the verifier says until it gives its verdict, and returns the PAM code of that. */
int sp_talk(struct sp_talk *t);

#endif
