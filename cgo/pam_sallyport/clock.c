/* clock.c */
#include "clock.h"

#include <limits.h>
#include <time.h>

int64_t sp_now_ms(void) {
    struct timespec t;

    if (clock_gettime(CLOCK_MONOTONIC, &t) != 0)
        return INT64_MAX / 2; /* it cannot fail; if it did, every deadline would have passed */
    return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

int sp_left_ms(int64_t then) {
    int64_t now = sp_now_ms();

    if (now >= then)
        return 0;
    return then - now > INT_MAX ? INT_MAX : (int)(then - now);
}
