#include "algorithms/kernels/group_norm.h"

#include <cmath>
#include <cstddef>

#include "algorithms/kernels/elementwise.h"

namespace skiff::kernels {
namespace {

using elementwise::each;
using elementwise::load;
using elementwise::store;

std::size_t at(int channel) { return static_cast<std::size_t>(channel); }

// The sum over all pixels of term(pointer offset of the pixel's channel, sum so far), for a vector
// of channels or one of them: four chains, so that their additions overlap.
template <class Like, class Term>
[[gnu::always_inline]] inline Like over_pixels(int pixels, std::size_t channels, Like zero,
                                               Term term) noexcept {
  Like sum[4] = {zero, zero, zero, zero};
  int p = 0;
  std::size_t offset = 0;
  for (; p + 4 <= pixels; p += 4, offset += 4 * channels) {
#pragma GCC unroll 4
    for (std::size_t r = 0; r < 4; ++r) sum[r] = term(offset + r * channels, sum[r]);
  }
  for (std::size_t r = 0; p < pixels; ++p, ++r, offset += channels) sum[r] = term(offset, sum[r]);
  return (sum[0] + sum[2]) + (sum[1] + sum[3]);
}

struct Group {
  int first, last;
};

// Calls body(channels of the group, number of values in it) for every group that has channels.
template <class Body>
void for_groups(int channels, int pixels, int groups, Body body) noexcept {
  for (int g = 0; g < groups; ++g) {
    const Group group{channels * g / groups, channels * (g + 1) / groups};
    if (group.first == group.last) continue;
    body(group, static_cast<float>((group.last - group.first) * pixels));
  }
}

float sum_of(std::span<const float> values, Group group) noexcept {
  float sum = 0;
  for (int c = group.first; c < group.last; ++c) sum += values[at(c)];
  return sum;
}

void spread(std::span<float> values, Group group, float value) noexcept {
  for (int c = group.first; c < group.last; ++c) values[at(c)] = value;
}

void take_moments(Moments moments, ConstMatrixView x, int groups, float epsilon) noexcept {
  const auto channels = at(x.cols);
  each(channels, [&](std::size_t c, auto zero) {
    store(&moments.mean[c], over_pixels(x.rows, channels, zero, [&](std::size_t offset, auto sum) {
      return sum + load(x.data + offset + c, sum);
    }));
  });
  for_groups(x.cols, x.rows, groups, [&](Group group, float n) {
    spread(moments.mean, group, sum_of(moments.mean, group) / n);
  });
  each(channels, [&](std::size_t c, auto zero) {
    const auto mean = load(&moments.mean[c], zero);
    const auto squares = over_pixels(x.rows, channels, zero, [&](std::size_t offset, auto sum) {
      const auto away = load(x.data + offset + c, sum) - mean;
      return simd::fma(away, away, sum);
    });
    store(&moments.inverse[c], squares);
  });
  for_groups(x.cols, x.rows, groups, [&](Group group, float n) {
    const float variance = sum_of(moments.inverse, group) / n;
    spread(moments.inverse, group, 1.0F / std::sqrt(variance + epsilon));
  });
}

template <bool kResidual, bool kRelu>
void normalize(MatrixView y, Moments moments, ConstMatrixView x, std::span<const float> w,
               std::span<const float> b, std::span<const float> residual) noexcept {
  const auto channels = at(x.cols);
  for (std::size_t p = 0; p < at(x.rows) * channels; p += channels) {
    each(channels, [&](std::size_t c, auto like) {
      const auto h = (load(x.data + p + c, like) - load(&moments.mean[c], like)) *
                     load(&moments.inverse[c], like);
      auto v = simd::fma(h, load(&w[c], like), load(&b[c], like));
      if constexpr (kResidual) v = v + load(&residual[p + c], like);
      if constexpr (kRelu) v = simd::greatest(like, v);  // like is zero; NaN stays NaN
      store(y.data + p + c, v);
    });
  }
}

}  // namespace

void group_norm(MatrixView y, Moments moments, ConstMatrixView x, std::span<const float> w,
                std::span<const float> b, int groups, float epsilon,
                std::span<const float> residual, Activation activation) noexcept {
  take_moments(moments, x, groups, epsilon);
  const bool relu = activation == Activation::kRelu;
  const auto form = residual.empty() ? relu ? normalize<false, true> : normalize<false, false>
                    : relu ? normalize<true, true>
                                     : normalize<true, false>;
  form(y, moments, x, w, b, residual);
}

void group_norm_backward(MatrixView dx, std::span<float> dw, std::span<float> db,
                         ConstMatrixView dy, ConstMatrixView x, ConstMoments moments,
                         std::span<const float> w, int groups, std::span<float> scratch) noexcept {
  const auto channels = at(x.cols);
  const std::span<float> a = scratch.first(channels), along = scratch.subspan(channels, channels);
  each(channels, [&](std::size_t c, auto zero) {
    const auto mean = load(&moments.mean[c], zero), inverse = load(&moments.inverse[c], zero);
    const auto s = over_pixels(x.rows, channels, zero, [&](std::size_t offset, auto sum) {
      return sum + load(dy.data + offset + c, sum);
    });
    const auto t = over_pixels(x.rows, channels, zero, [&](std::size_t offset, auto sum) {
      const auto h = (load(x.data + offset + c, sum) - mean) * inverse;
      return simd::fma(load(dy.data + offset + c, sum), h, sum);
    });
    store(&db[c], load(&db[c], zero) + s);
    store(&dw[c], load(&dw[c], zero) + t);
    const auto weight = load(&w[c], zero);
    store(&a[c], weight * s);
    store(&along[c], weight * t);
  });
  for_groups(x.cols, x.rows, groups, [&](Group group, float n) {
    spread(a, group, sum_of(a, group) / n);
    spread(along, group, sum_of(along, group) / n);
  });
  for (std::size_t p = 0; p < at(x.rows) * channels; p += channels) {
    each(channels, [&](std::size_t c, auto like) {
      const auto inverse = load(&moments.inverse[c], like);
      const auto h = (load(x.data + p + c, like) - load(&moments.mean[c], like)) * inverse;
      const auto g = load(dy.data + p + c, like) * load(&w[c], like) - load(&a[c], like);
      store(dx.data + p + c, simd::fma(like - load(&along[c], like), h, g) * inverse);
    });
  }
}

}  // namespace skiff::kernels
