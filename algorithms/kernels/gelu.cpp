#include "algorithms/kernels/gelu.h"

#include "algorithms/kernels/elementary.h"
#include "algorithms/kernels/elementwise.h"

namespace skiff::kernels {
namespace {

using elementary::fma;
using elementary::splat;
using elementwise::load;
using elementwise::store;

constexpr float kHalfRoot = 0.707106781F;  // 1 / sqrt 2
constexpr float kNormal = 0.398942280F;    // 1 / sqrt(2 pi)
constexpr float kSlope = 0.797884561F;     // sqrt(2 / pi)
constexpr float kCube = 0.044715F * kSlope;

template <class V>
[[gnu::always_inline]] inline V phi_of(V x) noexcept {
  return (elementary::erf(x * kHalfRoot) + 1.0F) * 0.5F;
}
template <class V>
[[gnu::always_inline]] inline V tanh_of(V x) noexcept {
  return elementary::tanh(x * fma(x * x, splat<V>(kCube), splat<V>(kSlope)));
}

template <class V>
[[gnu::always_inline]] inline V slope_of_erf(V x) noexcept {
  return fma(x * kNormal, elementary::exp(x * x * -0.5F), phi_of(x));
}
template <class V>
[[gnu::always_inline]] inline V slope_of_tanh(V x) noexcept {
  const V t = tanh_of(x);
  const V du = fma(x * x, splat<V>(3 * kCube), splat<V>(kSlope));
  return fma(x * 0.5F * fma(-t, t, splat<V>(1.0F)), du, (t + 1.0F) * 0.5F);
}

}  // namespace

void gelu(std::span<float> y, std::span<const float> x, Gelu form) noexcept {
  float* out = y.data();
  const float* in = x.data();
  const auto with = [=, n = x.size()](auto share) {  // share: Phi(x)
    elementwise::each(n, [=](std::size_t i, auto kind) {
      const auto v = load(in + i, kind);
      store(out + i, v * share(v));
    });
  };
  if (form == Gelu::kErf) return with([](auto v) { return phi_of(v); });
  with([](auto v) { return (tanh_of(v) + 1.0F) * 0.5F; });
}

void gelu_backward(std::span<float> dx, std::span<const float> dy, std::span<const float> x,
                   Gelu form) noexcept {
  float* out = dx.data();
  const float *in = x.data(), *d = dy.data();
  const auto with = [=, n = x.size()](auto slope) {
    elementwise::each(n, [=](std::size_t i, auto kind) {
      store(out + i, load(d + i, kind) * slope(load(in + i, kind)));
    });
  };
  if (form == Gelu::kErf) return with([](auto v) { return slope_of_erf(v); });
  with([](auto v) { return slope_of_tanh(v); });
}

}  // namespace skiff::kernels
