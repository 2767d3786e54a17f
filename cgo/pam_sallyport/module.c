/* module.c: what libpam calls. Each entry point says who wants in and leaves the rest to the dialogue. */
#include <security/pam_modules.h>

#include <limits.h>
#include <security/pam_ext.h>
#include <stdlib.h>
#include <string.h>
#include <syslog.h>
#include <unistd.h>

#include "dialogue.h"

#define EXPORTED __attribute__((visibility("default")))

/* The name, in the PAM handle, of the user who has been granted a login by it. */
#define GIVEN "sallyport_given"

/* clean_path says whether an option's value can be put before a path. */
static bool clean_path(const char *path) {
    size_t size = strlen(path);

    if (path[0] != '/' || size > PATH_MAX / 2)
        return false;
    for (size_t i = 0; i < size; i++) {
        if ((unsigned char)path[i] < 0x20 || path[i] == 0x7f)
            return false;
    }
    return true;
}

/* parse_options refuses what it does not know: an option that does nothing is a mistake that nobody sees. */
static bool parse_options(pam_handle_t *pamh, int argc, const char **argv, struct sp_options *options) {
    *options = (struct sp_options){.root = ""};
    for (int i = 0; i < argc; i++) {
        if (strcmp(argv[i], "split_password") == 0) {
            options->split_password = true;
        } else if (strcmp(argv[i], "debug") == 0) {
            options->debug = true;
        } else if (strncmp(argv[i], "root=", 5) == 0 && clean_path(argv[i] + 5)) {
            options->root = argv[i] + 5;
        } else {
            pam_syslog(pamh, LOG_ERR, "unknown option \"%s\": only root=DIR, split_password and debug are known", argv[i]);
            return false;
        }
    }
    return true;
}

/* put_item puts an item of the handle into the request. False: the packet may not hold it, or it is needed and not
 * there. It is never cut short: who logs in from "evil.example" must not count as another. */
static bool put_item(pam_handle_t *pamh, struct sp_packet *request, enum sp_tag tag, int item, const char *name) {
    const char *value = NULL;

    if (pam_get_item(pamh, item, (const void **)&value) != PAM_SUCCESS)
        value = NULL;
    if (value == NULL || value[0] == '\0') {
        if (tag != SP_TAG_USER && tag != SP_TAG_SERVICE)
            return true;
        pam_syslog(pamh, LOG_ERR, "the %s is not known; denied", name);
        return false;
    }
    if (!sp_packet_put(request, tag, value, strlen(value))) {
        pam_syslog(pamh, LOG_NOTICE, "the %s is too long or holds what it may not; denied", name);
        return false;
    }
    return true;
}

/* put_methods puts in what sshd has accepted already. Each line of SSH_AUTH_INFO_0 is a method's name, then, behind "/",
 * its variety ("keyboard-interactive/pam") and, for a key, the key, which may be long; nobody here needs either. */
static bool put_methods(pam_handle_t *pamh, struct sp_packet *request) {
    const char *line = pam_getenv(pamh, "SSH_AUTH_INFO_0");

    while (line != NULL && line[0] != '\0') {
        size_t size = strcspn(line, "/ \n");
        if (size > 0 && !sp_packet_put(request, SP_TAG_METHOD, line, size)) {
            pam_syslog(pamh, LOG_NOTICE, "SSH_AUTH_INFO_0 is not as sshd writes it; denied");
            return false;
        }
        line = strchr(line, '\n');
        if (line != NULL)
            line++;
    }
    return true;
}

/* put_skipped tells the account phase that the auth phase never came here: something other than PAM has accepted this
 * login, and what it was sshd does not say before that phase is over. */
static bool put_skipped(pam_handle_t *pamh, struct sp_packet *request) {
    static const char skipped[] = "auth-skipped";
    const void *given = NULL;

    return pam_get_data(pamh, GIVEN, &given) == PAM_SUCCESS ||
           sp_packet_put(request, SP_TAG_METHOD, skipped, sizeof skipped - 1);
}

static bool put_pid(struct sp_packet *request) {
    pid_t pid = getpid();
    const uint8_t value[4] = {(uint8_t)(pid >> 24), (uint8_t)(pid >> 16), (uint8_t)(pid >> 8), (uint8_t)pid};

    return sp_packet_put(request, SP_TAG_PID, value, sizeof value);
}

static void free_given(pam_handle_t *pamh, void *data, int status) {
    (void)pamh;
    (void)status;
    free(data);
}

/* set_given remembers in the handle that the user of this request has been granted a login; without a request, that
 * nobody has. */
static int set_given(pam_handle_t *pamh, const struct sp_packet *request) {
    struct sp_field user;
    char *name = NULL;
    int rc;

    if (request != NULL) {
        if (!sp_packet_find(request, SP_TAG_USER, &user))
            return PAM_SYSTEM_ERR;
        name = strndup((const char *)user.value, user.size);
        if (name == NULL)
            return PAM_BUF_ERR;
    }
    rc = pam_set_data(pamh, GIVEN, name, free_given);
    if (rc != PAM_SUCCESS)
        free(name);
    return rc;
}

/* is_given says whether the user whom the handle is about now is the one who has been granted a login by it. */
static bool is_given(pam_handle_t *pamh) {
    const char *given = NULL, *user = NULL;

    return pam_get_data(pamh, GIVEN, (const void **)&given) == PAM_SUCCESS && given != NULL &&
           pam_get_item(pamh, PAM_USER, (const void **)&user) == PAM_SUCCESS && user != NULL &&
           strcmp(given, user) == 0;
}

/* fill makes the request of what the handle says. */
static bool fill(pam_handle_t *pamh, struct sp_talk *t) {
    struct sp_packet *request = &t->request;

    if (!put_item(pamh, request, SP_TAG_USER, PAM_USER, "user's name") ||
        !put_item(pamh, request, SP_TAG_SERVICE, PAM_SERVICE, "service's name") ||
        !put_item(pamh, request, SP_TAG_RHOST, PAM_RHOST, "remote host's name") ||
        !put_item(pamh, request, SP_TAG_TTY, PAM_TTY, "terminal's name") || !put_methods(pamh, request))
        return false;
    if (!put_pid(request) || (t->silent && !sp_packet_put(request, SP_TAG_SILENT, NULL, 0)))
        return false;
    if (t->kind == SP_ACCOUNT)
        return put_skipped(pamh, request);
    if (t->kind == SP_BEGIN)
        return !t->options->split_password || sp_packet_put(request, SP_TAG_SPLIT, NULL, 0);
    if (is_given(pamh))
        return sp_packet_put(request, SP_TAG_GIVEN, NULL, 0);
    return true;
}

/* call makes one call of that kind; denied is its code for a request that cannot be made. */
static int call(pam_handle_t *pamh, const struct sp_options *options, enum sp_kind kind, int flags, int denied) {
    struct sp_talk *t = sp_talk_new(pamh, options, kind, ((unsigned)flags & PAM_SILENT) != 0);
    int rc = denied;

    if (t == NULL)
        return PAM_BUF_ERR;
    if (fill(pamh, t))
        rc = sp_talk(t);
    if (kind == SP_BEGIN && rc == PAM_SUCCESS)
        rc = set_given(pamh, &t->request);
    sp_talk_end(t);
    return rc;
}

EXPORTED int pam_sm_authenticate(pam_handle_t *pamh, int flags, int argc, const char **argv) {
    struct sp_options options;
    const char *user = NULL;
    int rc;

    /* A handle may be used again: what it was granted once says nothing about this login. */
    rc = set_given(pamh, NULL);
    if (rc != PAM_SUCCESS)
        return rc;
    if (!parse_options(pamh, argc, argv, &options))
        return PAM_SERVICE_ERR;
    rc = pam_get_user(pamh, &user, NULL); /* asks for it where nobody has */
    if (rc != PAM_SUCCESS)
        return rc == PAM_CONV_AGAIN ? PAM_INCOMPLETE : rc;
    return call(pamh, &options, SP_BEGIN, flags, PAM_AUTH_ERR);
}

/* sshd calls this in forked children and dies when it fails; there is nothing to set. */
EXPORTED int pam_sm_setcred(pam_handle_t *pamh, int flags, int argc, const char **argv) {
    (void)pamh;
    (void)flags;
    (void)argc;
    (void)argv;
    return PAM_SUCCESS;
}

EXPORTED int pam_sm_acct_mgmt(pam_handle_t *pamh, int flags, int argc, const char **argv) {
    struct sp_options options;

    if (!parse_options(pamh, argc, argv, &options))
        return PAM_SERVICE_ERR;
    if (is_given(pamh))
        return PAM_SUCCESS;
    return call(pamh, &options, SP_ACCOUNT, flags, PAM_PERM_DENIED);
}

EXPORTED int pam_sm_open_session(pam_handle_t *pamh, int flags, int argc, const char **argv) {
    struct sp_options options;

    if (!parse_options(pamh, argc, argv, &options))
        return PAM_SERVICE_ERR;
    return call(pamh, &options, SP_OPEN_SESSION, flags, PAM_SESSION_ERR);
}

/* A logout never fails: the verifier is told if it is there. */
EXPORTED int pam_sm_close_session(pam_handle_t *pamh, int flags, int argc, const char **argv) {
    struct sp_options options;

    if (parse_options(pamh, argc, argv, &options))
        (void)call(pamh, &options, SP_CLOSE_SESSION, flags, PAM_SESSION_ERR);
    return PAM_SUCCESS;
}

/* Changing a password needs no code of ours. */
EXPORTED int pam_sm_chauthtok(pam_handle_t *pamh, int flags, int argc, const char **argv) {
    (void)pamh;
    (void)flags;
    (void)argc;
    (void)argv;
    return PAM_IGNORE;
}
