/*
 * nss_hang: a source of users (nss(5)) that knows none, and takes for ever to say so while the file NSS_HANG is there. Then
 * there is a file NSS_HANG.NAME, too, for each name that was asked for.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <nss.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

static void note(const char *path, const char *name) {
    char noted[PATH_MAX];
    int fd, n = snprintf(noted, sizeof noted, "%s.%s", path, name);

    if (n < 0 || (size_t)n >= sizeof noted)
        return;
    fd = open(noted, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
    if (fd >= 0)
        (void)close(fd);
}

static enum nss_status nobody(const char *name, int *error) {
    const char *path = getenv("NSS_HANG");
    const struct timespec pause = {.tv_nsec = 10 * 1000 * 1000};

    if (path != NULL && access(path, F_OK) == 0)
        note(path, name);
    while (path != NULL && access(path, F_OK) == 0)
        (void)nanosleep(&pause, NULL);
    *error = ENOENT;
    return NSS_STATUS_NOTFOUND;
}

enum nss_status _nss_hang_getpwnam_r(const char *name, struct passwd *result, char *buffer, size_t size, int *error) {
    (void)result, (void)buffer, (void)size;
    return nobody(name, error);
}

enum nss_status _nss_hang_getpwuid_r(uid_t uid, struct passwd *result, char *buffer, size_t size, int *error) {
    (void)uid, (void)result, (void)buffer, (void)size;
    return nobody("", error);
}
