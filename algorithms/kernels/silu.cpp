#include "algorithms/kernels/silu.h"

#include "algorithms/kernels/elementary.h"
#include "algorithms/kernels/elementwise.h"

namespace skiff::kernels {

using elementary::fma;
using elementary::sigmoid;
using elementary::splat;
using elementwise::load;
using elementwise::store;

void swiglu(std::span<float> h, std::span<const float> gate, std::span<const float> up) noexcept {
  float* out = h.data();
  const float *g = gate.data(), *u = up.data();
  elementwise::each(h.size(), [=](std::size_t i, auto kind) {
    const auto v = load(g + i, kind);
    store(out + i, v * sigmoid(v) * load(u + i, kind));
  });
}

void swiglu_backward(std::span<float> d_gate, std::span<float> d_up, std::span<const float> dh,
                     std::span<const float> gate, std::span<const float> up) noexcept {
  float *out_gate = d_gate.data(), *out_up = d_up.data();
  const float *d = dh.data(), *g = gate.data(), *u = up.data();
  elementwise::each(dh.size(), [=](std::size_t i, auto kind) {
    using V = decltype(kind);
    const V v = load(g + i, kind), w = load(u + i, kind), slope = load(d + i, kind);
    const V s = sigmoid(v);
    store(out_up + i, slope * (v * s));
    store(out_gate + i, slope * w * (s * fma(v, 1.0F - s, splat<V>(1.0F))));
  });
}

}  // namespace skiff::kernels
