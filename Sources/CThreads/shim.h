#include <sys/prctl.h>

// prctl takes any number of arguments, which Swift cannot call. At most 15 bytes of the name are kept.
static inline void threads_name(const char *name) { prctl(PR_SET_NAME, name, 0, 0, 0); }
