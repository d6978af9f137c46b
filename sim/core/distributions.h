// Draws that the simulator needs, over a Stream. Boost.Random underneath: the same values with
// every compiler and standard library.
#pragma once

#include <boost/random/exponential_distribution.hpp>
#include <boost/random/gamma_distribution.hpp>
#include <boost/random/normal_distribution.hpp>
#include <cmath>
#include <span>
#include <utility>
#include <vector>

#include "sim/core/random.h"

namespace skiff {

inline double normal(Stream& s, double mean = 0, double deviation = 1) {
  return boost::random::normal_distribution<double>(mean, deviation)(s);
}
// exp(N(ln median, sigma^2)).
inline double lognormal(Stream& s, double median, double sigma) {
  return median * std::exp(normal(s, 0, sigma));
}
inline double exponential(Stream& s, double mean) {
  return boost::random::exponential_distribution<double>(1 / mean)(s);
}
inline double gamma(Stream& s, double shape) {
  return boost::random::gamma_distribution<double>(shape, 1.0)(s);
}
// A point of the simplex, Dir(alpha, ..., alpha) in n dimensions. Underflow of every coordinate
// (tiny alpha) falls back to one random vertex, which is the limit law.
inline std::vector<double> dirichlet(Stream& s, std::size_t n, double alpha) {
  std::vector<double> p(n);
  double sum = 0;
  for (double& x : p) sum += x = gamma(s, alpha);
  if (sum > 0) {
    for (double& x : p) x /= sum;
  } else {
    p[s.below(static_cast<std::uint32_t>(n))] = 1;
  }
  return p;
}
// Fisher-Yates.
template <class T>
void shuffle(Stream& s, std::span<T> items) {
  for (std::size_t i = items.size(); i > 1; --i) {
    std::swap(items[i - 1], items[s.below(static_cast<std::uint32_t>(i))]);
  }
}

}  // namespace skiff
