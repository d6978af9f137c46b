#include "algorithms/kernels/rotated_group.h"

#include <algorithm>
#include <cmath>

#include "algorithms/kernels/fwht.h"
#include "algorithms/kernels/half.h"
#include "algorithms/kernels/reduce.h"

namespace skiff::kernels {
namespace {

float as_half(double value) noexcept { return from_half(to_half(static_cast<float>(value))); }

// s |u|^2 / <u, u'>, u' being what the codes read as.
float unbiased_scale(const PointGrid& grid, std::span<const float> u,
                     std::span<const std::uint16_t> codes, float scale) noexcept {
  double inner = 0;
  float values[4096];
  const auto p = static_cast<std::size_t>(grid.dimension());
  for (std::size_t first = 0; first < u.size(); first += 4096) {
    const std::size_t count = std::min<std::size_t>(4096, u.size() - first);
    grid.values({values, count}, codes.subspan(first / p, count / p));
    inner += dot_double(u.subspan(first, count), {values, count});
  }
  const float stored = as_half(scale * (squared_norm_double(u) / inner));
  return inner > 0 && std::isfinite(stored) ? stored : scale;
}

}  // namespace

void random_signs(std::span<float> signs, Stream stream) {
  std::uint32_t word = 0;
  for (std::size_t i = 0; i < signs.size(); ++i) {
    if (i % 32 == 0) word = stream();
    signs[i] = (word >> i % 32 & 1U) != 0 ? -1.0F : 1.0F;
  }
}

float encode_rotated(const PointGrid& grid, std::span<float> work, std::span<std::uint16_t> codes,
                     bool unbiased) noexcept {
  const double size = static_cast<double>(work.size());
  const float scale = as_half(std::sqrt(squared_norm_double(work) / size));
  if (!std::isfinite(scale)) return scale;
  if (scale == 0) {
    std::fill(work.begin(), work.end(), 0.0F);
  } else {
    fwht(work);
    kernels::scale(work, static_cast<float>(1 / (std::sqrt(size) * scale)), work);
  }
  grid.nearest(codes, work);
  return unbiased && scale != 0 ? unbiased_scale(grid, work, codes, scale) : scale;
}

void decode_rotated(const PointGrid& grid, std::span<const std::uint16_t> codes, float scale,
                    std::span<float> out) noexcept {
  grid.values(out, codes);
  fwht(out);
  kernels::scale(out, static_cast<float>(scale / std::sqrt(static_cast<double>(out.size()))), out);
}

}  // namespace skiff::kernels
