/*
 * sessions: many PAM sessions at one instant. Standard input has one a line, "SERVICE USER RHOST", and then an empty
 * line. Each is a process of its own, which writes "N ready", waits for the end of standard input, calls
 * pam_open_session(3), writes "N STATUS PID", and stays until it gets a signal. All of them end with this one.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <security/pam_appl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

enum { SESSIONS_MAX = 1024, SECONDS = 120 };

struct session {
    char service[64], user[64], rhost[64];
};

/* say writes a line in one piece: lines of several writers do not mix (PIPE_BUF, pipe(7)). */
static void say(const char *line, int size) {
    if (size < 0 || write(STDOUT_FILENO, line, (size_t)size) != size)
        _exit(3);
}

static int converse(int count, const struct pam_message **messages, struct pam_response **responses, void *data) {
    (void)messages, (void)data;
    *responses = calloc((size_t)count, sizeof **responses);
    return *responses == NULL ? PAM_BUF_ERR : PAM_SUCCESS;
}

static _Noreturn void lead(const struct session *s, int number) {
    struct pam_conv conversation = {converse, NULL};
    pam_handle_t *pamh = NULL;
    char line[64], byte;
    ssize_t got;
    int status = pam_start(s->service, s->user, &conversation, &pamh);

    if (status == PAM_SUCCESS)
        status = pam_set_item(pamh, PAM_RHOST, s->rhost);
    say(line, snprintf(line, sizeof line, "%d ready\n", number));
    do {
        got = read(STDIN_FILENO, &byte, 1);
    } while (got > 0 || (got < 0 && errno == EINTR));
    if (status == PAM_SUCCESS)
        status = pam_open_session(pamh, 0);
    say(line, snprintf(line, sizeof line, "%d %d %d\n", number, status, (int)getpid()));
    for (;;)
        (void)pause();
}

int main(void) {
    static struct session sessions[SESSIONS_MAX];
    char line[256];
    int count = 0;
    pid_t parent = getpid();

    while (fgets(line, sizeof line, stdin) != NULL && line[0] != '\n') {
        struct session *s = &sessions[count];
        if (count == SESSIONS_MAX || sscanf(line, "%63s %63s %63s", s->service, s->user, s->rhost) != 3)
            return 2;
        count++;
    }
    for (int i = 0; i < count; i++) {
        pid_t pid = fork();
        if (pid < 0)
            return 1;
        if (pid > 0)
            continue;
        (void)alarm(SECONDS);
        if (prctl(PR_SET_PDEATHSIG, SIGKILL) != 0 || getppid() != parent)
            _exit(3);
        lead(&sessions[i], i);
    }
    for (;;)
        if (wait(NULL) < 0 && errno == ECHILD)
            return 0;
}
