/* dialogue.c: the loop. It does what the reply says and sends what was typed; who gets in is decided elsewhere, and
 * without a verdict nobody does. */
#include "dialogue.h"

#include <security/pam_ext.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <syslog.h>

/* What a verdict can be that fits no call of that kind. */
enum { UNFIT = -1 };

/* denied is the PAM code of a call that is refused, for whatever reason has no code of its own. */
static int denied(enum sp_kind kind) {
    switch (kind) {
    case SP_ACCOUNT:
        return PAM_PERM_DENIED;
    case SP_OPEN_SESSION:
    case SP_CLOSE_SESSION:
        return PAM_SESSION_ERR;
    default:
        return PAM_AUTH_ERR;
    }
}

/* unavailable is the PAM code of a call that nobody can judge. Sessions have no code for that. */
static int unavailable(enum sp_kind kind) {
    return kind == SP_BEGIN || kind == SP_ACCOUNT ? PAM_AUTHINFO_UNAVAIL : denied(kind);
}

/* code_of is the PAM code of a verdict on a call of that kind. */
static int code_of(enum sp_kind kind, enum sp_verdict verdict) {
    switch (verdict) {
    case SP_GRANTED:
        return PAM_SUCCESS;
    case SP_NOT_REQUIRED:
        return PAM_IGNORE;
    case SP_DENIED:
        return denied(kind);
    case SP_LOCKED:
        return kind == SP_BEGIN ? PAM_MAXTRIES : denied(kind);
    case SP_UNAVAILABLE:
        return unavailable(kind);
    case SP_ACCOUNT_REFUSED:
        return kind == SP_ACCOUNT ? PAM_PERM_DENIED : UNFIT;
    case SP_SESSION_REFUSED:
        return kind == SP_OPEN_SESSION || kind == SP_CLOSE_SESSION ? PAM_SESSION_ERR : UNFIT;
    }
    return UNFIT;
}

struct sp_talk *sp_talk_new(pam_handle_t *pamh, const struct sp_options *options, enum sp_kind kind, bool silent) {
    struct sp_talk *t = malloc(sizeof *t);

    if (t == NULL) {
        pam_syslog(pamh, LOG_CRIT, "out of memory");
        return NULL;
    }
    memset(t, 0, offsetof(struct sp_talk, request));
    t->pamh = pamh;
    t->options = options;
    t->kind = kind;
    t->silent = silent;
    sp_packet_init(&t->request);
    sp_packet_init(&t->sent);
    sp_packet_init(&t->reply);
    sp_packet_start(&t->request, kind);
    sp_link_init(&t->link, pamh, options->root, options->debug);
    return t;
}

void sp_talk_end(struct sp_talk *t) {
    if (t == NULL)
        return;
    sp_link_hang_up(&t->link);
    sp_packet_wipe(&t->request);
    sp_packet_wipe(&t->sent);
    sp_packet_wipe(&t->reply);
    explicit_bzero(t, offsetof(struct sp_talk, request));
    free(t);
}

static void drop_response(struct pam_response *response) {
    if (response == NULL)
        return;
    if (response->resp != NULL) {
        explicit_bzero(response->resp, strlen(response->resp));
        free(response->resp);
    }
    free(response);
}

/* converse has the host show one message. Where typed is given it is a prompt, and *typed becomes the response, which
 * drop_response frees. */
static int converse(const struct sp_talk *t, int style, const struct sp_field *text, struct pam_response **typed) {
    const struct pam_conv *conv = NULL;
    struct pam_response *response = NULL;
    char line[SP_TEXT_MAX + 1];
    const struct pam_message message = {.msg_style = style, .msg = line}, *messages = &message;
    int rc;

    if (text->size > SP_TEXT_MAX ||
        pam_get_item(t->pamh, PAM_CONV, (const void **)&conv) != PAM_SUCCESS || conv == NULL || conv->conv == NULL)
        return PAM_CONV_ERR;
    memcpy(line, text->value, text->size);
    line[text->size] = '\0';
    rc = conv->conv(1, &messages, &response, conv->appdata_ptr);
    explicit_bzero(line, sizeof line); /* a set-up shows the secret */
    if (rc == PAM_SUCCESS && typed != NULL && response != NULL && response->resp != NULL) {
        *typed = response;
        return PAM_SUCCESS;
    }
    drop_response(response);
    return rc == PAM_SUCCESS && typed == NULL ? PAM_SUCCESS : PAM_CONV_ERR;
}

/* tell shows the messages of the reply. A host that cannot show one loses nobody the login. */
static void tell(const struct sp_talk *t) {
    struct sp_field f;
    size_t at = 0;

    if (t->silent)
        return;
    while (sp_packet_next(&t->reply, &at, &f)) {
        if (f.tag == SP_TAG_INFO)
            (void)converse(t, PAM_TEXT_INFO, &f, NULL);
        else if (f.tag == SP_TAG_ERROR)
            (void)converse(t, PAM_ERROR_MSG, &f, NULL);
    }
}

/* keep makes typed the answer. One that is too long is an empty one: cut off, it might be right. */
static void keep(struct sp_answer *a, const char *typed) {
    size_t size = strlen(typed);

    explicit_bzero(a->text, sizeof a->text);
    a->size = 0;
    if (size <= sizeof a->text) {
        memcpy(a->text, typed, size);
        a->size = size;
    }
}

/* password_known says whether an earlier module of the stack has asked for what this prompt is for already. */
static const char *password_known(const struct sp_talk *t) {
    const char *password = NULL;

    if (!t->options->split_password || t->first_asked || (t->begun_again > 0 && t->resume_size > 0) ||
        pam_get_item(t->pamh, PAM_AUTHTOK, (const void **)&password) != PAM_SUCCESS)
        return NULL;
    return password;
}

/* replayed says whether a program has given the password that an earlier module has asked for as the answer to this
 * prompt, too. It is no code, also where it has the shape of one, and nobody but that module needs to see it. */
static bool replayed(const struct sp_talk *t, const char *typed, bool echo) {
    const char *password = NULL;

    return !echo && !t->options->split_password &&
           pam_get_item(t->pamh, PAM_AUTHTOK, (const void **)&password) == PAM_SUCCESS && password != NULL &&
           strcmp(password, typed) == 0;
}

/* same_prompt says whether what was typed last was typed for this prompt, and is still without a reply. */
static bool same_prompt(const struct sp_answer *a, const struct sp_field *prompt, bool echo) {
    return a->unanswered && a->echo == echo && a->prompt_size == prompt->size &&
           memcmp(a->prompt, prompt->value, prompt->size) == 0;
}

/* ask shows what the reply, an ask, says, and makes t->answer what is typed. */
static int ask(struct sp_talk *t) {
    struct sp_answer *a = &t->answer;
    struct pam_response *typed = NULL;
    struct sp_field prompt;
    bool echo = sp_packet_find(&t->reply, SP_TAG_SHOWN, &prompt);
    const char *known;
    int rc;

    if (!echo && !sp_packet_find(&t->reply, SP_TAG_HIDDEN, &prompt))
        return PAM_AUTH_ERR;
    if (t->begun_again > 0 && same_prompt(a, &prompt, echo))
        return PAM_SUCCESS; /* what was typed for the verifier that went away; its messages were shown, too */
    tell(t);
    known = password_known(t);
    if (known != NULL) {
        keep(a, known);
    } else {
        rc = converse(t, echo ? PAM_PROMPT_ECHO_ON : PAM_PROMPT_ECHO_OFF, &prompt, &typed);
        if (rc != PAM_SUCCESS)
            return rc;
        keep(a, replayed(t, typed->resp, echo) ? "" : typed->resp);
        drop_response(typed);
    }
    memcpy(a->prompt, prompt.value, prompt.size);
    a->prompt_size = prompt.size;
    a->echo = echo;
    return PAM_SUCCESS;
}

/* remember_resume keeps what the reply wants to be told again. */
static void remember_resume(struct sp_talk *t) {
    struct sp_field f;

    if (!sp_packet_find(&t->reply, SP_TAG_RESUME, &f) || f.size > sizeof t->resume)
        return;
    memcpy(t->resume, f.value, f.size);
    t->resume_size = f.size;
}

/* answer asks as the reply says and exchanges what was typed for the next reply. */
static int answer(struct sp_talk *t, enum sp_result *result) {
    int rc;

    remember_resume(t);
    rc = ask(t);
    if (rc != PAM_SUCCESS)
        return rc;
    t->first_asked = true;
    sp_packet_start(&t->sent, SP_ANSWER);
    if (!sp_packet_put(&t->sent, SP_TAG_ANSWER, t->answer.text, t->answer.size))
        return PAM_AUTH_ERR;
    t->answer.unanswered = true;
    sp_link_allow(&t->link, SP_DEADLINE_MS); /* none ran while the person typed */
    *result = sp_link_next(&t->link, &t->sent, &t->reply);
    if (*result == SP_OK)
        t->answer.unanswered = false;
    return PAM_SUCCESS;
}

/* begin_again is for a verifier that went away in the middle: the dialogue goes on with the next one, within the same
 * deadline. */
static enum sp_result begin_again(struct sp_talk *t) {
    t->begun_again++;
    t->first_asked = false;
    sp_link_hang_up(&t->link);
    sp_packet_copy(&t->sent, &t->request);
    if (t->resume_size > 0 && !sp_packet_put(&t->sent, SP_TAG_RESUME, t->resume, t->resume_size))
        return SP_GONE;
    return sp_link_first(&t->link, &t->sent, &t->reply);
}

/* pass_on gives the modules that follow the password in front of the code. False: it could not. */
static bool pass_on(struct sp_talk *t, size_t size) {
    char password[SP_ANSWER_MAX + 1];
    int rc;

    memcpy(password, t->answer.text, size);
    password[size] = '\0';
    rc = pam_set_item(t->pamh, PAM_AUTHTOK, password);
    explicit_bzero(password, sizeof password);
    if (rc != PAM_SUCCESS)
        pam_syslog(t->pamh, LOG_ERR, "cannot pass the password on: %s", pam_strerror(t->pamh, rc));
    return rc == PAM_SUCCESS;
}

/* malformed ends a call in which the verifier said what it cannot mean. */
static int malformed(const struct sp_talk *t) {
    pam_syslog(t->pamh, LOG_ERR, "the verifier's reply is malformed; denied");
    return denied(t->kind);
}

/* pass_on_length passes on as much of the answer as the verdict says is a password. False: that is more than there is,
 * or it could not be passed on. */
static bool pass_on_length(struct sp_talk *t) {
    struct sp_field f;
    size_t length;

    if (!t->options->split_password || !sp_packet_find(&t->reply, SP_TAG_PASSWORD, &f))
        return true;
    length = (size_t)f.value[0] << 8 | f.value[1];
    return length <= t->answer.size && pass_on(t, length);
}

/* conclude takes the verdict. What does not fit the call is a denial, and nothing of it is shown. */
static int conclude(struct sp_talk *t) {
    struct sp_field verdict;
    int rc = UNFIT;

    if (sp_packet_find(&t->reply, SP_TAG_VERDICT, &verdict))
        rc = code_of(t->kind, (enum sp_verdict)verdict.value[0]);
    if (rc == UNFIT || !pass_on_length(t))
        return malformed(t);
    if (t->options->debug)
        pam_syslog(t->pamh, LOG_DEBUG, "verdict %d: %s", verdict.value[0], pam_strerror(t->pamh, rc));
    tell(t);
    return rc;
}

int sp_talk(struct sp_talk *t) {
    enum sp_result result;
    int rc;

    sp_link_allow(&t->link, t->kind == SP_CLOSE_SESSION ? SP_CLOSE_MS : SP_DEADLINE_MS);
    t->link.may_wake = t->kind != SP_CLOSE_SESSION; /* the end of a session waits for nothing */
    result = sp_link_first(&t->link, &t->request, &t->reply);
    for (;;) {
        if (result == SP_GONE && t->begun_again < SP_BEGIN_AGAIN_MAX) {
            result = begin_again(t);
            continue;
        }
        if (result == SP_MALFORMED)
            return malformed(t);
        if (result != SP_OK) {
            pam_syslog(t->pamh, t->kind == SP_CLOSE_SESSION ? LOG_INFO : LOG_ERR, "no verifier: %s",
                       result == SP_LATE ? "no answer in time" : "the daemon is away");
            return unavailable(t->kind);
        }
        if (sp_packet_kind(&t->reply) == SP_FINAL)
            return conclude(t);
        if (t->kind != SP_BEGIN)
            return malformed(t); /* nobody can be asked there */
        rc = answer(t, &result);
        if (rc != PAM_SUCCESS)
            return rc;
    }
}
