#include "algorithms/kernels/cifg.h"

#include "algorithms/kernels/elementary.h"
#include "algorithms/kernels/elementwise.h"

namespace skiff::kernels {

using elementary::fma;
using elementary::splat;
using elementwise::load;
using elementwise::store;

void cifg(std::span<float> gates, std::span<const float> c_before, CifgState state) noexcept {
  const std::size_t n = c_before.size();
  float *f_at = gates.data(), *g_at = f_at + n, *o_at = g_at + n;
  const float* before = c_before.data();
  float *c_at = state.c.data(), *t_at = state.t.data(), *h_at = state.h.data();
  elementwise::each(n, [=](std::size_t i, auto kind) {
    const auto f = elementary::sigmoid(load(f_at + i, kind));
    const auto g = elementary::tanh(load(g_at + i, kind));
    const auto o = elementary::sigmoid(load(o_at + i, kind));
    const auto c = fma(f, load(before + i, kind), (1.0F - f) * g);
    const auto t = elementary::tanh(c);
    store(f_at + i, f);
    store(g_at + i, g);
    store(o_at + i, o);
    store(c_at + i, c);
    store(t_at + i, t);
    store(h_at + i, o * t);
  });
}

void cifg_backward(std::span<float> dgates, std::span<float> dc, std::span<const float> dh,
                   std::span<const float> gates, std::span<const float> c_before,
                   std::span<const float> t) noexcept {
  const std::size_t n = c_before.size();
  float *out = dgates.data(), *carried = dc.data();
  const float *d = dh.data(), *in = gates.data(), *before = c_before.data(), *tanh_c = t.data();
  elementwise::each(n, [=](std::size_t i, auto kind) {
    using V = decltype(kind);
    const V f = load(in + i, kind), g = load(in + n + i, kind), o = load(in + 2 * n + i, kind);
    const V v = load(tanh_c + i, kind), slope = load(d + i, kind);
    const V one = splat<V>(1.0F);
    const V by_c = fma(slope * o, fma(-v, v, one), load(carried + i, kind));
    store(out + i, by_c * (load(before + i, kind) - g) * (f * (1.0F - f)));
    store(out + n + i, by_c * (1.0F - f) * fma(-g, g, one));
    store(out + 2 * n + i, slope * v * (o * (1.0F - o)));
    store(carried + i, by_c * f);
  });
}

}  // namespace skiff::kernels
