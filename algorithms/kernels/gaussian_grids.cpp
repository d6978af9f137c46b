#include "algorithms/kernels/gaussian_grids.h"

#include <cstring>
#include <map>
#include <memory>
#include <mutex>
#include <string>

#include "algorithms/kernels/half.h"
#include "sim/core/error.h"
#include "sim/core/random.h"

namespace skiff::kernels {

extern const GaussianGridData kGaussianGrids[20];
extern const GaussianGridData kLargeGaussianGrids[1];

namespace {

std::uint32_t digit(char c) {
  if (c >= 'A' && c <= 'Z') return static_cast<std::uint32_t>(c - 'A');
  if (c >= 'a' && c <= 'z') return static_cast<std::uint32_t>(c - 'a' + 26);
  if (c >= '0' && c <= '9') return static_cast<std::uint32_t>(c - '0' + 52);
  return c == '+' ? 62 : c == '/' ? 63 : 0;
}

std::string bytes_of(const char* base64) {
  std::string bytes;
  for (const char* p = base64; *p != 0; p += 4) {
    const std::uint32_t v = digit(p[0]) << 18 | digit(p[1]) << 12 | digit(p[2]) << 6 | digit(p[3]);
    const int count = p[2] == '=' ? 1 : p[3] == '=' ? 2 : 3;
    for (int k = 0; k < count; ++k) bytes += static_cast<char>(v >> (16 - 8 * k) & 255U);
  }
  return bytes;
}

PointGrid decoded(const GaussianGridData& data) {
  const std::string bytes = bytes_of(data.base64);
  SKIFF_CHECK(hash_text(bytes) == data.checksum, "a grid's bytes have changed");
  std::vector<float> points(static_cast<std::size_t>(data.dimension * data.points));
  if (data.dimension == 4) {
    std::vector<std::uint16_t> halves(points.size());
    SKIFF_CHECK(bytes.size() == 2 * halves.size(), "a grid of another size");
    std::memcpy(halves.data(), bytes.data(), bytes.size());
    from_half(points, halves);
  } else {
    SKIFF_CHECK(bytes.size() == 4 * points.size(), "a grid of another size");
    std::memcpy(points.data(), bytes.data(), bytes.size());
  }
  return {data.dimension, std::move(points)};
}

}  // namespace

std::span<const GaussianGridData* const> gaussian_grids() {
  static const std::vector<const GaussianGridData*> all = [] {
    std::vector<const GaussianGridData*> found;
    for (const GaussianGridData& data : kGaussianGrids) found.push_back(&data);
    for (const GaussianGridData& data : kLargeGaussianGrids) found.push_back(&data);
    return found;
  }();
  return all;
}

const GaussianGridData* find_gaussian_grid(int dimension, int points) {
  for (const GaussianGridData* data : gaussian_grids()) {
    if (data->dimension == dimension && data->points == points) return data;
  }
  return nullptr;
}

const PointGrid& gaussian_grid(const GaussianGridData& data) {
  static std::mutex mutex;
  static std::map<const GaussianGridData*, std::unique_ptr<const PointGrid>> made;
  const std::lock_guard<std::mutex> lock(mutex);
  std::unique_ptr<const PointGrid>& grid = made[&data];
  if (grid == nullptr) grid = std::make_unique<const PointGrid>(decoded(data));
  return *grid;
}

}  // namespace skiff::kernels
