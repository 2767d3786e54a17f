/* codec.c: anything as a packet. What passes is made anew of its fields, byte for byte but for those that are passed over,
 * and what is made is a packet. */
#include <stdlib.h>
#include <string.h>

#include "packet.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    static struct sp_packet made;
    size_t head = offsetof(struct sp_packet, bytes), at = 0, fields = 0;
    struct sp_packet *p;
    struct sp_field f, first;

    if (size > SP_PACKET_MAX + 1)
        return 0;
    p = malloc(head + size); /* ends where the packet does, so that a read behind it shows */
    if (p == NULL)
        return 0;
    p->size = size;
    if (size > 0)
        memcpy((uint8_t *)p + head, data, size);
    if (sp_packet_valid(p)) {
        sp_packet_start(&made, sp_packet_kind(p));
        while (sp_packet_next(p, &at, &f)) {
            fields++;
            if (!sp_packet_put(&made, (enum sp_tag)f.tag, f.value, f.size))
                abort(); /* reading and writing disagree */
            if (!sp_packet_find(p, (enum sp_tag)f.tag, &first) || first.value > f.value)
                abort();
        }
        if (!sp_packet_valid(&made) || made.size > p->size || (fields == 0 && made.size != 2))
            abort();
    }
    free(p);
    return 0;
}
