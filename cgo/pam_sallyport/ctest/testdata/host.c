/* host.c is a PAM application for tests. It holds the conversation from a list, prints all that happens, and can be any
 * kind of process that a module may find itself in.
 *
 *   host [OPTION...] -- CALL...
 *
 * Options: confdir=DIR service=NAME user=NAME rhost=NAME tty=NAME env=NAME=VALUE, answer=TEXT (in order), silent,
 *   conv=fail|null|empty|pause (what a prompt gets; pause: the answer, when a line comes on standard input), times=N (handles in turn), fork=N (children of one handle, as sshd's),
 *   parallel=N (of those at once), threads=N, sigchld=handle|ignore|nocldwait|block, as=BYTES, nproc=N, uid=N,
 *   ruid=N (as a setuid program has it), fds=N, noclone, old (no close_range), secret=TEXT (prints how often the
 *   heap holds it in the end)
 * Calls: auth acct open close setcred chauthtok user=NAME pause (waits for a line on standard input)
 */
#include <dirent.h>
#include <errno.h>
#include <grp.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <pthread.h>
#include <security/pam_appl.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <syslog.h>
#include <time.h>
#include <unistd.h>

enum { LIST_MAX = 64, STATE_BAD = 100, HUNG_S = 60 };

static struct {
    const char *confdir, *service, *user, *rhost, *tty, *conv;
    const char *env[LIST_MAX], *answer[LIST_MAX], *secret[LIST_MAX];
    int envs, answers, secrets, next, silent, times, fork, parallel, threads, fds, noclone, old, quiet;
    const char *sigchld;
    long as, nproc, uid, ruid;
} o = {.service = "test", .user = "ann", .times = 1, .parallel = 1, .as = -1, .nproc = -1, .uid = -1, .ruid = -1};

static volatile sig_atomic_t children_seen;
static struct sigaction before[NSIG];
static sigset_t mask_before;

static void die(const char *what) {
    printf("die %s: %s\n", what, strerror(errno));
    exit(99);
}

static void say(const char *format, ...) {
    va_list args;

    if (o.quiet)
        return;
    va_start(args, format);
    vprintf(format, args);
    va_end(args);
    putchar('\n');
    fflush(stdout);
}

/* What libpam would send to syslog is printed: its calls find these two first. */
static void print_log(int priority, const char *format, va_list args) {
    char line[2048];

    vsnprintf(line, sizeof line, format, args);
    say("log %d %s", priority & 7, line);
}

void syslog(int priority, const char *format, ...) {
    va_list args;

    va_start(args, format);
    print_log(priority, format, args);
    va_end(args);
}

void __syslog_chk(int priority, int flag, const char *format, ...);
void __syslog_chk(int priority, int flag, const char *format, ...) {
    va_list args;

    (void)flag;
    va_start(args, format);
    print_log(priority, format, args);
    va_end(args);
}

static int converse(int n, const struct pam_message **messages, struct pam_response **out, void *data) {
    static const char *const names[] = {"?", "hidden", "shown", "error", "info"};
    struct pam_response *r = calloc((size_t)n, sizeof *r);
    int style = messages[0]->msg_style;

    (void)data;
    if (r == NULL || n != 1)
        die("conversation");
    say("%s %s", names[style > 0 && style < 5 ? style : 0], messages[0]->msg);
    *out = NULL;
    if (style != PAM_PROMPT_ECHO_OFF && style != PAM_PROMPT_ECHO_ON) {
        free(r);
        return o.conv != NULL && strcmp(o.conv, "fail") == 0 ? PAM_CONV_ERR : PAM_SUCCESS;
    }
    if (o.conv != NULL && strcmp(o.conv, "pause") == 0) {
        if (getchar() == EOF)
            die("pause");
    } else if (o.conv != NULL) {
        if (strcmp(o.conv, "empty") == 0)
            *out = r; /* a response without an answer */
        else
            free(r);
        return strcmp(o.conv, "fail") == 0 ? PAM_CONV_ERR : PAM_SUCCESS;
    }
    r->resp = strdup(o.next < o.answers ? o.answer[o.next++] : "");
    if (r->resp == NULL)
        die("strdup");
    *out = r;
    return PAM_SUCCESS;
}

static int entries(const char *dir) {
    DIR *d = opendir(dir);
    int n = 0;

    if (d == NULL)
        return -1;
    while (readdir(d) != NULL)
        n++;
    closedir(d);
    return n - 3; /* "." and "..", and what opendir opened or, of threads, this one counted from 0 */
}

static long rss_kb(void) {
    FILE *f = fopen("/proc/self/statm", "r");
    long size = -1, resident = -1;

    if (f == NULL || fscanf(f, "%ld %ld", &size, &resident) != 2)
        resident = -1;
    if (f != NULL)
        fclose(f);
    return resident * (sysconf(_SC_PAGESIZE) / 1024);
}

/* times is how often the heap holds a text. */
static int times(const char *text) {
    FILE *maps = fopen("/proc/self/maps", "r");
    char line[512];
    void *at = NULL, *end = NULL;
    int n = 0;

    if (maps == NULL)
        die("maps");
    while (fgets(line, sizeof line, maps) != NULL) {
        if (strstr(line, "[heap]") != NULL && sscanf(line, "%p-%p", &at, &end) != 2)
            die("heap");
    }
    fclose(maps);
    while (at != NULL && (at = memmem(at, (size_t)((char *)end - (char *)at), text, strlen(text))) != NULL) {
        at = (char *)at + 1;
        n++;
    }
    return n;
}

/* look_for_secrets prints how often the heap holds each secret. The one more that is put there shows that it would be found. */
static void look_for_secrets(void) {
    for (int i = 0; i < o.secrets; i++) {
        char *known = strdup(o.secret[i]);
        if (known == NULL || times(known) == 0)
            die("the heap is not searched");
        say("secret %d times", times(known) - 1);
        free(known);
    }
}

static void remember_signals(void) {
    for (int s = 1; s < NSIG; s++)
        sigaction(s, NULL, &before[s]);
    sigprocmask(SIG_SETMASK, NULL, &mask_before);
}

static int same_set(const sigset_t *a, const sigset_t *b) {
    int same = 1;

    for (int s = 1; s < NSIG; s++) /* what lies behind NSIG is never written */
        same &= sigismember(a, s) == sigismember(b, s);
    return same;
}

static int same_signals(void) {
    struct sigaction now;
    sigset_t mask;
    int same = 1;

    for (int s = 1; s < NSIG; s++) {
        if (sigaction(s, NULL, &now) == 0)
            same &= now.sa_handler == before[s].sa_handler && now.sa_flags == before[s].sa_flags &&
                    same_set(&now.sa_mask, &before[s].sa_mask);
    }
    return sigprocmask(SIG_SETMASK, NULL, &mask) == 0 && same && same_set(&mask, &mask_before);
}

static int no_children(void) {
    siginfo_t info;

    return waitid(P_ALL, 0, &info, WEXITED | WNOHANG | WNOWAIT | __WALL) != 0 && errno == ECHILD;
}

/* state prints what a module must leave as it was. */
static int state(int threads, int fds) {
    int t = entries("/proc/self/task") + 1, f = entries("/proc/self/fd"), c = no_children(), s = same_signals();

    say("state threads=%d fds=%+d children=%s signals=%s rss=%ld", t - threads, f - fds, c ? "none" : "some",
        s ? "same" : "changed", rss_kb());
    return t == threads && f == fds && c && s;
}

static int call(pam_handle_t *h, const char *name) {
    int flags = o.silent ? PAM_SILENT : 0, rc;
    struct timespec begun, ended;

    clock_gettime(CLOCK_MONOTONIC, &begun);
    if (strcmp(name, "auth") == 0)
        rc = pam_authenticate(h, flags);
    else if (strcmp(name, "acct") == 0)
        rc = pam_acct_mgmt(h, flags);
    else if (strcmp(name, "open") == 0)
        rc = pam_open_session(h, flags);
    else if (strcmp(name, "close") == 0)
        rc = pam_close_session(h, flags);
    else if (strcmp(name, "setcred") == 0)
        rc = pam_setcred(h, flags | PAM_ESTABLISH_CRED);
    else if (strcmp(name, "chauthtok") == 0)
        rc = pam_chauthtok(h, flags);
    else if (strncmp(name, "user=", 5) == 0)
        rc = pam_set_item(h, PAM_USER, name + 5);
    else if (strcmp(name, "pause") == 0)
        rc = getchar() == EOF ? PAM_ABORT : PAM_SUCCESS;
    else
        die(name);
    clock_gettime(CLOCK_MONOTONIC, &ended);
    say("%s %d", name, rc);
    say("took %ld", (ended.tv_sec - begun.tv_sec) * 1000 + (ended.tv_nsec - begun.tv_nsec) / 1000000);
    return rc;
}

static pam_handle_t *start(void) {
    static const struct pam_conv conv = {converse, NULL};
    pam_handle_t *h = NULL;

    if (pam_start_confdir(o.service, o.user, &conv, o.confdir, &h) != PAM_SUCCESS)
        die("pam_start");
    if ((o.rhost != NULL && pam_set_item(h, PAM_RHOST, o.rhost) != PAM_SUCCESS) ||
        (o.tty != NULL && pam_set_item(h, PAM_TTY, o.tty) != PAM_SUCCESS))
        die("pam_set_item");
    for (int i = 0; i < o.envs; i++) {
        if (pam_putenv(h, o.env[i]) != PAM_SUCCESS)
            die("pam_putenv");
    }
    return h;
}

static int run(pam_handle_t *h, char **calls) {
    int rc = PAM_SUCCESS;

    o.next = 0;
    for (; *calls != NULL; calls++)
        rc = call(h, *calls);
    return rc;
}

/* forked runs the calls in a child, as sshd does with the handle of its parent. Its status is the last call's code. */
static pid_t forked(pam_handle_t *h, char **calls) {
    pid_t pid = fork();

    if (pid != 0)
        return pid;
    alarm(HUNG_S);
    int threads = entries("/proc/self/task") + 1, fds = entries("/proc/self/fd");
    int rc = run(h, calls);
    _exit(state(threads, fds) ? rc : STATE_BAD);
}

static void run_forked(char **calls) {
    int codes[256] = {0}, hung = 0, alive = 0;
    pam_handle_t *h = start();

    o.quiet = o.fork > 1;
    for (int begun = 0, ended = 0; ended < o.fork;) {
        int status;
        if (begun < o.fork && alive < o.parallel) {
            if (forked(h, calls) < 0)
                die("fork");
            begun++;
            alive++;
            continue;
        }
        if (wait(&status) < 0)
            die("wait");
        ended++;
        alive--;
        if (WIFEXITED(status))
            codes[WEXITSTATUS(status)]++;
        else
            hung++;
    }
    o.quiet = 0;
    for (int i = 0; i < 256; i++) {
        if (codes[i] > 0)
            say("ended %d %d", i, codes[i]);
    }
    if (hung > 0)
        say("hung %d", hung);
    pam_end(h, PAM_SUCCESS);
}

static void on_child(int sig) {
    (void)sig;
    while (waitpid(-1, NULL, WNOHANG) > 0) /* as many hosts do: it takes every child there is */
        children_seen++;
}

static void set_sigchld(void) {
    struct sigaction a;
    sigset_t only;

    if (o.sigchld == NULL)
        return;
    memset(&a, 0, sizeof a);
    sigemptyset(&only);
    sigaddset(&only, SIGCHLD);
    a.sa_handler = SIG_DFL;
    if (strcmp(o.sigchld, "handle") == 0) {
        a.sa_handler = on_child;
        a.sa_flags = SA_RESTART;
        sigaddset(&a.sa_mask, SIGUSR1);
    } else if (strcmp(o.sigchld, "ignore") == 0) {
        a.sa_handler = SIG_IGN;
    } else if (strcmp(o.sigchld, "nocldwait") == 0) {
        a.sa_flags = SA_NOCLDWAIT;
    } else if (sigprocmask(SIG_BLOCK, &only, NULL) != 0) {
        die("sigprocmask");
    }
    if (sigaction(SIGCHLD, &a, NULL) != 0)
        die("sigaction");
}

static void *spin(void *data) {
    const struct timespec moment = {0, 200000};

    for (;;) {
        free(malloc(1000)); /* so that a lock of malloc's may be held at any moment */
        nanosleep(&moment, NULL);
    }
    return data;
}

/* forbid makes some system calls fail with that error. */
static void forbid(const unsigned *numbers, size_t count, unsigned error) {
    struct sock_filter code[2 * 8 + 2];
    struct sock_fprog program = {(unsigned short)(2 * count + 2), code};
    size_t n = 0;

    code[n++] = (struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr));
    for (size_t i = 0; i < count && i < 8; i++) {
        code[n++] = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, numbers[i], 0, 1);
        code[n++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | error);
    }
    code[n++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW);
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 || prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) != 0)
        die("seccomp");
}

static void limit(int what, long value) {
    const struct rlimit l = {(rlim_t)value, (rlim_t)value};

    if (value >= 0 && setrlimit(what, &l) != 0)
        die("setrlimit");
}

static int option(const char *a) {
    const char *v = strchr(a, '=') ? strchr(a, '=') + 1 : "";
#define IS(name) (strncmp(a, name "=", sizeof name) == 0)

    if (IS("confdir")) o.confdir = v;
    else if (IS("service")) o.service = v;
    else if (IS("user")) o.user = v[0] != '\0' ? v : NULL;
    else if (IS("rhost")) o.rhost = v;
    else if (IS("tty")) o.tty = v;
    else if (IS("env") && o.envs < LIST_MAX) o.env[o.envs++] = v;
    else if (IS("answer") && o.answers < LIST_MAX) o.answer[o.answers++] = v;
    else if (IS("secret") && o.secrets < LIST_MAX) o.secret[o.secrets++] = v;
    else if (IS("conv")) o.conv = v;
    else if (IS("times")) o.times = atoi(v);
    else if (IS("fork")) o.fork = atoi(v);
    else if (IS("parallel")) o.parallel = atoi(v);
    else if (IS("threads")) o.threads = atoi(v);
    else if (IS("sigchld")) o.sigchld = v;
    else if (IS("as")) o.as = atol(v);
    else if (IS("nproc")) o.nproc = atol(v);
    else if (IS("uid")) o.uid = atol(v);
    else if (IS("ruid")) o.ruid = atol(v);
    else if (strcmp(a, "silent") == 0) o.silent = 1;
    else if (IS("fds")) o.fds = atoi(v);
    else if (strcmp(a, "noclone") == 0) o.noclone = 1;
    else if (strcmp(a, "old") == 0) o.old = 1;
    else return 0;
    return 1;
}

/* prepare makes this process the kind that was asked for. */
static void prepare(void) {
    static const unsigned clones[] = {SYS_clone, SYS_clone3, SYS_fork, SYS_vfork}, recent[] = {SYS_close_range};
    pthread_t thread;

    set_sigchld();
    for (int i = 0; i < o.threads; i++) {
        if (pthread_create(&thread, NULL, spin, NULL) != 0)
            die("pthread_create");
    }
    limit(RLIMIT_AS, o.as);
    limit(RLIMIT_NPROC, o.nproc);
    if (o.uid >= 0 && (setgroups(0, NULL) != 0 || setgid((gid_t)o.uid) != 0 || setuid((uid_t)o.uid) != 0))
        die("setuid");
    if (o.ruid >= 0 && (setresgid((gid_t)o.ruid, (gid_t)o.ruid, (gid_t)o.ruid) != 0 || setresuid((uid_t)o.ruid, 0, 0) != 0))
        die("setresuid");
    for (int i = 0; i < o.fds; i++) {
        if (dup(0) < 0)
            die("dup");
    }
    if (o.noclone)
        forbid(clones, sizeof clones / sizeof clones[0], EPERM);
    if (o.old)
        forbid(recent, sizeof recent / sizeof recent[0], ENOSYS);
    remember_signals();
}

int main(int argc, char **argv) {
    int i = 1, bad = 0;

    while (i < argc && strcmp(argv[i], "--") != 0) {
        if (!option(argv[i++]))
            die(argv[i - 1]);
    }
    if (i++ >= argc)
        die("no calls");
    prepare();
    if (o.fork > 0) {
        run_forked(argv + i);
        return 0;
    }
    int threads = entries("/proc/self/task") + 1, fds = entries("/proc/self/fd");
    for (int n = 0; n < o.times; n++) {
        pam_handle_t *h = start();
        if (n == 0)
            (void)state(threads, fds); /* loaded, and nothing else yet */
        (void)run(h, argv + i);
        if (pam_end(h, PAM_SUCCESS) != PAM_SUCCESS)
            die("pam_end");
        if (n == 0 || n % 1000 == 999 || n == o.times - 1)
            bad |= !state(threads, fds);
    }
    look_for_secrets();
    say("handled %d", (int)children_seen);
    return bad ? STATE_BAD : 0;
}
