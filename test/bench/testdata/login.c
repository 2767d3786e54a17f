/*
 * login: PAM logins, timed. Usage: login CONFDIR forks|process SIMULTANEOUS
 *
 * Standard input has a login a line, "SERVICE USER CODE". They are made in that order, SIMULTANEOUS at a time, each by a
 * process forked for it, as sshd does it, or all by threads of this process. The stacks are those of CONFDIR
 * (pam_start_confdir(3)). A hidden prompt is answered with the code. For each login a line is written, "N STATUS
 * NANOSECONDS": its number, what pam_authenticate(3) returned, and the time from before pam_start(3), which loads the
 * modules, to after pam_end(3). Then come "total NANOSECONDS", for all of them, and for each module that this process
 * has mapped "module FILE MAPPED OWN", in kB (smaps, proc(5)).
 */
#define _GNU_SOURCE
#include <pthread.h>
#include <security/pam_appl.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { LOGINS_MAX = 1 << 16, SIMULTANEOUS_MAX = 64 };

struct login {
    char service[32], user[32], code[16];
};

struct run {
    const char *confdir;
    struct login *logins;
    int count;
    atomic_int next;
};

static long long nanoseconds(void) {
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * 1000000000LL + now.tv_nsec;
}

static int converse(int count, const struct pam_message **messages, struct pam_response **responses, void *data) {
    struct pam_response *answers = calloc((size_t)count, sizeof *answers);

    if (answers == NULL)
        return PAM_BUF_ERR;
    for (int i = 0; i < count; i++) {
        if (messages[i]->msg_style != PAM_PROMPT_ECHO_OFF)
            continue;
        answers[i].resp = strdup(data);
        if (answers[i].resp == NULL) {
            for (int j = 0; j < i; j++)
                free(answers[j].resp);
            free(answers);
            return PAM_BUF_ERR;
        }
    }
    *responses = answers;
    return PAM_SUCCESS;
}

/* no_delay stands in for libpam's pause after a failure. */
static void no_delay(int status, unsigned microseconds, void *data) {
    (void)status, (void)microseconds, (void)data;
}

/* log_in makes login n and writes its line in one piece (PIPE_BUF, pipe(7)). */
static bool log_in(const struct run *r, int n) {
    struct login *l = &r->logins[n];
    struct pam_conv conversation = {converse, l->code};
    pam_handle_t *pamh = NULL;
    long long began = nanoseconds();
    char line[64];
    int size, status = pam_start_confdir(l->service, l->user, &conversation, r->confdir, &pamh);

    if (status == PAM_SUCCESS)
        status = pam_set_item(pamh, PAM_FAIL_DELAY, (const void *)no_delay);
    if (status == PAM_SUCCESS)
        status = pam_authenticate(pamh, 0);
    if (pamh != NULL)
        pam_end(pamh, status);
    size = snprintf(line, sizeof line, "%d %d %lld\n", n, status, nanoseconds() - began);
    return write(STDOUT_FILENO, line, (size_t)size) == size;
}

static bool reap(void) {
    int status;

    return wait(&status) > 0 && WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

static bool in_forks(struct run *r, int simultaneous) {
    for (int n = 0; n < r->count; n++) {
        pid_t pid;
        if (n >= simultaneous && !reap())
            return false;
        pid = fork();
        if (pid < 0)
            return false;
        if (pid == 0)
            _exit(log_in(r, n) ? 0 : 1);
    }
    for (int n = 0; n < r->count && n < simultaneous; n++) {
        if (!reap())
            return false;
    }
    return true;
}

static void *log_in_some(void *run) {
    struct run *r = run;
    int n;

    while ((n = atomic_fetch_add(&r->next, 1)) < r->count) {
        if (!log_in(r, n))
            exit(1);
    }
    return NULL;
}

static bool in_process(struct run *r, int simultaneous) {
    pthread_t threads[SIMULTANEOUS_MAX];

    if (simultaneous == 1) { /* as a host without threads */
        log_in_some(r);
        return true;
    }
    for (int i = 0; i < simultaneous; i++) {
        if (pthread_create(&threads[i], NULL, log_in_some, r) != 0)
            return false;
    }
    for (int i = 0; i < simultaneous; i++) {
        if (pthread_join(threads[i], NULL) != 0)
            return false;
    }
    return true;
}

static bool read_logins(struct run *r) {
    char line[128];

    r->logins = calloc(LOGINS_MAX, sizeof *r->logins);
    if (r->logins == NULL)
        return false;
    while (fgets(line, sizeof line, stdin) != NULL) {
        struct login *l = &r->logins[r->count];
        if (r->count == LOGINS_MAX || sscanf(line, "%31s %31s %15s", l->service, l->user, l->code) != 3)
            return false;
        r->count++;
    }
    return true;
}

/* tell_module sums up the mappings of one module's file, whose path has that name. Pages of it that this process has
 * for itself are anonymous: those of a file in memory (tmpfs) count as dirty when they have only been read. */
static void tell_module(const char *name) {
    FILE *smaps = fopen("/proc/self/smaps", "r");
    char line[512], path[256];
    bool inside = false;
    unsigned long start, end;
    long mapped = 0, own = 0, size;

    if (smaps == NULL)
        exit(1);
    while (fgets(line, sizeof line, smaps) != NULL) {
        path[0] = '\0';
        if (sscanf(line, "%lx-%lx %*s %*s %*s %*s %255s", &start, &end, path) >= 2) {
            inside = strstr(path, name) != NULL;
        } else if (inside && sscanf(line, "Size: %ld", &size) == 1) {
            mapped += size;
        } else if (inside && sscanf(line, "Anonymous: %ld", &size) == 1) {
            own += size;
        }
    }
    fclose(smaps);
    if (mapped > 0)
        printf("module %s %ld %ld\n", name, mapped, own);
}

int main(int argc, char **argv) {
    struct run r = {0};
    long long began;
    int simultaneous;

    if (argc != 4)
        return 2;
    r.confdir = argv[1];
    simultaneous = atoi(argv[3]);
    if (simultaneous < 1 || simultaneous > SIMULTANEOUS_MAX || !read_logins(&r))
        return 2;
    began = nanoseconds();
    if (!(strcmp(argv[2], "forks") == 0 ? in_forks : in_process)(&r, simultaneous))
        return 1;
    printf("total %lld\n", nanoseconds() - began);
    tell_module("pam_sallyport.so");
    tell_module("pam_google_authenticator.so");
    tell_module("pam_oath.so");
    tell_module("pam_permit.so");
    return fflush(stdout) == 0 ? 0 : 1;
}
