// A decoder of one text as plain C loops: what a small program without any library would do.
#pragma once

#ifdef __cplusplus
extern "C" {
#endif

/* Matrices are outputs x inputs, row-major; caches layers x positions x kv_width. */
struct PlainLayer {
  const float *norm, *q, *k, *v, *o, *mlp_norm, *gate, *up, *down;
};
struct PlainDecoder {
  int dim, hidden, layers, heads, kv_heads, vocabulary, positions;
  const struct PlainLayer* layer;
  const float *embedding, *last_norm; /* the embedding is the head too */
  float *keys, *values;
  float *x, *a, *query, *attended, *gate, *up, *scores, *logits; /* scratch */
};

/* Logits after `token` at `position`, in decoder->logits. */
void plain_step(const struct PlainDecoder* decoder, int token, int position);

#ifdef __cplusplus
}
#endif
