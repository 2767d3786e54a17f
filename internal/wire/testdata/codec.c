/* codec.c is the C codec at the end of a pipe, for FuzzCodec: packets come in on standard input, each behind its length
 * in 4 bytes, big endian. For each, what the codec makes of it goes out the same way: nothing where it refuses the
 * packet, else the packet made anew of the fields that it read. */
#include <stdio.h>
#include <stdlib.h>

#include "packet.h"

static bool read_all(uint8_t *b, size_t n) { return fread(b, 1, n, stdin) == n; }

static void write_all(const uint8_t *b, size_t n) {
    uint8_t head[4] = {0, 0, (uint8_t)(n >> 8), (uint8_t)n};

    if (fwrite(head, 1, 4, stdout) != 4 || (n > 0 && fwrite(b, 1, n, stdout) != n) || fflush(stdout) != 0)
        exit(3);
}

static struct sp_packet *again(const struct sp_packet *p) {
    struct sp_packet *made = calloc(1, sizeof *made);
    struct sp_field f;
    size_t at = 0;

    if (made == NULL)
        exit(4);
    sp_packet_start(made, sp_packet_kind(p));
    while (sp_packet_next(p, &at, &f)) {
        if (!sp_packet_put(made, (enum sp_tag)f.tag, f.value, f.size))
            exit(5); /* reading and writing disagree */
    }
    return made;
}

/* exact is p in memory that ends where the packet does, so that the sanitizer sees a read behind it. */
static struct sp_packet *exact(const struct sp_packet *p) {
    size_t size = offsetof(struct sp_packet, bytes) + p->size;
    struct sp_packet *short_one = malloc(size);

    if (short_one == NULL)
        exit(6);
    short_one->size = p->size;
    for (size_t i = 0; i < p->size; i++)
        short_one->bytes[i] = p->bytes[i];
    return short_one;
}

int main(void) {
    static struct sp_packet in;
    uint8_t head[4];

    while (read_all(head, sizeof head)) {
        size_t n = (size_t)head[0] << 24 | (size_t)head[1] << 16 | (size_t)head[2] << 8 | head[3];
        if (n > sizeof in.bytes)
            return 1;
        in.size = n;
        if (!read_all(in.bytes, n))
            return 2;
        struct sp_packet *p = exact(&in);
        if (sp_packet_valid(p)) {
            struct sp_packet *made = again(p);
            write_all(made->bytes, made->size);
            free(made);
        } else {
            write_all(NULL, 0);
        }
        free(p);
    }
    return 0;
}
