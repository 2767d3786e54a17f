/* nss_hang: a source of users (nss(5)) that knows none, and takes for ever to say so while the file NSS_HANG is there. */
#define _GNU_SOURCE
#include <errno.h>
#include <nss.h>
#include <pwd.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

static enum nss_status nobody(int *error) {
    const char *path = getenv("NSS_HANG");
    const struct timespec pause = {.tv_nsec = 10 * 1000 * 1000};

    while (path != NULL && access(path, F_OK) == 0)
        (void)nanosleep(&pause, NULL);
    *error = ENOENT;
    return NSS_STATUS_NOTFOUND;
}

enum nss_status _nss_hang_getpwnam_r(const char *name, struct passwd *result, char *buffer, size_t size, int *error) {
    (void)name, (void)result, (void)buffer, (void)size;
    return nobody(error);
}

enum nss_status _nss_hang_getpwuid_r(uid_t uid, struct passwd *result, char *buffer, size_t size, int *error) {
    (void)uid, (void)result, (void)buffer, (void)size;
    return nobody(error);
}
