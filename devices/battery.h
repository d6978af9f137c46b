// A battery whose charge is exactly piecewise linear, and the books of where its energy went.
//
//   d charge / dt = (stored power - load) / capacity
//
// Between changes of load everything is kept as (charge, time, powers): crossings are solved in
// closed form, nothing is stepped. An empty battery delivers nothing; a full one stores nothing,
// and then the plug carries the load. On mains the charge stays 1 and the books are kept all the
// same. Conservation, checkable at any time:
//
//   charge_0 C + stored = spent by cause + charge_1 C          (to 1e-9 of either side)
//
// One device, one thread.
#pragma once

#include <optional>

#include "devices/profile.h"
#include "sim/core/time.h"

namespace skiff {

enum class EnergyCause : std::uint8_t { kIdle, kUser, kCompute, kRadio, kFlash };
inline constexpr std::size_t kEnergyCauses = 5;
const char* name(EnergyCause);

// Amounts by cause: joules, or watts.
template <class Q>
struct ByCause {
  std::array<Q, kEnergyCauses> parts{};
  Q& operator[](EnergyCause c) { return parts[static_cast<std::size_t>(c)]; }
  Q operator[](EnergyCause c) const { return parts[static_cast<std::size_t>(c)]; }
  Q total() const {
    Q sum{};
    for (const Q q : parts) sum += q;
    return sum;
  }
  ByCause& operator+=(const ByCause& other) {
    for (std::size_t i = 0; i < kEnergyCauses; ++i) parts[i] += other.parts[i];
    return *this;
  }
};
using EnergyByCause = ByCause<Joules>;
using PowerByCause = ByCause<Watts>;

class Battery {
 public:
  // No capacity: on mains.
  Battery(std::optional<Joules> capacity, double charge, VirtualTime now);

  // From `now` on. Calls must not go back in time.
  void set_load(const PowerByCause& load, VirtualTime now);
  void set_charging(Watts stored, VirtualTime now);  // power that reaches the cells
  // Takes an amount at once; answers what the battery had left to give of it.
  Joules spend(EnergyCause cause, Joules amount, VirtualTime now);
  void advance(VirtualTime now);

  bool on_mains() const { return !capacity_; }
  double charge(VirtualTime now) const;  // 0..1
  // When the charge reaches `level` with the present powers; kNever if it does not.
  VirtualTime reaches(double level) const;

  const EnergyByCause& spent() const { return spent_; }  // up to the last change
  Joules stored() const { return stored_; }              // what charging put in
  // |left - right| of the conservation law over the larger of the two.
  double imbalance() const;

 private:
  double net_w() const;  // what the cells gain
  void run(double seconds);

  std::optional<Joules> capacity_;
  double first_charge_, charge_;
  VirtualTime time_;
  PowerByCause load_;
  Watts charging_{};
  EnergyByCause spent_;
  Joules stored_{};
};

}  // namespace skiff
