#include <errno.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

// prctl takes any number of arguments, which Swift cannot call. At most 15 bytes of the name are kept.
static inline void threads_name(const char *name) { prctl(PR_SET_NAME, name, 0, 0, 0); }

// sched_attr of the kernel's <linux/sched/types.h>, in its first form; the C library has neither it nor the two calls (sched_setattr(2)).
struct threads_attributes {
    unsigned int size, policy;
    unsigned long long flags;
    int nice;
    unsigned int priority;
    unsigned long long runtime, deadline, period;
};

// Both give 0, or what errno says. Thread 0 is the calling one.
static inline int threads_get_attributes(int thread, struct threads_attributes *found) {
    return syscall(SYS_sched_getattr, thread, found, sizeof *found, 0) ? errno : 0;
}

static inline int threads_set_attributes(int thread, struct threads_attributes *wanted) {
    return syscall(SYS_sched_setattr, thread, wanted, 0) ? errno : 0;
}
