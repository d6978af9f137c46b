/* Compiled with -O3 -march=native, as a user would compile such a program. */
#include "tests/bench/plain_decoder.h"

#include <math.h>
#include <string.h>

static void product(float* y, const float* w, const float* x, int outputs, int inputs) {
  for (int i = 0; i < outputs; ++i) {
    float sum = 0;
    for (int j = 0; j < inputs; ++j) sum += w[i * inputs + j] * x[j];
    y[i] = sum;
  }
}

static void normed(float* y, const float* x, const float* w, int n) {
  float squares = 0;
  for (int i = 0; i < n; ++i) squares += x[i] * x[i];
  const float inverse = 1.0F / sqrtf(squares / (float)n + 1e-5F);
  for (int i = 0; i < n; ++i) y[i] = w[i] * (x[i] * inverse);
}

static void turn(float* x, int width, int head_dim, int position) {
  for (int i = 0; i < width; i += 2) {
    const float angle = (float)position * powf(10000.0F, -(float)(i % head_dim) / (float)head_dim);
    const float c = cosf(angle), s = sinf(angle), a = x[i], b = x[i + 1];
    x[i] = a * c - b * s;
    x[i + 1] = a * s + b * c;
  }
}

static void softmax(float* x, int n) {
  float most = x[0], sum = 0;
  for (int i = 1; i < n; ++i) most = x[i] > most ? x[i] : most;
  for (int i = 0; i < n; ++i) sum += x[i] = expf(x[i] - most);
  for (int i = 0; i < n; ++i) x[i] /= sum;
}

static void attend(const struct PlainDecoder* d, const float* keys, const float* values,
                   int position) {
  const int width = d->dim / d->heads, kv_width = width * d->kv_heads;
  for (int h = 0; h < d->heads; ++h) {
    const int kv = h / (d->heads / d->kv_heads) * width;
    const float* q = d->query + h * width;
    float* out = d->attended + h * width;
    for (int t = 0; t <= position; ++t) {
      float dot = 0;
      for (int i = 0; i < width; ++i) dot += q[i] * keys[t * kv_width + kv + i];
      d->scores[t] = dot / sqrtf((float)width);
    }
    softmax(d->scores, position + 1);
    memset(out, 0, (size_t)width * sizeof(float));
    for (int t = 0; t <= position; ++t) {
      for (int i = 0; i < width; ++i) out[i] += d->scores[t] * values[t * kv_width + kv + i];
    }
  }
}

static void block(const struct PlainDecoder* d, int l, int position) {
  const struct PlainLayer* w = &d->layer[l];
  const int dim = d->dim, width = dim / d->heads, kv_width = width * d->kv_heads;
  float* keys = d->keys + (size_t)l * (size_t)d->positions * (size_t)kv_width;
  float* values = d->values + (size_t)l * (size_t)d->positions * (size_t)kv_width;
  normed(d->a, d->x, w->norm, dim);
  product(d->query, w->q, d->a, dim, dim);
  product(keys + position * kv_width, w->k, d->a, kv_width, dim);
  product(values + position * kv_width, w->v, d->a, kv_width, dim);
  turn(d->query, dim, width, position);
  turn(keys + position * kv_width, kv_width, width, position);
  attend(d, keys, values, position);
  product(d->a, w->o, d->attended, dim, dim);
  for (int i = 0; i < dim; ++i) d->x[i] += d->a[i];
  normed(d->a, d->x, w->mlp_norm, dim);
  product(d->gate, w->gate, d->a, d->hidden, dim);
  product(d->up, w->up, d->a, d->hidden, dim);
  for (int i = 0; i < d->hidden; ++i) d->gate[i] *= d->up[i] / (1.0F + expf(-d->gate[i]));
  product(d->a, w->down, d->gate, dim, d->hidden);
  for (int i = 0; i < dim; ++i) d->x[i] += d->a[i];
}

void plain_step(const struct PlainDecoder* d, int token, int position) {
  memcpy(d->x, d->embedding + token * d->dim, (size_t)d->dim * sizeof(float));
  for (int l = 0; l < d->layers; ++l) block(d, l, position);
  normed(d->a, d->x, d->last_norm, d->dim);
  product(d->logits, d->embedding, d->a, d->vocabulary, d->dim);
}
