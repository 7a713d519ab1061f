#define _GNU_SOURCE
#include "cjournal.h"

#include <errno.h>
#include <pthread.h>
#include <string.h>
#include <sys/file.h>

#if defined(__aarch64__)
#include <sys/auxv.h>
#ifndef HWCAP_CRC32
#define HWCAP_CRC32 (1 << 7)
#endif
#endif

typedef uint32_t (*crc_function)(uint32_t, const uint8_t *, size_t);

// Written once, before main, by the constructor below; read-only afterwards.
static uint32_t table[8][256];
static crc_function chosen;
static int hardware;

// Slicing by eight: eight bytes a step through eight tables.
static uint32_t by_table(uint32_t crc, const uint8_t *p, size_t n) {
    uint32_t c = ~crc;
    while (n >= 8) {
        c ^= (uint32_t)p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24;
        c = table[7][c & 255] ^ table[6][(c >> 8) & 255] ^ table[5][(c >> 16) & 255] ^ table[4][c >> 24] ^
            table[3][p[4]] ^ table[2][p[5]] ^ table[1][p[6]] ^ table[0][p[7]];
        p += 8;
        n -= 8;
    }
    while (n--) c = (c >> 8) ^ table[0][(c ^ *p++) & 255];
    return ~c;
}

#if defined(__x86_64__)
__attribute__((target("sse4.2")))
static uint32_t by_instruction(uint32_t crc, const uint8_t *p, size_t n) {
    uint64_t c = ~crc;
    while (n >= 8) {
        uint64_t word;
        memcpy(&word, p, 8);
        c = __builtin_ia32_crc32di(c, word);
        p += 8;
        n -= 8;
    }
    uint32_t d = (uint32_t)c;
    while (n--) d = __builtin_ia32_crc32qi(d, *p++);
    return ~d;
}
#elif defined(__aarch64__)
__attribute__((target("crc")))
static uint32_t by_instruction(uint32_t crc, const uint8_t *p, size_t n) {
    uint32_t c = ~crc;
    while (n >= 8) {
        uint64_t word;
        memcpy(&word, p, 8);
        c = __builtin_arm_crc32cd(c, word);
        p += 8;
        n -= 8;
    }
    while (n--) c = __builtin_arm_crc32cb(c, *p++);
    return ~c;
}
#endif

__attribute__((constructor))
static void choose(void) {
    for (uint32_t i = 0; i < 256; i++) {
        uint32_t c = i;
        for (int bit = 0; bit < 8; bit++) c = c & 1 ? (c >> 1) ^ 0x82F63B78u : c >> 1;
        table[0][i] = c;
    }
    for (int slice = 1; slice < 8; slice++)
        for (uint32_t i = 0; i < 256; i++)
            table[slice][i] = (table[slice - 1][i] >> 8) ^ table[0][table[slice - 1][i] & 255];
    chosen = by_table;
#if defined(__x86_64__)
    __builtin_cpu_init();
    if (__builtin_cpu_supports("sse4.2")) { chosen = by_instruction; hardware = 1; }
#elif defined(__aarch64__)
    if (getauxval(AT_HWCAP) & HWCAP_CRC32) { chosen = by_instruction; hardware = 1; }
#endif
}

uint32_t cj_crc32c(uint32_t crc, const void *bytes, size_t count) { return chosen(crc, bytes, count); }

uint32_t cj_crc32c_word(uint32_t crc, uint64_t word) {
    uint8_t b[8];
    for (int i = 0; i < 8; i++) b[i] = (uint8_t)(word >> (8 * i));
    return chosen(crc, b, 8);
}

uint32_t cj_crc32c_table(uint32_t crc, const void *bytes, size_t count) { return by_table(crc, bytes, count); }

int cj_crc32c_is_hardware(void) { return hardware; }

int cj_lock(int fd) { return flock(fd, LOCK_EX | LOCK_NB) == 0 ? 0 : -errno; }
