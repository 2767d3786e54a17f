/* other.c is the other modules of a test's stack: "set=TEXT" has asked for a password before, "show" uses it later, and
 * "end" is where a login comes that was ignored before: it returns PAM_CRED_EXPIRED, which nothing else does. */
#include <security/pam_ext.h>
#include <security/pam_modules.h>
#include <string.h>

static int act(pam_handle_t *pamh, int argc, const char **argv) {
    const char *token = NULL;

    if (argc != 1)
        return PAM_ABORT;
    if (strcmp(argv[0], "end") == 0)
        return PAM_CRED_EXPIRED;
    if (strncmp(argv[0], "set=", 4) == 0)
        return pam_set_item(pamh, PAM_AUTHTOK, argv[0] + 4) == PAM_SUCCESS ? PAM_IGNORE : PAM_ABORT;
    if (pam_get_item(pamh, PAM_AUTHTOK, (const void **)&token) != PAM_SUCCESS)
        return PAM_ABORT;
    pam_info(pamh, "token %s", token != NULL ? token : "(none)");
    return PAM_IGNORE;
}

#define ENTRY(name)                                                                    \
    int name(pam_handle_t *pamh, int flags, int argc, const char **argv) {             \
        (void)flags;                                                                   \
        return act(pamh, argc, argv);                                                  \
    }

ENTRY(pam_sm_authenticate)
ENTRY(pam_sm_setcred)
ENTRY(pam_sm_acct_mgmt)
ENTRY(pam_sm_open_session)
ENTRY(pam_sm_close_session)
ENTRY(pam_sm_chauthtok)
