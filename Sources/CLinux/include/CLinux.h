// What Swift's Glibc module does not import: epoll, eventfd, inotify, accept4, thread names and the allocator.
#ifndef CLINUX_H
#define CLINUX_H

#include <malloc.h>
#include <pthread.h>
#include <stdint.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/inotify.h>
#include <sys/socket.h>

// Declared here instead of by _GNU_SOURCE, which would give types other members than the Glibc module has seen, so that no
// file could import both.
extern int accept4(int descriptor, struct sockaddr *address, socklen_t *length, int flags);
extern int pthread_setname_np(pthread_t thread, const char *name);

#endif
