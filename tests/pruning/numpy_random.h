// The numbers of numpy.random.RandomState(seed): Mersenne twister, normals by the polar method.
#pragma once

#include <cmath>
#include <cstdint>
#include <random>
#include <vector>

namespace skiff::testing {

class NumpyRandom {
 public:
  explicit NumpyRandom(std::uint32_t seed) : bits_(seed) {}
  double uniform() {
    const double high = static_cast<double>(bits_() >> 5), low = static_cast<double>(bits_() >> 6);
    return (high * 67108864.0 + low) / 9007199254740992.0;
  }
  double normal() {
    if (has_spare_) {
      has_spare_ = false;
      return spare_;
    }
    double x = 0, y = 0, r = 0;
    do {
      x = 2 * uniform() - 1;
      y = 2 * uniform() - 1;
      r = x * x + y * y;
    } while (r >= 1 || r == 0);
    const double f = std::sqrt(-2 * std::log(r) / r);
    spare_ = f * x;
    has_spare_ = true;
    return f * y;
  }
  std::vector<double> normals(std::size_t n) {
    std::vector<double> all(n);
    for (double& v : all) v = normal();
    return all;
  }

 private:
  std::mt19937 bits_;
  double spare_ = 0;
  bool has_spare_ = false;
};

}  // namespace skiff::testing
