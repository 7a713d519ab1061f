// libpq, PostgreSQL's own client library.
#include <libpq-fe.h>
#include <sys/prctl.h>

// prctl takes any number of arguments, which Swift cannot call. At most 15 bytes of the name are kept.
static inline void sql_name_thread(const char *name) { prctl(PR_SET_NAME, name, 0, 0, 0); }
