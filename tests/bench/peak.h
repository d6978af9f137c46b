// What the core can do, measured beside what a benchmark does: shares of it can be compared between
// machines, and on one that is not idle.
#pragma once

#include <benchmark/benchmark.h>
#include <immintrin.h>

#include <ctime>

// CPU time of this thread.
inline double thread_seconds() {
  timespec t;
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
  return static_cast<double>(t.tv_sec) + 1e-9 * static_cast<double>(t.tv_nsec);
}

// Flops per second of 12 independent chains of 8-lane fmas.
inline double fma_peak() {
  __m256 acc[12];
  for (int k = 0; k < 12; ++k) acc[k] = _mm256_set1_ps(static_cast<float>(k));
  __m256 x = _mm256_set1_ps(0.999F), y = _mm256_set1_ps(0.001F);
  const double start = thread_seconds();
  constexpr int kSteps = 100000;
  for (int i = 0; i < kSteps; ++i) {
#pragma GCC unroll 12
    for (int k = 0; k < 12; ++k) acc[k] = _mm256_fmadd_ps(acc[k], x, y);
    __asm__ volatile("" : "+x"(x), "+x"(y));
  }
  const double seconds = thread_seconds() - start;
  float sum = 0;
  for (const __m256& a : acc) sum += a[0];
  benchmark::DoNotOptimize(sum);
  return 12.0 * 16.0 * kSteps / seconds;
}
