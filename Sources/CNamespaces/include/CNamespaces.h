// For tests: what Swift's Glibc module does not import of namespaces and TUN devices.
#ifndef CNAMESPACES_H
#define CNAMESPACES_H

#include <fcntl.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

// Declared here instead of by _GNU_SOURCE, which would give types other members than the Glibc module has seen.
extern int unshare(int flags);
extern int setns(int descriptor, int kind);

#define NAMESPACES_NETWORK 0x40000000

// Makes the TUN device `name` in the calling thread's network namespace and returns its descriptor, which does not block; -1 with errno.
// The device lives as long as the descriptor, and stays in its namespace whoever reads and writes the packets.
static inline int namespaces_open_tun(const char *name) {
    // As struct ifreq of <linux/if.h>, which can't be included beside <net/if.h>.
    struct {
        char name[16];
        short flags;
        char rest[22];
    } request;
    // IFF_TUN | IFF_NO_PI, and TUNSETIFF.
    const short flags = 0x1001;
    const unsigned long set = 0x400454ca;
    int descriptor = open("/dev/net/tun", O_RDWR | O_CLOEXEC | O_NONBLOCK);
    if (descriptor < 0) return -1;
    memset(&request, 0, sizeof request);
    strncpy(request.name, name, sizeof request.name - 1);
    request.flags = flags;
    if (ioctl(descriptor, set, &request) == 0) return descriptor;
    close(descriptor);
    return -1;
}

#endif
