#include "algorithms/kernels/exp_double.h"

#include <cmath>
#include <limits>

#include "algorithms/kernels/exp.h"

namespace skiff::kernels {

double exp_double(double x) noexcept {
  constexpr double kLog2e = 1.4426950408889634074, kLn2High = 6.93147180369123816490e-01,
                   kLn2Low = 1.90821492927058770002e-10;
  if (!(x >= -708)) return x < -708 ? 0 : x;
  if (x > 709.7) return std::numeric_limits<double>::infinity();
  const double n = std::nearbyint(x * kLog2e);
  const double r = (x - n * kLn2High) - n * kLn2Low;
  double sum = 1;
  for (int k = 13; k >= 1; --k) sum = 1 + r / k * sum;
  return std::ldexp(sum, static_cast<int>(n));
}

double log_double(double x) noexcept {
  const double near = vlog(static_cast<float>(x));
  const double at = exp_double(near);
  return near + 2 * (x - at) / (x + at);
}

double tanh_double(double x) noexcept {
  const double square = x * x;
  if (square < 1e-6) return x * (1 - square / 3 * (1 - square * 0.4));
  return 1 - 2 / (exp_double(2 * x) + 1);
}

}  // namespace skiff::kernels
