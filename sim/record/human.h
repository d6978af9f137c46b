// Numbers as people read them: "2.1 h", "181.9 MB", "31.7 kJ", "1,560". The same in every locale.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "sim/core/units.h"

namespace skiff {

std::string grouped(std::uint64_t count);  // "199,210"
std::string human(Bytes bytes);            // "181.9 MB"; whole below 1 kB
std::string human_short(Bytes bytes);      // "63 MB", "2.1 GB": two figures or more
std::string human(Seconds time);           // "38 s", "12.3 min", "2.1 h", "3.4 d"
std::string human(Joules energy);          // "31.7 kJ"
std::string human_metric(double value);    // "0.914", "12.35", "2.1e-05"

// The unit in which an energy reads well, "kJ", and how many joules it has.
struct EnergyUnit {
  std::string_view symbol;
  double joules;
};
EnergyUnit energy_unit(Joules energy);

// `text` in lines of at most `width` columns, broken at spaces; all lines but the first are
// indented. Words longer than a line stay whole.
std::string wrapped(std::string_view text, std::size_t width, std::size_t indent);

}  // namespace skiff
