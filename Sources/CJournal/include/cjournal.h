#ifndef CJOURNAL_H
#define CJOURNAL_H

#include <stddef.h>
#include <stdint.h>

/// CRC32C (Castagnoli, reflected polynomial 0x82F63B78) of `count` bytes, continuing from `crc` (0 to begin).
/// cj_crc32c(cj_crc32c(0, a), b) is the CRC of a followed by b.
/// Uses the processor's CRC instruction where there is one (SSE4.2, ARMv8), else a table.
uint32_t cj_crc32c(uint32_t crc, const void *bytes, size_t count);

/// The same for the eight bytes of `word` in little-endian order.
uint32_t cj_crc32c_word(uint32_t crc, uint64_t word);

/// The portable table version; only for tests and machines without the instruction.
uint32_t cj_crc32c_table(uint32_t crc, const void *bytes, size_t count);

/// 1 when the processor's instruction is used.
int cj_crc32c_is_hardware(void);

/// flock(fd, LOCK_EX | LOCK_NB): 0 or -errno. (In Swift the name `flock` is also a structure.)
int cj_lock(int fd);

#endif
