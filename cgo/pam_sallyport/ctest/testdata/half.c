/* half.c stands in for the Go half where the C half is tested alone, under the sanitizers and valgrind, which know
 * nothing of Go. It says on ROOT/run/sallyport/half how it found its process, then carries packets between there and the
 * module: the test is the Go half. Where nobody listens there it crashes, and where there is a file ROOT/stuck it hangs. */
#include <dirent.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

void sallyport_serve(int fd, char *root);

static struct {
    int argc, envs;
    const char *name;
    unsigned long pagesize, random;
} started;

static void start(int argc, char **argv, char **envp) {
    unsigned long *aux;

    started.argc = argc;
    started.name = argv[0];
    while (envp[started.envs] != NULL)
        started.envs++;
    for (aux = (unsigned long *)(envp + started.envs + 1); aux[0] != AT_NULL; aux += 2) {
        if (aux[0] == AT_PAGESZ)
            started.pagesize = aux[1];
        if (aux[0] == AT_RANDOM)
            started.random = aux[1];
    }
}

typedef void (*init_function)(int argc, char **argv, char **envp);
__attribute__((section("go_runtime_init"), used)) static init_function entry = start;

/* status_line copies a line of /proc/self/status, such as "SigBlk:", without its name. */
static void status_line(const char *name, char *out, size_t size) {
    char line[256];
    FILE *f = fopen("/proc/self/status", "r");

    out[0] = '\0';
    while (f != NULL && fgets(line, sizeof line, f) != NULL) {
        if (strncmp(line, name, strlen(name)) == 0)
            snprintf(out, size, "%.*s", (int)strcspn(line + strlen(name) + 1, "\n"), line + strlen(name) + 1);
    }
    if (f != NULL)
        fclose(f);
}

static int descriptors(void) {
    DIR *d = opendir("/proc/self/fd");
    int n = 0;

    while (d != NULL && readdir(d) != NULL)
        n++;
    if (d != NULL)
        closedir(d);
    return n - 3;
}

static void report(int to) {
    char text[1024], blocked[64], ignored[64], uids[64], gids[64], cwd[64];
    int death = 0;
    mode_t mask = umask(0);

    (void)umask(mask);
    status_line("SigBlk:", blocked, sizeof blocked);
    status_line("SigIgn:", ignored, sizeof ignored);
    status_line("Uid:", uids, sizeof uids);
    status_line("Gid:", gids, sizeof gids);
    (void)prctl(PR_GET_PDEATHSIG, &death, 0, 0, 0);
    int n = snprintf(text, sizeof text,
                     "argc=%d name=%s envs=%d environ=%d pages=%lu random=%d fds=%d dumpable=%d death=%d umask=%o "
                     "cwd=%s blocked=%s ignored=%s uids=%s gids=%s",
                     started.argc, started.name, started.envs, environ == NULL ? 0 : 1, started.pagesize,
                     started.random != 0, descriptors(), prctl(PR_GET_DUMPABLE, 0, 0, 0, 0), death, (unsigned)mask,
                     getcwd(cwd, sizeof cwd) != NULL ? cwd : "?", blocked, ignored, uids, gids);
    if (send(to, text, (size_t)n, MSG_NOSIGNAL) != n)
        abort();
}

/* carry moves one packet. 0: the sender hung up. */
static int carry(int from, int to) {
    static char packet[1 << 18];
    ssize_t n = recv(from, packet, sizeof packet, 0);

    return n > 0 && send(to, packet, (size_t)n, MSG_NOSIGNAL) == n;
}

void sallyport_serve(int fd, char *root) {
    struct sockaddr_un a = {.sun_family = AF_UNIX};
    int other = socket(AF_UNIX, SOCK_SEQPACKET, 0), more = 1;
    char stuck[128];

    snprintf(stuck, sizeof stuck, "%.100s/stuck", root);
    while (access(stuck, F_OK) == 0)
        (void)poll(NULL, 0, 1000);
    snprintf(a.sun_path, sizeof a.sun_path, "%.80s/run/sallyport/half", root);
    if (other < 0 || connect(other, (struct sockaddr *)&a, sizeof a) != 0)
        abort();
    report(other);
    while (more) {
        struct pollfd ends[2] = {{.fd = fd, .events = POLLIN}, {.fd = other, .events = POLLIN}};
        if (poll(ends, 2, -1) < 0)
            abort();
        if (ends[0].revents != 0)
            more = carry(fd, other);
        else if (ends[1].revents != 0)
            more = carry(other, fd);
    }
}
