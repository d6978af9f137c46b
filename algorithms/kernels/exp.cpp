#include "algorithms/kernels/exp.h"

#include <cstddef>

#include "algorithms/kernels/elementary.h"

namespace skiff::kernels {
namespace {

template <class Function>
void map(std::span<float> out, std::span<const float> x, Function f) noexcept {
  const float* from = x.data();
  float* to = out.data();
  std::size_t i = 0;
  for (; i + simd::kWidth <= x.size(); i += simd::kWidth) {
    simd::store(to + i, f(simd::load(from + i)));
  }
  if (i < x.size()) {
    const simd::Mask tail = simd::mask(static_cast<int>(x.size() - i));
    simd::store(to + i, f(simd::load(from + i, tail)), tail);
  }
}

}  // namespace

void vexp(std::span<float> out, std::span<const float> x) noexcept {
  map(out, x, [](simd::F v) { return elementary::exp(v); });
}
void vlog(std::span<float> out, std::span<const float> x) noexcept {
  map(out, x, [](simd::F v) { return elementary::log(v); });
}
void vlog1p(std::span<float> out, std::span<const float> x) noexcept {
  map(out, x, [](simd::F v) { return elementary::log1p(v); });
}
void vsoftplus(std::span<float> out, std::span<const float> x) noexcept {
  map(out, x, [](simd::F v) { return elementary::softplus(v); });
}
void vsigmoid(std::span<float> out, std::span<const float> x) noexcept {
  map(out, x, [](simd::F v) { return elementary::sigmoid(v); });
}
void vtanh(std::span<float> out, std::span<const float> x) noexcept {
  map(out, x, [](simd::F v) { return elementary::tanh(v); });
}
void verf(std::span<float> out, std::span<const float> x) noexcept {
  map(out, x, [](simd::F v) { return elementary::erf(v); });
}

float vexp(float x) noexcept { return elementary::exp(x); }
float vlog(float x) noexcept { return elementary::log(x); }
float vlog1p(float x) noexcept { return elementary::log1p(x); }
float vsoftplus(float x) noexcept { return elementary::softplus(x); }
float vsigmoid(float x) noexcept { return elementary::sigmoid(x); }
float vtanh(float x) noexcept { return elementary::tanh(x); }
float verf(float x) noexcept { return elementary::erf(x); }

}  // namespace skiff::kernels
