/* Warps of grey images: affine, and bent by a grid of displacements; bilinear, zeros coming in from outside. */
#define _GNU_SOURCE
#include "helper.h"
#include <math.h>
#include <stdint.h>
#include <string.h>

#define LARGEST_SIDE 256
#define GRID 5
#define MOST_THREADS 64

typedef struct {
  const uint8_t *pixels; /* [image][height][width] */
  const int32_t *order;  /* which image each result comes from */
  const float *transforms; /* of each result: eight numbers, and the displacements of a grid along x, then along y */
  const float *row_influence, *column_influence; /* [row][grid point], [grid point][column] */
  float *results; /* in [0, 1] */
  int height, width, numbers, first, end;
} job;

/* What a row's places are moved by along one axis; columns: [grid point][column]. */
static void displacements(const float *grid, const float *row, const float *restrict columns, int width, float *restrict moved) {
  float of[GRID] = {0};
  for (int g = 0; g < GRID; g++)
    for (int c = 0; c < GRID; c++) of[c] += row[g] * grid[g * GRID + c];
  for (int x = 0; x < width; x++) {
    float sum = 0;
    for (int c = 0; c < GRID; c++) sum += columns[c * width + x] * of[c];
    moved[x] += sum;
  }
}

static float within(float value, float low, float high) { return value < low ? low : value > high ? high : value; }

static void warp_image(const job *j, const uint8_t *pixels, const float *t, float *restrict result) {
  const int height = j->height, width = j->width, pitch = width + 3;
  /* A rim of zeros, one before and two behind, lets every place find four neighbours without a question. */
  float framed[(height + 3) * pitch], x_from[LARGEST_SIDE], y_from[LARGEST_SIDE];
  float right[LARGEST_SIDE], down[LARGEST_SIDE], near[4][LARGEST_SIDE];
  int from[LARGEST_SIDE];
  memset(framed, 0, sizeof framed);
  for (int y = 0; y < height; y++)
    for (int x = 0; x < width; x++) framed[(y + 1) * pitch + x + 1] = pixels[y * width + x] / 255.0f;
  for (int y = 0; y < height; y++) {
    for (int x = 0; x < width; x++) {
      x_from[x] = t[0] * x + t[1] * y + t[2];
      y_from[x] = t[3] * x + t[4] * y + t[5];
    }
    if (j->numbers > 8) {
      displacements(t + 8, j->row_influence + y * GRID, j->column_influence, width, x_from);
      displacements(t + 8 + GRID * GRID, j->row_influence + y * GRID, j->column_influence, width, y_from);
    }
    /* Three loops, so that all but the one that gathers are of vectors. */
    for (int x = 0; x < width; x++) {
      const float column = within(x_from[x], -1, width) + 1, row = within(y_from[x], -1, height) + 1;
      const int left = (int)column, top = (int)row;
      from[x] = top * pitch + left, right[x] = column - left, down[x] = row - top;
    }
    for (int x = 0; x < width; x++) {
      const float *corner = framed + from[x];
      near[0][x] = corner[0], near[1][x] = corner[1], near[2][x] = corner[pitch], near[3][x] = corner[pitch + 1];
    }
    for (int x = 0; x < width; x++) {
      const float upper = near[0][x] * (1 - right[x]) + near[1][x] * right[x];
      const float lower = near[2][x] * (1 - right[x]) + near[3][x] * right[x];
      result[y * width + x] = upper + (lower - upper) * down[x];
    }
  }
}

static void *work(void *given) {
  const job *j = given;
  const int size = j->height * j->width;
  for (int i = j->first; i < j->end; i++)
    warp_image(j, j->pixels + (size_t)j->order[i] * size, j->transforms + (size_t)i * j->numbers, j->results + (size_t)i * size);
  return NULL;
}

/* Warps images on several threads; where the system gives no more of them, their share is done here. */
void warp(const uint8_t *pixels, int height, int width, const int32_t *order, const float *transforms, int numbers,
          const float *row_influence, const float *column_influence, int count, float *results, int threads) {
  job jobs[MOST_THREADS];
  helper others[MOST_THREADS];
  int is_begun[MOST_THREADS] = {0};
  threads = threads < 1 ? 1 : threads < MOST_THREADS ? threads : MOST_THREADS;
  for (int t = threads - 1; t >= 0; t--) {
    jobs[t] = (job){pixels, order, transforms, row_influence, column_influence, results, height, width, numbers,
                    (int)((int64_t)count * t / threads), (int)((int64_t)count * (t + 1) / threads)};
    is_begun[t] = t && !begin_helper(&others[t], work, &jobs[t]);
    if (!is_begun[t]) work(&jobs[t]);
  }
  for (int t = 1; t < threads; t++)
    if (is_begun[t]) pthread_join(others[t].thread, NULL);
}
