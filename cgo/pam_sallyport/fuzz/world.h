/* world.h: what the fuzzed input decides for the module, whose system calls wrap.c sends here. */
#ifndef SALLYPORT_WORLD_H
#define SALLYPORT_WORLD_H

#include <poll.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

enum { WORLD_DAEMON = 1000, WORLD_HALF = 2000 }; /* descriptors from there on are ours, and no real ones */

int64_t world_now(void);
int world_socket(void);
int world_connect(int fd);
bool world_peer_is_root(void);
ssize_t world_send(int fd, const void *data, size_t size);
ssize_t world_recv(int fd, void *data, size_t size);
int world_poll(struct pollfd *ends, int timeout);
int world_close(int fd);
int world_wake(void);
void world_half_ended(int fd);

#endif
