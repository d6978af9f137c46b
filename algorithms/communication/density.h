// The parameter `density` of the codecs that send a share of the entries.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <string>

#include "sim/core/schema.h"

namespace skiff {

// k = floor(density * n), at least 1 (0 for an empty vector). A product within 1e-12 of the next
// whole number counts as it, so that 0.29 of 100 is 29 although 0.29 * 100 is below it in binary.
inline std::size_t kept_entries(double density, std::size_t n) {
  const double product = density * static_cast<double>(n) * (1 + 1e-12);
  const auto k = static_cast<std::size_t>(std::floor(product));
  return std::min(n, std::max<std::size_t>(k, 1));
}

inline std::string required_by(const std::string& codec) {
  return "by " + codec + "; skiff has no default that changes results";
}

template <class Params>
void add_density(Schema<Params>& schema, const std::string& codec) {
  schema.field("density", &Params::density, "share of the entries that is sent, at least one entry")
      .required(required_by(codec))
      .fraction()
      .above(0);
}

template <class Params>
void add_error_feedback(Schema<Params>& schema, const std::string& codec) {
  schema
      .field("error_feedback", &Params::error_feedback,
             "keep what was not sent and add it to the next message")
      .required(required_by(codec));
}

}  // namespace skiff
