/* relocate.h: what the dynamic loader leaves out for the Go half. */
#ifndef SALLYPORT_RELOCATE_H
#define SALLYPORT_RELOCATE_H

#include <stdbool.h>

/* sp_relocate_go makes the relocations of the Go half, which dormant.ld keeps from the loader: thousands, for which each
 * process that logs somebody in would read and copy more than a hundred pages. It is for the child that is about to start Go. */
bool sp_relocate_go(void);

#endif
