/* The clock behind time.perf_counter(), and the pauses in which a long loop lets
   signals and other threads have their turn. */

#include "pygenx.h"

#ifdef _WIN32
#define WIN32_LEAN_AND_MEAN
#include <windows.h>
#else
#include <time.h>
#endif

int64_t
gx_clock_ns(void)
{
#if PY_VERSION_HEX >= 0x030D0000 /* 3.13 */
    PyTime_t now = 0;
    (void)PyTime_PerfCounterRaw(&now);
    return now;
#elif defined(_WIN32)
    LARGE_INTEGER count, frequency;
    QueryPerformanceCounter(&count);
    QueryPerformanceFrequency(&frequency);
    int64_t seconds = count.QuadPart / frequency.QuadPart;
    int64_t rest = count.QuadPart % frequency.QuadPart;
    return seconds * 1000000000 + rest * 1000000000 / frequency.QuadPart;
#elif defined(__APPLE__)
    return (int64_t)clock_gettime_nsec_np(CLOCK_UPTIME_RAW);
#else
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
#endif
}

#define BREATH_NS 5000000 /* between two turns of other threads */
#define QUICK_NS 100000   /* so many items in less are quick */
#define NAP_NS 50000      /* long enough for a waiting thread to wake up */
#define PATIENCE 16       /* quick short intervals between two looks at the clock */

/* Let go of the interpreter, if there is another thread at all. Without the nap we
   would have it back before a thread that we just woke could take it. */
static void
let_others_run(void)
{
    PyThreadState *first = PyInterpreterState_ThreadHead(PyInterpreterState_Get());
    if (PyThreadState_Next(first) == NULL) {
        return;
    }
    Py_BEGIN_ALLOW_THREADS
#ifdef _WIN32
    SwitchToThread();
#else
    nanosleep(&(struct timespec){.tv_nsec = NAP_NS}, NULL);
#endif
    Py_END_ALLOW_THREADS
}

int
gx_breathe(gx_breath *breath)
{
    breath->budget = breath->interval;
    if (PyErr_CheckSignals() < 0) {
        return -1;
    }
    if (--breath->patience > 0) {
        return 0;
    }
    int64_t now = gx_clock_ns();
    bool first = breath->looked == 0;
    int most = breath->interval < GX_INTERVAL_NATIVE ? PATIENCE : 1;
    breath->patience = !first && now - breath->looked < QUICK_NS * most ? most : 1;
    breath->looked = now;
    if (first) {
        breath->breathed = now;
    }
    if (now - breath->breathed < BREATH_NS) {
        return 0;
    }
    let_others_run();
    breath->looked = breath->breathed = gx_clock_ns();
    return 0;
}
