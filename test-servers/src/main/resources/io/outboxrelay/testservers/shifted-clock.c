/* Shifts the date of this process by CLOCK_OFFSET_SECONDS. CLOCK_MONOTONIC stays right. */
#define _GNU_SOURCE
#include <stdlib.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

static long offset(void) {
    const char *seconds = getenv("CLOCK_OFFSET_SECONDS");
    return seconds ? atol(seconds) : 0;
}

int clock_gettime(clockid_t clock, struct timespec *now) {
    long failed = syscall(SYS_clock_gettime, clock, now);
    if (!failed && clock == CLOCK_REALTIME) {
        now->tv_sec += offset();
    }
    return (int) failed;
}

int gettimeofday(struct timeval *restrict now, void *restrict zone) {
    long failed = syscall(SYS_gettimeofday, now, zone);
    if (!failed && now) {
        now->tv_sec += offset();
    }
    return (int) failed;
}

time_t time(time_t *now) {
    struct timespec date;
    clock_gettime(CLOCK_REALTIME, &date);
    if (now) {
        *now = date.tv_sec;
    }
    return date.tv_sec;
}
