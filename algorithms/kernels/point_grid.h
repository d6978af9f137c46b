// A finite set of points of R^p and the one that is nearest to a vector, exactly.
//
// The distance is d = fma(e_1, e_1, fma(e_2, e_2, ... e_p e_p)) with e = x - c in float; of points
// equally far the lowest index wins. p = 1: points ascend, the code is the number of midpoints
// (rounded to float) that lie below x. p = 2: cells of a 64 x 64 table over [-4, 4]^2, the border
// ones reaching to 8, list every point that is nearest somewhere in them, so few are compared (1.8
// on average of 256); beyond 8 all are. p >= 3: all are compared. The code is that of comparing
// all, whatever the path and the instruction set.
// Immutable; thread-safe. Building takes some 50 ms for 256 points of p = 2.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace skiff::kernels {

class PointGrid {
 public:
  // points: n x dimension, row-major; n <= 65536; p = 1: strictly ascending.
  PointGrid(int dimension, std::vector<float> points);

  int dimension() const noexcept { return dimension_; }
  int size() const noexcept { return size_; }
  std::span<const float> points() const noexcept { return points_; }

  // codes.size() * dimension() values of x.
  void nearest(std::span<std::uint16_t> codes, std::span<const float> x) const noexcept;
  // The same codes by comparing all points (p = 1: all midpoints).
  void nearest_of_all(std::span<std::uint16_t> codes, std::span<const float> x) const noexcept;
  // x of the codes; codes must be below size().
  void values(std::span<float> x, std::span<const std::uint16_t> codes) const noexcept;

 private:
  struct Cell {
    float xy[8];  // the first four candidates; the first one again where there are fewer
    std::uint16_t id[4];
    std::uint32_t begin = 0, count = 0;  // of all candidates, in rest_
  };

  void build_line();
  void build_cells();
  std::vector<std::uint16_t> candidates(float x0, float x1, float y0, float y1) const;
  void nearest_line(std::span<std::uint16_t> codes, std::span<const float> x) const noexcept;
  void nearest_plane(std::span<std::uint16_t> codes, const float* x) const noexcept;
  std::uint16_t nearest_in_plane(float x, float y) const noexcept;
  std::uint16_t nearest_by_comparing(const float* x) const noexcept;

  int dimension_, size_;
  std::vector<float> points_;
  std::vector<float> coordinates_;         // by dimension, padded to 8 points
  std::vector<float> midpoints_;           // p = 1
  std::vector<std::uint16_t> first_code_;  // p = 1: by bucket, a code that is not too high
  std::vector<Cell> cells_;
  std::vector<std::uint16_t> rest_;
};

}  // namespace skiff::kernels
