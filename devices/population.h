// Who takes part: a fleet of devices drawn from class weights.
//
// Classes are dealt by largest remainder, so that shares are exact (200 devices at 15/15/50/20 %
// are 30/30/100/40), then shuffled. Within a class, the CPU rate varies by a lognormal factor of
// median 1 (silicon, case, operating system), battery health uniformly in 0.8..1. A device's link
// is drawn by the class's weights or the scenario's; its rates are drawn once and belong to the
// device: one lognormal factor moves both directions, since a bad signal is bad both ways. Speed
// and RAM come together from the class: they are strongly correlated and never drawn apart.
//
// Each quantity has a stream of its own, keyed (seed, purpose, device): no choice of algorithm, and
// no other device, moves it. 51 bytes a device. Immutable once made, thread-safe.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "devices/catalogue.h"
#include "devices/network.h"
#include "sim/core/distribution.h"

namespace skiff {

enum class LinkRates : std::uint8_t { kConstant, kLognormal };  // medians; or one draw a device

struct PopulationSpec {
  std::vector<std::pair<std::string, double>> classes;  // name -> weight > 0; any scale
  std::vector<std::pair<std::string, double>> links;    // empty: by class
  LinkRates rates = LinkRates::kLognormal;
  std::optional<DistributionOf<BytesPerSecond>> upload, download;  // instead of the links' own
  std::optional<DistributionOf<Seconds>> rtt;
  Distribution battery_start{Distribution::Kind::kUniform, 0.3, 1.0, {}};  // held to 0..1
  double cpu_spread = 0.15;  // sigma of the within-class factor
};

// One device: a view into a Fleet, cheap to make.
struct Device {
  const DeviceProfile* profile = nullptr;
  const LinkProfile* link = nullptr;
  AccessLink access;
  double cpu_factor = 1;
  double battery_start = 1;       // state of charge, 0..1
  std::optional<Joules> battery;  // capacity as it has aged; absent: on mains
};

class Fleet {
 public:
  // The catalogue must outlive the fleet. Class and link names must be known.
  Fleet(const Catalogue& catalogue, const PopulationSpec& spec, std::size_t devices,
        std::uint64_t seed);

  std::size_t size() const { return class_.size(); }
  Device operator[](std::size_t device) const;
  ClassId class_of(std::size_t device) const { return class_[device]; }
  LinkId link_of(std::size_t device) const { return link_[device]; }
  const DeviceProfile& profile(std::size_t device) const {
    return catalogue_->classes()[class_[device]];
  }
  const Catalogue& catalogue() const { return *catalogue_; }

 private:
  void draw_link(const PopulationSpec& spec, std::size_t device, std::uint64_t seed,
                 Stream& stream);

  const Catalogue* catalogue_;
  std::vector<ClassId> class_;
  std::vector<LinkId> link_;
  std::vector<double> cpu_factor_, health_, battery_start_;
  std::vector<std::int64_t> download_bps_, upload_bps_;
  std::vector<double> rtt_s_;
};

// Shares of n by largest remainder: sums to n, each within 1 of n w / sum(w); ties to the first.
std::vector<std::size_t> apportion(const std::vector<double>& weights, std::size_t n);

}  // namespace skiff
