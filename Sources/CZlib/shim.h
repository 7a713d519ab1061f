// zlib (https://zlib.net), as the system has it.
#include <zlib.h>
