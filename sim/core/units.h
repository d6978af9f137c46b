// Strong types for everything that has a dimension.
//
// A Quantity is one number of one dimension; only operations that make physical sense exist
// (Bytes / BytesPerSecond -> Seconds, Watts * Seconds -> Joules, ...). Bytes are counted exactly in
// int64; everything else is a double in the SI unit that its name says. Value types, thread-safe.
#pragma once

#include <compare>
#include <cstdint>

namespace skiff {

template <class Dimension, class Rep = double>
class Quantity {
 public:
  using rep = Rep;
  constexpr Quantity() = default;
  constexpr explicit Quantity(Rep value) : value_(value) {}

  constexpr Rep value() const { return value_; }
  constexpr auto operator<=>(const Quantity&) const = default;

  constexpr Quantity& operator+=(Quantity o) { return value_ += o.value_, *this; }
  constexpr Quantity& operator-=(Quantity o) { return value_ -= o.value_, *this; }
  friend constexpr Quantity operator+(Quantity a, Quantity b) { return a += b; }
  friend constexpr Quantity operator-(Quantity a, Quantity b) { return a -= b; }
  friend constexpr Quantity operator-(Quantity a) { return Quantity(-a.value_); }
  friend constexpr Quantity operator*(Quantity a, Rep k) { return Quantity(a.value_ * k); }
  friend constexpr Quantity operator*(Rep k, Quantity a) { return Quantity(a.value_ * k); }
  friend constexpr Quantity operator/(Quantity a, Rep k) { return Quantity(a.value_ / k); }
  friend constexpr double operator/(Quantity a, Quantity b) {
    return static_cast<double>(a.value_) / static_cast<double>(b.value_);
  }

 private:
  Rep value_{};
};

using Bytes = Quantity<struct BytesDimension, std::int64_t>;
using Seconds = Quantity<struct SecondsDimension>;
using Joules = Quantity<struct JoulesDimension>;
using Watts = Quantity<struct WattsDimension>;
using Flops = Quantity<struct FlopsDimension>;
using BytesPerSecond = Quantity<struct ByteRateDimension>;
using FlopsPerSecond = Quantity<struct FlopRateDimension>;
using PerSecond = Quantity<struct HazardDimension>;  // rate of random events

constexpr double as_double(Bytes b) { return static_cast<double>(b.value()); }

constexpr Seconds operator/(Bytes b, BytesPerSecond r) { return Seconds(as_double(b) / r.value()); }
constexpr Seconds operator/(Flops f, FlopsPerSecond r) { return Seconds(f.value() / r.value()); }
constexpr Seconds operator/(Joules e, Watts p) { return Seconds(e.value() / p.value()); }
constexpr Joules operator*(Watts p, Seconds t) { return Joules(p.value() * t.value()); }
constexpr Joules operator*(Seconds t, Watts p) { return p * t; }
constexpr Watts operator/(Joules e, Seconds t) { return Watts(e.value() / t.value()); }
constexpr double operator*(PerSecond h, Seconds t) { return h.value() * t.value(); }

// 1 Mbps = 10^6 bit/s = 125,000 B/s.
constexpr BytesPerSecond megabits_per_second(double mbps) { return BytesPerSecond(mbps * 125e3); }
constexpr double in_megabits_per_second(BytesPerSecond r) { return r.value() / 125e3; }

}  // namespace skiff
