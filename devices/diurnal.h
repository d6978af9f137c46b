// Availability {name: diurnal}: devices that follow the day, in a mix of time zones.
//
//   swing        most over fewest devices online over a day, of the whole fleet (Bonawitz et al.
//                2019 report 4 for one country)
//   time_zones   {utc-8: 30%, utc-5: 70%}; virtual time starts at midnight UTC
//   online       share of the fleet that is online, averaged over a day
//   session      mean time that a device stays online
//   peak         local hour at which devices come online most readily
//
// The three rates of the on/off process are solved from swing, online and session. Immutable,
// thread-safe.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "devices/availability.h"
#include "devices/on_off.h"

namespace skiff {

struct DiurnalParams {
  double swing = 1;
  std::vector<std::pair<std::string, double>> time_zones{{"utc", 1.0}};
  double online = 0.25;
  Seconds session{2700};
  double peak = 2;
};
template <>
Schema<DiurnalParams> schema<DiurnalParams>();

class Diurnal final : public Availability {
 public:
  explicit Diurnal(const DiurnalParams& params);
  Answer at(std::uint64_t seed, std::uint64_t device, VirtualTime time) const override;

  const OnOffRates& rates() const { return rates_; }
  Seconds zone(std::uint64_t seed, std::uint64_t device) const;

 private:
  std::vector<std::pair<Seconds, double>> zones_;  // offset, cumulative share
  OnOffRates rates_;
  OnOffProcess process_;
};

// "utc-8", "utc+5:30" as an offset; empty if it is none.
std::optional<Seconds> parse_time_zone(const std::string& text);

// Rates that give the wanted swing and mean; empty if no amplitude reaches the swing.
std::optional<OnOffRates> solve_diurnal(const DiurnalParams& params,
                                        const std::vector<std::pair<Seconds, double>>& zones);

}  // namespace skiff
