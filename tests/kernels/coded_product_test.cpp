// Products with matrices of 4-bit codes: bit for bit the sum that the header defines, one number
// after the other.
#include "algorithms/kernels/coded_product.h"

#include <gtest/gtest.h>

#include <cmath>
#include <vector>

#include "algorithms/kernels/bitpack.h"
#include "sim/core/distributions.h"

namespace skiff::kernels {
namespace {

float by_definition(const std::vector<std::uint16_t>& codes, const std::vector<float>& scales,
                    const std::vector<float>& points, const std::vector<float>& x,
                    std::size_t group, std::size_t row) {
  float y = 0;
  for (std::size_t k = 0; k < x.size() / group; ++k) {
    float lanes[4][8] = {};
    for (std::size_t i = 0; i < group; ++i) {
      float& lane = lanes[i / 8 % 4][i % 8];
      lane = std::fma(points[codes[row * x.size() + k * group + i]], x[k * group + i], lane);
    }
    float v[8];
    for (int l = 0; l < 8; ++l) v[l] = (lanes[0][l] + lanes[1][l]) + (lanes[2][l] + lanes[3][l]);
    for (int h = 4; h > 0; h /= 2) {
      for (int l = 0; l < h; ++l) v[l] += v[l + h];
    }
    y = std::fma(scales[row * (x.size() / group) + k], v[0], y);
  }
  return y;
}

TEST(CodedProductTest, IsItsDefinition) {
  constexpr std::size_t kRows = 5;
  for (const std::uint32_t count : {3U, 9U, 16U}) {
    for (const std::size_t group : {32U, 64U, 1024U}) {
      const std::size_t width = group == 1024 ? 2048 : 3 * group;
      Stream draws(7, "codes");
      std::vector<float> points, x, scales;
      for (std::uint32_t i = 0; i < count; ++i) points.push_back(static_cast<float>(normal(draws)));
      for (std::size_t i = 0; i < width; ++i) x.push_back(static_cast<float>(normal(draws)));
      for (std::size_t i = 0; i < kRows * width / group; ++i) {
        scales.push_back(static_cast<float>(draws.uniform()));
      }
      std::vector<std::uint16_t> codes(kRows * width);
      for (std::uint16_t& c : codes) c = static_cast<std::uint16_t>(draws.below(count));
      std::vector<std::uint8_t> packed(packed_bytes(codes.size(), 4));
      pack_bits(packed, codes, 4);
      std::vector<float> y(kRows);
      coded_product(y, packed, scales, points, x, static_cast<int>(group));
      for (std::size_t r = 0; r < kRows; ++r) {
        EXPECT_EQ(y[r], by_definition(codes, scales, points, x, group, r)) << count << " " << group;
      }
    }
  }
}

}  // namespace
}  // namespace skiff::kernels
