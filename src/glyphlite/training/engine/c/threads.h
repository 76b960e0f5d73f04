/* The passes, on several threads. */
#ifndef GLYPHLITE_THREADS_H
#define GLYPHLITE_THREADS_H
#include "groups.h"
#include "batch.h"
#include "helper.h"

/* Waits for all threads; the last one to come does what is to be done between. */
static void meet(network *n, void (*between)(network *, int), int index) {
  pthread_mutex_lock(&n->mutex);
  unsigned round = n->round;
  if (++n->waiting == n->threads) {
    if (between) between(n, index);
    n->waiting = 0, n->round++;
    pthread_cond_broadcast(&n->released);
  } else
    while (round == n->round) pthread_cond_wait(&n->released, &n->mutex);
  pthread_mutex_unlock(&n->mutex);
}

static void enter_group(const network *n, int group) {
  const layer *l = &n->layers[0];
  const int pixels = l->plane * l->d.channels;
  for (int b = 0, blocks = blocks_of(n, group); b < blocks; b++) {
    int block = group * GROUP_BLOCKS + b;
    float *to = (float *)(n->input + (size_t)block * pixels);
    for (int i = 0; i < LANES; i++) {
      int image = block * LANES + i;
      for (int c = 0; c < l->d.channels; c++)
        for (int p = 0; p < l->places; p++)
          to[(c * l->plane + p) * LANES + i] =
              image < n->images ? n->given_images[((size_t)image * l->places + p) * l->d.channels + c] : 0;
    }
  }
}

static void begin_backward_group(const network *n, int group) {
  const layer *last = &n->layers[n->count - 1];
  for (int b = 0, blocks = blocks_of(n, group); b < blocks; b++) {
    int block = group * GROUP_BLOCKS + b;
    float *to = (float *)gradient_of(n, n->count - 1, block, 0);
    for (int f = 0; f < last->d.filters; f++)
      for (int i = 0; i < LANES; i++) {
        int image = block * LANES + i;
        to[f * LANES + i] = image < n->images ? n->given_gradients[(size_t)image * last->d.filters + f] : 0;
      }
  }
}

/* Every thread has the same groups in every phase, so that it needs to wait for others only where the batch is summed. */
#define EACH_GROUP(call)                                                                       \
  for (int group = thread; group < n->groups; group += n->threads) call

static void run_forward(network *n, int thread) {
  EACH_GROUP(enter_group(n, group));
  for (int first = 0, end; first < n->count; first = end) {
    for (end = first + 1; end < n->count && !is_normalized(&n->layers[end - 1]);) end++;
    EACH_GROUP(forward_group(n, first, end, group, thread));
    if (is_normalized(&n->layers[end - 1])) meet(n, finish_moments, end - 1);
  }
}

static void run_backward(network *n, int thread) {
  EACH_GROUP(begin_backward_group(n, group));
  for (int end = n->count, first; end; end = first) {
    for (first = end - 1; first && n->layers[first - 1].segment == n->layers[end - 1].segment;) first--;
    if (is_normalized(&n->layers[end - 1])) meet(n, finish_slopes, end - 1);
    EACH_GROUP(backward_group(n, first, end, group, thread));
  }
}

typedef struct {
  network *n;
  int thread;
} job;

static void *work(void *given) {
  job *j = given;
  pthread_mutex_lock(&j->n->mutex);
  pthread_mutex_unlock(&j->n->mutex);
  (j->n->backward ? run_backward : run_forward)(j->n, j->thread);
  return NULL;
}

/* Runs a pass on all threads; on fewer where the system gives no more of them. */
static void run(network *n, int threads) {
  job jobs[MOST_THREADS];
  helper others[MOST_THREADS];
  int begun = 1;
  threads = threads < n->groups ? threads : n->groups;
  pthread_mutex_lock(&n->mutex); /* nobody begins before their number is known */
  for (; begun < threads; begun++) {
    jobs[begun] = (job){n, begun};
    if (begin_helper(&others[begun], work, &jobs[begun])) break;
  }
  n->threads = begun;
  pthread_mutex_unlock(&n->mutex);
  jobs[0] = (job){n, 0};
  work(&jobs[0]);
  for (int t = 1; t < begun; t++) pthread_join(others[t].thread, NULL);
}
#endif
