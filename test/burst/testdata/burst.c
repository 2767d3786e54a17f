/*
 * burst: many PAM logins at one instant. Usage: burst forks|threads call|answer
 *
 * Standard input has a login a line, "SERVICE USER CODE", and then an empty line. Each login is a process or a thread of
 * its own. When it is about to call pam_authenticate(3), or about to answer its first prompt, it writes "N ready" (N counts
 * the lines from 0) and waits for the end of standard input, which comes to all of them at once. It answers every hidden
 * prompt with the code. In the end it writes "N STATUS MILLISECONDS TEXT": what pam_authenticate returned, how long it took
 * from the instant on, and what the person was told; of a process that died, "N killed SIGNAL". Everything ends after
 * a bounded time.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <pthread.h>
#include <security/pam_appl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum {
    LOGINS_MAX = 256,
    LOGIN_SECONDS = 40, /* three prompts, each with the module's deadline, and room */
    BURST_SECONDS = 50,
};

struct login {
    int number;
    char service[64], user[64], code[64];
    char told[1024];
    bool waits; /* for the instant, still */
    bool at_call;
    long began; /* milliseconds */
    pid_t pid;
    pthread_t thread;
};

/* say writes a line in one piece: lines of several writers do not mix (PIPE_BUF, pipe(7)). */
static void say(const char *line, int size) {
    if (size < 0 || write(STDOUT_FILENO, line, (size_t)size) != size)
        _exit(3);
}

/* note keeps a message, on one line. */
static void note(struct login *l, const char *text) {
    size_t used = strlen(l->told);
    snprintf(l->told + used, sizeof l->told - used, "%s%s", used > 0 ? " | " : "", text);
    for (char *p = l->told + used; *p != '\0'; p++) {
        if ((unsigned char)*p < ' ')
            *p = ' ';
    }
}

static long milliseconds(void) {
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static void wait_for_instant(struct login *l) {
    char line[64], byte;
    ssize_t got;

    say(line, snprintf(line, sizeof line, "%d ready\n", l->number));
    do {
        got = read(STDIN_FILENO, &byte, 1);
    } while (got > 0 || (got < 0 && errno == EINTR));
    l->began = milliseconds();
    l->waits = false;
}

static int converse(int count, const struct pam_message **messages, struct pam_response **responses, void *data) {
    struct login *l = data;
    struct pam_response *answers = calloc((size_t)count, sizeof *answers);

    if (answers == NULL)
        return PAM_BUF_ERR;
    for (int i = 0; i < count; i++) {
        switch (messages[i]->msg_style) {
        case PAM_PROMPT_ECHO_OFF:
            if (l->waits)
                wait_for_instant(l);
            answers[i].resp = strdup(l->code);
            if (answers[i].resp != NULL)
                break;
            goto fail;
        case PAM_TEXT_INFO:
        case PAM_ERROR_MSG:
            note(l, messages[i]->msg);
            break;
        default:
            note(l, "(a prompt that is not hidden)");
            goto fail;
        }
    }
    *responses = answers;
    return PAM_SUCCESS;
fail:
    for (int i = 0; i < count; i++)
        free(answers[i].resp);
    free(answers);
    return PAM_CONV_ERR;
}

/* no_delay stands in for libpam's pause after a failure. */
static void no_delay(int status, unsigned microseconds, void *data) {
    (void)status, (void)microseconds, (void)data;
}

static void *log_in(void *arg) {
    struct login *l = arg;
    struct pam_conv conversation = {converse, l};
    pam_handle_t *pamh = NULL;
    char line[sizeof l->told + 64];
    int status = pam_start(l->service, l->user, &conversation, &pamh);

    if (status == PAM_SUCCESS)
        status = pam_set_item(pamh, PAM_FAIL_DELAY, (const void *)no_delay);
    if (status != PAM_SUCCESS)
        note(l, "pam_start failed");
    l->began = milliseconds();
    if (l->at_call)
        wait_for_instant(l);
    if (status == PAM_SUCCESS)
        status = pam_authenticate(pamh, 0);
    say(line, snprintf(line, sizeof line, "%d %d %ld %s\n", l->number, status, milliseconds() - l->began, l->told));
    if (pamh != NULL)
        pam_end(pamh, status);
    return NULL;
}

static int read_logins(struct login *logins, bool at_call) {
    char line[256];
    int count = 0;

    while (fgets(line, sizeof line, stdin) != NULL && line[0] != '\n') {
        struct login *l = &logins[count];
        if (count == LOGINS_MAX || sscanf(line, "%63s %63s %63s", l->service, l->user, l->code) != 3)
            return -1;
        l->number = count++;
        l->at_call = at_call;
        l->waits = true;
    }
    return count;
}

static bool run_forks(struct login *logins, int count) {
    pid_t parent = getpid();

    for (int i = 0; i < count; i++) {
        logins[i].pid = fork();
        if (logins[i].pid < 0)
            return false;
        if (logins[i].pid > 0)
            continue;
        alarm(LOGIN_SECONDS);
        if (prctl(PR_SET_PDEATHSIG, SIGKILL) != 0 || getppid() != parent)
            _exit(3);
        log_in(&logins[i]);
        _exit(0);
    }
    for (int i = 0; i < count; i++) {
        char line[64];
        int status;
        if (waitpid(logins[i].pid, &status, 0) < 0)
            return false;
        if (WIFSIGNALED(status))
            say(line, snprintf(line, sizeof line, "%d killed %d\n", i, WTERMSIG(status)));
        else if (WEXITSTATUS(status) != 0)
            return false;
    }
    return true;
}

static bool run_threads(struct login *logins, int count) {
    for (int i = 0; i < count; i++) {
        if (pthread_create(&logins[i].thread, NULL, log_in, &logins[i]) != 0)
            return false;
    }
    for (int i = 0; i < count; i++) {
        if (pthread_join(logins[i].thread, NULL) != 0)
            return false;
    }
    return true;
}

int main(int argc, char **argv) {
    static struct login logins[LOGINS_MAX];
    int count;

    alarm(BURST_SECONDS);
    if (argc != 3)
        return 2;
    count = read_logins(logins, strcmp(argv[2], "call") == 0);
    if (count < 0)
        return 2;
    return (strcmp(argv[1], "forks") == 0 ? run_forks : run_threads)(logins, count) ? 0 : 1;
}
