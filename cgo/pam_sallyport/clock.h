/* clock.h: deadlines. They are absolute, in milliseconds of a clock that nobody sets. */
#ifndef SALLYPORT_CLOCK_H
#define SALLYPORT_CLOCK_H

#include <stdint.h>

/* sp_now_ms is now. */
int64_t sp_now_ms(void);

/* sp_left_ms is what is left until then, for poll(2): 0 when it has passed. */
int sp_left_ms(int64_t then);

#endif
