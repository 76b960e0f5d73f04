/* A thread that helps with a pass, begun on another processor than the one that begins it. */
#ifndef GLYPHLITE_HELPER_H
#define GLYPHLITE_HELPER_H
#include <pthread.h>
#ifdef __linux__
#include <sched.h>
#endif

typedef struct {
  pthread_t thread;
  void *(*work)(void *);
  void *given;
#ifdef __linux__
  cpu_set_t allowed;
#endif
} helper;

static void *help(void *given) {
  helper *h = given;
#ifdef __linux__
  sched_setaffinity(0, sizeof h->allowed, &h->allowed); /* once begun, it may go where it likes */
#endif
  return h->work(h->given);
}

/* Begins a helper, which lies where it is until it is joined; returns nonzero where the system gives no more threads.
 *
 * Linux puts a new thread beside the one that begins it where the other processors are busy at that moment, and TensorFlow's
 * threads keep them busy for some microseconds with waiting. It may then stay there for the whole of a pass, which takes twice as
 * long. */
static int begin_helper(helper *h, void *(*work)(void *), void *given) {
  h->work = work, h->given = given;
#ifdef __linux__
  pthread_attr_t attributes;
  const int here = sched_getcpu();
  CPU_ZERO(&h->allowed);
  if (here >= 0 && !sched_getaffinity(0, sizeof h->allowed, &h->allowed) && CPU_COUNT(&h->allowed) > 1 &&
      CPU_ISSET(here, &h->allowed) && !pthread_attr_init(&attributes)) {
    cpu_set_t others = h->allowed;
    CPU_CLR(here, &others);
    const int refused = pthread_attr_setaffinity_np(&attributes, sizeof others, &others) ||
                        pthread_create(&h->thread, &attributes, help, h);
    pthread_attr_destroy(&attributes);
    if (!refused) return 0;
  }
#endif
  return pthread_create(&h->thread, NULL, work, given);
}
#endif
