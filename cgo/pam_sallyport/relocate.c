/* relocate.c: relocating the Go half as the dynamic loader would have, in the child that needs it. */
#include "relocate.h"

#include <elf.h>
#include <link.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

/* The one type there may be: the address at which the object was loaded, and the addend. */
#if defined(__x86_64__)
enum { RELATIVE = R_X86_64_RELATIVE };
#elif defined(__aarch64__)
enum { RELATIVE = R_AARCH64_RELATIVE };
#else
#error "what is the type of a relative relocation here?"
#endif

/* The section that dormant.ld collects them in begins with this one, which is empty. It is there for its type, which the
 * whole takes: all that is of the type SHT_RELA is the loader's. */
__asm__(".pushsection go_relocations_type, \"a\", %progbits\n\t.popsection");

/* Weak: without the script there are none. */
extern const ElfW(Rela) first[] __asm__("__start_go_relocations") __attribute__((weak, visibility("hidden")));
extern const ElfW(Rela) behind[] __asm__("__stop_go_relocations") __attribute__((weak, visibility("hidden")));

/* Where this object begins in memory (ld(1)). It is linked as of address 0. */
extern const ElfW(Ehdr) object __asm__("__ehdr_start") __attribute__((visibility("hidden")));

struct pages {
    void *start;
    size_t size;
};

/* read_only finds the pages that the loader has made read-only behind its own relocations, rounded as it rounds them. */
static struct pages read_only(void) {
    const ElfW(Phdr) *segment = (const void *)((const char *)&object + object.e_phoff);
    uintptr_t base = (uintptr_t)&object, page = (uintptr_t)sysconf(_SC_PAGESIZE), start, end;

    for (int i = 0; i < object.e_phnum; i++, segment++) {
        if (segment->p_type == PT_GNU_RELRO) {
            start = (base + segment->p_vaddr) & ~(page - 1);
            end = (base + segment->p_vaddr + segment->p_memsz) & ~(page - 1);
            return (struct pages){(void *)start, end - start};
        }
    }
    return (struct pages){NULL, 0};
}

static bool relocate(void) {
    uintptr_t base = (uintptr_t)&object, value;

    for (const ElfW(Rela) *r = first; r != behind; r++) {
        if (ELF64_R_TYPE(r->r_info) != RELATIVE)
            return false;
        value = base + (uintptr_t)r->r_addend;
        memcpy((void *)(base + r->r_offset), &value, sizeof value);
    }
    return true;
}

bool sp_relocate_go(void) {
    struct pages p = read_only();

    return mprotect(p.start, p.size, PROT_READ | PROT_WRITE) == 0 && relocate() &&
           mprotect(p.start, p.size, PROT_READ) == 0;
}
