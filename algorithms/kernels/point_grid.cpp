#include "algorithms/kernels/point_grid.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstring>
#include <limits>

#include "algorithms/kernels/point_grid_lanes.h"
#include "sim/core/error.h"

namespace skiff::kernels {
namespace {

using lanes::kCells;
using lanes::kFar;
using lanes::kMargin;
using lanes::kReach;
using lanes::kWiden;
using simd::F8;
using simd::I8;

constexpr float kInfinity = std::numeric_limits<float>::infinity();

// p = 1
constexpr int kBuckets = 1024;
constexpr float kBucketReach = 6;

float bucket_edge(int i) {
  return -kBucketReach + static_cast<float>(i) * (2 * kBucketReach / kBuckets);
}

// A coordinate's cell.
int cell_of(float v) noexcept {
  const float scaled = (v + kReach) * (kCells / (2 * kReach));
  return static_cast<int>(std::min(std::max(scaled, 0.0F), static_cast<float>(kCells - 1)));
}
float cell_begin(int i) {
  return i == 0 ? -kFar : -kReach + static_cast<float>(i) * (2 * kReach / kCells);
}

}  // namespace

PointGrid::PointGrid(int dimension, std::vector<float> points)
    : dimension_(dimension),
      size_(static_cast<int>(points.size()) / dimension),
      points_(std::move(points)) {
  SKIFF_CHECK(dimension >= 1 && size_ >= 1 && size_ <= 65536, "no points");
  const auto p = static_cast<std::size_t>(dimension);
  const std::size_t padded = (static_cast<std::size_t>(size_) + 7) / 8 * 8;
  coordinates_.assign(p * padded, kInfinity);
  for (std::size_t i = 0; i < static_cast<std::size_t>(size_); ++i) {
    for (std::size_t d = 0; d < p; ++d) coordinates_[d * padded + i] = points_[i * p + d];
  }
  if (dimension == 1) build_line();
  if (dimension == 2) build_cells();
}

void PointGrid::build_line() {
  for (std::size_t i = 0; i + 1 < points_.size(); ++i) {
    SKIFF_CHECK(points_[i] < points_[i + 1], "points that do not ascend");
    midpoints_.push_back(0.5F * (points_[i] + points_[i + 1]));
  }
  for (int b = 0; b < kBuckets; ++b) {
    const float edge = b == 0 ? -kInfinity : bucket_edge(b) - kMargin;
    const auto below = std::lower_bound(midpoints_.begin(), midpoints_.end(), edge);
    first_code_.push_back(static_cast<std::uint16_t>(below - midpoints_.begin()));
  }
  midpoints_.resize((midpoints_.size() + 16) / 16 * 16, kInfinity);
}

std::vector<std::uint16_t> PointGrid::candidates(float x0, float x1, float y0, float y1) const {
  struct Far {
    std::uint16_t id;
    std::array<float, 4> corners;
    float least;
  };
  std::vector<Far> all;
  float reach = kInfinity;  // the least of the greatest distances within the cell
  for (int i = 0; i < size_; ++i) {
    const float x = points_[2 * static_cast<std::size_t>(i)];
    const float y = points_[2 * static_cast<std::size_t>(i) + 1];
    Far far{static_cast<std::uint16_t>(i), {}, 0};
    std::size_t c = 0;
    for (const float cx : {x0, x1}) {
      for (const float cy : {y0, y1}) {
        far.corners[c++] = (cx - x) * (cx - x) + (cy - y) * (cy - y);
      }
    }
    const float dx = std::max({x0 - x, 0.0F, x - x1}), dy = std::max({y0 - y, 0.0F, y - y1});
    far.least = dx * dx + dy * dy;
    reach = std::min(reach, *std::max_element(far.corners.begin(), far.corners.end()));
    all.push_back(far);
  }
  std::erase_if(all, [&](const Far& f) { return f.least > reach + kMargin; });
  std::vector<std::uint16_t> kept;
  for (const Far& f : all) {
    // A rival closer at every corner is closer everywhere between them: half-planes are convex.
    const bool beaten = std::any_of(all.begin(), all.end(), [&](const Far& rival) {
      bool closer = true;
      for (std::size_t c = 0; c < 4; ++c) {
        closer = closer && rival.corners[c] + kMargin < f.corners[c];
      }
      return closer;
    });
    if (!beaten) kept.push_back(f.id);
  }
  return kept;
}

void PointGrid::build_cells() {
  for (int i = 0; i < kCells; ++i) {
    for (int j = 0; j < kCells; ++j) {
      const auto end = [](int k) { return k == kCells - 1 ? kFar : cell_begin(k + 1); };
      const std::vector<std::uint16_t> ids = candidates(cell_begin(i) - kWiden, end(i) + kWiden,
                                                        cell_begin(j) - kWiden, end(j) + kWiden);
      Cell cell;
      cell.begin = static_cast<std::uint32_t>(rest_.size());
      cell.count = static_cast<std::uint32_t>(ids.size());
      for (std::size_t k = 0; k < 4; ++k) {
        const std::uint16_t id = ids[k < ids.size() ? k : 0];
        cell.id[k] = id;
        cell.xy[2 * k] = points_[2 * std::size_t{id}];
        cell.xy[2 * k + 1] = points_[2 * std::size_t{id} + 1];
      }
      rest_.insert(rest_.end(), ids.begin(), ids.end());
      cells_.push_back(cell);
    }
  }
}

void PointGrid::nearest_line(std::span<std::uint16_t> codes,
                             std::span<const float> x) const noexcept {
  std::size_t i = 0;
  if (size_ <= 16) {
    i = x.size() / 8 * 8;
    lanes::nearest_of_sixteen(codes.data(), x.data(), i, midpoints_.data());
  }
  for (; i < x.size(); ++i) {
    const float scaled = (x[i] + kBucketReach) * (kBuckets / (2 * kBucketReach));
    const auto bucket = static_cast<std::size_t>(
        std::min(std::max(scaled, 0.0F), static_cast<float>(kBuckets - 1)));
    std::uint16_t code = first_code_[bucket];
    while (x[i] > midpoints_[code]) ++code;
    codes[i] = code;
  }
}

// One pair, whichever cell it is in.
std::uint16_t PointGrid::nearest_in_plane(float x, float y) const noexcept {
  if (!(std::abs(x) < kFar && std::abs(y) < kFar)) {
    const float both[2] = {x, y};
    return nearest_by_comparing(both);
  }
  const Cell& cell = cells_[static_cast<std::size_t>(cell_of(x) * kCells + cell_of(y))];
  std::uint16_t best = 0;
  float nearest = kInfinity;
  for (std::uint32_t k = cell.begin; k < cell.begin + cell.count; ++k) {
    const std::size_t id = rest_[k];
    const float ex = x - points_[2 * id], ey = y - points_[2 * id + 1];
    const float distance = std::fma(ex, ex, ey * ey);
    if (distance < nearest) {
      nearest = distance;
      best = rest_[k];
    }
  }
  return best;
}

// Four pairs at a time, four candidates each: distances of a pair stand in the even lanes, are
// gathered by candidate, and compared (lower index first) for all four pairs at once.
void PointGrid::nearest_plane(std::span<std::uint16_t> codes, const float* x) const noexcept {
  std::size_t i = 0;
  for (; i + 4 <= codes.size(); i += 4) {
    const F8 v = simd::load8(x + 2 * i);
    const lanes::PlaneCells at = lanes::plane_cells(v);
    bool simple = at.near;
    F8 d[4];
    std::uint64_t ids[4];
#pragma GCC unroll 4
    for (std::size_t k = 0; k < 4; ++k) {
      const Cell& cell = cells_[at.cell[k]];
      simple = simple && cell.count <= 4;
      std::memcpy(&ids[k], cell.id, sizeof ids[k]);
      double pair;
      std::memcpy(&pair, x + 2 * (i + k), sizeof pair);
      const F8 e = F8(_mm256_castpd_ps(_mm256_set1_pd(pair))) - simd::load8(cell.xy);
      const F8 square = e * e;
      d[k] = simd::fma(e, e, F8(_mm256_permute_ps(square, 0xb1)));
    }
    if (simple) {
      const I8 which = lanes::nearest_of_four(d);
      for (std::size_t k = 0; k < 4; ++k) {
        codes[i + k] = static_cast<std::uint16_t>(ids[k] >> which[static_cast<int>(k)]);
      }
    } else {
      for (std::size_t k = i; k < i + 4; ++k) codes[k] = nearest_in_plane(x[2 * k], x[2 * k + 1]);
    }
  }
  for (; i < codes.size(); ++i) codes[i] = nearest_in_plane(x[2 * i], x[2 * i + 1]);
}

std::uint16_t PointGrid::nearest_by_comparing(const float* x) const noexcept {
  const std::size_t padded = (static_cast<std::size_t>(size_) + 7) / 8 * 8;
  const auto last = static_cast<std::size_t>(dimension_ - 1);
  F8 least = simd::set8(kInfinity);
  I8 best{};
  for (std::size_t i = 0; i < padded; i += 8) {
    F8 e = simd::set8(x[last]) - simd::load8(&coordinates_[last * padded + i]);
    F8 d = e * e;
    for (std::size_t k = last; k-- > 0;) {
      e = simd::set8(x[k]) - simd::load8(&coordinates_[k * padded + i]);
      d = simd::fma(e, e, d);
    }
    const I8 closer = d < least;
    least = F8(_mm256_blendv_ps(least, d, F8(closer)));
    const I8 block = I8{} + static_cast<std::int32_t>(i);
    best = (best & ~closer) | (block & closer);
  }
  std::size_t code = static_cast<std::size_t>(best[0]);
  float distance = least[0];
  for (int lane = 1; lane < 8; ++lane) {
    const auto id = static_cast<std::size_t>(best[lane] + lane);
    if (least[lane] < distance || (least[lane] == distance && id < code)) {
      distance = least[lane];
      code = id;
    }
  }
  return static_cast<std::uint16_t>(code);
}

void PointGrid::nearest(std::span<std::uint16_t> codes, std::span<const float> x) const noexcept {
  if (dimension_ == 1) return nearest_line(codes, x);
  if (dimension_ != 2) return nearest_of_all(codes, x);
  nearest_plane(codes, x.data());
}

void PointGrid::nearest_of_all(std::span<std::uint16_t> codes,
                               std::span<const float> x) const noexcept {
  for (std::size_t i = 0; i < codes.size(); ++i) {
    if (dimension_ == 1) {
      codes[i] = static_cast<std::uint16_t>(
          std::count_if(midpoints_.begin(), midpoints_.end(), [&](float m) { return x[i] > m; }));
    } else {
      codes[i] = nearest_by_comparing(x.data() + i * static_cast<std::size_t>(dimension_));
    }
  }
}

void PointGrid::values(std::span<float> x, std::span<const std::uint16_t> codes) const noexcept {
  const auto p = static_cast<std::size_t>(dimension_);
  if (p == 2) {  // pairs move whole
    for (std::size_t i = 0; i < codes.size(); ++i) {
      std::memcpy(x.data() + 2 * i, points_.data() + 2 * std::size_t{codes[i]}, 2 * sizeof(float));
    }
    return;
  }
  std::size_t i = 0;
  if (p == 1 && size_ <= 16) {
    i = codes.size() / 8 * 8;
    lanes::values_of_sixteen(x.data(), codes.data(), i, points_);
  }
  for (; i < codes.size(); ++i) {
    for (std::size_t d = 0; d < p; ++d) x[i * p + d] = points_[codes[i] * p + d];
  }
}

}  // namespace skiff::kernels
