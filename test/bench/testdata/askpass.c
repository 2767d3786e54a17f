/* askpass: what ssh(1) runs to ask a person (SSH_ASKPASS). It answers from the environment: a prompt that speaks of a code
 * with the code, any other with the password. The times of a run are of this program too, so it does nothing else. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int main(int argc, char **argv) {
    const char *answer = getenv(argc > 1 && strstr(argv[1], "code") != NULL ? "BENCH_CODE" : "BENCH_PASSWORD");

    return answer == NULL || puts(answer) < 0;
}
