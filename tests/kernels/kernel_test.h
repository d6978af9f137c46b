// What every kernel test needs: reproducible data, comparison by bits, and a hash of bits.
#pragma once

#include <gtest/gtest.h>

#include <bit>
#include <cmath>
#include <cstdint>
#include <span>
#include <vector>

#include "algorithms/kernels/matrix.h"

namespace skiff::kernels::testing {

// splitmix64: the same numbers on any machine.
class Numbers {
 public:
  explicit Numbers(std::uint64_t seed) : state_(seed) {}

  std::uint64_t bits() {
    std::uint64_t z = (state_ += 0x9e3779b97f4a7c15U);
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9U;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebU;
    return z ^ (z >> 31);
  }
  float uniform(float low = -1, float high = 1) {
    return low + (high - low) * (static_cast<float>(bits() >> 40) * 0x1p-24F);
  }
  int below(int n) { return static_cast<int>(bits() % static_cast<std::uint64_t>(n)); }
  std::vector<float> floats(std::size_t n, float low = -1, float high = 1) {
    std::vector<float> v(n);
    for (float& x : v) x = uniform(low, high);
    return v;
  }

 private:
  std::uint64_t state_;
};

// An m x n matrix of random numbers with a stride and a misaligned first element; what lies between
// the rows is marked, and must stay as it is.
class Matrix {
 public:
  static constexpr float kMark = 12345.0F;

  Matrix(Numbers& numbers, int rows, int cols, int gap = 3, int offset = 1)
      : rows_(rows), cols_(cols), stride_(cols + gap), offset_(offset) {
    data_.assign(static_cast<std::size_t>(offset + rows * stride_ + 1), kMark);
    for (int i = 0; i < rows; ++i) {
      for (int j = 0; j < cols; ++j) view()[i][j] = numbers.uniform();
    }
    for (int i = 0; i < rows; ++i) pointers_.push_back(nullptr);
  }

  MatrixView view() { return {data_.data() + offset_, rows_, cols_, stride_}; }
  ConstMatrixView view() const { return {data_.data() + offset_, rows_, cols_, stride_}; }
  Rows gathered() {
    for (int i = 0; i < rows_; ++i) pointers_[static_cast<std::size_t>(i)] = view()[i];
    return {pointers_.data(), rows_, cols_};
  }
  const std::vector<float>& all() const { return data_; }
  float* operator[](int i) { return view()[i]; }
  const float* operator[](int i) const { return view()[i]; }
  int rows() const { return rows_; }
  int cols() const { return cols_; }

 private:
  int rows_, cols_, stride_, offset_;
  std::vector<float> data_;
  std::vector<const float*> pointers_;
};

// How many elements differ in their bits (any two NaNs are equal).
inline int differing(std::span<const float> a, std::span<const float> b) {
  int count = a.size() == b.size() ? 0 : 1;
  for (std::size_t i = 0; i < std::min(a.size(), b.size()); ++i) {
    const bool nans = std::isnan(a[i]) && std::isnan(b[i]);
    if (!nans && std::bit_cast<std::uint32_t>(a[i]) != std::bit_cast<std::uint32_t>(b[i])) ++count;
  }
  return count;
}
inline int differing(const Matrix& a, const Matrix& b) { return differing(a.all(), b.all()); }

// FNV-1a over 32-bit words.
inline std::uint64_t hash(std::span<const float> x, std::uint64_t h = 0xcbf29ce484222325U) {
  for (const float v : x) h = (h ^ std::bit_cast<std::uint32_t>(v)) * 0x100000001b3U;
  return h;
}
inline std::uint64_t hash(const Matrix& m) { return hash(m.all()); }

}  // namespace skiff::kernels::testing
