// A user's distribution: a value, or {lognormal: {median, sigma}}, {exponential: {mean}},
// {uniform: [low, high]}, {list: [...]} by client. Values are in the SI unit of the dimension.
#pragma once

#include <vector>

#include "sim/core/distributions.h"
#include "sim/core/units.h"

namespace skiff {

struct Distribution {
  enum class Kind { kConstant, kLognormal, kExponential, kUniform, kList };
  Kind kind = Kind::kConstant;
  double a = 0;                // the value; median; mean; low
  double b = 0;                // sigma; high
  std::vector<double> values;  // of a list: client i takes values[i mod size]

  double sample(Stream& stream, std::size_t client) const {
    switch (kind) {
      case Kind::kConstant:
        return a;
      case Kind::kLognormal:
        return lognormal(stream, a, b);
      case Kind::kExponential:
        return exponential(stream, a);
      case Kind::kUniform:
        return a + (b - a) * stream.uniform();
      case Kind::kList:
        return values[client % values.size()];
    }
    return a;
  }
};

// A distribution of a dimension: DistributionOf<Seconds>.
template <class Q>
struct DistributionOf {
  Distribution distribution;
  Q sample(Stream& stream, std::size_t client) const {
    return Q(static_cast<typename Q::rep>(distribution.sample(stream, client)));
  }
};

}  // namespace skiff
