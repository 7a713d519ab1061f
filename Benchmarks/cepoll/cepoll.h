// The Glibc module of Swift leaves epoll out.
#include <sys/epoll.h>
